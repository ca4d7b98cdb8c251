"""Queries are values: any number of them travel together, as whoever asks them."""

from collections.abc import Iterator
from typing import Any

import httpx
import psycopg
import pytest

from shared.callers import Caller, RegisteredCaller, Requester, Stranger, System
from shared.data import database, limits
from shared.data.connection import Row, Statement
from shared.data.query import Command, Query
from shared.errors import RateLimited, UserUnknown
from shared.settings import get_settings
from tests.clients import User
from tests.conftest import use_database
from tests.counting_proxy import Proxy, running_proxy
from tests.integration.conftest import create

TITLES = "SELECT title FROM tasks ORDER BY title"
ADD = "INSERT INTO tasks (user_id, title) VALUES (%(user_id)s, %(title)s) RETURNING title"


def list_values(rows: list[Row]) -> list[Any]:
    """The first column."""
    return [row[0] for row in rows]


def ask(sql: str, **values: object) -> Query[list[Any]]:
    """A query whose result is its first column."""
    return Query(Statement(sql, values), list_values)


def add(title: str) -> Command[list[Any]]:
    """A new task."""
    return Command(Statement(ADD, {"title": title}), list_values)


@pytest.fixture
def proxy(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    """What counts the round trips to the database."""
    with running_proxy(database_url) as proxy:
        use_database(monkeypatch, proxy.url)
        yield proxy


@pytest.fixture
def caller(handlers: httpx.Client, alice: User) -> Caller:
    """Alice, who has a task."""
    create(handlers, alice, title="A task")
    return Caller(alice.id)


def test_a_hundred_queries_take_one_round_trip(caller: Caller, proxy: Proxy) -> None:
    queries = [add(f"{number:03}") if number % 2 else ask(TITLES) for number in range(100)]
    results = database.run(caller, *queries)
    (connection,) = proxy.take_connections()
    assert connection.statements == 1
    # Each sees what those before it did.
    assert results[98] == [f"{number:03}" for number in range(1, 98, 2)] + ["A task"]
    assert results[99] == ["099"]


def test_all_of_them_happen_or_none(caller: Caller) -> None:
    with pytest.raises(psycopg.errors.DivisionByZero):
        database.run(caller, add("B"), ask("SELECT 1 / 0"), add("C"))
    assert database.run(caller, ask(TITLES)) == (["A task"],)


def test_a_query_cannot_name_another_user(caller: Caller, bob: User) -> None:
    sql = "SELECT %(user_id)s"
    assert database.run(caller, ask(sql, user_id=bob.id)) == ([caller.user_id],)


@pytest.mark.parametrize("requester", [Stranger("192.0.2.9"), System(), Caller("somebody")])
def test_nobody_else_sees_her_tasks(caller: Caller, requester: Requester) -> None:
    assert caller
    assert database.run(requester, ask(TITLES)) == ([],)
    assert database.run(System(caller.user_id), ask(TITLES)) == (["A task"],)


def test_calls_are_counted_for_callers_and_strangers_and_not_for_lambdo_itself(
    caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RATE_LIMIT_PER_MINUTE", "3")
    get_settings.cache_clear()
    stranger = Stranger(f"host of {caller.user_id}", caller.user_id)
    left = []
    for requester in (caller, System(caller.user_id), caller, stranger, System()):
        limits.start_call()
        try:
            database.run(requester, ask(TITLES))
        except RateLimited:
            pytest.fail("that is not too many")
        allowance = limits.find_allowance()
        left.append(None if allowance is None else allowance.remaining)
    # She made a call before.
    assert left == [1, None, 0, 9, None]
    with pytest.raises(RateLimited):
        database.run(caller, ask(TITLES))


def test_a_registered_caller_has_to_have_a_row(caller: Caller, bob: User) -> None:
    assert database.run(RegisteredCaller(caller.user_id), ask(TITLES)) == (["A task"],)
    with pytest.raises(UserUnknown):
        database.run(RegisteredCaller(bob.id), ask(TITLES))
    with pytest.raises(UserUnknown):
        database.run(RegisteredCaller(bob.id), add("B"))
