"""Who calls: from an Authorization header to a caller, or a refusal that never says why.

Why a token is refused is for the log alone (`ApiError.reason`). PyJWT checks the signature; header
and claims are read here, once, and more strictly than PyJWT reads them.
"""

import functools
import json
import re
import time
from typing import Any

import jwt
from jwt.utils import base64url_decode, base64url_encode
from snapshot_restore_py import register_before_snapshot

from shared.callers import Caller, RegisteredCaller
from shared.errors import Forbidden, KeysUnavailable, TokenExpired, TokenInvalid, TokenMissing
from shared.key_set import get_key_set
from shared.settings import SettingsError, get_settings

LEEWAY = 30
"""Seconds by which the clocks of issuer and verifier may differ."""

MAX_LENGTH = 10_240
"""Characters of a token: API Gateway's quota on all headers, which no longer one comes through."""

OWN_KEY_ID = "lambdo"
"""The `kid` by which tokens of built-in accounts are known from others with the same secret."""

SUBJECT_LENGTH = 255
EMAIL_LENGTH = 254

QUOTED_LENGTH = 100
"""Characters of a token's value that a log has at most: anybody may send what they like."""

# RFC 7519, 5.1: what a token says it is. Better Auth's other JWTs have types of their own.
_TOKEN_TYPES = (None, "jwt", "at+jwt")

# Header fields that change how claims are interpreted: RFC 7515, 4.1.10 and 4.1.11, RFC 7516, 4.1.3
# and RFC 7797, 3.
_OTHER_READINGS = frozenset({"b64", "crit", "cty", "zip"})

# What a key set is for; all else is for the shared secret, which takes HS256 alone.
_ASYMMETRIC = ("EdDSA", "ES256", "RS256", "PS256")
_RSA = ("RS256", "PS256")

_HS256 = jwt.get_algorithm_by_name("HS256")

# RFC 7515, 7.1
_COMPACT_JWT = re.compile(r"[\w-]+\.[\w-]+\.[\w-]+", re.ASCII)


def authenticate(authorization: str | None) -> Caller:
    """The caller whose token the Authorization header carries.

    Raises TokenMissing, TokenExpired or TokenInvalid; KeysUnavailable when neither store nor
    provider gives what it is to be checked with.
    """
    scheme, _, credentials = (authorization or "").strip(" \t").partition(" ")
    if scheme.lower() != "bearer" or not credentials:
        # The scheme may be a token that was sent without one, so no log has it.
        reason = "Authorization has no bearer token" if authorization else "no Authorization header"
        raise TokenMissing(reason=reason)
    token = credentials.lstrip(" ")
    if len(token) > MAX_LENGTH:
        raise TokenInvalid(reason=f"the token has {len(token)} characters, of {MAX_LENGTH} at most")
    # Several headers reach us joined with a comma.
    if not _COMPACT_JWT.fullmatch(token):
        raise TokenInvalid(reason="Authorization is there several times, or its token is no JWT")
    header, claims = _verify(token)
    email = claims.get("email")
    settings = get_settings()
    is_ours = settings.accounts == "built_in" and (header["alg"], header.get("kid")) == (
        "HS256",
        OWN_KEY_ID,
    )
    kind = RegisteredCaller if is_ours or settings.user_provisioning == "required" else Caller
    return kind(claims["sub"], email if _is_storable(email, EMAIL_LENGTH) else None)


def authorize(caller: Caller, user_id: str | None) -> None:
    """Let a caller use a path that names `user_id`; None is a path that names nobody.

    Raises Forbidden when it names somebody else.
    """
    if user_id is not None and user_id != caller.user_id:
        raise Forbidden


def check_settings() -> None:
    """Raise SettingsError unless there is something to check tokens with."""
    settings = get_settings()
    if settings.has_auth_secret:
        settings.read_auth_secret()
    elif settings.auth_jwks_url is None:
        raise SettingsError(
            "BETTER_AUTH_SECRET: is missing; set it, BETTER_AUTH_SECRET_ARN or AUTH_JWKS_URL"
        )


