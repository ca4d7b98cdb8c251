"""Built-in accounts: registering, logging in, and the tokens that both answer."""

import json
import time
from dataclasses import replace
from typing import NamedTuple

import jwt
from pydantic import SecretStr

from shared.accounts.credentials import (
    Login,
    Registration,
    hash_password,
    is_outdated,
    verify_password,
)
from shared.auth import OWN_KEY_ID, read_secret
from shared.callers import Stranger, System
from shared.data import database
from shared.data.connection import Row, Statement
from shared.data.query import Command, Query, first_column, is_found
from shared.errors import CredentialsInvalid, EmailTaken
from shared.settings import get_settings
from shared.statements import users as statements

TOKEN_LIFETIME = 60 * 60
"""Seconds for which a token is good."""


class _Account(NamedTuple):
    """An account: its user's id, the user as JSON, and the password as it is kept."""

    user_id: str
    user: str
    hashed_password: str = ""


def register(stranger: Stranger, registration: Registration) -> str:
    """A new account, and a token for it, as JSON.

    It takes two round trips: the password is not hashed, which is costly, before the attempt is
    counted and the address known to be free.

    Raises RateLimited, EmailTaken, and KeysUnavailable when the store does not give what tokens are
    signed with.
    """
    secret = read_secret()
    email = registration.email
    is_taken = Query(Statement(statements.HAS_ACCOUNT, {"email": email}), is_found)
    if any(database.run(replace(stranger, email=email), is_taken)):
        raise EmailTaken
    values = {"email": email, "hashed_password": hash_password(registration.password)}
    become = Query(Statement(statements.BECOME_NEW_USER), first_column)
    create = Command(Statement(statements.REGISTER, values), _read_account)
    _, account = database.run(System(), become, create)
    if account is None:
        raise EmailTaken
    return _answer(account, secret)


def log_in(stranger: Stranger, login: Login) -> str:
    """The account that these are the e-mail address and password of, and a token, as JSON.

    It is asked for in one round trip; where the password has to be hashed anew, that is a second.

    Raises RateLimited, CredentialsInvalid, which never says what was wrong, and KeysUnavailable as
    `register` does. An attempt counts whether or not it succeeds.
    """
    secret = read_secret()
    find = Query(Statement(statements.FIND_ACCOUNT, {"email": login.email}), _read_account)
    (account,) = database.run(replace(stranger, email=login.email), find)
    if not verify_password(login.password, account and account.hashed_password) or not account:
        raise CredentialsInvalid
    if is_outdated(account.hashed_password):
        account = _rehash(account, login.password) or account
    return _answer(account, secret)


def _rehash(account: _Account, password: SecretStr) -> _Account | None:
    """The account after that; None where another login or a deletion came first."""
    values = {"hashed_password": hash_password(password), "outdated": account.hashed_password}
    command = Command(Statement(statements.REHASH, values), _read_account)
    (rehashed,) = database.run(System(account.user_id), command)
    return rehashed


def _read_account(rows: list[Row]) -> _Account | None:
    return _Account(*rows[0]) if rows else None


def _answer(account: _Account, secret: str) -> str:
    settings = get_settings()
    now = int(time.time())
    claims = {
        "iss": settings.token_issuer,
        "aud": settings.token_audience,
        "iat": now,
        "exp": now + TOKEN_LIFETIME,
        "sub": account.user_id,
    }
    session = {
        "access_token": jwt.encode(claims, secret, "HS256", {"kid": OWN_KEY_ID}),
        "token_type": "bearer",  # RFC 6750
        "expires_in": TOKEN_LIFETIME,
    }
    return f'{json.dumps(session)[:-1]}, "user": {account.user}}}'
