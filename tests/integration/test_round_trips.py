"""Every call on tasks makes one connection, waits once for its statements, and closes it."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import httpx
import psycopg
import pytest
from argon2 import PasswordHasher

from shared.accounts import credentials
from shared.settings import get_settings
from tests.clients import User
from tests.conftest import use_database
from tests.counting_proxy import Connection, Proxy, list_messages, running_proxy
from tests.integration.conftest import (
    CHANGE,
    CREATE,
    LIST,
    READ,
    WRITES,
    Call,
    add_user,
    create,
    make_call,
)
from tests.tls_front import running_tls_front

COMPLETE_WITHOUT_BODY = Call("PATCH", "/{id}/complete")
FILTERED = Call("GET", "?status=pending&priority=low&due_after=2026-01-01T00:00:00Z&q=a&sort=title")
COUNTED = Call("GET", "?with_total=true")


@pytest.fixture
def proxy(database_url: str) -> Iterator[Proxy]:
    """What counts: stands between the handlers and the database."""
    with running_proxy(database_url) as proxy:
        yield proxy


@pytest.fixture(params=["automatic", "required"])
def http(
    request: pytest.FixtureRequest,
    handlers: httpx.Client,
    proxy: Proxy,
    monkeypatch: pytest.MonkeyPatch,
) -> httpx.Client:
    """A client of the handlers, with either way to provision users."""
    monkeypatch.setenv("USER_PROVISIONING", request.param)
    use_database(monkeypatch, proxy.url)
    return handlers


@pytest.fixture
def alice(owner: psycopg.Connection) -> User:
    """A user who is known already."""
    user = User()
    add_user(owner, user)
    return user


@pytest.fixture
def task(http: httpx.Client, alice: User, proxy: Proxy) -> dict[str, Any]:
    """A task of hers, the making of which is not counted."""
    task = create(http, alice)
    proxy.take_connections()
    return task


def check_one_round_trip(proxy: Proxy) -> None:
    (connection,) = proxy.take_connections()
    assert connection.closed
    assert connection.connecting > 0
    assert connection.statements == 1
    # Nothing between Sync and Terminate: a pooler would take it for another transaction.
    assert list_messages(connection.sent).endswith("SX")


def test_two_statements_one_after_the_other_count_as_two(proxy: Proxy) -> None:
    with psycopg.connect(proxy.url, autocommit=True) as connection:
        connection.execute("SELECT 1")
        connection.execute("SELECT 2")
    (counted,) = proxy.take_connections()
    assert counted.statements == 2


def test_every_connection_is_counted(proxy: Proxy) -> None:
    for _ in range(2):
        psycopg.connect(proxy.url, autocommit=True).close()
    assert [(c.closed, c.statements) for c in proxy.take_connections()] == [(True, 0)] * 2
    assert proxy.take_connections() == []


def test_a_call_of_somebody_else_makes_no_connection(
    http: httpx.Client, alice: User, bob: User, proxy: Proxy
) -> None:
    assert http.get(f"/api/{bob.id}/tasks", headers=alice.headers).status_code == 403
    assert http.get("/api/tasks").status_code == 401
    assert proxy.take_connections() == list[Connection]()


@pytest.mark.parametrize("call", WRITES, ids=str)
def test_a_task_that_is_not_there(
    http: httpx.Client, alice: User, proxy: Proxy, call: Call
) -> None:
    assert make_call(http, alice, call).status_code == 404
    check_one_round_trip(proxy)


@pytest.mark.parametrize("call", WRITES, ids=str)
def test_a_precondition_that_fails(
    http: httpx.Client, alice: User, task: dict[str, Any], proxy: Proxy, call: Call
) -> None:
    assert make_call(http, alice, call, task["id"], if_match='"old"').status_code == 412
    check_one_round_trip(proxy)


@pytest.mark.parametrize(
    "call", [*WRITES, pytest.param(COMPLETE_WITHOUT_BODY, id="no body")], ids=str
)
def test_a_write(
    http: httpx.Client, alice: User, task: dict[str, Any], proxy: Proxy, call: Call
) -> None:
    assert make_call(http, alice, call, task["id"]).is_success
    check_one_round_trip(proxy)


def test_a_write_with_a_precondition_that_holds(
    http: httpx.Client, alice: User, task: dict[str, Any], proxy: Proxy
) -> None:
    tag = make_call(http, alice, READ, task["id"]).headers["ETag"]
    proxy.take_connections()
    assert make_call(http, alice, CHANGE, task["id"], if_match=tag).status_code == 200
    check_one_round_trip(proxy)


@pytest.mark.parametrize(("known", "status"), [('"old"', 200), ("*", 304)])
def test_a_read(
    http: httpx.Client, alice: User, task: dict[str, Any], proxy: Proxy, known: str, status: int
) -> None:
    headers = {**alice.headers, "If-None-Match": known}
    assert http.get(f"/api/tasks/{task['id']}", headers=headers).status_code == status
    check_one_round_trip(proxy)


@pytest.mark.parametrize("call", [LIST, FILTERED, COUNTED], ids=str)
def test_a_page(http: httpx.Client, alice: User, proxy: Proxy, call: Call) -> None:
    assert make_call(http, alice, call).status_code == 200
    check_one_round_trip(proxy)


def test_the_page_after_it(
    http: httpx.Client, alice: User, task: dict[str, Any], proxy: Proxy
) -> None:
    create(http, alice)
    query = {"limit": "1", "with_total": "true"}
    page = http.get("/api/tasks", headers=alice.headers, params=query).json()
    proxy.take_connections()
    query["cursor"] = page["next_cursor"]
    page = http.get("/api/tasks", headers=alice.headers, params=query).json()
    assert ([found["id"] for found in page["tasks"]], page["total"]) == ([task["id"]], 2)
    check_one_round_trip(proxy)


def test_a_task_for_a_known_user(http: httpx.Client, alice: User, proxy: Proxy) -> None:
    assert make_call(http, alice, CREATE).status_code == 201
    check_one_round_trip(proxy)


def test_a_task_for_a_new_user(http: httpx.Client, bob: User, proxy: Proxy) -> None:
    required = get_settings().user_provisioning == "required"
    assert make_call(http, bob, CREATE).status_code == (401 if required else 201)
    check_one_round_trip(proxy)


PASSWORD = "correct horse battery"


def new_account() -> dict[str, str]:
    """What a new user registers with."""
    return {"email": f"ada.{uuid4().hex}@example.com", "password": PASSWORD}


@pytest.mark.parametrize("path", ["/api/users/me", "/api/users/me/export"])
def test_a_known_user_reads_their_account(
    http: httpx.Client, alice: User, proxy: Proxy, path: str
) -> None:
    assert http.get(path, headers=alice.headers).status_code == 200
    check_one_round_trip(proxy)


def test_a_new_user_reads_their_account(http: httpx.Client, bob: User, proxy: Proxy) -> None:
    required = get_settings().user_provisioning == "required"
    answer = http.get("/api/users/me", headers=bob.headers)
    assert answer.status_code == (401 if required else 200)
    check_one_round_trip(proxy)


def test_an_account_is_deleted(http: httpx.Client, alice: User, proxy: Proxy) -> None:
    assert http.delete("/api/users/me", headers=alice.headers).status_code == 204
    check_one_round_trip(proxy)


def test_a_registration_and_a_login(http: httpx.Client, proxy: Proxy) -> None:
    account = new_account()
    assert http.post("/api/auth/register", json=account).status_code == 201
    # Counted first, and the password hashed only after that.
    assert [connection.statements for connection in proxy.take_connections()] == [1, 1]
    for path, status in (("register", 409), ("login", 200)):
        assert http.post(f"/api/auth/{path}", json=account).status_code == status
        check_one_round_trip(proxy)
    for refused in (new_account(), {**account, "password": "wrong horse battery"}):
        assert http.post("/api/auth/login", json=refused).status_code == 401
        check_one_round_trip(proxy)


def test_a_login_that_hashes_the_password_anew_takes_a_second_one(
    http: httpx.Client, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = new_account()
    with monkeypatch.context() as patch:
        weaker = PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1)
        patch.setattr(credentials, "_hasher", weaker)
        http.post("/api/auth/register", json=account)
    proxy.take_connections()
    assert http.post("/api/auth/login", json=account).status_code == 200
    assert [connection.statements for connection in proxy.take_connections()] == [1, 1]
    assert http.post("/api/auth/login", json=account).status_code == 200
    check_one_round_trip(proxy)


@pytest.mark.parametrize("database_url", ["direct"], indirect=True)
def test_connecting_to_neon_takes_one_round_trip_less(
    handlers: httpx.Client, alice: User, postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    round_trips = {}
    with running_tls_front(postgres) as front, running_proxy(front) as proxy:
        for host in ("ep-one-pooler.eu-central-1.aws.neon.tech", "db.example.com"):
            port = urlsplit(proxy.url).port
            url = urlsplit(proxy.url)._replace(netloc=f"lambdo_owner@{host}:{port}", query="")
            use_database(monkeypatch, f"{url.geturl()}?hostaddr=127.0.0.1&sslmode=require")
            assert make_call(handlers, alice, LIST).status_code == 200
            (connection,) = proxy.take_connections()
            # What is encrypted tells nobody where connecting ends.
            round_trips[host] = connection.connecting
    assert [*round_trips.values()] == [3, 4]
