"""The handlers, called as Lambda calls them: an API Gateway event in, a dict out."""

import base64
import gzip
import importlib
import io
import json
import logging
import os
import subprocess
import sys
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from infra.template import ROOT, Route, read_routes
from shared.callers import Caller
from shared.tasks import store
from tests.clients import SECRET, User, make_event

pytestmark = pytest.mark.usefixtures("handlers")

Event = dict[str, Any]
Answer = dict[str, Any]
Log = Callable[[], list[dict[str, Any]]]

_ROUTES = read_routes()
_TASK_ROUTES = [route for route in _ROUTES if route.path.startswith("/api/")]
_DOMAIN = "q1w2e3r4t5.execute-api.eu-central-1.amazonaws.com"


def _call(function: str, event: Event) -> Answer:
    """What a function answers; through JSON and back, as its answer goes on Lambda."""
    context = SimpleNamespace(
        function_name=f"lambdo-{function}",
        function_version="$LATEST",
        invoked_function_arn=f"arn:aws:lambda:eu-central-1:123456789012:function:{function}",
        memory_limit_in_mb="512",
        aws_request_id="8f507cfc-example-4697-b07a-ac58fc914c95",
        log_group_name=f"/aws/lambda/{function}",
        log_stream_name="2026/11/21/[$LATEST]c3d5f0e0b1a24b7c",
        identity=None,
        client_context=None,
        get_remaining_time_in_millis=lambda: 27_000,
    )
    handler = importlib.import_module(function).handler
    answer: Answer = json.loads(json.dumps(handler(json.loads(json.dumps(event)), context)))
    return answer


def _body(answer: Answer) -> Any:
    content = answer["body"].encode()
    if answer["isBase64Encoded"]:
        content = gzip.decompress(base64.b64decode(content))
    return json.loads(content)


def _context(method: str, path: str, route_key: str) -> dict[str, Any]:
    return {
        "accountId": "123456789012",
        "apiId": "q1w2e3r4t5",
        "domainName": _DOMAIN,
        "domainPrefix": "q1w2e3r4t5",
        "http": {
            "method": method,
            "path": path,
            "protocol": "HTTP/1.1",
            "sourceIp": "203.0.113.7",
            "userAgent": "Mozilla/5.0",
        },
        "requestId": "JKJaXmPLvHcESHA=",
        "routeKey": route_key,
        "stage": "$default",
        "time": "21/Nov/2026:12:00:00 +0000",
        "timeEpoch": 1795262400000,
    }


def _create_event(user: User) -> Event:
    """A POST whose body API Gateway takes for text."""
    return {
        "version": "2.0",
        "routeKey": "POST /api/{user_id}/tasks",
        "rawPath": f"/api/{user.id}/tasks",
        "rawQueryString": "",
        "headers": {
            "accept": "*/*",
            "authorization": user.headers["Authorization"],
            "content-length": "47",
            "content-type": "application/json; charset=utf-8",
            "host": _DOMAIN,
            "x-amzn-trace-id": "Root=1-6920a1c0-0123456789abcdef01234567",
            "x-forwarded-for": "203.0.113.7",
            "x-forwarded-port": "443",
            "x-forwarded-proto": "https",
        },
        "requestContext": _context("POST", f"/api/{user.id}/tasks", "POST /api/{user_id}/tasks"),
        "pathParameters": {"user_id": user.id},
        "body": '{"title": "Grüße an 日本", "priority": "high"}',
        "isBase64Encoded": False,
    }


def _list_event(user: User, query: str = "", joined: dict[str, str] | None = None) -> Event:
    """A GET with cookies, and header names as HTTP/1.1 clients write them."""
    return {
        "version": "2.0",
        "routeKey": "GET /api/tasks",
        "rawPath": "/api/tasks",
        "rawQueryString": query,
        "cookies": ["theme=dark", "better-auth.session_token=abc.def"],
        "headers": {
            "Accept-Encoding": "gzip, deflate, br, zstd",
            "AUTHORIZATION": user.headers["Authorization"],
            "Host": _DOMAIN,
            "User-Agent": "Mozilla/5.0",
            "X-Forwarded-Port": "443",
            "X-Forwarded-Proto": "https",
        },
        "queryStringParameters": joined or {},
        "requestContext": _context("GET", "/api/tasks", "GET /api/tasks"),
        "stageVariables": {"colour": "blue"},
        "isBase64Encoded": False,
    }


