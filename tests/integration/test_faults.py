"""What callers are told when the database fails or somebody else is first, and that it passes."""

import functools
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import httpx
import psycopg
import pytest

from shared.data import database
from shared.settings import get_settings
from tests.clients import User, make_token
from tests.conftest import use_database
from tests.counting_proxy import Proxy, running_proxy
from tests.integration.conftest import (
    CALLS,
    CHANGE,
    CREATE,
    LIST,
    PASSWORD,
    READ,
    WRITES,
    Call,
    create,
    make_call,
)
from tests.servers import free_port

READY_LIMIT = 3
"""Seconds in which readiness has to be known."""


@pytest.fixture
def task(handlers: httpx.Client, alice: User) -> dict[str, Any]:
    """A task of Alice's."""
    return create(handlers, alice)


@pytest.fixture
def silent_server() -> Iterator[str]:
    """The URL of a server that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"postgresql://owner:hunter2@127.0.0.1:{listener.getsockname()[1]}/secret_name"


@pytest.fixture
def proxy(
    handlers: httpx.Client, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Proxy]:
    """A proxy between the handlers and their database."""
    assert handlers
    with running_proxy(database_url) as proxy:
        use_database(monkeypatch, proxy.url)
        yield proxy


def check_unavailable(answer: httpx.Response) -> None:
    """It is a 503 that tells when to try again, and the same whatever has failed."""
    body = answer.json()
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert body == {
        "code": "database_unavailable",
        "message": "The database cannot be reached or is too slow. Reading can be tried again at"
        " once; a write may have been made, so look first.",
        "details": None,
        "request_id": answer.headers["X-Request-Id"],
    }
    assert "hunter2" not in str(answer.headers)


def check_works(handlers: httpx.Client, user: User) -> None:
    assert create(handlers, user)["user_id"] == user.id
    assert handlers.get("/health/ready").status_code == 200


def read(handlers: httpx.Client, user: User, task: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = make_call(handlers, user, READ, task["id"]).json()
    return found


@pytest.mark.parametrize("database_url", ["direct"], indirect=True)
@pytest.mark.parametrize("call", CALLS, ids=str)
def test_a_database_that_refuses_connections(
    handlers: httpx.Client,
    alice: User,
    call: Call,
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    use_database(monkeypatch, f"postgresql://owner:hunter2@127.0.0.1:{free_port()}/secret_name")
    check_unavailable(make_call(handlers, alice, call))
    check_unavailable(handlers.get("/health/ready"))
    use_database(monkeypatch, database_url)
    check_works(handlers, alice)


@pytest.mark.parametrize("database_url", ["direct"], indirect=True)
@pytest.mark.parametrize("call", [LIST, CREATE], ids=str)
def test_a_server_that_says_nothing(
    handlers: httpx.Client,
    alice: User,
    call: Call,
    database_url: str,
    silent_server: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(database, "CONNECT_TIMEOUT", 1)
    use_database(monkeypatch, silent_server)
    check_unavailable(make_call(handlers, alice, call))
    use_database(monkeypatch, database_url)
    check_works(handlers, alice)


@pytest.mark.parametrize("call", CALLS, ids=str)
def test_a_server_that_falls_silent(
    handlers: httpx.Client,
    alice: User,
    proxy: Proxy,
    call: Call,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    proxy.silent = True
    with monkeypatch.context() as impatient:
        impatient.setattr(database, "ANSWER_TIMEOUT", 0.2)
        started = time.monotonic()
        check_unavailable(make_call(handlers, alice, call))
        assert time.monotonic() - started < 5  # it is not the proxy that has given up
    proxy.silent = False
    check_works(handlers, alice)


@pytest.mark.parametrize("database_url", ["direct"], indirect=True)
def test_readiness_is_known_in_time_where_a_server_says_nothing(
    handlers: httpx.Client, silent_server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_database(monkeypatch, silent_server)
    started = time.monotonic()
    check_unavailable(handlers.get("/health/ready"))
    assert time.monotonic() - started < READY_LIMIT


def test_readiness_is_known_in_time_where_a_server_falls_silent(
    handlers: httpx.Client, proxy: Proxy
) -> None:
    proxy.silent = True
    started = time.monotonic()
    check_unavailable(handlers.get("/health/ready"))
    assert time.monotonic() - started < READY_LIMIT
    proxy.silent = False
    assert handlers.get("/health/ready").status_code == 200


@pytest.mark.parametrize("database_url", ["direct"], indirect=True)
def test_a_database_without_the_tables_is_not_ready(
    handlers: httpx.Client, postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_database(monkeypatch, postgres.replace("/lambdo?", "/postgres?"))
    check_unavailable(handlers.get("/health/ready"))


@pytest.mark.parametrize("database_url", ["direct"], indirect=True)
def test_a_wrong_password(
    handlers: httpx.Client,
    alice: User,
    guarded: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    use_database(monkeypatch, guarded.replace(PASSWORD, "hunter2"))
    for call in CALLS:
        check_unavailable(make_call(handlers, alice, call))
    use_database(monkeypatch, guarded)
    check_works(handlers, alice)


@contextmanager
def locked(postgres: str, task: dict[str, Any]) -> Iterator[psycopg.Connection]:
    """A transaction that holds the row of a task."""
    with psycopg.connect(postgres) as connection:
        connection.execute("SELECT FROM tasks WHERE id = %s FOR UPDATE", [task["id"]])
        yield connection


@pytest.mark.parametrize("call", WRITES, ids=str)
def test_a_row_that_is_locked_for_too_long(
    handlers: httpx.Client,
    alice: User,
    task: dict[str, Any],
    call: Call,
    postgres: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with monkeypatch.context() as impatient, locked(postgres, task):
        impatient.setattr(database, "STATEMENT_TIMEOUT", 0.1)
        check_unavailable(make_call(handlers, alice, call, task["id"]))
        assert read(handlers, alice, task) == task
    assert make_call(handlers, alice, call, task["id"]).is_success


@contextmanager
def when_waiting(
    owner: psycopg.Connection, statement: str, act: Callable[[], object]
) -> Iterator[None]:
    """Let `act` happen once a `statement` waits for a lock."""
    waiting = "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE %s"

    def wait_and_act() -> None:
        deadline = time.monotonic() + 10
        while owner.execute(waiting, [f"%{statement}%"]).rowcount == 0:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        act()

    with ThreadPoolExecutor(1) as threads:
        acting = threads.submit(wait_and_act)
        yield
        acting.result()


@pytest.mark.parametrize("call", WRITES, ids=str)
def test_a_connection_that_is_killed(
    handlers: httpx.Client,
    alice: User,
    task: dict[str, Any],
    call: Call,
    postgres: str,
    owner: psycopg.Connection,
) -> None:
    kill = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
    with locked(postgres, task), when_waiting(owner, "tasks", lambda: owner.execute(kill)):
        check_unavailable(make_call(handlers, alice, call, task["id"]))
    assert read(handlers, alice, task) == task
    assert make_call(handlers, alice, call, task["id"]).is_success


def test_idle_connections_that_are_killed(
    handlers: httpx.Client, alice: User, task: dict[str, Any], owner: psycopg.Connection
) -> None:
    others = (
        "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        " AND backend_type = 'client backend'"
    )
    owner.execute(f"SELECT pg_terminate_backend(pid, 5000) {others}")
    assert read(handlers, alice, task) == task


@pytest.mark.parametrize("database_url", ["direct"], indirect=True)
def test_a_deadlock_is_a_conflict(
    handlers: httpx.Client, alice: User, postgres: str, owner: psycopg.Connection
) -> None:
    superuser = postgres.replace("//lambdo_owner@", "//postgres@")
    with psycopg.connect(superuser) as rival:
        rival.execute("SET deadlock_timeout = '1min'")  # so that it is not the one to give up
        rival.execute("LOCK TABLE tasks IN SHARE MODE")
        insert = functools.partial(rival.execute, "INSERT INTO users (id) VALUES (%s)", [alice.id])
        with when_waiting(owner, "INSERT INTO tasks", insert):
            answer = make_call(handlers, alice, CREATE)
        rival.rollback()
    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")
    assert make_call(handlers, alice, LIST).json()["tasks"] == []
    check_works(handlers, alice)


@pytest.mark.parametrize("database_url", ["direct"], indirect=True)
def test_a_change_that_cannot_be_serialized_is_a_conflict(
    handlers: httpx.Client,
    alice: User,
    task: dict[str, Any],
    postgres: str,
    owner: psycopg.Connection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    strict = "&options=-c%20default_transaction_isolation%3Dserializable"
    use_database(monkeypatch, f"{postgres}{strict}")
    with locked(postgres, task) as rival:
        rival.execute("UPDATE tasks SET title = 'First' WHERE id = %s", [task["id"]])
        with when_waiting(owner, "FROM user_versions", rival.commit):
            answer = make_call(handlers, alice, CHANGE, task["id"])
    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")
    assert read(handlers, alice, task)["title"] == "First"
    assert make_call(handlers, alice, CHANGE, task["id"]).status_code == 200


@pytest.mark.parametrize("call", CALLS, ids=str)
def test_a_user_without_a_row_is_unknown_where_one_is_required(
    handlers: httpx.Client,
    alice: User,
    call: Call,
    owner: psycopg.Connection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("USER_PROVISIONING", "required")
    get_settings.cache_clear()
    answer = make_call(handlers, alice, call)
    assert (answer.status_code, answer.json()["code"]) == (401, "user_unknown")
    assert answer.headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'
    assert owner.execute("SELECT FROM users WHERE id = %s", [alice.id]).rowcount == 0
    owner.execute("INSERT INTO users (id) VALUES (%s)", [alice.id])
    assert make_call(handlers, alice, call).status_code in (200, 201, 404)


@pytest.mark.parametrize("spelling", [str.lower, str.upper])
def test_an_email_of_somebody_else_keeps_no_user_out(
    handlers: httpx.Client, alice: User, bob: User, owner: psycopg.Connection, spelling: Any
) -> None:
    email = f"{alice.id}@example.com"
    for user, claim in ((alice, email), (bob, spelling(email)), (bob, spelling(email))):
        headers = {"Authorization": f"Bearer {make_token(user.id, email=claim)}"}
        answer = handlers.post("/api/tasks", headers=headers, json={"title": "A task"})
        assert answer.status_code == 201
    find = "SELECT email FROM users WHERE id = %s"
    assert owner.execute(find, [alice.id]).fetchone() == (email,)
    assert owner.execute(find, [bob.id]).fetchone() == (None,)
