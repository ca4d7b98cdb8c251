"""Built-in accounts: registering, logging in, and the tokens that both answer."""

import json
import time

import jwt
from pydantic import SecretStr

from shared.auth import OWN_KEY_ID, read_secret
from shared.data import database
from shared.data.connection import Statement
from shared.errors import CredentialsInvalid, EmailTaken
from shared.identity.accounts import USER_JSON
from shared.identity.credentials import (
    Login,
    Registration,
    hash_password,
    is_outdated,
    verify_password,
)
from shared.models import Caller
from shared.settings import get_settings

TOKEN_LIFETIME = 60 * 60
"""Seconds for which a token is good."""

# Row-level security lets a user's row be made by that user alone.
_BECOME_NEW_USER = "SELECT set_config('app.user_id', uuid_v7()::text, true)"

_REGISTER = f"""
    WITH registered AS (
        INSERT INTO users (id, email, hashed_password)
        VALUES (current_setting('app.user_id'), %(email)s, %(hashed_password)s)
        ON CONFLICT DO NOTHING
        RETURNING *
    )
    SELECT id, {USER_JSON} FROM registered
"""  # nosec

_FIND = f"SELECT id, {USER_JSON}, hashed_password FROM find_account(%(email)s)"  # nosec

_EXISTS = "SELECT FROM find_account(%(email)s)"

_REHASH = f"""
    WITH rehashed AS (
        UPDATE users SET hashed_password = %(hashed_password)s
        WHERE id = %(user_id)s AND hashed_password = %(outdated)s
        RETURNING *
    )
    SELECT {USER_JSON} FROM rehashed
"""  # nosec


def register(stranger: Caller, registration: Registration) -> str:
    """A new account, and a token for it, as JSON.

    It takes two round trips: the password is not hashed, which is costly, before the attempt is
    counted and the address known to be free.

    Raises RateLimited, EmailTaken, and KeysUnavailable when the store does not give what tokens are
    signed with.
    """
    secret = read_secret()
    stranger.email = registration.email
    exists = Statement(_EXISTS, {"email": registration.email})
    (taken,) = database.run(stranger, exists, reads=True)
    if taken:
        raise EmailTaken
    values = {
        "email": registration.email,
        "hashed_password": hash_password(registration.password),
    }
    _, rows = database.run(stranger, Statement(_BECOME_NEW_USER), Statement(_REGISTER, values))
    if not rows:
        raise EmailTaken
    user_id, user = rows[0]
    return _answer(user_id, user, secret)


def log_in(stranger: Caller, login: Login) -> str:
    """The account that these are the e-mail address and password of, and a token, as JSON.

    It is asked for in one round trip; where the password has to be hashed anew, that is a second.

    Raises RateLimited, CredentialsInvalid, which never says what was wrong, and KeysUnavailable as
    `register` does. An attempt counts whether or not it succeeds.
    """
    secret = read_secret()
    stranger.email = login.email
    (rows,) = database.run(stranger, Statement(_FIND, {"email": login.email}), reads=True)
    user_id, user, hashed = rows[0] if rows else (None, None, None)
    if not verify_password(login.password, hashed):
        raise CredentialsInvalid
    if is_outdated(hashed):
        user = _rehash(stranger, user_id, login.password, hashed) or user
    return _answer(user_id, user, secret)


def _rehash(stranger: Caller, user_id: str, password: SecretStr, outdated: str) -> str | None:
    """The user as JSON after that; None where another login or a deletion came first."""
    user = Caller(user_id, registered=True, allowance=stranger.allowance)  # it is counted
    values = {"hashed_password": hash_password(password), "outdated": outdated}
    (rows,) = database.run(user, Statement(_REHASH, values))
    return rows[0][0] if rows else None


def _answer(user_id: str, user: str, secret: str) -> str:
    settings = get_settings()
    now = int(time.time())
    claims = {
        "iss": settings.token_issuer,
        "aud": settings.token_audience,
        "iat": now,
        "exp": now + TOKEN_LIFETIME,
        "sub": user_id,
    }
    session = {
        "access_token": jwt.encode(claims, secret, "HS256", {"kid": OWN_KEY_ID}),
        "token_type": "bearer",  # nosec B105 # RFC 6750
        "expires_in": TOKEN_LIFETIME,
    }
    return f'{json.dumps(session)[:-1]}, "user": {user}}}'
