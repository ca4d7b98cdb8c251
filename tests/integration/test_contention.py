"""Callers who get in each other's way: nobody waits in vain, and nothing happens afterwards."""

import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import httpx
import psycopg
import pytest

from shared.data import database
from shared.settings import get_settings
from tests.clients import User
from tests.conftest import use_database
from tests.integration.conftest import (
    CHANGE,
    DELETE,
    LIST,
    READ,
    Call,
    calling,
    create,
    make_call,
    wait_until,
)
from tests.servers import running_pgbouncer

Task = dict[str, Any]

_BUSY = """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
          AND backend_type = 'client backend' AND state <> 'idle' AND wait_event_type = 'Lock'
"""


@pytest.fixture
def task(handlers: httpx.Client, alice: User) -> Task:
    """A task of Alice's."""
    return create(handlers, alice)


@contextmanager
def locked(owner: psycopg.Connection, task: Task) -> Iterator[None]:
    """Somebody else's transaction holds the row of a task while the block runs."""
    with psycopg.connect(owner.info.dsn) as connection:
        connection.execute("SELECT FROM tasks WHERE id = %s FOR UPDATE", [task["id"]])
        yield


def count_blocked(owner: psycopg.Connection) -> int:
    """How many backends wait for a lock."""
    ((count,),) = owner.execute(_BUSY)
    return int(count)


def start(
    threads: ThreadPoolExecutor, handlers: httpx.Client, user: User, call: Call, task: Task
) -> Future[httpx.Response]:
    """Make a call in another thread."""
    return threads.submit(make_call, handlers, user, call, task["id"])