def _default_event(method: str, path: str) -> Event:
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": "",
        "headers": {"host": _DOMAIN, "x-forwarded-port": "443", "x-forwarded-proto": "https"},
        "requestContext": _context(method, path, "$default"),
        "isBase64Encoded": False,
    }


def _create(user: User, title: str = "A task") -> dict[str, Any]:
    event = {**_create_event(user), "body": json.dumps({"title": title})}
    task: dict[str, Any] = _body(_call("create_task", event))
    return task


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Log:
    """The lines that the functions have logged so far."""
    stream = io.StringIO()
    importlib.import_module("shared.http.app")
    for handler in logging.getLogger("lambdo").handlers:
        monkeypatch.setattr(handler, "stream", stream)
    return lambda: [json.loads(line) for line in stream.getvalue().splitlines()]


@pytest.mark.parametrize(
    "route",
    [route for route in _TASK_ROUTES if not route.path.startswith("/api/auth/")],
    ids=lambda route: route.key,
)
def test_every_task_route_refuses_a_stranger(route: Route) -> None:
    path = route.path.format(user_id="alice", task_id="01a1fbd7-3487-74e1-8485-4522a070d730")
    event = make_event(route.method, path)
    # An authorizer before the function, a cookie or a query are no ways to say who calls.
    event["requestContext"]["authorizer"] = {"jwt": {"claims": {"sub": "alice"}, "scopes": None}}
    event["cookies"] = [User("alice").headers["Authorization"].replace("Bearer ", "token=")]
    event["rawQueryString"] = User("alice").headers["Authorization"].replace("Bearer ", "token=")
    answer = _call(route.handler.removesuffix(".handler"), event)
    assert answer["statusCode"] == 401
    assert answer["headers"]["www-authenticate"] == "Bearer"
    assert _body(answer)["code"] == "token_missing"


@pytest.mark.parametrize(
    ("method", "path", "status", "code", "allow"),
    [
        ("GET", "/", 404, "not_found", None),
        ("GET", "/api/tasks/", 404, "not_found", None),
        ("GET", "/api/alice/tasks/1/2/3", 404, "not_found", None),
        ("POST", "/health", 405, "method_not_allowed", "GET"),
        ("DELETE", "/api/tasks", 405, "method_not_allowed", "GET, POST"),
        ("POST", "/api/alice/tasks/1", 405, "method_not_allowed", "DELETE, GET, PATCH, PUT"),
        ("GET", "/api/tasks/1/complete", 405, "method_not_allowed", "PATCH"),
    ],
)
def test_what_no_route_takes_is_refused(
    method: str, path: str, status: int, code: str, allow: str | None
) -> None:
    answer = _call("refuse_route", _default_event(method, path))
    assert answer["statusCode"] == status
    assert answer["headers"].get("allow") == allow
    assert answer["headers"]["content-type"] == "application/json"
    assert _body(answer)["code"] == code
    assert _body(answer)["request_id"] == "JKJaXmPLvHcESHA="


def test_a_fault_is_told_to_the_log_and_not_to_the_caller(
    alice: User, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_caller: Caller, _task_id: object) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr(store, "read", fail)
    path = "/api/tasks/01a1fbd7-3487-74e1-8485-4522a070d730"
    event = make_event("GET", path, headers={**alice.headers, "x-request-id": "fault-1"})
    answer = _call("read_task", event)
    assert answer["statusCode"] == 500
    assert answer["headers"]["x-request-id"] == "fault-1"
    assert answer["headers"]["cache-control"] == "no-store"
    assert answer["headers"]["content-type"] == "application/json"
    body = _body(answer)
    assert body == {
        "code": "internal_error",
        "message": body["message"],
        "details": None,
        "request_id": "fault-1",
    }
    for told in ("secret detail", "RuntimeError", "Traceback"):
        assert told not in answer["body"]
    trace, line = log()
    assert trace["level"] == "ERROR"
    assert "Traceback" in trace["exception"]
    assert "RuntimeError: secret detail" in trace["exception"]
    assert (line["status"], line["code"]) == (500, "internal_error")
    assert trace["correlation_id"] == line["correlation_id"] == "fault-1"


