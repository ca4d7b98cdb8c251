"""Which function a request reaches, and the event that tells it of the request."""

import base64
from pathlib import Path
from typing import Any

import pytest
from starlette.requests import Request

from infra.local.gateway import make_event, match_route
from infra.template import Route, read_routes

_ID = "01a1fbd7-3487-74e1-8485-4522a070d730"
_ROUTE = Route("GET /api/tasks", "list_tasks.handler", Path())


def _request(
    headers: list[tuple[str, str]] | None = None, query: str = "", method: str = "GET"
) -> Request:
    return Request(
        {
            "type": "http",
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": "/api/tasks",
            "query_string": query.encode(),
            "headers": [(name.encode(), value.encode()) for name, value in headers or []],
            "server": ("127.0.0.1", 8000),
            "client": ("192.0.2.1", 50000),
        }
    )


def _event(
    headers: list[tuple[str, str]] | None = None, query: str = "", body: bytes = b""
) -> dict[str, Any]:
    return make_event(_request(headers, query), body, _ROUTE, {})


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("GET", "/api"),
        ("GET", "/api/tasks/"),
        ("GET", "//api/tasks"),
        ("GET", "/API/tasks"),
        ("GET", "/Health"),
        ("GET", "/health/"),
        ("get", "/health"),
        ("POST", "/health"),
        ("HEAD", "/api/tasks"),
        ("OPTIONS", "/api/tasks"),
        ("DELETE", "/api/alice/tasks"),
        ("PATCH", f"/api/alice/tasks/{_ID}/complete/now"),
    ],
)
def test_what_matches_no_route_reaches_the_default(method: str, path: str) -> None:
    route, parameters = match_route(read_routes(), method, path)
    assert (route.key, route.handler) == ("$default", "refuse_route.handler")
    assert parameters == {}


def test_a_template_without_a_default_route_is_an_error() -> None:
    with pytest.raises(LookupError):
        match_route([_ROUTE], "GET", "/nowhere")


@pytest.mark.parametrize(
    ("method", "path", "key", "parameters"),
    [
        ("GET", "/health", "GET /health", {}),
        ("GET", "/health/ready", "GET /health/ready", {}),
        ("GET", "/api/tasks", "GET /api/tasks", {}),
        ("GET", "/api/alice/tasks", "GET /api/{user_id}/tasks", {"user_id": "alice"}),
        ("GET", f"/api/tasks/{_ID}", "GET /api/tasks/{task_id}", {"task_id": _ID}),
        ("GET", "/api/tasks/tasks", "GET /api/tasks/{task_id}", {"task_id": "tasks"}),
        (
            "PATCH",
            f"/api/tasks/{_ID}/complete",
            "PATCH /api/tasks/{task_id}/complete",
            {"task_id": _ID},
        ),
        (
            "PATCH",
            "/api/tasks/tasks/complete",
            "PATCH /api/tasks/{task_id}/complete",
            {"task_id": "tasks"},
        ),
        (
            "PATCH",
            "/api/alice/tasks/complete",
            "PATCH /api/{user_id}/tasks/{task_id}",
            {"user_id": "alice", "task_id": "complete"},
        ),
        (
            "DELETE",
            "/api/a b/tasks/é",
            "DELETE /api/{user_id}/tasks/{task_id}",
            {"user_id": "a b", "task_id": "é"},
        ),
    ],
)
def test_a_fixed_path_wins_over_one_with_parameters(
    method: str, path: str, key: str, parameters: dict[str, str]
) -> None:
    for routes in (read_routes(), read_routes()[::-1]):
        route, found = match_route(routes, method, path)
        assert (route.key, found) == (key, parameters)


def test_every_route_matches_itself() -> None:
    for route in read_routes():
        if route.method:
            assert match_route(read_routes(), route.method, route.path)[0] == route


def test_an_event_leaves_out_what_a_request_does_not_have() -> None:
    event = _event()
    assert {*event} == {
        "version",
        "routeKey",
        "rawPath",
        "rawQueryString",
        "headers",
        "requestContext",
        "isBase64Encoded",
    }
    assert (event["version"], event["isBase64Encoded"]) == ("2.0", False)


def test_an_event_names_its_route_and_its_parameters() -> None:
    route = Route("GET /api/{user_id}/tasks", "list_tasks.handler", Path())
    event = make_event(_request(), b"", route, {"user_id": "alice"})
    assert event["routeKey"] == event["requestContext"]["routeKey"] == route.key
    assert event["pathParameters"] == {"user_id": "alice"}
    assert event["rawPath"] == event["requestContext"]["http"]["path"] == "/api/tasks"
    assert event["requestContext"]["http"]["method"] == "GET"
    assert event["requestContext"]["http"]["sourceIp"] == "192.0.2.1"


def test_every_event_has_an_id_of_its_own() -> None:
    ids = {_event()["requestContext"]["requestId"] for _ in range(10)}
    assert len(ids) == 10


def test_headers_of_one_name_are_joined() -> None:
    headers = _event([("accept", "a"), ("x-one", "1"), ("accept", "b")])["headers"]
    assert headers["accept"] == "a,b"
    assert headers["x-one"] == "1"


def test_what_a_gateway_says_of_a_request_is_not_the_callers_to_say() -> None:
    headers = _event(
        [
            ("host", "evil.example"),
            ("x-forwarded-for", "198.51.100.1"),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-port", "no number"),
        ]
    )["headers"]
    assert headers == {
        "host": "127.0.0.1:8000",
        "x-forwarded-for": "192.0.2.1",
        "x-forwarded-port": "8000",
        "x-forwarded-proto": "http",
    }


def test_cookies_are_told_apart_from_headers() -> None:
    event = _event([("cookie", "theme=dark; session=a=b")])
    assert event["cookies"] == ["theme=dark", "session=a=b"]
    assert "cookie" not in event["headers"]


def test_a_query_is_given_as_it_is_and_with_its_values_joined() -> None:
    query = "priority=low&q=a%20b+c&priority=high&cursor=&%C3%A9=1"
    event = _event(query=query)
    assert event["rawQueryString"] == query
    assert event["queryStringParameters"] == {
        "priority": "low,high",
        "q": "a b c",
        "cursor": "",
        "é": "1",
    }


@pytest.mark.parametrize(
    ("media_type", "body", "encoded"),
    [
        ("application/json", b'{"a": 1}', False),
        ("application/json; charset=utf-8", "é".encode(), False),
        ("text/plain", b"a", False),
        ("application/json", b"\xff", True),
        ("text/plain", b"\xe9", True),
        ("application/octet-stream", b"a", True),
        ("application/merge-patch+json", b"{}", True),
        ("", b"a", True),
    ],
)
def test_a_body_is_text_only_where_it_says_and_is_so(
    media_type: str, body: bytes, encoded: bool
) -> None:
    event = _event([("content-type", media_type)] if media_type else [], body=body)
    assert event["isBase64Encoded"] is encoded
    assert event["body"] == (base64.b64encode(body).decode() if encoded else body.decode())
