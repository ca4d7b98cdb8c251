"""A connection to Postgres that lives as long as a call: opened, asked once, closed.

It uses psycopg's low level (psycopg.pq), because psycopg's own connections lack three things. Every
wait ends in time: that for a host's addresses, for each of them, and for the answer. Statements
travel in one piece, and nothing follows their Sync. And the first failure is the one that is
reported, whatever happens to the connection after it.

psycopg documents that module and its enumerations. It does not document psycopg.pq.abc,
psycopg.errors.error_from_result, or the methods of PGconn and PGresult, which are named after
libpq's functions; scram.py uses PGconn's trace. tests/unit/test_private_parts.py fails on another
minor version of psycopg and says what to check.
"""

import functools
import ipaddress
import re
import select
import socket
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from datetime import datetime
from threading import Thread
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.pq import ConnStatus, ExecStatus, PGconn, PollingStatus, abc
from snapshot_restore_py import register_before_snapshot

from shared.data import scram

ADDRESS_TIMEOUT = 2
"""Seconds after which another address of the database is tried, where there is one."""

Row = tuple[Any, ...]
"""What Postgres answers: for each column the text that it writes, or None."""

_EVENTS: dict[int, int] = {
    PollingStatus.READING: select.POLLIN,
    PollingStatus.WRITING: select.POLLOUT,
}
_PLACEHOLDER = re.compile(r"%\((\w+)\)s")
_TLS_REQUIRED = re.compile(r"\bsslmode=(require|verify-ca|verify-full)\b")


class Statement(NamedTuple):
    """SQL with %(name)s placeholders, and their values.

    A value is None, a text, a number, a bool, a UUID, a time or a list of texts. It travels as
    text, beside the SQL, and Postgres takes it for what stands in its place.
    """

    sql: str
    values: Mapping[str, object] = {}


class ConnectionTimedOut(psycopg.OperationalError):
    """Connecting, or the answer, took longer than it may."""


class ConnectionLost(psycopg.OperationalError):
    """The connection broke before the answer: nobody knows what became of the statements."""


class Answer(NamedTuple):
    """What became of statements."""

    rows: list[list[Row]]
    """Those of each statement, up to the first that failed."""
    failure: psycopg.Error | None
    """Why that failed: the class of psycopg.errors for what Postgres says, ConnectionTimedOut, or
    ConnectionLost."""


class Connection:
    """A connection that is logged in, for one question."""

    def __init__(self, link: abc.PGconn) -> None:
        self._link = link

    def ask(self, statements: Sequence[Statement], timeout: float) -> Answer:
        """Send `statements` in one piece, and wait once, for `timeout` seconds at most.

        Postgres skips what comes after a statement that fails, and undoes what it has not
        committed by then.
        """
        deadline = time.monotonic() + timeout
        rows: list[list[Row]] = []
        failure: psycopg.Error | None = None
        try:
            self._send(statements, deadline)
            # To the end, also after a failure: a pooler keeps no connection that is in the middle.
            for result in self._receive(deadline):
                if result.status == ExecStatus.FATAL_ERROR:
                    failure = failure or _failure_of(result)
                elif result.status in (ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK):
                    rows.append(_rows_of(result))
        except ConnectionTimedOut as error:
            failure = failure or error
        except psycopg.OperationalError as error:
            failure = failure or ConnectionLost(str(error))
        return Answer(rows, failure)

    def close(self) -> None:
        """Close the connection. What the server still does for it, it stops."""
        self._link.finish()

    def _send(self, statements: Sequence[Statement], deadline: float) -> None:
        link = self._link
        link.enter_pipeline_mode()
        for sql, values in statements:
            command, names = _number_placeholders(sql)
            link.send_query_params(command, [_as_text(values[name]) for name in names])
        link.pipeline_sync()
        while link.flush():
            # What the server sends has to be read meanwhile, or it reads no more of ours.
            if _wait(_watch(link, select.POLLIN | select.POLLOUT), deadline) & select.POLLIN:
                link.consume_input()

    def _receive(self, deadline: float) -> Iterator[abc.PGresult]:
        """Every result of every statement, up to the Sync: what is answered then is committed."""
        link = self._link
        # A long answer comes in many parts.
        poll = _watch(link, select.POLLIN)
        while link.status != ConnStatus.BAD:
            while link.is_busy():
                _wait(poll, deadline)
                link.consume_input()
            result = link.get_result()
            if result is None:  # between two statements
                continue
            if result.status == ExecStatus.PIPELINE_SYNC:
                return
            yield result
        raise psycopg.OperationalError(link.get_error_message())


