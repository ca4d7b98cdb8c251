"""How many calls a requester may make per minute. database.py sends the statements."""

import ipaddress
from contextvars import ContextVar
from dataclasses import dataclass

from shared.callers import Requester, Stranger, System
from shared.data.connection import Row, Statement
from shared.settings import get_settings

ATTEMPTS_PER_ADDRESS = 60
"""Registrations and logins per minute from one address."""

ATTEMPTS_PER_ADDRESS_AND_EMAIL = 10
"""Registrations and logins per minute from one address for one e-mail."""

ATTEMPTS_PER_EMAIL = 100
"""Registrations and logins per minute for one e-mail, from all addresses together."""

_IPV6_PREFIX = 64
"""Bits of an IPv6 address that its network assigns; a customer chooses the rest."""

_COUNT_CALL = """
    CALL count_calls(
        ARRAY['user ' || %(user_id)s::text], ARRAY[%(allowed)s::integer], NULL, NULL, NULL
    )
"""

# The database folds the case of an e-mail, as it does when it compares e-mails. The count keeps a
# hash of the e-mail only.
_EMAIL = "encode(sha256(convert_to(lower(%(email)s), 'UTF8')), 'hex')"
_COUNT_ATTEMPT = f"""
    CALL count_calls(
        ARRAY['address ' || %(address)s::text,
              'address ' || %(address)s::text || ' email ' || {_EMAIL},
              'email ' || {_EMAIL}],
        ARRAY[{ATTEMPTS_PER_ADDRESS}, {ATTEMPTS_PER_ADDRESS_AND_EMAIL}, {ATTEMPTS_PER_EMAIL}],
        NULL, NULL, NULL
    )
"""


@dataclass(frozen=True, slots=True)
class Allowance:
    """How many calls a requester has per minute, how many are left, and for how many seconds."""

    limit: int
    remaining: int
    seconds_left: int


_allowance: ContextVar[Allowance | None] = ContextVar("allowance", default=None)


def start_call() -> None:
    """Begin a call: it is not counted yet."""
    _allowance.set(None)


def note(allowance: Allowance | None) -> None:
    """Keep how many calls are left after this one."""
    _allowance.set(allowance)


def find_allowance() -> Allowance | None:
    """How many calls are left after this one; None if it was not counted."""
    return _allowance.get()


def count_call(requester: Requester) -> Statement | None:
    """The statement that counts this call, and fails over the limit.

    It commits, so it has to be the first of its pipeline. None if the call is not counted: it is
    Lambdo's own, or RATE_LIMIT_PER_MINUTE is 0.
    """
    if isinstance(requester, System):
        return None
    if isinstance(requester, Stranger):
        values = {"address": _network(requester.address), "email": requester.email}
        return Statement(_COUNT_ATTEMPT, values)
    allowed = get_settings().rate_limit_per_minute
    if not allowed:
        return None
    return Statement(_COUNT_CALL, {"user_id": requester.user_id, "allowed": allowed})


def read_allowance(counted: Row) -> Allowance | None:
    """How many calls are left of the nearest limit, from the row of `count_call`.

    None if nothing was counted, because the database is read-only.
    """
    if counted[1] is None:
        return None
    allowed, used, seconds_left = map(int, counted)
    return Allowance(allowed, allowed - used, seconds_left)


def _network(address: str) -> str:
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return address
    if ip.version == 6:  # noqa: PLR2004
        return str(ipaddress.ip_network((ip, _IPV6_PREFIX), strict=False))
    return str(ip)
