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
from typing import Any, NamedTuple, Self

import psycopg
from psycopg.abc import PQGenConn
from psycopg.conninfo import conninfo_to_dict
from psycopg.pq import ConnStatus, PGconn, PollingStatus
from psycopg.waiting import Wait
from snapshot_restore_py import register_before_snapshot

_WAITS: dict[int, Wait] = {PollingStatus.READING: Wait.R, PollingStatus.WRITING: Wait.W}

# The server's first message (RFC 5802, section 7), as libpq's trace has it.
_SERVER_FIRST = re.compile(rb"AuthenticationSASLContinue\t 'r=[^,]*,s=([^,]*),i=(\d+)'")


class Challenge(NamedTuple):
    """What a server has keys made of, beside the password."""

    salt: bytes
    rounds: int


_challenges: dict[str, Challenge | None] = {}
_keys: dict[str, dict[str, Any]] = {}


class ScramConnection(psycopg.Connection[tuple[Any, ...]]):
    """A connection that is logged in to with a password, and the next time with its keys."""

    challenge: Challenge | None = None
    """What the server asked, where a password was what it was answered with."""

    @classmethod
    def log_in(cls, url: str, **options: Any) -> Self:
        """Connect to `url`; `options` are those of `connect`, which say what may be raised.

        Keys are kept for what a server has asked twice: one that asks something else each time has
        no use for them. Where they are refused, the password is tried, in case the salt is new.
        """
        keys: dict[str, Any] = _keys.get(url, {})
        try:
            connection = cls.connect(url, **keys, **options)
        except psycopg.errors.ConnectionTimeout:
            raise
        except psycopg.OperationalError:
            if not keys:
                raise
            forget()
            keys = {}
            connection = cls.connect(url, **options)
        if not keys:
            _note(url, connection.challenge)
        return connection

    @classmethod
    def _connect_gen(cls, conninfo: str = "") -> PQGenConn[Self]:
        # There is nothing to learn where keys are known or no password is. psycopg traces on Linux.
        is_new = "password=" in conninfo and "scram_client_key=" not in conninfo
        if not is_new or sys.platform != "linux":
            return (yield from super()._connect_gen(conninfo))
        link = PGconn.connect_start(conninfo.encode())
        with open(os.memfd_create("trace"), "rb") as trace:
            link.trace(trace.fileno())
            try:
                while wait := _WAITS.get(link.connect_poll()):
                    while not (yield link.socket, wait):
                        pass
            finally:
                link.untrace()
            trace.seek(0)
            asked = _SERVER_FIRST.search(trace.read())
        if link.status != ConnStatus.OK:
            raise psycopg.OperationalError(f"connection failed: {link.get_error_message()}")
        link.nonblocking = 1
        connection = cls(link)
        if asked is not None:
            connection.challenge = Challenge(b64decode(asked[1]), int(asked[2]))
        return connection


def derive_keys(password: str, challenge: Challenge) -> dict[str, str]:
    """The keys of a password for SCRAM-SHA-256 (RFC 5802, section 3), as libpq takes them.

    It has to be ASCII: other passwords would have to be prepared first (RFC 4013).
    """
    salted = hashlib.pbkdf2_hmac("sha256", password.encode("ascii"), *challenge)
    texts = {"scram_client_key": b"Client Key", "scram_server_key": b"Server Key"}
    return {
        name: b64encode(hmac.digest(salted, text, "sha256")).decode()
        for name, text in texts.items()
    }


def forget() -> None:
    """Forget all keys, and what they were made for."""
    _challenges.clear()
    _keys.clear()


# The keys are as good as the password, and no snapshot has that.
register_before_snapshot(forget)


def _note(url: str, challenge: Challenge | None) -> None:
    password = conninfo_to_dict(url).get("password")
    is_plain = isinstance(password, str) and password.isascii()
    if is_plain and challenge is not None and challenge == _challenges.get(url):
        _keys[url] = derive_keys(str(password), challenge)
    _challenges[url] = challenge
