"""What connecting does where hosts, names and servers do not do their part."""

import gc
import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from urllib.parse import urlsplit

import httpx
import psycopg
import pytest

from shared.data import connection, database, scram
from shared.runtime import deadline
from tests.clients import User
from tests.conftest import use_database
from tests.counting_proxy import Proxy, running_proxy
from tests.integration.conftest import (
    CHANGE,
    CREATE,
    DELETE,
    LIST,
    READ,
    WRITES,
    Call,
    create,
    make_call,
    wait_until,
)
from tests.integration.test_faults import check_unavailable

pytestmark = pytest.mark.parametrize("database_url", ["direct"], indirect=True)

NAME = "database.example"
LIMIT = 5
"""Seconds: far beyond the patience that tests leave, and far below the usual one."""

Resolve = Callable[..., list[tuple[object, ...]]]


@contextmanager
def given_up_in_time() -> Iterator[None]:
    """What is in the block ends long before the usual patience does."""
    started = time.monotonic()
    yield
    assert time.monotonic() - started < LIMIT


@contextmanager
def silent_address(host: str, port: int = 0) -> Iterator[int]:
    """The port of an address that answers no attempt to connect, as a dead machine."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind((host, port))
        listener.listen(0)
        address = listener.getsockname()
        for _ in range(3):  # so that its queue is full, and Linux answers nobody
            caller = stack.enter_context(socket.socket())
            caller.setblocking(False)
            caller.connect_ex(address)
        yield address[1]


def resolve_to(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
    """Let the name of the database have these addresses."""
    resolve = socket.getaddrinfo

    def answer(host: str, port: str, *rest: object, **more: object) -> list[tuple[object, ...]]:
        if host != NAME:
            return resolve(host, port, *rest, **more)  # type: ignore[arg-type, return-value]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, int(port))) for ip in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", answer)


def named(url: str, port: int | None = None) -> str:
    """The URL with the name in place of the address."""
    parts = urlsplit(url)
    login = parts.netloc.rpartition("@")[0]
    return parts._replace(netloc=f"{login}@{NAME}:{port or parts.port}").geturl()


@pytest.fixture
def proxy(handlers: httpx.Client, postgres: str) -> Iterator[Proxy]:
    """A proxy before the database, which listens where a name can lead to."""
    assert handlers
    with running_proxy(postgres) as proxy:
        yield proxy


def test_a_name_with_three_silent_addresses(
    handlers: httpx.Client, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "CONNECT_TIMEOUT", 1)
    addresses = [f"127.0.0.{number}" for number in (2, 3, 4)]
    resolve_to(monkeypatch, *addresses)
    with ExitStack() as stack:
        port = stack.enter_context(silent_address(addresses[0]))
        for address in addresses[1:]:
            stack.enter_context(silent_address(address, port))
        use_database(monkeypatch, f"postgresql://lambdo@{NAME}:{port}/lambdo")
        with given_up_in_time():
            check_unavailable(make_call(handlers, alice, LIST))


def test_a_name_with_three_addresses_where_nobody_says_anything(
    handlers: httpx.Client, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "CONNECT_TIMEOUT", 1)
    resolve_to(monkeypatch, "127.0.0.2", "127.0.0.3", "127.0.0.4")
    with socket.create_server(("0.0.0.0", 0)) as listener:  # noqa: S104 - to be on all three
        use_database(monkeypatch, f"postgresql://lambdo@{NAME}:{listener.getsockname()[1]}/lambdo")
        with given_up_in_time():
            check_unavailable(make_call(handlers, alice, LIST))


def test_an_address_that_answers_is_found_behind_a_silent_one(
    handlers: httpx.Client, alice: User, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "ADDRESS_TIMEOUT", 0.2)
    resolve_to(monkeypatch, "127.0.0.2", "127.0.0.1")
    with silent_address("127.0.0.2", proxy.listener.getsockname()[1]):
        use_database(monkeypatch, named(proxy.url))
        assert make_call(handlers, alice, LIST).status_code == 200


def test_a_host_that_answers_is_found_behind_one_that_has_no_address(
    handlers: httpx.Client, alice: User, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_database(monkeypatch, proxy.url.replace("@127.0.0.1", "@nothing.invalid:1,127.0.0.1"))
    assert make_call(handlers, alice, LIST).status_code == 200


def test_a_name_that_nobody_knows(
    handlers: httpx.Client, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_database(monkeypatch, "postgresql://lambdo@nothing.invalid/lambdo")
    check_unavailable(make_call(handlers, alice, LIST))


def test_a_name_that_is_not_resolved_in_time(
    handlers: httpx.Client, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "CONNECT_TIMEOUT", 0.3)
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: time.sleep(2 * LIMIT))
    use_database(monkeypatch, f"postgresql://lambdo@{NAME}/lambdo")
    with given_up_in_time():
        check_unavailable(make_call(handlers, alice, LIST))
        check_unavailable(handlers.get("/health/ready"))


def test_all_waits_of_a_call_share_one_budget(
    handlers: httpx.Client, alice: User, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_database(monkeypatch, proxy.url)
    monkeypatch.setattr(deadline.start_call, "__defaults__", (0.5,))
    proxy.silent = True
    with given_up_in_time():
        check_unavailable(make_call(handlers, alice, LIST))
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        use_database(monkeypatch, f"postgresql://lambdo@127.0.0.1:{port}/lambdo")
        with given_up_in_time():
            check_unavailable(make_call(handlers, alice, LIST))
    assert deadline.CALL_TIMEOUT < 28


def test_connecting_in_vain_leaves_nothing_open(
    handlers: httpx.Client, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "CONNECT_TIMEOUT", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        use_database(monkeypatch, f"postgresql://lambdo:hunter2@127.0.0.1:{port}/lambdo")
        make_call(handlers, alice, LIST)
        gc.disable()
        try:
            before = os.listdir("/proc/self/fd")
            for _ in range(10):
                check_unavailable(make_call(handlers, alice, LIST))
            assert os.listdir("/proc/self/fd") == before
        finally:
            gc.enable()


def test_logins_are_watched_a_few_times_only(
    handlers: httpx.Client,
    alice: User,
    guarded: str,
    owner: psycopg.Connection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    watched: list[str] = []
    make = os.memfd_create

    def note(name: str) -> int:
        watched.append(name)
        return make(name)

    monkeypatch.setattr(os, "memfd_create", note)
    use_database(monkeypatch, guarded)
    role = urlsplit(guarded).username
    for _ in range(2 * scram.WATCHED_LOGINS):
        # The same password, with another salt.
        owner.execute(f"ALTER ROLE {role} PASSWORD '{urlsplit(guarded).password}'")
        assert make_call(handlers, alice, LIST).status_code == 200
    assert len(watched) == scram.WATCHED_LOGINS


def test_a_server_with_too_many_connections_is_asked_once(
    handlers: httpx.Client,
    alice: User,
    guarded: str,
    owner: psycopg.Connection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    role = urlsplit(guarded).username
    with running_proxy(guarded) as proxy:
        use_database(monkeypatch, proxy.url)
        for _ in range(3):
            assert make_call(handlers, alice, LIST).status_code == 200
        proxy.take_connections()
        keys = scram.find_keys(proxy.url)
        assert keys
        owner.execute(f"ALTER ROLE {role} CONNECTION LIMIT 0")
        check_unavailable(make_call(handlers, alice, LIST))
        assert len(proxy.take_connections()) == 1
        assert scram.find_keys(proxy.url) == keys
        owner.execute(f"ALTER ROLE {role} CONNECTION LIMIT -1")
        assert make_call(handlers, alice, LIST).status_code == 200


@pytest.mark.parametrize("call", [LIST, READ], ids=str)
def test_a_read_whose_connection_is_lost_is_sent_once_more(
    handlers: httpx.Client,
    alice: User,
    proxy: Proxy,
    call: Call,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    task = create(handlers, alice)
    use_database(monkeypatch, proxy.url)
    proxy.losses = 1
    assert make_call(handlers, alice, call, task["id"]).status_code == 200
    assert len(proxy.take_connections()) == 2
    proxy.losses = 3
    check_unavailable(make_call(handlers, alice, call, task["id"]))
    assert len(proxy.take_connections()) == 2


@pytest.mark.parametrize("call", WRITES, ids=str)
def test_a_write_whose_connection_is_lost_is_not(
    handlers: httpx.Client,
    alice: User,
    proxy: Proxy,
    call: Call,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    task = create(handlers, alice)
    use_database(monkeypatch, proxy.url)
    proxy.losses = 1
    check_unavailable(make_call(handlers, alice, call, task["id"]))
    assert len(proxy.take_connections()) == 1


@pytest.mark.parametrize("call", [LIST, CREATE, READ, *WRITES], ids=str)
def test_wherever_an_answer_breaks_off_the_database_is_unavailable(
    handlers: httpx.Client, alice: User, proxy: Proxy, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = create(handlers, alice)
    use_database(monkeypatch, proxy.url)
    for proxy.withheld in range(1, 500, 11):
        proxy.losses = 2
        check_unavailable(make_call(handlers, alice, call, task["id"]))
    proxy.losses = 0


def test_a_call_over_the_limit_is_told_so_though_its_connection_is_lost(
    handlers: httpx.Client, alice: User, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RATE_LIMIT_PER_MINUTE", "1")
    use_database(monkeypatch, proxy.url)
    assert make_call(handlers, alice, LIST).status_code == 200
    refused = make_call(handlers, alice, LIST)
    assert refused.status_code == 429
    # All that the server says, but for its last message.
    proxy.losses, proxy.withheld = 1, 6
    answer = make_call(handlers, alice, CREATE)
    assert (answer.status_code, answer.json()["code"]) == (429, "rate_limited")
    assert proxy.losses == 0


@pytest.mark.parametrize("call", [CHANGE, DELETE, CREATE], ids=str)
def test_what_arrives_after_its_caller_was_told_of_a_failure_does_not_happen(
    handlers: httpx.Client,
    alice: User,
    proxy: Proxy,
    call: Call,
    owner: psycopg.Connection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    use_database(monkeypatch, proxy.url)
    task = create(handlers, alice)
    with monkeypatch.context() as impatient:
        impatient.setattr(database, "ANSWER_TIMEOUT", 0.2)
        impatient.setattr(database, "LATENESS", 0.2)
        proxy.delay = 1
        check_unavailable(make_call(handlers, alice, call, task["id"]))
    proxy.delay = 0
    proxy.take_connections()  # the statements have been passed on by then
    ours = "SELECT FROM pg_stat_activity WHERE application_name = 'lambdo'"
    wait_until(lambda: owner.execute(ours).rowcount == 0)
    assert make_call(handlers, alice, LIST).json()["tasks"] == [task]


def test_a_clock_that_is_set_refuses_nothing(
    handlers: httpx.Client, alice: User, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_database(monkeypatch, proxy.url)
    create(handlers, alice)
    proxy.take_connections()
    now = time.time
    with monkeypatch.context() as early:
        early.setattr(time, "time", lambda: now() - 3600)
        for _ in range(2):
            create(handlers, User("early"))
    # The first was sent again, because the database refused it and did nothing.
    assert len(proxy.take_connections()) == 3