def test_each_request_logs_one_line_that_gives_nothing_away(alice: User, log: Log) -> None:
    created = _call("create_task", _create_event(alice))
    _call("list_tasks", _list_event(alice, "q=private+words&sort=title"))
    refused = {**_create_event(alice), "body": '{"title": "", "description": "private words"}'}
    _call("create_task", refused)
    lines = log()
    assert [(line["route"], line["method"], line["status"]) for line in lines] == [
        ("POST /api/{user_id}/tasks", "POST", 201),
        ("GET /api/tasks", "GET", 200),
        ("POST /api/{user_id}/tasks", "POST", 422),
    ]
    for line in lines:
        assert line["level"] == "INFO"
        assert line["duration_ms"] >= 0
        assert line["correlation_id"] == "JKJaXmPLvHcESHA="
    text = json.dumps(lines, ensure_ascii=False)
    token = alice.headers["Authorization"].removeprefix("Bearer ")
    for private in (token, token.rpartition(".")[2], "Grüße", "private", "session_token"):
        assert private not in text
    assert created["statusCode"] == 201


def test_a_cold_function_writes_its_log_as_json_to_standard_output() -> None:
    event = _default_event("GET", "/health")
    script = (
        "import json, check_health, sys\n"
        "answer = check_health.handler(json.loads(sys.argv[1]), None)\n"
        "sys.exit(answer['statusCode'] != 200)\n"
    )
    process = subprocess.run(
        [sys.executable, "-c", script, json.dumps(event)],
        cwd=ROOT / "functions",
        env={"PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=True,
    )
    (line,) = process.stdout.splitlines()
    assert json.loads(line)["status"] == 200
    assert process.stderr == ""


@pytest.mark.parametrize("encoded", [False, True])
def test_a_body_is_read_as_text_and_as_base64(alice: User, encoded: bool) -> None:
    event = _create_event(alice)
    if encoded:
        body = base64.b64encode(event["body"].encode()).decode()
        event |= {"body": body, "isBase64Encoded": True}
    answer = _call("create_task", event)
    task = _body(answer)
    assert {*answer} == {"statusCode", "headers", "body", "isBase64Encoded"}
    assert answer["statusCode"] == 201
    assert answer["isBase64Encoded"] is False
    assert (task["title"], task["priority"], task["user_id"]) == ("Grüße an 日本", "high", alice.id)
    assert answer["headers"] == {
        "content-type": "application/json",
        "content-length": str(len(answer["body"].encode())),
        "location": f"/api/{alice.id}/tasks/{task['id']}",
        "etag": answer["headers"]["etag"],
        "x-request-id": "JKJaXmPLvHcESHA=",
        "x-content-type-options": "nosniff",
        "cache-control": "private, no-cache",
        "ratelimit-limit": "600",
        "ratelimit-remaining": "599",
        "ratelimit-reset": "60",
        "ratelimit": '"default";r=599;t=60',
        "ratelimit-policy": '"default";q=600;w=60',
    }


@pytest.mark.parametrize("route", _ROUTES, ids=lambda route: route.key)
def test_every_function_answers_what_api_gateway_understands(route: Route, alice: User) -> None:
    path = route.path.format(user_id=alice.id, task_id=_create(alice)["id"])
    headers = {**alice.headers, "content-type": "application/json"}
    body = {"POST": b'{"title": "A"}', "PUT": b"{}", "PATCH": b"{}"}.get(route.method, b"")
    expected = {"POST": 201, "DELETE": 204, "": 404}.get(route.method, 200)
    if route.path.startswith("/api/auth/"):
        body = b'{"email": "nobody@example.com", "password": "hunter2"}'
        expected = {"register": 422, "login": 401}[route.path.rpartition("/")[2]]
    event = make_event(route.method or "GET", path, headers=headers, body=body)
    answer = _call(route.handler.removesuffix(".handler"), event)
    assert {*answer} == {"statusCode", "headers", "body", "isBase64Encoded"}
    assert type(answer["statusCode"]) is int
    assert all(type(value) is str for value in answer["headers"].values())
    assert type(answer["body"]) is str
    assert answer["statusCode"] == expected
    assert (answer["body"] == "") == (answer["statusCode"] == 204)


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("a b", "JKJaXmPLvHcESHA="),
        ("a" * 129, "JKJaXmPLvHcESHA="),
        ("", "JKJaXmPLvHcESHA="),
        (None, "JKJaXmPLvHcESHA="),
        ("From.the-caller_1", "From.the-caller_1"),
    ],
)
def test_a_request_is_named_by_its_caller_or_by_api_gateway(
    log: Log, sent: str | None, kept: str
) -> None:
    event = _default_event("GET", "/nowhere")
    if sent is not None:
        event["headers"]["X-Request-ID"] = sent
    answer = _call("refuse_route", event)
    assert answer["headers"]["x-request-id"] == kept
    assert _body(answer)["request_id"] == kept
    assert [line["correlation_id"] for line in log()] == [kept]


