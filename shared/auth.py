"""Who calls: from an Authorization header to a caller, or a refusal that never says why."""

import math
import re
from typing import Any

import jwt

from shared.errors import Forbidden, KeysUnavailable, TokenExpired, TokenInvalid, TokenMissing
from shared.models import Caller
from shared.settings import SettingsError, get_settings

LEEWAY = 30
"""Seconds by which the clocks of issuer and verifier may differ."""

SUBJECT_LENGTH = 255
EMAIL_LENGTH = 254

# RFC 7519, 5.1: what a token says it is. Better Auth's other JWTs have types of their own.
_TOKEN_TYPES = (None, "jwt", "at+jwt")

# RFC 7515, 7.1
_COMPACT_JWT = re.compile(r"[\w-]+\.[\w-]+\.[\w-]+", re.ASCII)


def authenticate(authorization: str | None) -> Caller:
    """The caller whose token the Authorization header carries.

    Raises TokenMissing, TokenExpired or TokenInvalid; KeysUnavailable when the secret store fails.
    """
    scheme, _, credentials = (authorization or "").strip().partition(" ")
    if scheme.lower() != "bearer" or not credentials:
        raise TokenMissing
    token = credentials.lstrip()
    # Several headers reach us joined with a comma, which fails this.
    if not _COMPACT_JWT.fullmatch(token):
        raise TokenInvalid
    claims = _verify(token)
    email = claims.get("email")
    return Caller(
        user_id=claims["sub"],
        email=email if _is_storable(email, EMAIL_LENGTH) else None,
    )


def authorize(caller: Caller, user_id: str | None) -> None:
    """Let a caller use a path that names `user_id`; None is a path that names nobody.

    Raises Forbidden when it names somebody else.
    """
    if user_id is not None and user_id != caller.user_id:
        raise Forbidden


def _verify(token: str) -> dict[str, Any]:
    settings = get_settings()
    try:
        secret = settings.read_auth_secret()
    except SettingsError as error:
        raise KeysUnavailable from error
    try:
        decoded = jwt.decode_complete(
            token,
            secret,
            algorithms=["HS256"],
            issuer=settings.auth_issuer,
            audience=settings.auth_audience,
            leeway=LEEWAY,
            options={"require": ["sub", "exp"], "verify_aud": settings.auth_audience is not None},
        )
    except jwt.ExpiredSignatureError as error:
        raise TokenExpired from error
    except jwt.PyJWTError as error:
        raise TokenInvalid from error
    header, claims = decoded["header"], decoded["payload"]
    if not (
        _is_token_type(header.get("typ"))
        and "crit" not in header
        and _is_storable(claims["sub"], SUBJECT_LENGTH)
        and _is_number(claims["exp"])
        and all(_is_number(claims[name]) for name in ("nbf", "iat") if name in claims)
    ):
        raise TokenInvalid
    return claims  # type: ignore[no-any-return]


def _is_token_type(value: object) -> bool:
    return (value.lower() if isinstance(value, str) else value) in _TOKEN_TYPES


def _is_number(value: object) -> bool:
    # PyJWT takes "1700000000" and true for numbers; RFC 7519, 2 does not.
    return type(value) is int or (type(value) is float and math.isfinite(value))


def _is_storable(value: object, length: int) -> bool:
    """Whether Postgres can keep this as text: no NUL, no half of a surrogate pair."""
    return (
        isinstance(value, str)
        and 1 <= len(value) <= length
        and "\0" not in value
        and not any("\ud800" <= character <= "\udfff" for character in value)
    )
