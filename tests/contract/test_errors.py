"""Refusals that are not about a body, and the headers that every answer has."""

import re
from uuid import uuid4

import httpx
import pytest

from tests.clients import User
from tests.conftest import ONE_WAY
from tests.contract.conftest import (
    BODIES,
    CALLS,
    TASK_CALLS,
    Task,
    call_id,
    check_refusal,
    create,
    make_call,
)

pytestmark = ONE_WAY

_ID = "01a1fbd7-3487-74e1-8485-4522a070d730"
METHODS_OF = {
    "/api/tasks": {"GET", "POST"},
    "/api/ann/tasks": {"GET", "POST"},
    f"/api/tasks/{_ID}": {"GET", "PUT", "PATCH", "DELETE"},
    f"/api/ann/tasks/{_ID}": {"GET", "PUT", "PATCH", "DELETE"},
    f"/api/tasks/{_ID}/complete": {"PATCH"},
    f"/api/ann/tasks/{_ID}/complete": {"PATCH"},
    f"/api/tasks/{_ID}/toggle-status": {"PATCH"},
    f"/api/auth0%7C%C3%BC%20x/tasks/{_ID}/toggle-status": {"PATCH"},
    "/health": {"GET"},
    "/health/ready": {"GET"},
    "/docs": {"GET"},
    "/openapi.json": {"GET"},
}
by_method = pytest.mark.parametrize(
    "tried",
    [
        pytest.param({"GET", "POST", "PUT", "PATCH", "DELETE"}, id="usual"),
        pytest.param(
            {"TRACE", "PROPFIND", "X-Y"},
            id="unusual",
            marks=pytest.mark.beyond_sam_local("passes on methods that it does not know"),
        ),
    ],
)
by_path = pytest.mark.parametrize(("path", "methods"), METHODS_OF.items(), ids=list(METHODS_OF))


# --- routes and ids ---


@by_method
@pytest.mark.parametrize(
    "path",
    [
        *("/", "/api", "/api/", "/api/ann", "/api/tasks/", "/api/ann/tasks/", "/api//tasks"),
        *(f"/api/tasks/{_ID}/", f"/api/ann/tasks/{_ID}/", f"/api/tasks/{_ID}/complete/"),
        *(f"/api/tasks/{_ID}/unknown", f"/api/ann/tasks/{_ID}/toggle", f"/tasks/{_ID}"),
        *("/api/Tasks", "/API/tasks", "/prod/api/tasks", "/api/ann/b/tasks", "/api/tasks/a/b/c"),
        *("/health/", "/health/live", "/docs/", "/redoc", "/docs/oauth2-redirect", "/favicon.ico"),
        *("/openapiXjson", "/openapi_json", "/openapi.json.", "/apiXtasks"),
        *("/api/tasks/%00/x", "/%FF", "/api/../../etc/passwd", "/functions/create_task.py"),
    ],
)
def test_an_unknown_route_is_not_found(
    http: httpx.Client, alice: User, path: str, tried: set[str]
) -> None:
    for method in sorted(tried):
        check_refusal(http.request(method, path), 404, "not_found")
        check_refusal(http.request(method, path, headers=alice.headers), 404, "not_found")


@by_method
@by_path
def test_a_wrong_method_is_told_the_right_ones(
    http: httpx.Client, alice: User, path: str, methods: set[str], tried: set[str]
) -> None:
    for method in sorted(tried - methods):
        headers = alice.headers if method == "POST" else {}
        answer = http.request(method, path, headers=headers)
        check_refusal(answer, 405, "method_not_allowed")
        assert set(re.split(r",\s*", answer.headers["Allow"])) == methods


@by_path
@pytest.mark.beyond_sam_local("passes HEAD on where there is a GET")
def test_head_is_a_wrong_method_without_a_body(
    http: httpx.Client, path: str, methods: set[str]
) -> None:
    answer = http.head(path)
    assert answer.status_code == 405
    assert set(re.split(r",\s*", answer.headers["Allow"])) == methods
    assert answer.content == b""


_NO_UUIDS = ["1", "tasks", "null", "%20", "%00", "%FF", f"{_ID}0", _ID[:-1], f"{_ID}%20", "z" * 36]


@pytest.mark.parametrize("call", TASK_CALLS, ids=call_id)
def test_an_id_that_is_no_uuid_is_refused(
    http: httpx.Client, alice: User, tasks: str, subtests: pytest.Subtests, call: tuple[str, str]
) -> None:
    for task_id in _NO_UUIDS:
        with subtests.test(task_id):
            answer = make_call(http, alice, call, tasks, task_id)
            body = check_refusal(answer, 422, "validation_failed")
            assert [detail["field"] for detail in body["details"]] == ["task_id"]


# --- request ids ---

_GOOD_IDS = ["a", "0", "abc.DEF-123_4", pytest.param(str(uuid4()), id="uuid"), "-", "x" * 128]
_BAD_IDS = ["", "x" * 129, "a b", "a,b", "a=", "a/b", "<b>", '"a"', "ü", "a\tb", "{}", "a;b"]


@pytest.mark.parametrize("request_id", _BAD_IDS)
def test_a_bad_request_id_is_replaced(http: httpx.Client, request_id: str) -> None:
    headers = {b"X-Request-Id": request_id.encode()}
    for path in ("/api/tasks", "/nowhere"):
        answer = http.get(path, headers=headers)
        given = answer.headers["X-Request-Id"]
        assert given != request_id
        assert re.fullmatch("[A-Za-z0-9._=-]{1,128}", given)
        check_refusal(answer, answer.status_code, answer.json()["code"])


