"""The public keys that an identity provider publishes, to check its tokens with.

PyJWT reads a key and checks its type, curve and length. Its PyJWKClient and PyJWKSet are not used:
the client bounds neither the total time nor the size of an answer, asks a provider that fails again
for every token, and drops its keys when they expire during an outage; the set has RSA keys without
`alg` for RS256 alone, and the same error for a set without usable keys and for what is no set.
"""

import functools
import json
import time
from http import HTTPStatus
from typing import Any

import jwt
from snapshot_restore_py import register_before_snapshot

from shared.errors import KeysUnavailable
from shared.runtime import outbound
from shared.runtime.deadline import time_left

MAX_AGE = 300
"""Seconds for which keys are used, including one that the provider has withdrawn."""

MAX_AGE_WITHOUT_ANSWER = 3600
"""Seconds for which keys are used while the provider does not answer."""

RETRY_INTERVAL = 30
"""Seconds between two fetches once there are keys, whatever tokens arrive."""

FETCH_TIMEOUT = 3
"""Seconds that a fetch may take, from resolving the host to the last byte."""

MAX_BYTES = 256 * 1024

_ALGORITHMS = ("EdDSA", "ES256", "RS256", "PS256")


class KeySet:
    """The keys at a URL, fetched when a token first needs them."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._keys: list[jwt.PyJWK] = []
        self._fetched_at: float | None = None
        self._retried_at = -float("inf")
        self._failure: Exception | None = None

    def find_key(self, algorithm: str, key_id: str | None) -> Any:
        """The public key for a token's `alg` and `kid`; None if the set has none for it.

        An unknown `kid` has the set fetched again, because the provider may have new keys. A token
        without a `kid` (RFC 7515, 4.1.4) gets the only key of its algorithm, if there is only one.

        Raises KeysUnavailable if the set cannot be fetched and no key is known. Until the first
        successful fetch, every token triggers one.
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
        return fitting[0].key if len(fitting) == 1 else None

    def _find(self, algorithm: str, key_id: str | None) -> list[jwt.PyJWK]:
        return [
            key
            for key in self._keys
            if key.algorithm_name == algorithm and key_id in (None, key.key_id)
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


# A snapshot may be days old when a function starts from it.
get_key_set = functools.cache(KeySet)
register_before_snapshot(get_key_set.cache_clear)


def _clock() -> float:
    # Not monotonic(), which may stand still while Lambda freezes the process.
    return time.time()


def _read_keys(document: bytes) -> list[jwt.PyJWK]:
    """The usable keys of a key set (RFC 7517, 5), each for one algorithm; others are ignored.

    Raises ValueError if the document is not a key set.
    """
    try:
        entries = json.loads(document)["keys"]
    except (LookupError, TypeError, RecursionError) as error:
        raise ValueError("not a key set") from error
    if not isinstance(entries, list):
        raise ValueError("not a key set")
    keys = (_read_key(entry, algorithm) for entry in entries for algorithm in _ALGORITHMS)
    return [key for key in keys if key is not None]


def _read_key(entry: Any, algorithm: str) -> jwt.PyJWK | None:
    if not isinstance(entry, dict):
        return None
    operations = entry.get("key_ops", ["verify"])
    if (
        entry.get("alg", algorithm) != algorithm
        or entry.get("use", "sig") != "sig"
        or not (isinstance(operations, list) and "verify" in operations)
        or entry.get("crv") == "Ed448"  # EdDSA stands for Ed25519 here
        or "d" in entry  # a private key that is public proves nothing
    ):
        return None
    try:
        key = jwt.PyJWK(entry, algorithm)
        key.Algorithm.prepare_key(key.key)  # checks the curve
    except jwt.PyJWTError:
        return None
    return None if key.Algorithm.check_key_length(key.key) else key


def _fetch_document(url: str) -> bytes:
    answer = outbound.send(
        url,
        {"Accept": "application/json"},
        seconds=time_left(FETCH_TIMEOUT),
        max_bytes=MAX_BYTES,
    )
    if answer.status != HTTPStatus.OK:  # redirects are not followed
        raise ValueError(f"AUTH_JWKS_URL is answered {answer.status}")
    return answer.body
