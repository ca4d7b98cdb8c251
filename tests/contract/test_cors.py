"""CORS: what a page on an allowed origin may do and read, and that no other page may."""

from uuid import uuid4

import httpx
import pytest

from tests.clients import User
from tests.conftest import ONE_WAY
from tests.contract.conftest import CALLS, Task, call_id, create, make_call

pytestmark = ONE_WAY

FRONT_END = "http://localhost:3000"
FOREIGN = [
    "https://evil.example",
    "http://localhost",
    "http://localhost:30000",
    "https://localhost:3000",
    "http://localhost:3000.evil.example",
    "http://evil.example/http://localhost:3000",
    "null",
    "*",
]
EXPOSED = {
    "etag",
    "location",
    "x-request-id",
    "retry-after",
    "ratelimit",
    "ratelimit-policy",
    "ratelimit-limit",
    "ratelimit-remaining",
    "ratelimit-reset",
    "sync-version",
    "server-timing",
    "idempotency-replayed",
}
SENT = (
    "authorization,content-type,idempotency-key,if-match,if-none-match,x-request-id,"
    "traceparent,tracestate"
)


def _names(header: str) -> set[str]:
    return {name.strip().lower() for name in header.split(",")}


def _preflight(http: httpx.Client, path: str, method: str, origin: str) -> httpx.Response:
    headers = {
        "Origin": origin,
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": SENT,
    }
    return http.options(path, headers=headers)


@pytest.mark.parametrize("origin", FOREIGN)
def test_a_foreign_page_is_allowed_nothing(http: httpx.Client, alice: User, origin: str) -> None:
    answers = [
        _preflight(http, "/api/tasks", "POST", origin),
        http.get("/api/tasks", headers={**alice.headers, "Origin": origin}),
        http.get("/api/tasks", headers={"Origin": origin}),
        http.get("/nowhere", headers={"Origin": origin}),
    ]
    for answer in answers:
        assert not {name for name in answer.headers if name.startswith("access-control-")}


def test_a_call_that_names_no_origin_is_told_nothing_of_origins(
    http: httpx.Client, alice: User
) -> None:
    answer = http.get("/api/tasks", headers=alice.headers)
    assert answer.status_code == 200
    assert not {name for name in answer.headers if name.startswith("access-control-")}


@pytest.mark.parametrize("call", CALLS, ids=call_id)
def test_the_front_end_may_ask_before_every_call(
    http: httpx.Client, tasks: str, call: tuple[str, str]
) -> None:
    method, path = call
    answer = _preflight(http, tasks + path.format(id=uuid4()), method, FRONT_END)
    assert answer.status_code in (200, 204)
    assert answer.content == b""
    assert answer.headers["Access-Control-Allow-Origin"] == FRONT_END
    assert method.lower() in _names(answer.headers["Access-Control-Allow-Methods"])
    assert _names(SENT) <= _names(answer.headers["Access-Control-Allow-Headers"])
    assert int(answer.headers["Access-Control-Max-Age"]) > 0


allowed = pytest.mark.parametrize(
    ("header", "names"),
    [
        pytest.param("Access-Control-Allow-Origin", {FRONT_END}, id="body"),
        pytest.param(
            "Access-Control-Expose-Headers",
            EXPOSED,
            id="headers",
            marks=pytest.mark.beyond_sam_local("sends Access-Control-Expose-Headers"),
        ),
    ],
)


@allowed
@pytest.mark.parametrize("call", CALLS, ids=call_id)
def test_the_front_end_may_read_every_answer(
    http: httpx.Client,
    alice: User,
    tasks: str,
    call: tuple[str, str],
    header: str,
    names: set[str],
) -> None:
    task: Task = create(http, alice)
    answer = make_call(http, alice, call, tasks, task["id"], Origin=FRONT_END)
    assert answer.is_success
    assert _names(answer.headers[header]) == names


@allowed
@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/tasks", 401),
        ("GET", "/nowhere", 404),
        ("DELETE", "/health", 405),
        ("GET", "/health", 200),
    ],
)
def test_the_front_end_may_read_refusals(
    http: httpx.Client, method: str, path: str, status: int, header: str, names: set[str]
) -> None:
    answer = http.request(method, path, headers={"Origin": FRONT_END})
    assert answer.status_code == status
    assert _names(answer.headers[header]) == names


@allowed
def test_the_front_end_may_read_that_nothing_has_changed(
    http: httpx.Client, alice: User, header: str, names: set[str]
) -> None:
    path = f"/api/tasks/{create(http, alice)['id']}"
    headers = {**alice.headers, "Origin": FRONT_END, "If-None-Match": "*"}
    answer = http.get(path, headers=headers)
    assert answer.status_code == 304
    assert _names(answer.headers[header]) == names
