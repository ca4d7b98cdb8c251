"""How a function logs in to Postgres a second time: with keys that it has worked out once.

By SCRAM (RFC 5802) a client proves that it knows the password. The proof is made with two keys, and
to make those of a password and a salt takes some thousand rounds of HMAC, which is longer than all
else that a warm request does. As long as the salt is the same, so are the keys; section 3 lets a
client keep them. libpq takes them for a login, but says what the salt was in its trace alone.
"""

import hashlib
import hmac
import os
import re
import sys
from base64 import b64decode, b64encode
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import psycopg
from psycopg.pq import abc
from snapshot_restore_py import register_before_snapshot

WATCHED_LOGINS = 4
"""So many logins to a database are watched in a process, each for 4 KB that psycopg never frees."""

# The server's first message (RFC 5802, section 7), as libpq's trace has it.
_SERVER_FIRST = re.compile(rb"AuthenticationSASLContinue\t 'r=[^,]*,s=([^,]*),i=(\d+)'")

# As Postgres and Neon, PgBouncer, and libpq itself word it; a login has no state of SQL.
_REFUSED = re.compile(r"authentication failed|server signature")


class Challenge(NamedTuple):
    """What a server has keys made of, beside the password."""

    salt: bytes
    rounds: int


_challenges: dict[str, Challenge] = {}
_keys: dict[str, str] = {}
_watched: Counter[str] = Counter()


def find_keys(url: str) -> str:
    """The keys for a login at `url`, as libpq is told of them; empty where there are none."""
    return _keys.get(url, "")


@contextmanager
def watch(url: str, link: abc.PGconn) -> Iterator[None]:
    """Learn the keys for `url`, where none are known, from the login that `link` makes meanwhile.

    Keys are kept for what a server has asked twice: one that asks something else each time has no
    use for them. A login is watched a few times only, because that costs time, too.
    """
    # psycopg traces on Linux alone.
    if url in _keys or _watched[url] == WATCHED_LOGINS or sys.platform != "linux":
        yield
        return
    _watched[url] += 1
    with open(os.memfd_create("login"), "rb") as trace:
        link.trace(trace.fileno())
        try:
            yield
        finally:
            link.untrace()
        trace.seek(0)
        asked = _SERVER_FIRST.search(trace.read())
    if asked is not None:
        challenge = Challenge(b64decode(asked[1]), int(asked[2]))
        password = link.password.decode()
        if challenge == _challenges.get(url) and password.isascii():
            _keys[url] = derive_keys(password, challenge)
        _challenges[url] = challenge


def is_refused(error: psycopg.OperationalError) -> bool:
    """Whether a login failed because of the password or its keys, and for no other reason."""
    return error.sqlstate is None and _REFUSED.search(str(error)) is not None


def derive_keys(password: str, challenge: Challenge) -> str:
    """The keys of a password for SCRAM-SHA-256 (RFC 5802, section 3), as libpq is told of them.

    It has to be ASCII: other passwords would have to be prepared first (RFC 4013).
    """
    salted = hashlib.pbkdf2_hmac("sha256", password.encode("ascii"), *challenge)
    texts = {"scram_client_key": b"Client Key", "scram_server_key": b"Server Key"}
    return " ".join(
        f"{name}={b64encode(hmac.digest(salted, text, 'sha256')).decode()}"
        for name, text in texts.items()
    )


def forget(url: str | None = None) -> None:
    """Forget the keys for `url`, or all of them, and what they were made for."""
    for kept in (_challenges, _keys):
        if url is None:
            kept.clear()
        else:
            kept.pop(url, None)


# The keys are as good as the password, and no snapshot has that.
register_before_snapshot(forget)
