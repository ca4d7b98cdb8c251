"""Logging in to the database again, with keys that were worked out once."""

from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx
import psycopg
import pytest

from shared.data import scram
from shared.data.connection import connect
from shared.settings import get_settings
from tests.clients import User
from tests.conftest import use_database
from tests.counting_proxy import Proxy, running_proxy
from tests.integration.conftest import PASSWORD, create

pytestmark = pytest.mark.parametrize("database_url", ["direct"], indirect=True)


@pytest.fixture
def proxy(handlers: httpx.Client, guarded: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    """A proxy before a database that asks the handlers for a password; they know of no keys."""
    assert handlers
    scram.forget()
    with running_proxy(guarded) as proxy:
        use_database(monkeypatch, proxy.url)
        yield proxy
    scram.forget()


def make_keys(owner: psycopg.Connection, url: str, password: str = PASSWORD) -> None:
    """Have the server forget a password for another one, or for the same with another salt."""
    owner.execute(f"ALTER ROLE {urlsplit(url).username} PASSWORD '{password}'")


def uses_keys() -> bool:
    """Whether the next login is with keys; it is made."""
    url = get_settings().read_database_url()
    known = scram.find_keys(url)
    connect(url, timeout=5).close()
    return known != ""


def test_a_third_login_is_with_keys(handlers: httpx.Client, alice: User, proxy: Proxy) -> None:
    assert not uses_keys()
    create(handlers, alice)
    assert uses_keys()
    create(handlers, alice)
    assert [connection.statements for connection in proxy.take_connections()] == [0, 1, 0, 1]


def test_a_call_is_served_though_the_salt_is_new(
    handlers: httpx.Client, alice: User, proxy: Proxy, owner: psycopg.Connection
) -> None:
    create(handlers, alice)
    create(handlers, alice)
    assert uses_keys()
    make_keys(owner, proxy.url)
    proxy.take_connections()
    create(handlers, alice)
    # The keys were refused, and then the password was not.
    assert [connection.statements for connection in proxy.take_connections()] == [0, 1]
    assert not uses_keys()
    assert uses_keys()


def test_no_login_fails_where_each_has_a_salt_of_its_own(
    handlers: httpx.Client, alice: User, proxy: Proxy, owner: psycopg.Connection
) -> None:
    for _ in range(4):
        create(handlers, alice)
        make_keys(owner, proxy.url)
    assert [connection.statements for connection in proxy.take_connections()] == [1] * 4


def test_keys_of_a_password_that_was_changed_open_nothing(
    handlers: httpx.Client,
    alice: User,
    proxy: Proxy,
    owner: psycopg.Connection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    create(handlers, alice)
    create(handlers, alice)
    assert uses_keys()
    make_keys(owner, proxy.url, "another")
    answer = handlers.get("/api/tasks", headers=alice.headers)
    assert (answer.status_code, answer.json()["code"]) == (503, "database_unavailable")
    use_database(monkeypatch, proxy.url.replace(PASSWORD, "another"))
    assert handlers.get("/api/tasks", headers=alice.headers).status_code == 200


def test_a_password_that_is_not_ascii_is_sent_as_ever(
    handlers: httpx.Client,
    alice: User,
    proxy: Proxy,
    owner: psycopg.Connection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    make_keys(owner, proxy.url, "p\u00e9ncil")
    use_database(monkeypatch, proxy.url.replace(PASSWORD, "p%C3%A9ncil"))
    for _ in range(3):
        create(handlers, alice)
    assert not uses_keys()
