"""One connection per invocation, one round trip per request, and only the caller's rights.

The statements of a request travel together, as one pipeline. The first one counts the call and
commits. Postgres runs the rest as one transaction. The transaction first changes from the login
role to one that row-level security applies to, and names the user. Both settings end with the
transaction, so a pooler passes nothing on to the next client. See docs/architecture.md.
"""

import re
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import Any, TypeVar, overload

import psycopg
from psycopg.conninfo import conninfo_to_dict
from snapshot_restore_py import register_before_snapshot

from shared.callers import Caller, RegisteredCaller, Requester, Stranger
from shared.data import limits
from shared.data.connection import Connection, ConnectionLost, Statement, connect
from shared.data.limits import Allowance
from shared.data.query import Command, Query
from shared.errors import Conflict, DatabaseUnavailable, RateLimited, UserUnknown
from shared.runtime import deadline
from shared.settings import SettingsError, get_settings
from shared.statements import users

ROLE = "lambdo_api"
"""The role that requests run as. The first migration makes it. It owns nothing, cannot log in."""

CONNECT_TIMEOUT = 10
"""Seconds to wait for a connection: Neon may have to wake its compute first."""

STATEMENT_TIMEOUT = 8
"""Seconds after which Postgres cancels a statement."""

ANSWER_TIMEOUT = 10
"""Seconds to wait for the answer of Postgres, or of the pooler before it."""

READY_TIMEOUT = 2.5
"""Seconds that a readiness probe may take in all."""

LATENESS = 1
"""Seconds for which a call may still start after its caller stopped waiting."""

# A server that checks its client cancels a statement soon after the client is gone. And
# check_deadline refuses what arrives long after that.
_BECOME_CALLER = f"""
    SELECT set_config('role', '{ROLE}', true),
           set_config('app.user_id', %(user_id)s, true),
           set_config('datestyle', 'ISO', true),
           set_config('statement_timeout', %(milliseconds)s, true),
           set_config('client_connection_check_interval', '500ms', true),
           check_deadline(%(deadline)s::float8)
"""

_TOO_MANY_CALLS = "LR429"
"""The state that count_call raises over the limit; Postgres then skips the rest of the pipeline."""

_UNKNOWN_USER = "LR401"
"""The state that require_user raises if the user has no row."""

_TOO_LATE = "LR503"
"""The state that check_deadline raises if the caller has stopped waiting."""

_LOST = ("08", "57P", "40001")
"""How states begin that mean a lost connection, or a read that a hot standby cancelled."""

_REQUIRE_USER = "SELECT require_user()"

_A = TypeVar("_A")
_B = TypeVar("_B")

_clock = deadline.RemoteClock()
# A snapshot may be days old.
register_before_snapshot(_clock.forget)


def check_settings() -> None:
    """Raise SettingsError unless there is a well-formed DATABASE_URL."""
    url = get_settings().read_database_url()
    try:
        port = str(conninfo_to_dict(url).get("port", ""))
        understood = re.fullmatch(r"[\d,]*", port)  # libpq looks at it only when it connects
    except psycopg.ProgrammingError:
        understood = None
    if not understood:
        raise SettingsError("DATABASE_URL: is not a URL that Postgres understands")


@overload
def run(requester: Requester, query: Query[_A], /) -> tuple[_A]: ...
@overload
def run(requester: Requester, query: Query[_A], second: Query[_B], /) -> tuple[_A, _B]: ...
@overload
def run(requester: Requester, /, *queries: Query[Any]) -> tuple[Any, ...]: ...
def run(requester: Requester, /, *queries: Query[Any]) -> tuple[Any, ...]:
    """The results of `queries`, run for `requester`, all or none, in one round trip.

    The call is counted first, whatever happens next; limits.find_allowance then says how many calls
    are left. A read-only database counts nothing.

    If one of the queries is a Command, the user's other commands wait until this one is committed.
    If none is, the queries are sent once more after a lost connection.

    Raises RateLimited over the limit, UserUnknown if a RegisteredCaller has no row, Conflict if a
    Command lost against another transaction, and DatabaseUnavailable if Postgres cannot be reached,
    is too slow or is read-only.
    """
    has_command = any(isinstance(query, Command) for query in queries)
    try:
        try:
            return _run_once(requester, queries)
        except psycopg.DatabaseError as error:
            if not _may_be_repeated(error, has_command=has_command):
                raise
            return _run_once(requester, queries)
    except (psycopg.errors.SerializationFailure, psycopg.errors.DeadlockDetected) as error:
        # A hot standby stops reads that keep it from catching up.
        raise (Conflict if has_command else DatabaseUnavailable) from error
    except psycopg.errors.ForeignKeyViolation as error:
        # The user was deleted a moment ago.
        unknown = isinstance(requester, RegisteredCaller)
        raise (UserUnknown if unknown else Conflict) from error
    except (psycopg.OperationalError, psycopg.errors.ReadOnlySqlTransaction) as error:
        raise DatabaseUnavailable from error
    except psycopg.DatabaseError as error:
        if error.sqlstate == _UNKNOWN_USER:
            raise UserUnknown from error
        if error.sqlstate == _TOO_MANY_CALLS:
            allowed, seconds_left = map(int, (error.diag.message_detail or "").split())
            limits.note(Allowance(allowed, 0, seconds_left))
            raise RateLimited(seconds_left) from error
        raise


