"""What is secret is never logged, however much is: tokens, passwords, secrets, tasks, addresses."""

import io
import json
import logging
import os
import re
import time
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import pytest

from infra.template import read_routes
from shared.http.app import _logger
from shared.key_set import get_key_set
from shared.settings import get_settings
from tests.clients import SECRET, HandlerTransport, User, make_token
from tests.conftest import use_database
from tests.provider import Provider, running_provider, send
from tests.servers import free_port, running_gateway

VERBOSE = {
    "LOG_LEVEL": "DEBUG",
    "POWERTOOLS_DEBUG": "true",
    "POWERTOOLS_DEV": "true",
    "POWERTOOLS_LOGGER_LOG_EVENT": "true",
    "PYTHONASYNCIODEBUG": "1",
}
"""All that somebody may set to see more."""


class Walk:
    """Calls everything in every way that something is answered, and keeps what was secret."""

    def __init__(self, http: httpx.Client) -> None:
        self._http = http
        self.secrets = {SECRET}
        self.statuses: set[int] = set()
        self.routes: set[str] = set()

    def secret(self, prefix: str = "") -> str:
        """A text that nothing else is like."""
        text = f"{prefix}{uuid4().hex}"
        self.secrets.add(text)
        return text

    def token(self, user_id: str, **claims: Any) -> str:
        """A token, of which no part may be logged either."""
        token = make_token(user_id, **claims)
        self.secrets |= {token, *token.split(".")[1:]}
        return token

    def call(self, method: str, path: str, token: str | None = None, **more: Any) -> httpx.Response:
        """Make a call."""
        headers = {**({"Authorization": f"Bearer {token}"} if token else {})}
        headers |= more.pop("headers", {})
        answer = self._http.request(method, path, headers=headers, **more)
        self.statuses.add(answer.status_code)
        self.routes.add(f"{method} {path.partition('?')[0]}")
        return answer

    def everywhere(self) -> None:
        """Go everywhere, as users do and as they should not."""
        user = User()
        token = self.token(user.id, email=self.secret("ada-") + "@example.com")
        task = {"title": self.secret("title "), "description": self.secret("description ")}
        made = self.call("POST", "/api/tasks", token, json=task).json()
        path = f"/api/tasks/{made.get('id', uuid4())}"
        changes: list[tuple[str, str, Any]] = [
            ("GET", "", None),
            ("PUT", "", {"title": self.secret("title ")}),
            ("PATCH", "", {"description": self.secret("description ")}),
            ("PATCH", "/complete", {"is_completed": True}),
            ("PATCH", "/toggle-status", None),
        ]
        for method, end, body in changes:
            self.call(method, path + end, token, json=body)
        self.call("GET", f"/api/tasks?q={self.secret('words')}&limit=1", token)
        self.call("GET", "/api/tasks?sort=nothing", token)
        self.call("GET", f"/api/tasks?cursor={self.secret()}", token)
        for content in (
            b"{" + self.secret().encode(),
            f'{{"title": 1, "{self.secret("field")}": "{self.secret()}"}}'.encode(),
            b'{"title": "' + self.secret().encode() * 3000 + b'"}',
            b"\xff" + self.secret().encode(),
        ):
            json_type = {"Content-Type": "application/json"}
            self.call("POST", "/api/tasks", token, content=content, headers=json_type)
            self.call("POST", "/api/tasks", token, content=content)
        self.call("PATCH", path, token, json=task, headers={"If-Match": '"0"'})
        self.call("GET", "/api/somebody/tasks", token)
        self.call("GET", f"/nowhere?token={self.token('x')}")
        self.call("TRACE", "/api/tasks", token)
        for bad in (
            self.token("x", exp=1),
            self.token("x", exp=None),
            self.token("x")[:-2] + "AA",
            self.secret(),
        ):
            self.secrets.add(bad)
            self.call("GET", "/api/tasks", bad)
        self.accounts()
        self.call("GET", "/api/users/me", token)
        self.call("GET", "/api/users/me/export", token)
        self.call("DELETE", path, token)
        self.call("DELETE", "/api/users/me", token)
        for route in read_routes():
            if route.method and "{" not in route.path and route.key not in self.routes:
                self.call(route.method, route.path, token)

    def accounts(self) -> None:
        """Register and log in, well and badly."""
        email, password = f"{self.secret('grace-')}@example.com", self.secret("password ")
        for path in ("/api/auth/register", "/api/auth/login"):
            for body in (
                {"email": email, "password": password},
                {"email": email, "password": self.secret("wrong ")},
                {"email": self.secret("no address "), "password": self.secret("short")[-7:]},
                {"email": email, "password": password, self.secret("field"): self.secret()},
                {"email": email, "password": [password]},
            ):
                answer = self.call("POST", path, json=body)
                if answer.is_success:
                    token = answer.json()["access_token"]
                    self.secrets |= {token, *token.split(".")[1:]}


def check(walk: Walk, output: str, *wanted: str) -> None:
    """Nothing of a walk's secrets may be in what was logged, of which there is much."""
    for text in wanted:
        assert text in output
    leaked = [text for text in walk.secrets if text in output]
    assert leaked == [], [output[output.index(text) - 200 :][:400] for text in leaked[:3]]


