"""What holds for every listing and search that Hypothesis can think of."""

import re
from datetime import UTC, datetime
from typing import Any

import httpx
import psycopg
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from psycopg.rows import dict_row

from tests.clients import User
from tests.conftest import ONE_WAY

# That a pooler changes nothing is for other tests to show.
pytestmark = ONE_WAY

_examples = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

Task = dict[str, Any]


_RANKS = {"low": 0, "medium": 1, "high": 2}
_COLUMNS = ["created_at", "updated_at", "due_at", "priority", "title"]
_MOMENTS = [
    datetime(1, 1, 1, tzinfo=UTC),
    datetime(2026, 1, 1, 12, tzinfo=UTC),
    datetime(2026, 1, 1, 12, 0, 0, 1, tzinfo=UTC),
    datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
]
_TITLES = ["a", "b", "A", "é", "𝄞", "\uffff", "x" * 400 + "b", "x" * 400 + "a"]
_moments = st.sampled_from(_MOMENTS)
_priorities = st.sampled_from([*_RANKS])
_words = st.text("abAB1éÉжЖ", min_size=1, max_size=3)
_phrases = st.lists(_words | st.sampled_from([*" -_./@'\n—“”\u00a0"]), min_size=1, max_size=6).map(
    "".join
)
_rows = st.fixed_dictionaries(
    {
        "title": st.sampled_from(_TITLES),
        "description": st.none() | _words,
        "priority": _priorities,
        "due_at": st.none() | _moments,
        "is_completed": st.booleans(),
        "created_at": _moments,
        "updated_at": _moments,
    }
)
_filters = st.fixed_dictionaries(
    {},
    optional={
        "status": st.sampled_from(["all", "pending", "completed"]),
        "priority": st.lists(_priorities, min_size=1, max_size=2),
        "due_before": _moments,
        "due_after": _moments,
        "q": _words,
    },
)


def _words_of(*texts: str | None) -> list[str]:
    return re.findall(r"[^\W_]+", " ".join(text or "" for text in texts).lower())


def _finds(q: str, task: Task) -> bool:
    words = _words_of(task["title"], task["description"])
    return all(any(word.startswith(start) for word in words) for start in _words_of(q))


def _matches(filters: Task, task: Task) -> bool:
    due = task["due_at"]
    return (
        filters.get("status", "all") in ("all", "completed" if task["is_completed"] else "pending")
        and ("priority" not in filters or task["priority"] in filters["priority"])
        and ("due_before" not in filters or (due is not None and due < filters["due_before"]))
        and ("due_after" not in filters or (due is not None and due >= filters["due_after"]))
        and _finds(filters.get("q", ""), task)
    )


def _ordered(tasks: list[Task], sort: str) -> list[str]:
    """The ids of tasks in the order that `sort` says, those without a key last."""
    column = sort.removeprefix("-")
    descending = sort != column

    def key(task: Task) -> tuple[bool, Any, str]:
        value = task[column]
        if column == "priority":
            value = _RANKS[value]
        elif column == "title":
            value = value[:400]
        return (value is None) != descending, value or 0, task["id"]

    return [task["id"] for task in sorted(tasks, key=key, reverse=descending)]


def _insert(database: psycopg.Connection[Any], user: User, row: Task) -> Task:
    """A task that is stored with times of our choosing, which the API would not let us have."""
    names = ", ".join(row)
    values = ", ".join(f"%({name})s" for name in row)
    inserted = database.execute(
        f"INSERT INTO tasks (user_id, {names}) VALUES (%(user_id)s, {values}) RETURNING id",
        {**row, "user_id": user.id},
    ).fetchone()
    return {**row, "id": str(inserted["id"])} if inserted else {}


def _change_between_pages(
    database: psycopg.Connection[Any], user: User, tasks: dict[str, Task], change: Task | int | None
) -> None:
    """Insert a task, or delete one of those that are there."""
    if isinstance(change, dict):
        task = _insert(database, user, change)
        tasks[task["id"]] = task
    elif change is not None and tasks:
        gone = sorted(tasks)[change % len(tasks)]
        database.execute("DELETE FROM tasks WHERE id = %s", [gone])
        del tasks[gone]


@_examples
@given(
    rows=st.lists(_rows, max_size=9),
    changes=st.just([]) | st.lists(_rows | st.integers(0, 20), max_size=4),
    sort=st.sampled_from([f"{sign}{column}" for column in _COLUMNS for sign in ("", "-")]),
    listing=st.tuples(_filters, st.integers(1, 5)),
)
@example(
    rows=[
        {"title": "a", "due_at": due, "priority": "low", "is_completed": False, "description": None}
        for due in [*_MOMENTS, None]
    ],
    changes=[],
    sort="due_at",
    listing=({"due_after": _MOMENTS[1], "due_before": _MOMENTS[2]}, 1),
)
def test_pages_neither_skip_nor_repeat(
    handlers: httpx.Client,
    postgres: str,
    rows: list[Task],
    changes: list[Task | int],
    sort: str,
    listing: tuple[Task, int],
) -> None:
    user = User()
    filters, limit = listing
    params = {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in {**filters, "sort": sort, "limit": limit, "with_total": True}.items()
    }
    listed: list[str] = []
    pending = iter(changes)
    with psycopg.connect(postgres, autocommit=True, row_factory=dict_row) as database:
        database.execute("INSERT INTO users (id) VALUES (%s)", [user.id])
        first = [_insert(database, user, row) for row in rows]
        there = {task["id"]: task for task in first}
        ever = {**there}
        more = True
        pages = 0
        while more:
            pages += 1
            assert pages <= len(rows) + len(changes) + 1
            answer = handlers.get("/api/tasks", headers=user.headers, params=params)
            assert answer.status_code == 200, answer.text
            page = answer.json()
            more = page["next_cursor"] is not None
            params["cursor"] = page["next_cursor"]
            assert page["total"] == sum(_matches(filters, task) for task in there.values())
            assert len(page["tasks"]) == limit if more else len(page["tasks"]) <= limit
            listed += [task["id"] for task in page["tasks"]]
            _change_between_pages(database, user, there, next(pending, None))
            ever |= there
    matching = [task for task in ever.values() if _matches(filters, task)]
    assert listed == [task_id for task_id in _ordered(matching, sort) if task_id in {*listed}]
    assert {task["id"] for task in matching if task in first and task["id"] in there} <= {*listed}


@_examples
@given(title=_phrases, description=st.none() | _phrases, searches=st.lists(_phrases, max_size=6))
@example("", "“milk”—bread", ["milk", "bread"])
@example("", None, ["—"])
def test_a_search_finds_a_task_when_each_word_begins_one_of_its_words(
    handlers: httpx.Client, title: str, description: str | None, searches: list[str]
) -> None:
    user = User()
    body = {"title": f"a{title}", "description": description}
    task = handlers.post("/api/tasks", headers=user.headers, json=body).json()
    for q in [*searches, title, f"a{title} {description or ''}"]:
        answer = handlers.get("/api/tasks", headers=user.headers, params={"q": q})
        found = [other["id"] for other in answer.json()["tasks"]]
        assert found == ([task["id"]] if _finds(q, task) else []), q