def _run_once(requester: Requester, queries: Sequence[Query[Any]]) -> tuple[Any, ...]:
    count = limits.count_call(requester)
    pipeline = [] if count is None else [count]
    with closing(_connect(CONNECT_TIMEOUT)) as connection:
        pipeline += _begin(requester, queries)
        user_id = "" if isinstance(requester, Stranger) else requester.user_id
        pipeline += (
            Statement(query.statement.sql, {**query.statement.values, "user_id": user_id})
            for query in queries
        )
        asked_at = time.time()
        rows, failure = connection.ask(pipeline, deadline.time_left(ANSWER_TIMEOUT))
    if count is not None and rows:
        limits.note(limits.read_allowance(rows.pop(0)[0]))
    if rows:
        ((*_, its_time),) = rows[0]
        _clock.note(float(its_time), asked_at)
    if failure is not None:
        raise failure
    answers = rows[len(rows) - len(queries) :]
    return tuple(query.read(answer) for query, answer in zip(queries, answers, strict=True))


def _begin(requester: Requester, queries: Sequence[Query[Any]]) -> Iterator[Statement]:
    """The statements that begin the transaction: they name the user and lock the user's version."""
    if isinstance(requester, Stranger):
        yield _become("")
        return
    yield _become(requester.user_id)
    if isinstance(requester, RegisteredCaller):
        yield Statement(_REQUIRE_USER)
    is_caller = isinstance(requester, Caller)
    if is_caller and any(isinstance(query, Command) for query in queries):
        yield Statement(users.LOCK_VERSION, {"user_id": requester.user_id})


def _become(user_id: str) -> Statement:
    """The settings of the transaction: its role, its user and its limits of time."""
    return Statement(
        _BECOME_CALLER,
        {
            "user_id": user_id,
            "milliseconds": max(int(deadline.time_left(STATEMENT_TIMEOUT) * 1000), 1),
            "deadline": _clock.deadline(deadline.time_left(ANSWER_TIMEOUT) + LATENESS),
        },
    )


def _may_be_repeated(error: psycopg.DatabaseError, *, has_command: bool) -> bool:
    """Whether the call may be made a second time after this error."""
    state = error.sqlstate or ""
    if state == _TOO_LATE:
        # The caller still waits, so one of the clocks was set.
        _clock.forget()
        return True
    return not has_command and (isinstance(error, ConnectionLost) or state.startswith(_LOST))


def check_ready() -> None:
    """Return if the database would serve a request.

    Raises DatabaseUnavailable if it does not answer so within READY_TIMEOUT.
    """
    deadline.start_call(READY_TIMEOUT)
    try:
        with closing(_connect(READY_TIMEOUT)) as connection:
            probe = [_become(""), Statement("SELECT FROM tasks LIMIT 0")]
            failure = connection.ask(probe, deadline.time_left(READY_TIMEOUT)).failure
    except psycopg.Error as error:
        failure = error
    if failure is not None:
        raise DatabaseUnavailable from failure


def _connect(timeout: float) -> Connection:
    try:
        return connect(get_settings().read_database_url(), deadline.time_left(timeout))
    except (SettingsError, psycopg.ProgrammingError) as error:  # a secret may have been rotated
        raise DatabaseUnavailable from error
