"""How many calls somebody may make in a minute. database.py counts them."""

import hashlib
import ipaddress
from typing import NamedTuple

from shared.models import Caller
from shared.settings import get_settings

ATTEMPTS_PER_EMAIL = 10
"""Registrations and logins a minute with one e-mail address, wherever they come from."""

ATTEMPTS_PER_ADDRESS = 60
"""Registrations and logins a minute from one place, whoever's they are."""

_IPV6_PREFIX = 64
"""Bits that a customer of a network has in common: the others are the customer's to choose."""


class Limit(NamedTuple):
    """What is counted together, and how often it may be in a minute."""

    subject: str
    allowed: int


def limits_of(caller: Caller) -> list[Limit]:
    """What a call of this caller counts for; nothing where RATE_LIMIT_PER_MINUTE is 0."""
    allowed = get_settings().rate_limit_per_minute
    if not allowed:
        return []
    if caller.user_id:
        return [Limit(f"user {caller.user_id}", allowed)]
    # Whose address it was is nobody's business once it is counted.
    email = hashlib.sha256((caller.email or "").lower().encode()).hexdigest()
    return [
        Limit(f"address {_network(caller.address)}", ATTEMPTS_PER_ADDRESS),
        Limit(f"email {email}", ATTEMPTS_PER_EMAIL),
    ]


def _network(address: str) -> str:
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return address
    if ip.version == 6:  # noqa: PLR2004
        return str(ipaddress.ip_network((ip, _IPV6_PREFIX), strict=False))
    return str(ip)
