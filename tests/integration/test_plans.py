"""What a listing reads: the rows of its page, by an index, in order as they are there."""

import itertools
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, NamedTuple, get_args
from uuid import uuid4

import httpx
import psycopg
import pytest

from shared.callers import Requester
from shared.data import database
from shared.data.query import Query, first_column
from shared.models import Sort
from tests.clients import User
from tests.queries import rewrite

LIMIT = 20
TASKS = 2000
STATUSES = [{}, {"status": "pending"}, {"status": "completed"}]
PRIORITIES: list[dict[str, Any]] = [{}, {"priority": "high"}, {"priority": ["low", "high"]}]
DUE = [
    {"due_after": "2030-01-10T00:00:00Z"},
    {"due_before": "2030-02-10T00:00:00Z"},
    {"due_after": "2030-01-10T00:00:00Z", "due_before": "2030-02-10T00:00:00Z"},
]

pytestmark = pytest.mark.parametrize("database_url", ["direct"], indirect=True)


@pytest.fixture(scope="module")
def crowd(postgres: str) -> Iterator[User]:
    """One of several users who have some thousand tasks each."""
    users = [f"crowd-{number}-{uuid4().hex}" for number in range(5)]
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute("INSERT INTO users (id) SELECT unnest(%s::text[])", [users])
        connection.execute(
            """
            INSERT INTO tasks (user_id, title, description, priority, is_completed, due_at,
                               created_at, updated_at)
            SELECT owner, md5(owner || number),
                   CASE WHEN number > 5 THEN 'common' ELSE 'rare' END,
                   (ARRAY['low', 'medium', 'high'])[1 + number %% 3], number %% 2 = 0,
                   CASE WHEN number %% 5 > 0 THEN '2030-01-01'::timestamptz
                                                  + number * 37 %% 2000 * interval '1 hour' END,
                   now() - number * interval '1 minute',
                   now() - number * 37 %% 1000 * interval '1 second'
            FROM unnest(%s::text[]) AS owner, generate_series(1, %s) AS number
            """,
            [users, TASKS],
        )
        connection.execute("ANALYZE tasks")
        yield User(users[2])
        connection.execute("DELETE FROM users WHERE id = ANY (%s)", [users])


class Page(NamedTuple):
    """What a page answered, and the nodes of the plan that it was read by, from the top."""

    tasks: list[dict[str, Any]]
    nodes: list[dict[str, Any]]

    @property
    def indexes(self) -> set[str]:
        """The indexes that were read."""
        return {node["Index Name"] for node in self.nodes if "Index Name" in node}

    @property
    def scans(self) -> list[dict[str, Any]]:
        """Where rows of tasks were read."""
        return [node for node in self.nodes if node.get("Relation Name") == "tasks"]

    @property
    def rows_read(self) -> int:
        """How many were, whether the page has them or not."""
        return sum(
            scan["Actual Loops"] * (scan["Actual Rows"] + scan.get("Rows Removed by Filter", 0))
            for scan in self.scans
        )

    @property
    def sorts(self) -> list[dict[str, Any]]:
        """Where rows were put in order."""
        return [node for node in self.nodes if "Sort" in node["Node Type"]]