def test_a_query_parameter_may_be_repeated(alice: User) -> None:
    ids = {}
    for priority in ("low", "medium", "high"):
        body = json.dumps({"title": priority, "priority": priority})
        created = _call("create_task", {**_create_event(alice), "body": body})
        ids[priority] = _body(created)["id"]
    event = _list_event(
        alice,
        "priority=low&priority=high&sort=priority",
        {"priority": "low,high", "sort": "priority"},
    )
    listed = _body(_call("list_tasks", event))
    assert [task["id"] for task in listed["tasks"]] == [ids["low"], ids["high"]]


@pytest.mark.parametrize("accepted", [True, False])
def test_a_large_body_is_gzipped_for_those_who_accept_it(alice: User, accepted: bool) -> None:
    task_ids = [_create(alice, "A task " * 50)["id"] for _ in range(3)]
    event = _list_event(alice)
    if not accepted:
        del event["headers"]["Accept-Encoding"]
    answer = _call("list_tasks", event)
    assert answer["statusCode"] == 200
    assert answer["isBase64Encoded"] is accepted
    assert answer["headers"].get("content-encoding") == ("gzip" if accepted else None)
    assert answer["headers"]["vary"] == "Accept-Encoding"
    content = answer["body"].encode()
    if accepted:
        content = base64.b64decode(content, validate=True)
    assert answer["headers"]["content-length"] == str(len(content))
    assert [task["id"] for task in _body(answer)["tasks"]] == task_ids[::-1]


def test_a_problem_is_text(alice: User) -> None:
    headers = {**alice.headers, "accept": "application/problem+json"}
    answer = _call("list_tasks", make_event("GET", "/api/tasks", headers=headers, query="limit=0"))
    assert (answer["statusCode"], answer["isBase64Encoded"]) == (422, False)
    assert answer["headers"]["content-type"] == "application/problem+json"


@pytest.mark.parametrize("path", ["/docs", "/openapi.json"])
def test_no_visitor_of_a_page_changes_it_for_the_next(path: str) -> None:
    seen: dict[str, list[tuple[dict[str, str], bytes]]] = {"gzip": [], "identity": []}
    for accepted in ("gzip", "identity") * 2:
        headers = {"accept-encoding": accepted, "x-request-id": "a-visitor"}
        answer = _call("show_docs", make_event("GET", path, headers=headers))
        content = answer["body"].encode()
        if answer["isBase64Encoded"]:
            content = base64.b64decode(content)
        assert answer["headers"]["content-length"] == str(len(content))
        assert answer["headers"]["vary"] == "Accept-Encoding"
        seen[accepted].append((answer["headers"], content))
    (compressed, again), (plain, again_plain) = seen["gzip"], seen["identity"]
    assert (compressed, plain) == (again, again_plain)
    assert gzip.decompress(compressed[1]) == plain[1]


def test_a_warm_function_keeps_nothing_from_one_request_to_the_next(
    alice: User, bob: User, log: Log
) -> None:
    _create(alice, "Alice's")
    _create(bob, "Bob's")
    seen = []
    for turn, user in enumerate([alice, None, bob, alice, User()]):
        event = _list_event(user or alice)
        event["requestContext"]["requestId"] = f"gateway-{turn}"
        if user is None:
            del event["headers"]["AUTHORIZATION"]
        if turn == 0:
            event["headers"]["X-Request-Id"] = "mine"
        answer = _call("list_tasks", event)
        titles = [task["title"] for task in _body(answer).get("tasks", [])]
        seen.append((answer["statusCode"], answer["headers"]["x-request-id"], titles))
    assert seen == [
        (200, "mine", ["Alice's"]),
        (401, "gateway-1", []),
        (200, "gateway-2", ["Bob's"]),
        (200, "gateway-3", ["Alice's"]),
        (200, "gateway-4", []),
    ]
    assert [line["correlation_id"] for line in log()][2:] == [one[1] for one in seen]
    assert SECRET not in json.dumps(log())