@pytest.fixture
def with_password(postgres: str) -> Iterator[tuple[str, str]]:
    """The database's URL with a password in it, and the password."""
    password = uuid4().hex
    with psycopg.connect(postgres):  # it lets in whoever comes, with a password or without
        yield postgres.replace("lambdo_owner@", f"lambdo_owner:{password}@"), password


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """What the functions of this process log."""
    log = io.StringIO()
    (handler,) = _logger.handlers
    # It writes to what stdout was when the first function was imported.
    monkeypatch.setattr(handler, "stream", log)
    return log


def test_no_function_logs_what_is_secret(
    with_password: tuple[str, str], capfd: pytest.CaptureFixture[str]
) -> None:
    url, password = with_password
    with running_gateway(url, **VERBOSE) as gateway, httpx.Client(base_url=gateway) as http:
        walk = Walk(http)
        walk.secrets.add(password)
        walk.everywhere()
    assert {200, 201, 204, 400, 401, 403, 404, 405, 409, 412, 413, 415, 422} <= walk.statuses
    check(walk, "".join(capfd.readouterr()), '"answered"', "POST /api/auth/login")


def test_no_fault_of_the_database_logs_what_is_secret(log: io.StringIO) -> None:
    password = uuid4().hex
    url = f"postgresql://lambdo:{password}@127.0.0.1:{free_port()}/lambdo"
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("ACCOUNTS", "built_in")
        use_database(environment, url)
        with httpx.Client(base_url="http://lambda", transport=HandlerTransport()) as http:
            walk = Walk(http)
            walk.secrets |= {password, url}
            walk.everywhere()
    get_settings.cache_clear()
    assert 503 in walk.statuses
    check(walk, log.getvalue(), "database_unavailable", "connection failed")


@pytest.mark.parametrize("database_url", ["direct"], indirect=True)
def test_no_fault_of_a_provider_logs_what_is_secret(
    handlers: httpx.Client, monkeypatch: pytest.MonkeyPatch, log: io.StringIO
) -> None:
    with running_provider() as provider:
        monkeypatch.setenv("AUTH_JWKS_URL", provider.url)
        get_settings.cache_clear()
        get_key_set.cache_clear()
        walk = Walk(handlers)
        tokens = list(make_provider_tokens(provider))
        walk.secrets |= {part for token in tokens for part in (token, *token.split(".")[1:])}
        stranger: dict[str, Any] = {
            "sub": walk.secret("sub-"),
            "email": f"{walk.secret()}@example.com",
        }
        tokens.append(provider.sign(provider.make_key(), iss="https://a.example", **stranger))
        for token in tokens:
            walk.call("GET", "/api/tasks", token)
        provider.answer = lambda request: send(request, 500, tokens[0].encode())
        get_key_set.cache_clear()
        for token in tokens:
            walk.call("GET", "/api/tasks", token)
    get_key_set.cache_clear()
    assert walk.statuses == {200, 401, 503}
    reasons = ("expired 1", "no key", "iss is ")
    check(walk, log.getvalue(), "keys_unavailable", "is answered 500", *reasons)


def test_the_line_of_a_refused_call_says_why_and_its_answer_does_not(
    handlers: httpx.Client, log: io.StringIO
) -> None:
    user = User()
    expired = {"Authorization": f"Bearer {make_token(user.id, exp=int(time.time()) - 100)}"}
    cases: list[tuple[str, dict[str, str], str | None, str]] = [
        ("/api/tasks", user.headers, None, ""),
        ("/api/tasks", {}, "token_missing", "no Authorization header"),
        ("/api/tasks", expired, "token_expired", r"expired 10\d s ago"),
        ("/api/tasks?limit=0", user.headers, "validation_failed", ""),
        ("/api/somebody/tasks", user.headers, "forbidden", ""),
        ("/nowhere", {}, "not_found", ""),
    ]
    for path, headers, code, reason in cases:
        log.seek(0)
        log.truncate()
        answer = handlers.get(path, headers=headers)
        (line,) = map(json.loads, log.getvalue().splitlines())
        assert (line["message"], line["level"]) == ("answered", "INFO")
        assert line.get("code") == code == answer.json().get("code")
        assert re.fullmatch(reason, line.get("reason", ""))
        assert not reason or line["reason"] not in answer.text + str(answer.headers)


def make_provider_tokens(provider: Provider) -> Iterator[str]:
    """Tokens that are taken, and such as are not."""
    key = provider.make_key()
    yield provider.sign(key, email=f"{uuid4().hex}@example.com")
    yield provider.sign(key, exp=int(time.time()) - 100)
    yield provider.sign(key, headers={"kid": uuid4().hex})


def test_the_loggers_of_packages_are_told_no_secrets(
    handlers: httpx.Client, caplog: pytest.LogCaptureFixture
) -> None:
    walk = Walk(handlers)
    # Those of this process' own client say what they send.
    for name in ("httpx", "httpcore", "lambdo"):
        logging.getLogger(name).disabled = True
    try:
        with caplog.at_level(logging.DEBUG):
            walk.everywhere()
    finally:
        for name in ("httpx", "httpcore", "lambdo"):
            logging.getLogger(name).disabled = False
    check(walk, caplog.text)
    assert os.environ["BETTER_AUTH_SECRET"] == SECRET
