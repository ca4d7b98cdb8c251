"""One connection an invocation, one round trip a request, and never more rights than the caller's.

The statements of a request travel together, as one pipeline. The call is counted first, and what it
is counted by is committed at once. What follows, Postgres runs as one transaction: all of it is
committed, or none. That begins by giving up the login role for one that row-level security binds,
and by naming the user; both end with the transaction, so a pooler hands nothing on to the next
client. See docs/architecture.md.
"""

import re
import time
from collections.abc import Sequence
from contextlib import closing

import psycopg
from psycopg.conninfo import conninfo_to_dict
from snapshot_restore_py import register_before_snapshot

from shared.data import limits
from shared.data.connection import Connection, ConnectionLost, Row, Statement, connect
from shared.errors import Conflict, DatabaseUnavailable, RateLimited, UserUnknown
from shared.models import Allowance, Caller
from shared.runtime import deadline
from shared.settings import SettingsError, get_settings

ROLE = "lambdo_api"
"""The role that requests run as; the first migration makes it. It owns nothing, cannot log in."""

CONNECT_TIMEOUT = 10
"""Seconds to wait for a connection: Neon may have to wake its compute first."""

STATEMENT_TIMEOUT = 8
"""Seconds after which Postgres gives a statement up."""

ANSWER_TIMEOUT = 10
"""Seconds after which we give Postgres up: it, or the pooler before it, has fallen silent."""

READY_TIMEOUT = 2.5
"""Seconds that a readiness probe may take in all."""

LATENESS = 1
"""Seconds after its caller has left in which a call may still happen."""

# A server that checks its client stops soon after we have left, whatever it waits for. And what
# reaches it long after that, it does not begin.
_BECOME_CALLER = f"""
    SELECT set_config('role', '{ROLE}', true),
           set_config('app.user_id', %(user_id)s, true),
           set_config('datestyle', 'ISO', true),
           set_config('statement_timeout', %(milliseconds)s, true),
           set_config('client_connection_check_interval', '500ms', true),
           check_deadline(%(deadline)s::float8)
"""

_TOO_MANY_CALLS = "LR429"
"""What count_call raises once a limit is passed, so that nothing of what follows happens."""

_TOO_LATE = "LR503"
"""What check_deadline raises where a caller has been told already that the call failed."""

_LOST = ("08", "57P")
"""What the states begin with by which a server or a pooler says that the connection is over."""

_clock = deadline.RemoteClock()
# A snapshot may be days old.
register_before_snapshot(_clock.forget)

_PROVISION_USER = "SELECT provision_user(%(email)s)"
_FIND_USER = "SELECT FROM users WHERE id = %(user_id)s"


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


def run(
    caller: Caller, *statements: Statement, owns: bool = False, reads: bool = False
) -> list[list[Row]]:
    """Run `statements` as `caller`, all or none, in one round trip; their rows, in order.

    `owns` says that they need the caller's own row: with USER_PROVISIONING=automatic it is made
    first, in the same transaction. A caller who registered had one, and gets no other.
    Row-level security lets a stranger see nothing.

    `reads` says that to run them twice is no harm: they are sent again, once, where the connection
    is lost.

    The call is counted before all that, whatever becomes of it, and what is left to the caller is
    noted in `caller.allowance`. A database that can only be read counts nothing.

    Raises RateLimited for a call too many, UserUnknown where the caller needs to have a row and has
    none, Conflict when another transaction won, and DatabaseUnavailable when Postgres is out of
    reach, too slow or read-only.
    """
    try:
        try:
            return _run_once(caller, statements, owns=owns)
        except psycopg.DatabaseError as error:
            if not _may_be_repeated(error, reads=reads):
                raise
            return _run_once(caller, statements, owns=owns)
    except (psycopg.errors.SerializationFailure, psycopg.errors.DeadlockDetected) as error:
        raise Conflict from error
    except (psycopg.OperationalError, psycopg.errors.ReadOnlySqlTransaction) as error:
        raise DatabaseUnavailable from error
    except psycopg.DatabaseError as error:
        if error.sqlstate != _TOO_MANY_CALLS:
            raise
        allowed, seconds_left = map(int, (error.diag.message_detail or "").split())
        caller.allowance = Allowance(allowed, 0, seconds_left)
        raise RateLimited(seconds_left) from error


def _run_once(caller: Caller, statements: Sequence[Statement], *, owns: bool) -> list[list[Row]]:
    required = bool(caller.user_id) and (
        caller.registered or get_settings().user_provisioning == "required"
    )
    count = limits.count_call(caller)
    with closing(_connect(CONNECT_TIMEOUT)) as connection:
        pipeline = [] if count is None else [count]
        pipeline.append(_become(caller.user_id))
        if required:
            pipeline.append(Statement(_FIND_USER, {"user_id": caller.user_id}))
        elif owns:
            pipeline.append(Statement(_PROVISION_USER, {"email": caller.email}))
        pipeline += (
            Statement(sql, {**values, "user_id": caller.user_id}) for sql, values in statements
        )
        asked_at = time.time()
        rows, failure = connection.ask(pipeline, deadline.time_left(ANSWER_TIMEOUT))
    if count is not None and rows:
        caller.allowance = limits.read_allowance(rows.pop(0)[0])
    if rows:
        ((*_, its_time),) = rows.pop(0)
        _clock.note(float(its_time), asked_at)
    if isinstance(failure, psycopg.errors.ForeignKeyViolation):
        raise (UserUnknown if required else Conflict) from failure
    if failure is not None:
        raise failure
    # An unknown user owns nothing, so the statements had nothing to find or to change.
    if required and not rows[0]:
        raise UserUnknown
    return rows[len(rows) - len(statements) :]


def _become(user_id: str) -> Statement:
    """What gives up the login role, for as long as the transaction lasts."""
    return Statement(
        _BECOME_CALLER,
        {
            "user_id": user_id,
            "milliseconds": max(int(deadline.time_left(STATEMENT_TIMEOUT) * 1000), 1),
            "deadline": _clock.deadline(deadline.time_left(ANSWER_TIMEOUT) + LATENESS),
        },
    )


def _may_be_repeated(error: psycopg.DatabaseError, *, reads: bool) -> bool:
    """Whether a call that failed so may be made a second time: it did nothing, or it only reads."""
    state = error.sqlstate or ""
    if state == _TOO_LATE:
        # We are still here, so it is a clock that was wrong.
        _clock.forget()
        return True
    return reads and (isinstance(error, ConnectionLost) or state.startswith(_LOST))


def check_ready() -> None:
    """Ask the database whether it would serve a request.

    Raises DatabaseUnavailable when it does not say so within READY_TIMEOUT.
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
