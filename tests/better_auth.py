"""Better Auth itself, as examples/better-auth has it, and browsers that sign up with it."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import jwt

from infra.template import ROOT
from tests.clients import SECRET, User
from tests.servers import free_port, running

EXAMPLE = ROOT / "examples" / "better-auth"
LOOK_ALIKES = ROOT / "tests" / "look_alikes.mjs"
PASSWORD = uuid4().hex
"""What everybody signs up with; made anew for every run."""


@dataclass(frozen=True, kw_only=True)
class SignedIn(User):
    """A user whom Better Auth knows, with a token of its making."""

    token: str
    email: str

    @property
    def headers(self) -> dict[str, str]:
        """What this user's front end sends with every call."""
        return {"Authorization": f"Bearer {self.token}"}


class Browser(httpx.Client):
    """A browser on a page of a front end that has Better Auth at the URL `auth`."""

    def __init__(self, auth: str) -> None:
        super().__init__(base_url=auth, headers={"Origin": origin_of(auth)}, timeout=30)
        self.email = ""

    def send_form(self, path: str, **fields: str) -> dict[str, Any]:
        """What Better Auth answers to a form that it accepts."""
        answer: dict[str, Any] = self.post(path, json=fields).raise_for_status().json()
        return answer

    def sign_up(self, email: str | None = None) -> str:
        """Make a user, who is signed in then; what Better Auth calls the session's token."""
        self.email = email or f"{uuid4().hex}@example.com"
        token: str = self.send_form(
            "/sign-up/email", name="Ada", email=self.email, password=PASSWORD
        )["token"]
        return token

    def fetch_user(self, url: str = "/token") -> SignedIn:
        """The user, with a new token from Better Auth, or from a route of the front end's."""
        token = self.get(url).raise_for_status().json()["token"]
        claims = jwt.decode(token, options={"verify_signature": False})
        return SignedIn(claims["sub"], token=token, email=self.email)


def origin_of(url: str) -> str:
    """The scheme, host and port of a URL."""
    parts = httpx.URL(url)
    return f"{parts.scheme}://{parts.netloc.decode()}"


def install(folder: Path) -> None:
    """Put the example, with its packages, and the server of look-alikes into a folder."""
    for name in ("package.json", "package-lock.json", ".npmrc", "server.mjs"):
        shutil.copy(EXAMPLE / name, folder)
    shutil.copy(LOOK_ALIKES, folder)
    subprocess.run(["npm", "ci", "--prefer-offline", "--loglevel=error"], cwd=folder, check=True)


@contextmanager
def running_better_auth(
    folder: Path, script: str = "server.mjs", path: str = "", **environment: str
) -> Iterator[str]:
    """The URL of a Better Auth server that was installed in `folder`.

    `path` is what BETTER_AUTH_URL has behind the origin, if anything.
    """
    origin = f"http://127.0.0.1:{free_port()}"
    url = origin + (path or "/api/auth")
    environment = {
        "PATH": os.environ["PATH"],
        "BETTER_AUTH_URL": origin + path,
        "BETTER_AUTH_SECRET": SECRET,
        **environment,
    }
    with running(
        ["node", str(folder / script)],
        environment,
        lambda: httpx.get(f"{url}/ok", timeout=5).status_code == 200,
    ):
        yield url