@pytest.mark.parametrize("call", [CHANGE, DELETE], ids=str)
def test_what_was_refused_does_not_happen_later(
    handlers: httpx.Client,
    alice: User,
    task: Task,
    call: Call,
    owner: psycopg.Connection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(database, "STATEMENT_TIMEOUT", 0.5)
    with calling(5) as threads, locked(owner, task):
        calls = [start(threads, handlers, alice, call, task) for _ in range(5)]
        answers = [one.result() for one in calls]
        assert [answer.status_code for answer in answers] == [503] * 5
        # Nothing is left that could go on once the lock is gone.
        assert count_blocked(owner) == 0
    assert make_call(handlers, alice, READ, task["id"]).json() == task


def test_what_its_caller_has_left_is_stopped(
    handlers: httpx.Client,
    alice: User,
    task: Task,
    owner: psycopg.Connection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with locked(owner, task):
        with monkeypatch.context() as impatient:
            impatient.setattr(database, "ANSWER_TIMEOUT", 0.3)
            assert make_call(handlers, alice, CHANGE, task["id"]).status_code == 503
        left = time.monotonic()
        wait_until(lambda: count_blocked(owner) == 0)
        # The server has found out by itself: the statement had much more time.
        assert time.monotonic() - left < database.STATEMENT_TIMEOUT / 2
    assert make_call(handlers, alice, READ, task["id"]).json() == task


@pytest.mark.parametrize("database_url", ["direct"], indirect=True)
def test_callers_who_have_left_do_not_pile_up_behind_a_pooler(
    handlers: httpx.Client,
    alice: User,
    task: Task,
    postgres: str,
    owner: psycopg.Connection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with running_pgbouncer(postgres, pool_size=3) as pooled, locked(owner, task):
        use_database(monkeypatch, pooled)
        monkeypatch.setattr(database, "ANSWER_TIMEOUT", 0.5)
        with calling(12) as threads:
            calls = [start(threads, handlers, alice, CHANGE, task) for _ in range(24)]
            assert {call.result().status_code for call in calls} == {503}
        wait_until(lambda: count_blocked(owner) == 0)
        # The pool is free again, although the row is still locked.
        monkeypatch.setattr(database, "ANSWER_TIMEOUT", 5)
        assert make_call(handlers, alice, READ, task["id"]).json() == task
    use_database(monkeypatch, postgres)
    assert make_call(handlers, alice, READ, task["id"]).json() == task


@pytest.mark.parametrize("blocked", [CHANGE, DELETE], ids=str)
def test_a_reader_does_not_wait_for_a_writer_of_the_same_user(
    handlers: httpx.Client,
    alice: User,
    task: Task,
    blocked: Call,
    owner: psycopg.Connection,
) -> None:
    other = create(handlers, alice)
    with calling(1) as threads:
        with locked(owner, task):
            writer = start(threads, handlers, alice, blocked, task)
            wait_until(lambda: count_blocked(owner) == 1)
            for call in (LIST, READ, Call("GET", "?with_total=true")):
                assert make_call(handlers, alice, call, other["id"]).is_success
            me = handlers.get("/api/users/me", headers=alice.headers)
            assert me.json()["id"] == alice.id
            assert not writer.done()
        assert writer.result().is_success


@pytest.mark.parametrize("size", [1, 4])
@pytest.mark.parametrize("database_url", ["direct"], indirect=True)
def test_over_the_limit_everybody_is_told_so(
    handlers: httpx.Client,
    alice: User,
    postgres: str,
    size: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("RATE_LIMIT_PER_MINUTE", "50")
    with running_pgbouncer(postgres, pool_size=size) as pooled:
        use_database(monkeypatch, pooled)
        with calling(8) as threads:
            calls = [(LIST, READ, CHANGE)[number % 3] for number in range(200)]
            answers = [*threads.map(lambda call: make_call(handlers, alice, call), calls)]
    statuses = Counter(answer.status_code for answer in answers)
    assert statuses[429] == 150
    assert {*statuses} == {200, 404, 429}
    codes = {answer.json()["code"] for answer in answers if answer.status_code == 429}
    assert codes == {"rate_limited"}


def test_the_first_calls_of_a_user_may_come_at_once(handlers: httpx.Client) -> None:
    for _ in range(10):
        user = User()
        with calling(8) as threads:
            calls = [threads.submit(make_call, handlers, user, LIST) for _ in range(8)]
        answers = [call.result() for call in calls]
        assert [answer.status_code for answer in answers] == [200] * 8
        remaining = sorted(int(answer.headers["RateLimit-Remaining"]) for answer in answers)
        assert remaining == [*range(592, 600)]


def read_remaining(handlers: httpx.Client, user: User) -> int:
    return int(make_call(handlers, user, LIST).headers["RateLimit-Remaining"])


def test_a_call_that_fails_is_counted(
    handlers: httpx.Client,
    alice: User,
    task: Task,
    owner: psycopg.Connection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = read_remaining(handlers, alice)
    with monkeypatch.context() as impatient, locked(owner, task):
        impatient.setattr(database, "STATEMENT_TIMEOUT", 0.1)
        answer = make_call(handlers, alice, CHANGE, task["id"])
    assert answer.status_code == 503
    assert int(answer.headers["RateLimit-Remaining"]) == before - 1
    with monkeypatch.context() as broken:
        broken.setattr("shared.statements.tasks.READ", "SELECT 1 / 0")
        answer = make_call(handlers, alice, READ, task["id"])
    assert answer.status_code == 500
    assert int(answer.headers["RateLimit-Remaining"]) == before - 2
    assert read_remaining(handlers, alice) == before - 3


def test_a_call_of_a_user_who_is_not_known_is_counted(
    handlers: httpx.Client, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("USER_PROVISIONING", "required")
    monkeypatch.setenv("RATE_LIMIT_PER_MINUTE", "3")
    get_settings.cache_clear()
    answers = [make_call(handlers, alice, LIST) for _ in range(5)]
    assert [answer.status_code for answer in answers] == [401, 401, 401, 429, 429]
    assert [answer.headers["RateLimit-Remaining"] for answer in answers] == [
        "2",
        "1",
        "0",
        "0",
        "0",
    ]


def test_a_count_that_somebody_holds_is_given_up(
    handlers: httpx.Client, alice: User, task: Task, postgres: str
) -> None:
    superuser = postgres.replace("//lambdo_owner@", "//postgres@")
    with psycopg.connect(superuser) as connection:
        held = "SELECT FROM rate_limits WHERE subject = %s FOR UPDATE"
        assert connection.execute(held, [f"user {alice.id}"]).rowcount == 1
        answer = make_call(handlers, alice, DELETE, task["id"])
        assert (answer.status_code, answer.json()["code"]) == (503, "database_unavailable")
    assert make_call(handlers, alice, READ, task["id"]).json() == task
