"""The key set that an identity provider publishes: what others than we sign tokens with.

PyJWT's own client bounds neither how long an answer takes in all nor how large it is, and gives up
the keys that it has when it cannot renew them.
"""

import functools
import json
import time
from http import HTTPStatus
from typing import Any, NamedTuple

import jwt
from snapshot_restore_py import register_before_snapshot

from shared.errors import KeysUnavailable
from shared.runtime import outbound
from shared.runtime.deadline import time_left

MAX_AGE = 300
"""Seconds for which keys are kept, and a key that was withdrawn still counts."""

MAX_AGE_WITHOUT_ANSWER = 3600
"""Seconds for which keys are kept where the provider does not answer."""

RETRY_INTERVAL = 30
"""Seconds between two fetches, whatever tokens arrive, once there are keys."""

FETCH_TIMEOUT = 3
"""Seconds that a fetch may take, from looking the host up to the last byte."""

MAX_BYTES = 256 * 1024

_MIN_RSA_BITS = 2048
"""RFC 7518, 3.3 and 3.5."""

# RFC 7518, 3.1 and RFC 8037: the type and curve of key that an algorithm takes.
_KEY_TYPES = {
    "EdDSA": ("OKP", "Ed25519"),
    "ES256": ("EC", "P-256"),
    "RS256": ("RSA", None),
    "PS256": ("RSA", None),
}


class _Key(NamedTuple):
    algorithm: str
    key_id: str | None
    public_key: Any


class KeySet:
    """The keys at a URL, which are fetched when a token first needs them."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._keys: list[_Key] = []
        self._fetched_at: float | None = None
        self._retried_at = -float("inf")
        self._failure: Exception | None = None

    def find_key(self, algorithm: str, key_id: str | None) -> Any:
        """The public key for a token's `alg` and `kid`; None where the set has none for it.

        A `kid` that is not known has the set fetched again: the provider may have new keys. A token
        without one (RFC 7515, 4.1.4) is for the only key of its algorithm, if there is only one.

        Raises KeysUnavailable where that cannot be known, because the set cannot be had. Until it
        could be had once, every token has it asked for.
        """
        now = _clock()
        if first := self._fetched_at is None:
            self._fetch(now)
        elif not 0 <= now - self._fetched_at <= MAX_AGE:
            self._fetch_again(now)
        if self._fetched_at is None or now - self._fetched_at > MAX_AGE_WITHOUT_ANSWER:
            raise KeysUnavailable from self._failure
        fitting = self._find(algorithm, key_id)
        if not fitting and not first:
            self._fetch_again(now)
            fitting = self._find(algorithm, key_id)
        if not fitting and self._failure:
            raise KeysUnavailable from self._failure
        return fitting[0].public_key if len(fitting) == 1 else None

    def _find(self, algorithm: str, key_id: str | None) -> list["_Key"]:
        return [
            key for key in self._keys if key.algorithm == algorithm and key_id in (None, key.key_id)
        ]

    def _fetch_again(self, now: float) -> None:
        if not 0 <= now - self._retried_at < RETRY_INTERVAL:
            self._retried_at = now
            self._fetch(now)

    def _fetch(self, now: float) -> None:
        try:
            self._keys = _read_keys(_fetch_document(self._url))
        except (outbound.NoAnswer, ValueError) as error:
            self._failure = error
        else:
            self._failure = None
            self._fetched_at = now


# With SnapStart a function begins from a picture of itself, which may be days old.
get_key_set = functools.cache(KeySet)
register_before_snapshot(get_key_set.cache_clear)


def _clock() -> float:
    # Not monotonic(), which may stand still while Lambda has the process frozen.
    return time.time()


def _read_keys(document: bytes) -> list[_Key]:
    """What tokens can be checked with, of a key set (RFC 7517, 5).

    An entry that is not understood is left out, as the RFC has it.
    Raises ValueError for what is no key set.
    """
    try:
        entries = json.loads(document)["keys"]
        if not isinstance(entries, list):
            raise ValueError("not a key set")
        return [
            _Key(algorithm, entry.get("kid"), key)
            for entry in entries
            if isinstance(entry, dict)
            for algorithm in _KEY_TYPES
            if (key := _read_key(entry, algorithm)) is not None
        ]
    except (LookupError, TypeError, RecursionError) as error:
        raise ValueError("not a key set") from error


def _read_key(entry: dict[str, Any], algorithm: str) -> Any:
    key_type, curve = _KEY_TYPES[algorithm]
    operations = entry.get("key_ops", ["verify"])
    if (
        entry.get("kty") != key_type
        or (curve is not None and entry.get("crv") != curve)
        or entry.get("alg", algorithm) != algorithm
        or entry.get("use", "sig") != "sig"
        or not (isinstance(operations, list) and "verify" in operations)
        or "d" in entry  # a private key that is published is nobody's any more
    ):
        return None
    try:
        key = jwt.PyJWK(entry, algorithm).key
    except (jwt.PyJWTError, ValueError, TypeError, AttributeError):
        return None
    return None if key_type == "RSA" and key.key_size < _MIN_RSA_BITS else key


def _fetch_document(url: str) -> bytes:
    answer = outbound.send(
        url,
        {"Accept": "application/json"},
        seconds=time_left(FETCH_TIMEOUT),
        max_bytes=MAX_BYTES,
    )
    if answer.status != HTTPStatus.OK:  # a redirect is not followed either
        raise ValueError(f"AUTH_JWKS_URL is answered {answer.status}")
    return answer.body
