"""A page ends before Lambda would give up on it, whatever its tasks are written in."""

import secrets
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import httpx
import psycopg
import pytest
from awslambdaric import lambda_runtime_marshaller

from shared.models import DESCRIPTION_LENGTH, TITLE_LENGTH
from shared.tasks import pages
from tests import clients
from tests.clients import User
from tests.conftest import ONE_WAY
from tests.contract.test_pages import SORTS

MOST = 5_000_000
"""Bytes that Lambda may hand over for an answer; it gives up at 6 MiB."""

LISTING = "/api/tasks"
EXPORT = "/api/users/me/export"

_PRINTABLE = bytes(number for number in range(33, 127) if chr(number) not in '"\\')


def _noise(length: int) -> str:
    """Text in which gzip finds little to save."""
    return secrets.token_bytes(length).translate((_PRINTABLE * 3)[:256]).decode()


def _repeated(text: str) -> Callable[[int], str]:
    return lambda length: (text * length)[:length]


# What tasks are written in, and how many of that are more than one page.
_TEXTS: dict[str, tuple[Callable[[int], str], int]] = {
    "quotes": (_repeated('"'), 400),
    "backslashes": (_repeated("\\"), 400),
    "control characters": (_repeated("\1"), 200),
    "2 bytes": (_repeated("é"), 250),
    "3 bytes": (_repeated("日"), 150),
    "4 bytes": (_repeated("😀"), 100),
    "all of these": (_repeated('\\"\1é日😀x'), 300),
    "words": (_repeated("word "), 950),
    "noise": (_noise, 900),
}
_ENVIRONMENTS = {"now": "AWS_Lambda_python3.13", "before": ""}


class Writer(NamedTuple):
    """A user whose tasks are as long as tasks may be, and their ids, the oldest first."""

    user: User
    ids: list[str]


@pytest.fixture(
    scope="module", params=[pytest.param(text, id=name) for name, text in _TEXTS.items()]
)
def writer(request: pytest.FixtureRequest, postgres: str) -> Writer:
    """One of them for each of these texts."""
    user = User()
    write, count = request.param
    texts = [(write(TITLE_LENGTH), write(DESCRIPTION_LENGTH)) for _ in range(count)]
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute("INSERT INTO users (id) VALUES (%s)", [user.id])
        made = connection.execute(
            "INSERT INTO tasks (user_id, title, description, created_at)"
            " SELECT %s, title, description, now() - number * interval '1 s'"
            " FROM unnest(%s::text[], %s::text[]) WITH ORDINALITY"
            " AS texts (title, description, number) RETURNING id::text, created_at",
            [user.id, *map(list, zip(*texts, strict=True))],
        )
        return Writer(user, [task_id for task_id, _ in sorted(made, key=lambda row: row[1])])


@pytest.fixture
def handed_over(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many bytes Lambda's own client makes of each answer, at most."""
    sizes: list[int] = []
    invoke = clients.invoke

    def measure(event: dict[str, Any]) -> dict[str, Any]:
        answer = invoke(event)
        for environment in _ENVIRONMENTS.values():
            monkeypatch.setenv("AWS_EXECUTION_ENV", environment)
            sizes.append(len(lambda_runtime_marshaller.to_json(answer).encode()))
        return answer

    monkeypatch.setattr(clients, "invoke", measure)
    return sizes


def _read_pages(
    handlers: httpx.Client, user: User, path: str, accepted: str = "identity", **query: Any
) -> Iterator[list[dict[str, Any]]]:
    headers = {**user.headers, "Accept-Encoding": accepted}
    cursor: str | None = ""
    while cursor is not None:
        params = {**query, **({"cursor": cursor} if cursor else {})}
        answer = handlers.get(path, headers=headers, params=params)
        assert answer.status_code == 200, answer.text[:500]
        page = answer.json()
        yield page["tasks"]
        cursor = page["next_cursor"]


@ONE_WAY
@pytest.mark.parametrize("accepted", ["identity", "gzip"])
@pytest.mark.parametrize(
    ("path", "query"), [(LISTING, {"limit": 1000, "sort": "created_at"}), (EXPORT, {})]
)
def test_no_page_is_more_than_lambda_hands_over(
    handlers: httpx.Client,
    writer: Writer,
    handed_over: list[int],
    path: str,
    query: dict[str, Any],
    accepted: str,
) -> None:
    found = list(_read_pages(handlers, writer.user, path, accepted, **query))
    assert max(handed_over) <= MOST
    assert len(found) > 1
    assert all(found)
    listed = [task["id"] for page in found for task in page]
    assert listed == (writer.ids if path == LISTING else sorted(writer.ids))


@ONE_WAY
def test_a_page_does_not_end_before_it_has_to(
    handlers: httpx.Client, postgres: str, alice: User
) -> None:
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute("INSERT INTO users (id) VALUES (%s)", [alice.id])
        connection.execute(
            "INSERT INTO tasks (user_id, title, description)"
            " SELECT %s, 'Long', repeat('word ', 600) FROM generate_series(1, 1000)",
            [alice.id],
        )
    (page,) = _read_pages(handlers, alice, LISTING, limit=1000)
    assert len(page) == 1000


@ONE_WAY
@pytest.mark.parametrize("filters", [{}, {"status": "pending"}, {"q": "word"}, {"q": "rare"}])
@pytest.mark.parametrize("sort", SORTS)
def test_pages_that_end_early_together_are_the_whole_list(
    handlers: httpx.Client,
    monkeypatch: pytest.MonkeyPatch,
    crowd: User,
    sort: str,
    filters: dict[str, str],
) -> None:
    query = {**filters, "sort": sort, "limit": "1000"}
    (whole,) = _read_pages(handlers, crowd, LISTING, **query)
    # Tasks of different lengths, of which one to some fit.
    monkeypatch.setattr(pages, "PAGE_BYTES", 20_000)
    found = list(_read_pages(handlers, crowd, LISTING, **query))
    assert [task for page in found for task in page] == whole
    assert all(found)
    assert len(found) > 1


@pytest.fixture(scope="module")
def crowd(postgres: str) -> User:
    """A user with short tasks and long ones."""
    user = User()
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute("INSERT INTO users (id) VALUES (%s)", [user.id])
        connection.execute(
            """
            INSERT INTO tasks (user_id, title, description, priority, is_completed, due_at,
                               created_at, updated_at)
            SELECT %s, md5(number::text) || ' word', repeat('long ', number * 37 %% 700)
                       || CASE WHEN number %% 5 = 0 THEN 'rare' ELSE '' END,
                   (ARRAY['low', 'medium', 'high'])[1 + number %% 3], number %% 2 = 0,
                   CASE WHEN number %% 4 > 0 THEN now() + number * 7 %% 10 * interval '1 day' END,
                   now() - number * interval '1 minute', now() - number * 37 %% 10 * interval '1 s'
            FROM generate_series(1, 60) AS number
            """,
            [user.id],
        )
    return user