def test_two_request_ids_are_replaced(http: httpx.Client) -> None:
    answer = http.get("/health", headers=[("X-Request-Id", "a"), ("X-Request-Id", "b")])
    assert answer.headers["X-Request-Id"] not in ("a", "b", "a,b", "a, b")


@pytest.mark.parametrize("request_id", _GOOD_IDS)
def test_a_good_request_id_is_taken_over(http: httpx.Client, alice: User, request_id: str) -> None:
    headers = {"X-Request-Id": request_id}
    for path in ("/api/tasks", "/nowhere", "/health"):
        answer = http.get(path, headers=headers)
        assert answer.headers["X-Request-Id"] == request_id
    answer = http.get("/api/tasks", headers={**alice.headers, **headers})
    assert answer.status_code == 200
    assert answer.headers["X-Request-Id"] == request_id


@pytest.mark.beyond_sam_local("gives each request an id")
def test_each_request_has_an_id_of_its_own(http: httpx.Client) -> None:
    assert len({http.get("/health").headers["X-Request-Id"] for _ in range(5)}) == 5


# --- what every answer has ---


@pytest.mark.parametrize("call", CALLS, ids=call_id)
def test_every_success_has_the_headers(
    http: httpx.Client, alice: User, task: Task, tasks: str, call: tuple[str, str]
) -> None:
    answer = make_call(http, alice, call, tasks, task["id"])
    assert answer.is_success
    assert answer.headers["X-Request-Id"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    if "ETag" in answer.headers:
        assert answer.headers["Cache-Control"] == "private, no-cache"
    else:
        assert answer.headers["Cache-Control"] == "no-store"
    if answer.content:
        assert answer.headers["Content-Type"] == "application/json"
    has_one_task = answer.status_code != 204 and "tasks" not in answer.json()
    assert ("ETag" in answer.headers) == has_one_task


@pytest.mark.parametrize(
    ("path", "content_type"),
    [
        ("/health", "application/json"),
        ("/health/ready", "application/json"),
        ("/openapi.json", "application/json"),
        ("/docs", "text/html; charset=utf-8"),
    ],
)
def test_every_page_has_the_headers(http: httpx.Client, path: str, content_type: str) -> None:
    answer = http.get(path)
    assert answer.status_code == 200
    assert answer.headers["X-Request-Id"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Content-Type"] == content_type


# --- compression ---


@pytest.fixture
def sized(http: httpx.Client, alice: User) -> dict[int, str]:
    """The paths of two tasks whose JSON is 1024 and 1025 bytes long."""
    paths: dict[int, str] = {}
    for size in (1024, 1025):
        task = create(http, alice, description="")
        path = f"/api/tasks/{task['id']}"
        # The last digits of updated_at may be zeros, which are not written.
        while (length := len(http.get(path, headers=alice.headers).content)) != size:
            text = http.get(path, headers=alice.headers).json()["description"]
            text = "x" * (len(text) + size - length)
            http.put(path, headers=alice.headers, json={"description": text})
        paths[size] = path
    return paths


@pytest.mark.parametrize(
    "accepted",
    ["", "identity", "br, deflate", "gzip;q=0", "gzip; q=0.000, br", "deflate,gzip ;q=0", "xgzip"],
)
def test_a_long_body_is_not_compressed_unless_that_is_accepted(
    http: httpx.Client, alice: User, sized: dict[int, str], accepted: str
) -> None:
    headers = {**alice.headers, "Accept-Encoding": accepted}
    answer = http.get(sized[1025], headers=headers)
    assert "Content-Encoding" not in answer.headers
    assert int(answer.headers["Content-Length"]) == 1025
    assert "accept-encoding" in answer.headers["Vary"].lower()


@pytest.mark.parametrize(
    "accepted", ["gzip", "GZIP", "deflate, gzip;q=0.5, br", "gzip;q=1.0", "br,gzip; q=0.001"]
)
def test_only_a_body_over_1_kib_is_compressed(
    http: httpx.Client, alice: User, sized: dict[int, str], accepted: str
) -> None:
    headers = {**alice.headers, "Accept-Encoding": accepted}
    long, short = (http.get(sized[size], headers=headers) for size in (1025, 1024))
    assert long.headers["Content-Encoding"] == "gzip"
    assert int(long.headers["Content-Length"]) < 1025
    assert len(long.content) == 1025
    assert long.json()["description"].strip("x") == ""
    assert "accept-encoding" in long.headers["Vary"].lower()
    assert "Content-Encoding" not in short.headers
    assert len(short.content) == 1024


def test_a_long_refusal_is_compressed(http: httpx.Client, alice: User) -> None:
    body = {"title": "x", **{f"unknown_{number}": 1 for number in range(100)}}
    answer = http.post("/api/tasks", headers=alice.headers, json=body)
    assert answer.headers["Content-Encoding"] == "gzip"
    assert len(check_refusal(answer, 422, "validation_failed")["details"]) == 100


@pytest.mark.parametrize("call", CALLS, ids=call_id)
def test_a_parameter_that_nobody_knows_is_refused_and_nothing_is_done(
    http: httpx.Client, alice: User, untouched: Task, call: tuple[str, str]
) -> None:
    method, path = call
    answer = http.request(
        method,
        f"/api/tasks{path.format(id=untouched['id'])}",
        headers=alice.headers,
        params={"stauts": "pending", "limit ": "1"},
        json=BODIES.get(call),
    )
    body = check_refusal(answer, 422, "validation_failed")
    assert [(each["field"], each["type"]) for each in body["details"]] == [
        ("stauts", "extra_forbidden"),
        ("limit ", "extra_forbidden"),
    ]