def list_nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The nodes of a plan that were needed, from the top."""
    if plan["Actual Loops"]:
        yield plan
        yield from itertools.chain.from_iterable(map(list_nodes, plan.get("Plans", [])))


def read_pages(
    handlers: httpx.Client,
    user: User,
    monkeypatch: pytest.MonkeyPatch,
    path: str = "/api/tasks",
    **query: Any,
) -> list[Page]:
    """The first two pages of a listing, or of an export."""
    run = database.run
    plans: list[dict[str, Any]] = []

    def explain_and_run(requester: Requester, *queries: Query[Any]) -> tuple[Any, ...]:
        explain = rewrite(queries[-1], "EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {}".format)
        (plan,) = run(requester, replace(explain, read=first_column))
        plans.append(json.loads(plan)[0]["Plan"])
        return run(requester, *queries)

    pages: list[Page] = []
    if path == "/api/tasks":
        query = {"limit": LIMIT, **query}
    with monkeypatch.context() as explained:
        explained.setattr(database, "run", explain_and_run)
        while len(pages) < 2 and query.get("cursor", "first"):
            answer = handlers.get(path, headers=user.headers, params=query)
            assert answer.status_code == 200, answer.text
            query["cursor"] = answer.json()["next_cursor"]
            pages.append(Page(answer.json()["tasks"], list(list_nodes(plans[-1]))))
    return pages


def assert_read_in_order(page: Page, sort: str, index: str) -> None:
    assert page.indexes == {index}
    assert {scan["Node Type"] for scan in page.scans} == {"Index Scan"}
    direction = "Backward" if sort.startswith("-") else "Forward"
    assert {scan["Scan Direction"] for scan in page.scans} == {direction}
    assert page.sorts == []
    # One row more than the page has is read, and one ahead of each other range of the index.
    assert len(page.tasks) == LIMIT
    assert page.rows_read <= LIMIT + 1 + len(page.scans)


def name_index(sort: str) -> str:
    suffix = "_desc" if sort == "-due_at" else ""
    return f"tasks_filtered_by_{sort.removeprefix('-')}{suffix}"


@pytest.mark.parametrize("priority", PRIORITIES, ids=str)
@pytest.mark.parametrize("status", STATUSES, ids=str)
@pytest.mark.parametrize("sort", get_args(Sort))
def test_a_page_is_read_in_order_and_no_more_of_it(
    handlers: httpx.Client,
    crowd: User,
    monkeypatch: pytest.MonkeyPatch,
    sort: str,
    status: dict[str, Any],
    priority: dict[str, Any],
) -> None:
    unfiltered = not status and not priority and sort.endswith("created_at")
    index = "tasks_by_created_at" if unfiltered else name_index(sort)
    first, second = read_pages(handlers, crowd, monkeypatch, sort=sort, **status, **priority)
    assert_read_in_order(first, sort, index)
    assert_read_in_order(second, sort, index)


@pytest.mark.parametrize("due", DUE, ids=str)
@pytest.mark.parametrize("status", STATUSES, ids=str)
@pytest.mark.parametrize("sort", ["due_at", "-due_at"])
def test_what_is_due_in_a_time_is_read_in_order_of_it(
    handlers: httpx.Client,
    crowd: User,
    monkeypatch: pytest.MonkeyPatch,
    sort: str,
    status: dict[str, Any],
    due: dict[str, Any],
) -> None:
    for page in read_pages(handlers, crowd, monkeypatch, sort=sort, **status, **due):
        assert_read_in_order(page, sort, name_index(sort))


@pytest.mark.parametrize("sort", ["-created_at", "updated_at", "title", "priority"])
def test_what_little_is_due_in_a_time_is_found_by_it_whatever_the_order(
    handlers: httpx.Client, crowd: User, monkeypatch: pytest.MonkeyPatch, sort: str
) -> None:
    day = {"due_after": "2030-01-10T00:00:00Z", "due_before": "2030-01-11T00:00:00Z"}
    (page,) = read_pages(handlers, crowd, monkeypatch, sort=sort, **day)
    assert page.indexes == {"tasks_filtered_by_due_at"}
    assert page.rows_read == len(page.tasks) > 10


@pytest.mark.parametrize("status", STATUSES, ids=str)
@pytest.mark.parametrize("sort", ["-created_at", "title"])
def test_words_that_many_tasks_have_are_found_nearby(
    handlers: httpx.Client,
    crowd: User,
    monkeypatch: pytest.MonkeyPatch,
    sort: str,
    status: dict[str, Any],
) -> None:
    for page in read_pages(handlers, crowd, monkeypatch, sort=sort, q="comm", **status):
        assert len(page.tasks) == LIMIT
        assert page.rows_read <= 2 * LIMIT
        assert "tasks_pkey" not in page.indexes


@pytest.mark.parametrize("sort", ["-created_at", "title"])
def test_words_that_few_tasks_have_are_looked_up(
    handlers: httpx.Client,
    crowd: User,
    monkeypatch: pytest.MonkeyPatch,
    owner: psycopg.Connection,
    sort: str,
) -> None:
    before = count_scans(owner)
    (page,) = read_pages(handlers, crowd, monkeypatch, sort=sort, q="rare")
    assert len(page.tasks) == 5
    # Ten pages in order, and then what the words are in.
    assert page.rows_read <= 10 * LIMIT + 10 + 5
    assert "tasks_pkey" in page.indexes
    assert count_scans(owner) > before


@pytest.mark.parametrize("path", ["/api/users/me/export", "/api/tasks"])
def test_a_page_of_very_many_tasks_reads_one_page_and_fills_no_files(
    handlers: httpx.Client, archive: User, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    query = {"limit": "1000", "sort": "title"} if path == "/api/tasks" else {}
    for page in read_pages(handlers, archive, monkeypatch, path, **query):
        assert 1 <= len(page.tasks) < 1000
        # At most a page of each range, whichever way Postgres merges them.
        assert page.rows_read <= 6 * (1001 + 10)
        assert {node["Temp Written Blocks"] for node in page.nodes} == {0}


@pytest.fixture(scope="module")
def archive(postgres: str) -> Iterator[User]:
    """A user with tens of thousands of tasks, of which the first two hundred are very long."""
    user = User()
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute("INSERT INTO users (id) VALUES (%s)", [user.id])
        connection.execute(
            """
            INSERT INTO tasks (user_id, title, description, priority, is_completed)
            SELECT %s, lpad(number::text, 5, '0'),
                   CASE WHEN number <= 200 THEN repeat(chr(128512), 5000) END,
                   (ARRAY['low', 'medium', 'high'])[1 + number %% 3], number %% 2 = 0
            FROM generate_series(1, 20000) AS number
            """,
            [user.id],
        )
        # In the order of the titles, as if they had been made one by one.
        connection.execute(
            "UPDATE tasks SET id = overlay(id::text PLACING title FROM 4 FOR 5)::uuid"
            " WHERE user_id = %s",
            [user.id],
        )
        connection.execute("ANALYZE tasks")
        yield user
        connection.execute("DELETE FROM users WHERE id = %s", [user.id])


def count_scans(owner: psycopg.Connection) -> int:
    """How often the index of words was read, by connections that are closed."""
    ended = "SELECT FROM pg_stat_activity WHERE application_name = 'lambdo'"
    while owner.execute(ended).rowcount:
        pass
    ((scans,),) = owner.execute(
        "SELECT idx_scan FROM pg_stat_user_indexes WHERE indexrelname = 'tasks_by_words'"
    )
    return int(scans)
