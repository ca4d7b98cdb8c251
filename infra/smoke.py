"""Checks that a deployed API is this one and works: python3 -m infra.smoke URL

With a user's token in LAMBDO_TOKEN it also takes a task of theirs through its whole life, and
leaves nothing behind.
"""

import json
import os
import sys
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.message import Message
from functools import partial
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

DOCUMENT = Path(__file__).parent.parent / "shared" / "http" / "openapi.json"
TRIES = 6
PAUSE = 5
"""Seconds between two tries to get a first answer: a cold function on a database that sleeps."""
TIMEOUT = 35
"""Seconds for one answer, above the 30 s after which API Gateway gives a function up."""


class SmokeError(Exception):
    """What the API did that it should not have."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    headers: Message
    body: bytes

    def expect(self, status: int, fields: Mapping[str, object] = {}) -> Any:
        """The body as JSON, of an answer that has this status and these fields.

        Raises SmokeError when it is another answer.
        """
        if self.status != status:
            raise SmokeError(f"answered {self.status}, not {status}: {self.body[:300]!r}")
        try:
            body = json.loads(self.body) if self.body else {}
        except ValueError:
            raise SmokeError(f"answered something that is not JSON: {self.body[:300]!r}") from None
        for name, value in fields.items():
            if not isinstance(body, dict) or body.get(name) != value:
                raise SmokeError(f"{name} is not {value!r} in {self.body[:300]!r}")
        return body

    def expect_header(self, name: str, value: str | None = None) -> str:
        """A header, which has this value if one is given.

        Raises SmokeError when it has another or is not there.
        """
        found = self.headers.get(name)
        if not found or (value is not None and found != value):
            raise SmokeError(f"the header {name} is {found!r}")
        return str(found)


@dataclass(frozen=True, slots=True)
class Api:
    """A deployed API, and who calls it."""

    url: str
    token: str | None = None

    def call(self, method: str, path: str, body: object = None, **headers: str) -> Answer:
        """The answer to one request, whatever its status.

        Raises SmokeError when there is none.
        """
        request = Request(  # noqa: S310 - main() takes HTTP only
            self.url + path,
            data=None if body is None else json.dumps(body).encode(),
            headers={name.replace("_", "-"): value for name, value in headers.items()},
            method=method,
        )
        if self.token:
            request.add_header("Authorization", f"Bearer {self.token}")
        if body is not None:
            request.add_header("Content-Type", "application/json")
        try:
            with urlopen(request, timeout=TIMEOUT) as answer:  # noqa: S310 - see above
                return Answer(answer.status, answer.headers, answer.read())
        except HTTPError as error:
            with error:
                return Answer(error.code, error.headers, error.read())
        except OSError as error:
            raise SmokeError(f"no answer: {error}") from None

    def signed_out(self) -> "Api":
        """The same API, called by nobody."""
        return Api(self.url)


def check(url: str, token: str | None = None, tries: int = TRIES) -> bool:
    """Whether the API at `url` is this one and works; prints a line for every check."""
    api = Api(url.rstrip("/"), token)
    if not _report("GET /health answers", api, partial(_wait_for_health, tries=tries)):
        return False
    checks: dict[str, Callable[[Api], None]] = {
        "GET /health/ready reaches the database": _check_ready,
        "GET /openapi.json is the document of this version": _check_document,
        "GET /api/tasks asks for a token": _check_token_missing,
        "GET of an unknown route is refused in our words": _check_unknown_route,
        "DELETE /health is refused with what is allowed": _check_wrong_method,
    }
    if token:
        checks["a task is created, read, changed, completed and deleted"] = _walk
    else:
        print("skip  no LAMBDO_TOKEN, so no task is created")
    results = [_report(what, api, made) for what, made in checks.items()]
    return all(results)


def _report(what: str, api: Api, made: Callable[[Api], None]) -> bool:
    try:
        made(api)
    except SmokeError as error:
        print(f"FAIL  {what}: {error}", flush=True)
        return False
    print(f"ok    {what}", flush=True)
    return True


def _wait_for_health(api: Api, tries: int) -> None:
    for last in range(1 - tries, 1):
        try:
            api.signed_out().call("GET", "/health").expect(200, {"status": "ok"})
            return
        except SmokeError:
            if last == 0:
                raise
            time.sleep(PAUSE)


def _check_ready(api: Api) -> None:
    api.signed_out().call("GET", "/health/ready").expect(200, {"status": "ok"})


def _check_document(api: Api) -> None:
    if api.signed_out().call("GET", "/openapi.json").expect(200) != json.loads(
        DOCUMENT.read_bytes()
    ):
        raise SmokeError("it is the document of another version")


def _check_token_missing(api: Api) -> None:
    answer = api.signed_out().call("GET", "/api/tasks")
    _expect_refusal(answer, 401, "token_missing")
    answer.expect_header("WWW-Authenticate", "Bearer")


def _check_unknown_route(api: Api) -> None:
    _expect_refusal(api.signed_out().call("GET", "/no/such/route"), 404, "not_found")


def _check_wrong_method(api: Api) -> None:
    answer = api.signed_out().call("DELETE", "/health")
    _expect_refusal(answer, 405, "method_not_allowed")
    answer.expect_header("Allow", "GET")


def _expect_refusal(answer: Answer, status: int, code: str) -> None:
    request_id = answer.expect_header("X-Request-Id")
    answer.expect(status, {"code": code, "request_id": request_id})
    answer.expect_header("X-Content-Type-Options", "nosniff")
    answer.expect_header("Cache-Control", "no-store")


def _walk(api: Api) -> None:
    title = f"Smoke test {uuid.uuid4()}"
    task = api.call("POST", "/api/tasks", {"title": title}).expect(201, {"title": title})
    path = f"/api/tasks/{task['id']}"
    try:
        read = api.call("GET", path)
        read.expect(200, task)
        read.expect_header("ETag")
        api.call("PATCH", path, {"priority": "high"}).expect(
            200, {"title": title, "priority": "high"}
        )
        api.call("PATCH", f"{path}/complete", {"is_completed": True}).expect(
            200, {"is_completed": True}
        )
    finally:
        deleted = api.call("DELETE", path)
    deleted.expect(204)
    api.call("GET", path).expect(404, {"code": "task_not_found"})


def main() -> None:
    """Check the API whose address is the one argument."""
    if len(sys.argv) != 2 or not sys.argv[1].startswith(("https://", "http://")):  # noqa: PLR2004
        sys.exit("Say which API to check: python3 -m infra.smoke https://…")
    if not check(sys.argv[1], os.environ.get("LAMBDO_TOKEN")):
        sys.exit(f"{sys.argv[1]} does not work as it should.")


if __name__ == "__main__":
    main()