def connect(url: str, timeout: float) -> Connection:
    """A connection to the database at `url`, within `timeout` seconds, whatever its hosts do.

    Where a host has several addresses they are tried in turn. A process that has logged in before
    may use keys in place of the password (see scram.py).

    Raises psycopg.OperationalError, of which ConnectionTimedOut is one, and
    psycopg.ProgrammingError where the URL is not understood.
    """
    deadline = time.monotonic() + timeout
    failure: psycopg.OperationalError = ConnectionTimedOut("there is no time left to connect in")
    attempts = _find_attempts(url, deadline)
    for number, conninfo in enumerate(attempts, start=1):
        others = number < len(attempts)
        try:
            return Connection(_log_in(url, conninfo, deadline, others=others))
        except psycopg.OperationalError as error:
            failure = error
            if scram.is_refused(error) or time.monotonic() >= deadline:
                break
    raise failure


class _Host(NamedTuple):
    conninfo: str
    """All that libpq needs, except for the addresses of a host that has a name."""
    name: str
    """What has to be looked up; empty for an address and for a socket's folder."""
    port: str


@functools.lru_cache(maxsize=4)
def _hosts_of(url: str) -> tuple[_Host, ...]:
    """The hosts of a database: a URL may name several.

    Raises psycopg.ProgrammingError where the URL is not understood.
    """
    parameters = conninfo_to_dict(_negotiate_at_once(url), application_name="lambdo")
    split = {
        name: str(parameters.get(name) or "").split(",") for name in ("host", "hostaddr", "port")
    }
    hosts = []
    for number in range(max(len(split["host"]), len(split["hostaddr"]))):
        # One port may stand for all hosts.
        one = {name: (all_[number : number + 1] or all_[:1])[0] for name, all_ in split.items()}
        conninfo = make_conninfo("", **{**parameters, **{k: v or None for k, v in one.items()}})
        is_name = one["host"] and not one["hostaddr"] and not one["host"].startswith(("/", "@"))
        name = one["host"] if is_name and not _is_address(one["host"]) else ""
        hosts.append(_Host(conninfo, name, one["port"] or "5432"))
    return tuple(hosts)


# They hold the password, which no snapshot has.
register_before_snapshot(_hosts_of.cache_clear)


def _find_attempts(url: str, deadline: float) -> list[str]:
    """What to give libpq, one after the other, until one connects."""
    attempts: list[str] = []
    failure: psycopg.OperationalError | None = None
    for host in _hosts_of(url):
        if not host.name:
            attempts.append(host.conninfo)
            continue
        try:
            addresses = _look_up(host, deadline)
        except psycopg.OperationalError as error:
            failure = error
        else:
            attempts += [f"{host.conninfo} hostaddr={address}" for address in addresses]
    if failure is not None and not attempts:
        raise failure
    return attempts


def _look_up(host: _Host, deadline: float) -> list[str]:
    # A thread, because nothing else bounds it: the resolver has its own patience.
    found: Future[list[str]] = Future()

    def look_up() -> None:
        try:
            answers = socket.getaddrinfo(host.name, host.port, type=socket.SOCK_STREAM)
            found.set_result(list(dict.fromkeys(str(answer[4][0]) for answer in answers)))
        except Exception as error:
            found.set_exception(error)

    Thread(target=look_up, daemon=True).start()
    try:
        return found.result(max(0.0, deadline - time.monotonic()))
    except TimeoutError as error:
        raise ConnectionTimedOut(f"host {host.name}: the name is not resolved in time") from error
    except (OSError, ValueError) as error:
        raise psycopg.OperationalError(f"host {host.name}: {error}") from error


