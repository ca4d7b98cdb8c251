"""What the local server is told by its environment, and makes up where it is told nothing."""

import os
import secrets
import time
from pathlib import Path

import jwt
from dotenv import load_dotenv

from infra.template import ROOT
from shared.settings import get_settings

DATA = ROOT / ".lambdo"
"""What is kept between runs, ignored by git: the database, and the secret below."""

TOKEN_LIFETIME = 24 * 60 * 60

_SECRET_NAMES = ("BETTER_AUTH_SECRET", "JWT_SECRET", "BETTER_AUTH_SECRET_ARN")


def load_environment() -> None:
    """Add to the environment what .env has, and a secret that is made once and then kept.

    Where no provider's key set is named, accounts are built in, unless it says otherwise.
    """
    load_dotenv(ROOT / ".env")
    if not any(os.environ.get(name) for name in ("ACCOUNTS", "AUTH_JWKS_URL")):
        os.environ["ACCOUNTS"] = "built_in"
    if not any(os.environ.get(name) for name in _SECRET_NAMES):
        os.environ["BETTER_AUTH_SECRET"] = _kept_secret(DATA / "secret")


def make_token(user_id: str) -> str:
    """A token for `user_id` that the local server takes for a day."""
    settings = get_settings()
    now = int(time.time())
    claims: dict[str, object] = {"sub": user_id, "iat": now, "exp": now + TOKEN_LIFETIME}
    if settings.auth_issuer:
        claims["iss"] = settings.auth_issuer
    if settings.auth_audience:
        claims["aud"] = settings.auth_audience
    return jwt.encode(claims, settings.read_auth_secret(), "HS256")


def _kept_secret(path: Path) -> str:
    path.parent.mkdir(exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text()
    with open(descriptor, "w") as file:
        secret = secrets.token_urlsafe(32)
        file.write(secret)
    return secret
