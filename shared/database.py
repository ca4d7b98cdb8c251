"""One connection an invocation, one round trip a request, and never more rights than the caller's.

The statements of a request travel together, as one pipeline. Postgres runs a pipeline as one
transaction: all of it is committed, or none. The first statement gives up the login role for one
that row-level security binds, and names the user; both end with the transaction, so a pooler hands
nothing on to the next client. See docs/architecture.md.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import psycopg
from psycopg.abc import RV, PQGen
from psycopg.conninfo import conninfo_to_dict

from shared.errors import Conflict, DatabaseUnavailable, RateLimited, UserUnknown
from shared.limits import Limit, limits_of
from shared.models import Allowance, Caller
from shared.scram import ScramConnection
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

_BECOME_CALLER = f"""
           set_config('role', '{ROLE}', true),
           set_config('app.user_id', %(user_id)s, true),
           set_config('datestyle', 'ISO', true),
           set_config('statement_timeout', '{STATEMENT_TIMEOUT}s', true)
"""

_TOO_MANY_CALLS = "LR429"
"""What count_call raises once a limit is passed, so that nothing of what follows happens."""

_TLS_REQUIRED = re.compile(r"\bsslmode=(require|verify-ca|verify-full)\b")

_PROVISION_USER = "INSERT INTO users (id) VALUES (%(user_id)s) ON CONFLICT DO NOTHING"
# It goes before the other, because an address that another user holds already must keep nobody out.
_PROVISION_USER_WITH_EMAIL = """
    INSERT INTO users (id, email) VALUES (%(user_id)s, %(email)s) ON CONFLICT DO NOTHING
"""
_FIND_USER = "SELECT FROM users WHERE id = %(user_id)s"


Row = tuple[Any, ...]


class Statement(NamedTuple):
    """SQL with %(name)s placeholders, and their values. `user_id` is filled in for every one."""

    sql: str
    values: Mapping[str, object] = {}


class _Pipeline(psycopg.Pipeline):
    """A pipeline that is sent in one piece, and of which nothing is sent after its Sync.

    psycopg's own sends each statement as it comes, and a Flush at the end. A pooler that has its
    answer to the Sync already takes that for the next transaction, and throws the server connection
    away when the client leaves.
    """

    def _communicate_gen(self) -> PQGen[None]:
        yield from ()

    def _exit_gen(self) -> PQGen[None]:
        self._enqueue_sync()
        try:
            yield from super()._communicate_gen()
        finally:
            yield from self._fetch_gen(flush=False)


class _Connection(ScramConnection):
    """A connection that waits ANSWER_TIMEOUT at most, also for a server that has fallen silent."""

    @contextmanager
    def pipeline(self) -> Iterator[psycopg.Pipeline]:
        self._pipeline = _Pipeline(self)
        try:
            with self._pipeline:
                yield self._pipeline
        finally:
            self._pipeline = None

    def wait(self, gen: PQGen[RV], interval: float = 0.1, timeout: float | None = None) -> RV:
        return super().wait(gen, interval, timeout or ANSWER_TIMEOUT)


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


def run(caller: Caller, *statements: Statement, owns: bool = False) -> list[list[Row]]:
    """Run `statements` as `caller`, all or none, in one round trip; their rows, in order.

    `owns` says that they need the caller's own row: with USER_PROVISIONING=automatic it is made
    first, in the same transaction. A caller who registered had one, and gets no other.
    Row-level security lets a stranger see nothing.

    The call is counted in that transaction too, and what is left to the caller is noted in
    `caller.allowance`: a call that cannot be counted is not served.

    Raises RateLimited for a call too many, UserUnknown where the caller needs to have a row and has
    none, Conflict when another transaction won, and DatabaseUnavailable when Postgres is out of
    reach, too slow or read-only.
    """
    required = bool(caller.user_id) and (
        caller.registered or get_settings().user_provisioning == "required"
    )
    who = {"user_id": caller.user_id, "email": caller.email}
    limits = limits_of(caller)
    try:
        with closing(_connect(CONNECT_TIMEOUT)) as connection:
            with connection.pipeline():
                count = connection.execute(*_begin(who, limits))
                if required:
                    user = connection.execute(_FIND_USER, who)
                elif owns:
                    if caller.email is not None:
                        connection.execute(_PROVISION_USER_WITH_EMAIL, who)
                    connection.execute(_PROVISION_USER, who)
                cursors = [
                    connection.execute(sql, {**values, "user_id": caller.user_id})
                    for sql, values in statements
                ]
            _note_allowance(caller, limits, count.fetchall()[0])
            # An unknown user owns nothing, so the statements had nothing to find or to change.
            if required and user.rowcount == 0:
                raise UserUnknown
            return [cursor.fetchall() for cursor in cursors]
    except psycopg.errors.ForeignKeyViolation as error:
        raise (UserUnknown if required else Conflict) from error
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


def _begin(who: Mapping[str, object], limits: Sequence[Limit]) -> Statement:
    """What every pipeline begins with: the call is counted, and the caller takes over."""
    values = dict(who)
    counts = []
    for number, limit in enumerate(limits):
        values |= {f"subject_{number}": limit.subject, f"allowed_{number}": limit.allowed}
        counts.append(f"count_call(%(subject_{number})s, %(allowed_{number})s) AS count_{number}")
    used = "".join(f"count_{number}.*, " for number in range(len(limits)))
    return Statement(
        f"SELECT {used}{_BECOME_CALLER}{' FROM ' if counts else ''}{', '.join(counts)}", values
    )


def _note_allowance(caller: Caller, limits: Sequence[Limit], counts: Row) -> None:
    left = [
        Allowance(limit.allowed, limit.allowed - used, seconds_left)
        for limit, used, seconds_left in zip(limits, counts[::2], counts[1::2], strict=False)
    ]
    caller.allowance = min(left, key=lambda allowance: allowance.remaining, default=None)


def check_ready() -> None:
    """Ask the database whether it would serve a request.

    Raises DatabaseUnavailable when it does not say so within READY_TIMEOUT.
    """
    # A thread, because nothing else bounds name resolution and several addresses tried in turn.
    prober = ThreadPoolExecutor(max_workers=1)
    try:
        prober.submit(_probe).result(READY_TIMEOUT)
    except (TimeoutError, psycopg.Error) as error:
        raise DatabaseUnavailable from error
    finally:
        prober.shutdown(wait=False)


def _probe() -> None:
    with closing(_connect(timeout=2)) as connection, connection.pipeline():
        connection.execute(*_begin({"user_id": ""}, []))
        connection.execute("SELECT FROM tasks LIMIT 0")


def _connect(timeout: int) -> _Connection:
    try:
        url = _negotiate_at_once(get_settings().read_database_url())
    except SettingsError as error:
        raise DatabaseUnavailable from error
    # Prepared statements and transactions of psycopg's own would cost round trips, and the first
    # outlive their client in a pooler.
    return _Connection.log_in(
        url,
        autocommit=True,
        prepare_threshold=None,
        connect_timeout=timeout,
        application_name="lambdo",
    )


def _negotiate_at_once(url: str) -> str:
    """The URL with which libpq does not first ask a server of Neon's whether it knows TLS.

    That saves a round trip. Others refuse it: Postgres before version 17, PgBouncer before 1.25.
    """
    parts = urlsplit(url)
    is_neon = (parts.hostname or "").endswith(".neon.tech")
    if is_neon and _TLS_REQUIRED.search(parts.query) and "sslnegotiation=" not in parts.query:
        return f"{url}&sslnegotiation=direct"
    return url