def _log_in(url: str, conninfo: str, deadline: float, *, others: bool) -> abc.PGconn:
    keys = scram.find_keys(url)
    if keys:
        try:
            return _open(url, f"{conninfo} {keys}", deadline, others=others)
        except psycopg.OperationalError as error:
            if not scram.is_refused(error):
                raise
            scram.forget(url)  # the salt may be new, and with it the keys
    return _open(url, conninfo, deadline, others=others)


def _open(url: str, conninfo: str, deadline: float, *, others: bool) -> abc.PGconn:
    """Log in at one address; `others` says whether there are more to try."""
    link = PGconn.connect_start(conninfo.encode())
    try:
        with scram.watch(url, link):
            _wait_until_ready(link, deadline, others=others)
        link.nonblocking = 1
    except BaseException:
        link.finish()  # the exception would keep its socket open
        raise
    return link


def _wait_until_ready(link: abc.PGconn, deadline: float, *, others: bool) -> None:
    # Of a silent address nothing is heard; of a database that has to wake up first, it is.
    reached_by = min(deadline, time.monotonic() + ADDRESS_TIMEOUT) if others else deadline
    # libpq's manual, "PQconnectStartParams": at first, go on as if it had asked to write.
    state: int = PollingStatus.WRITING
    while link.status != ConnStatus.BAD and (events := _EVENTS.get(state)):
        is_reached = link.status not in (ConnStatus.STARTED, ConnStatus.NEEDED)
        _wait(_watch(link, events), deadline if is_reached else reached_by)
        state = link.connect_poll()
    if link.status != ConnStatus.OK:
        raise psycopg.OperationalError(f"connection failed: {link.get_error_message()}")


def _watch(link: abc.PGconn, events: int) -> select.poll:
    poll = select.poll()
    poll.register(link.socket, events)
    return poll


def _wait(poll: select.poll, deadline: float) -> int:
    """Wait for one of the events that are watched; which it is. Raises ConnectionTimedOut."""
    ready = poll.poll(max(0.0, deadline - time.monotonic()) * 1000)
    if not ready:
        raise ConnectionTimedOut("the database does not answer in time")
    return ready[0][1]


@functools.lru_cache(maxsize=1024)
def _number_placeholders(sql: str) -> tuple[bytes, list[str]]:
    """SQL as Postgres takes it, with $1, $2 and so on, and the names that these stand for."""
    names: dict[str, int] = {}
    numbered = _PLACEHOLDER.sub(lambda match: f"${names.setdefault(match[1], len(names) + 1)}", sql)
    return numbered.encode(), list(names)


def _as_text(value: object) -> bytes | None:
    if value is None:
        return None
    if isinstance(value, list):
        # Postgres' manual, 8.15.2: in quotes, every other character stands for itself.
        quoted = (re.sub(r'(["\\])', r"\\\1", str(item)) for item in value)
        value = "{" + ",".join(f'"{item}"' for item in quoted) + "}"
    if isinstance(value, datetime):
        value = value.isoformat()
    text = str(value).encode()
    if b"\0" in text:
        raise ValueError("a value has the NUL character, at which libpq would cut it off")
    return text


def _rows_of(result: abc.PGresult) -> list[Row]:
    columns = [
        [_from_text(result.get_value(row, column)) for row in range(result.ntuples)]
        for column in range(result.nfields)
    ]
    return [*zip(*columns, strict=True)] if columns else [()] * result.ntuples


def _from_text(value: bytes | None) -> str | None:
    return None if value is None else value.decode()


def _failure_of(result: abc.PGresult) -> psycopg.Error:
    failure = psycopg.errors.error_from_result(result)
    # That the connection was lost is no server's word, and has no state of SQL.
    return failure if failure.sqlstate else ConnectionLost(str(failure))


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True


def _negotiate_at_once(url: str) -> str:
    """The URL with which libpq does not first ask a server of Neon's whether it knows TLS.

    That saves a round trip. Others refuse it: Postgres before version 17, PgBouncer before 1.25.
    """
    parts = urlsplit(url)
    is_neon = (parts.hostname or "").endswith(".neon.tech")
    if is_neon and _TLS_REQUIRED.search(parts.query) and "sslnegotiation=" not in parts.query:
        return f"{url}&sslnegotiation=direct"
    return url
