"""Who calls: from an Authorization header to a caller, or a refusal that never says why."""

import json
import re
import time
from typing import Any

import jwt
from jwt.utils import base64url_decode

from shared.errors import Forbidden, KeysUnavailable, TokenExpired, TokenInvalid, TokenMissing
from shared.key_set import get_key_set
from shared.models import Caller
from shared.settings import SettingsError, get_settings

LEEWAY = 30
"""Seconds by which the clocks of issuer and verifier may differ."""

MAX_LENGTH = 10_240
"""Characters of a token: API Gateway's quota on all headers, which no longer one comes through."""

OWN_KEY_ID = "lambdo"
"""The `kid` by which tokens of built-in accounts are known from others with the same secret."""

SUBJECT_LENGTH = 255
EMAIL_LENGTH = 254

# RFC 7519, 5.1: what a token says it is. Better Auth's other JWTs have types of their own.
_TOKEN_TYPES = (None, "jwt", "at+jwt")

# What would have the claims read in another way than they are here: RFC 7515, 4.1.10 and 4.1.11,
# RFC 7516, 4.1.3 and RFC 7797, 3.
_OTHER_READINGS = frozenset({"b64", "crit", "cty", "zip"})

# What a key set is for; all else is for the shared secret, which takes HS256 alone.
_ASYMMETRIC = ("EdDSA", "ES256", "RS256", "PS256")

# RFC 7515, 7.1
_COMPACT_JWT = re.compile(r"[\w-]+\.[\w-]+\.[\w-]+", re.ASCII)


def authenticate(authorization: str | None) -> Caller:
    """The caller whose token the Authorization header carries.

    Raises TokenMissing, TokenExpired or TokenInvalid; KeysUnavailable when neither store nor
    provider gives what it is to be checked with.
    """
    scheme, _, credentials = (authorization or "").strip(" \t").partition(" ")
    if scheme.lower() != "bearer" or not credentials:
        raise TokenMissing
    token = credentials.lstrip(" ")
    # Several headers reach us joined with a comma, which fails this.
    if len(token) > MAX_LENGTH or not _COMPACT_JWT.fullmatch(token):
        raise TokenInvalid
    header, claims = _verify(token)
    email = claims.get("email")
    return Caller(
        user_id=claims["sub"],
        email=email if _is_storable(email, EMAIL_LENGTH) else None,
        registered=(
            get_settings().accounts == "built_in"
            and (header["alg"], header.get("kid")) == ("HS256", OWN_KEY_ID)
        ),
    )


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
    try:
        header = jwt.get_unverified_header(token)
        # The algorithm picks the family, and a family sees no keys but its own: a public key must
        # never come to serve as a secret.
        check = _check_by_key_set if header.get("alg") in _ASYMMETRIC else _check_by_secret
        claims = check(token, header)
    except jwt.PyJWTError as error:
        raise TokenInvalid from error
    if not (
        all(map(_is_unambiguous, token.split(".")[:2]))
        and _is_token_type(header.get("typ"))
        and _OTHER_READINGS.isdisjoint(header)
        and _is_storable(claims["sub"], SUBJECT_LENGTH)
        and all(_is_number(claims[name]) for name in ("exp", "nbf", "iat") if name in claims)
    ):
        raise TokenInvalid
    now = time.time()
    if any(claims.get(name, now) > now + LEEWAY for name in ("nbf", "iat")):
        raise TokenInvalid
    if claims["exp"] <= now - LEEWAY:
        raise TokenExpired
    return header, claims


def _check_by_secret(token: str, _header: dict[str, Any]) -> dict[str, Any]:
    settings = get_settings()
    if not settings.has_auth_secret:
        raise TokenInvalid
    return _decode(token, read_secret(), "HS256", settings.auth_issuer, settings.auth_audience)


def _check_by_key_set(token: str, header: dict[str, Any]) -> dict[str, Any]:
    settings = get_settings()
    if settings.auth_jwks_url is None:
        raise TokenInvalid
    key = get_key_set(settings.auth_jwks_url).find_key(header["alg"], header.get("kid"))
    if key is None:
        raise TokenInvalid
    # What Better Auth puts there.
    origin = settings.auth_origin
    return _decode(
        token,
        key,
        header["alg"],
        settings.auth_issuer or origin,
        settings.auth_audience or origin,
    )


def _decode(
    token: str, key: Any, algorithm: str, issuer: str | None, audience: str | None
) -> dict[str, Any]:
    claims: dict[str, Any] = jwt.decode(
        token,
        key,
        algorithms=[algorithm],
        issuer=issuer,
        audience=audience,
        options={
            "require": ["sub", "exp"],
            "verify_aud": audience is not None,
            # PyJWT takes texts for numbers there: see _verify.
            "verify_exp": False,
            "verify_nbf": False,
            "verify_iat": False,
        },
    )
    return claims


def _is_token_type(value: object) -> bool:
    return (value.lower() if isinstance(value, str) else value) in _TOKEN_TYPES


def _is_unambiguous(part: str) -> bool:
    """Whether header or claims are JSON that nobody reads in another way.

    RFC 7519, 7.2: it is UTF-8. RFC 7519, 4 and RFC 7515, 4: no name is there twice.
    """
    try:
        json.loads(base64url_decode(part).decode(), object_pairs_hook=_take_once)
    except (ValueError, RecursionError):
        return False
    return True


def _take_once(members: list[tuple[str, Any]]) -> dict[str, Any]:
    taken = dict(members)
    if len(taken) < len(members):
        raise ValueError("a name is there twice")
    return taken


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
