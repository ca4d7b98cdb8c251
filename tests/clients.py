"""Callers for tests: users with tokens, and an HTTP client whose other end is a handler."""

import base64
import functools
import importlib
import json
import os
import secrets
import subprocess
import sys
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

import httpx
import jwt

from infra import template
from infra.local.environment import load_environment
from infra.local.gateway import match_route
from infra.local.workers import Context, hand_over
from shared.settings import get_settings

read_routes = functools.cache(template.read_routes)

SERVED = os.environ.get("LAMBDO_URL")
"""Where an API runs already, from this checkout and with its secret; for `make test-served`."""


def _find_secret() -> str:
    if SERVED is None:
        return secrets.token_urlsafe(32)
    load_environment()
    return get_settings().read_auth_secret()


SECRET = _find_secret()
"""What the tests sign tokens with; made anew for every run that starts its own API."""


def make_token(user_id: str, secret: str = SECRET, **claims: object) -> str:
    """A token for `user_id`; claims that are given as None are left out."""
    now = int(time.time())
    payload = {"sub": user_id, "iat": now, "exp": now + 900, **claims}
    return jwt.encode(
        {name: value for name, value in payload.items() if value is not None}, secret, "HS256"
    )


@dataclass(frozen=True)
class User:
    """A user that no other test knows."""

    id: str = field(default_factory=lambda: f"user-{uuid.uuid4().hex}")

    @property
    def headers(self) -> dict[str, str]:
        """What this user's front end sends with every call."""
        return {"Authorization": f"Bearer {make_token(self.id)}"}


def make_event(
    method: str,
    path: str,
    *,
    headers: dict[str, str] | None = None,
    body: bytes = b"",
    query: str = "",
) -> dict[str, Any]:
    """An event as API Gateway's HTTP API sends it: payload format 2.0."""
    route, parameters = match_route(read_routes(), method, path)
    return {
        "version": "2.0",
        "routeKey": route.key,
        "rawPath": path,
        "rawQueryString": query,
        "headers": {"host": "abc123.execute-api.eu-central-1.amazonaws.com", **(headers or {})},
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "abc123",
            "domainName": "abc123.execute-api.eu-central-1.amazonaws.com",
            "domainPrefix": "abc123",
            "http": {
                "method": method,
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": "192.0.2.1",
                "userAgent": "tests",
            },
            "requestId": f"Req{uuid.uuid4().hex[:12]}=",
            "routeKey": route.key,
            "stage": "$default",
            "time": "21/Nov/2026:12:00:00 +0000",
            "timeEpoch": 1795262400000,
        },
        "pathParameters": parameters,
        "body": base64.b64encode(body).decode(),
        "isBase64Encoded": True,
    }


def invoke(event: dict[str, Any]) -> dict[str, Any]:
    """What the handler that the template names for this event answers."""
    keys = {route.key: route for route in read_routes()}
    module, _, name = keys[event["routeKey"]].handler.rpartition(".")
    handler = getattr(importlib.import_module(module), name)
    return hand_over(handler(event, Context(module)))


def invoke_alone(event: dict[str, Any], **environment: str) -> list[dict[str, Any]]:
    """What a function with a process of its own, and without a database, logs for `event`."""
    code = "import json, sys, tests.clients; tests.clients.invoke(json.load(sys.stdin))"
    logged = subprocess.run(
        [sys.executable, "-c", code],
        cwd=template.ROOT,
        env={
            **os.environ,
            "PYTHONPATH": f".{os.pathsep}functions",
            "DATABASE_URL": "postgresql://lambdo@127.0.0.1:1/lambdo",
            **environment,
        },
        input=json.dumps(event),
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return [json.loads(line) for line in logged.splitlines()]


class HandlerTransport(httpx.BaseTransport):
    """Carries an HTTP request to its handler in this process, as an event, and the answer back."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """The handler's answer to one request."""
        headers: dict[str, str] = {}
        for name, value in request.headers.multi_items():
            headers[name] = f"{headers[name]},{value}" if name in headers else value
        answer = invoke(
            make_event(
                request.method,
                request.url.path,
                headers=headers,
                body=request.read(),
                query=request.url.query.decode(),
            )
        )
        body = answer.get("body", "")
        return httpx.Response(
            answer["statusCode"],
            headers=answer.get("headers", {}),
            content=base64.b64decode(body) if answer.get("isBase64Encoded") else body.encode(),
        )