def check_signing_settings() -> None:
    """Raise SettingsError unless accounts are built in and there is a secret to sign with."""
    settings = get_settings()
    if settings.accounts != "built_in":
        raise SettingsError("ACCOUNTS: must be built_in for a function that registers or logs in")
    settings.read_auth_secret()


def read_secret() -> str:
    """What HS256 tokens are signed with. Raises KeysUnavailable when the store does not give it."""
    try:
        return get_settings().read_auth_secret()
    except SettingsError as error:
        raise KeysUnavailable from error


def _verify(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims of a token that is good in every respect."""
    signed = token.rpartition(".")[0].encode()
    first, second, signature = map(_decode_part, token.split("."))
    header = _read_object("header", first)
    _check_header(header)
    # The algorithm picks the family, and a family sees no keys but its own: a public key must
    # never come to serve as a secret.
    is_asymmetric = header.get("alg") in _ASYMMETRIC
    key: Any = _find_public_key(header) if is_asymmetric else _find_secret(header)
    # OpenSSL also takes a signature without its leading zero bytes. RFC 8017, 8.1.2 and 8.2.2, does
    # not: it is as long as the modulus.
    if header["alg"] in _RSA and len(signature) != (key.key_size + 7) // 8:
        raise TokenInvalid(reason=f"signature has {len(signature)} bytes")
    if not jwt.get_algorithm_by_name(header["alg"]).verify(signed, key, signature):
        raise TokenInvalid(reason="signature does not match")
    claims = _read_object("claims", second)
    _check_issuer_and_audience(claims, is_asymmetric)
    _check_claims(claims)
    return header, claims


def _find_secret(header: dict[str, Any]) -> bytes:
    if header.get("alg") != "HS256":
        raise TokenInvalid(reason=f"alg is {_quote(header.get('alg'))}")
    if not get_settings().has_auth_secret:
        raise TokenInvalid(reason="alg is HS256, and BETTER_AUTH_SECRET is not set")
    return _prepare_secret(read_secret())


@functools.lru_cache(maxsize=2)
def _prepare_secret(secret: str) -> bytes:
    """The secret as bytes, unless it is a public key: who knows that must not be able to sign."""
    try:
        prepared: bytes = _HS256.prepare_key(secret)
    except jwt.InvalidKeyError as error:
        raise TokenInvalid(reason="BETTER_AUTH_SECRET is a public key, and no secret") from error
    return prepared


# A snapshot has no secrets.
register_before_snapshot(_prepare_secret.cache_clear)


def _find_public_key(header: dict[str, Any]) -> Any:
    algorithm, key_id, url = header["alg"], header.get("kid"), get_settings().auth_jwks_url
    if url is None:
        raise TokenInvalid(reason=f"alg is {algorithm}, and AUTH_JWKS_URL is not set")
    key = get_key_set(url).find_key(algorithm, key_id)
    if key is None:
        raise TokenInvalid(reason=f"no key {_quote(key_id)} for {algorithm} in the key set")
    return key


def _check_header(header: dict[str, Any]) -> None:
    kind, key_id = header.get("typ"), header.get("kid", "")
    if (kind.lower() if isinstance(kind, str) else kind) not in _TOKEN_TYPES:
        raise TokenInvalid(reason=f"typ is {_quote(kind)}")
    if not isinstance(key_id, str):
        raise TokenInvalid(reason=f"kid is {_quote(key_id)}")
    if not _OTHER_READINGS.isdisjoint(header):
        names = ", ".join(sorted(_OTHER_READINGS.intersection(header)))
        raise TokenInvalid(reason=f"the header has {names}")


def _check_issuer_and_audience(claims: dict[str, Any], is_asymmetric: bool) -> None:
    settings = get_settings()
    # What Better Auth puts there. With a secret they count where they are set.
    origin = settings.auth_origin if is_asymmetric else None
    issuer, audience = settings.auth_issuer or origin, settings.auth_audience or origin
    if issuer is not None and claims.get("iss") != issuer:
        raise TokenInvalid(reason=f"iss is {_quote(claims.get('iss'))}, expected {_quote(issuer)}")
    named = claims.get("aud")
    # RFC 7519, 4.1.3: one text, or a list of them.
    audiences = [named] if isinstance(named, str) else named
    if audience is not None and not (
        isinstance(audiences, list)
        and audience in audiences
        and all(isinstance(one, str) for one in audiences)
    ):
        raise TokenInvalid(reason=f"aud is {_quote(named)}, expected {_quote(audience)}")


def _check_claims(claims: dict[str, Any]) -> None:
    if not _is_storable(claims.get("sub"), SUBJECT_LENGTH):
        what = "is no text of 1 to 255 characters" if "sub" in claims else "is missing"
        raise TokenInvalid(reason=f"sub {what}")
    if not isinstance(claims.get("jti", ""), str):
        raise TokenInvalid(reason="jti is no text")
    if "exp" not in claims:
        raise TokenInvalid(reason="exp is missing")
    for name in ("exp", "nbf", "iat"):
        if name in claims and not _is_number(claims[name]):
            raise TokenInvalid(reason=f"{name} is no number")
    now = time.time()
    for name in ("nbf", "iat"):
        if (ahead := claims.get(name, now) - now) > LEEWAY:
            raise TokenInvalid(reason=f"{name} is {ahead:.0f} s in the future")
    if (age := now - claims["exp"]) >= LEEWAY:
        raise TokenExpired(reason=f"expired {age:.0f} s ago")


def _decode_part(part: str) -> bytes:
    """The bytes of a part of a token: base64url without padding, and in no other spelling."""
    try:
        content = base64url_decode(part)
    except ValueError as error:
        raise TokenInvalid(reason="a part of the token is not base64url") from error
    if base64url_encode(content) != part.encode():
        raise TokenInvalid(reason="a part of the token has bits left over")
    return content


def _read_object(name: str, part: bytes) -> dict[str, Any]:
    """The object that a part of a token holds, in JSON that nobody reads in another way.

    RFC 7519, 7.2: it is UTF-8. RFC 7519, 4 and RFC 7515, 4: no name is there twice.
    """
    try:
        value = _decode_json(part.decode())
    except (ValueError, RecursionError) as error:
        raise TokenInvalid(reason=f"{name}: not JSON, or a name is there twice") from error
    if not isinstance(value, dict):
        raise TokenInvalid(reason=f"{name}: not an object")
    return value


def _take_once(members: list[tuple[str, Any]]) -> dict[str, Any]:
    taken = dict(members)
    if len(taken) < len(members):
        raise ValueError("a name is there twice")
    return taken


_decode_json = json.JSONDecoder(object_pairs_hook=_take_once).decode


def _quote(value: object) -> str:
    """What a token says, as a log may have it: JSON in ASCII, and no more than a line of it."""
    try:
        text = json.dumps(value)
    except RecursionError:
        return "nested too deep"
    return text if len(text) <= QUOTED_LENGTH else f"{text[:QUOTED_LENGTH]}…"


def _is_number(value: object) -> bool:
    # RFC 7519, 2. Beyond 2 ** 53 numbers are not the same to all who read them (RFC 8259, 6).
    return type(value) in (int, float) and abs(value) < 2**53  # type: ignore[arg-type]


def _is_storable(value: object, length: int) -> bool:
    """Whether Postgres can keep this as text: no NUL, no half of a surrogate pair."""
    return (
        isinstance(value, str)
        and 1 <= len(value) <= length
        and "\0" not in value
        and not any("\ud800" <= character <= "\udfff" for character in value)
    )
