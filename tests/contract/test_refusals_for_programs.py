"""What a program reads of a refusal: the kind of each detail, and RFC 9457's members."""

import json
from http import HTTPStatus
from typing import Any

import httpx
import pytest

from shared.tasks import store
from tests.clients import User
from tests.conftest import ONE_WAY
from tests.contract.conftest import check_refusal

pytestmark = ONE_WAY

PROBLEM = "application/problem+json"


@pytest.mark.parametrize(
    ("body", "kind", "params"),
    [
        ({"title": "x" * 501}, "string_too_long", {"max_length": 500}),
        ({"title": " "}, "string_too_short", {"min_length": 1}),
        ({"title": 1}, "string_type", {}),
        ({"title": "a\0"}, "nul", {}),
        ({}, "missing", {}),
        ({"title": "x", "colour": "red"}, "extra_forbidden", {}),
        (
            {"title": "x", "priority": "urgent"},
            "literal_error",
            {"expected": "'low', 'medium' or 'high'"},
        ),
        ({"title": "x", "due_at": "soon"}, "rfc3339", {}),
        ([], "dict_type", {}),
    ],
)
def test_a_detail_says_which_rule_is_broken(
    http: httpx.Client, alice: User, body: object, kind: str, params: dict[str, Any]
) -> None:
    answer = http.post("/api/tasks", headers=alice.headers, json=body)
    (detail,) = check_refusal(answer, 422, "validation_failed")["details"]
    assert (detail["type"], detail["params"]) == (kind, params)


@pytest.mark.parametrize(
    ("query", "kind", "params"),
    [
        ({"limit": 1001}, "less_than_equal", {"le": 1000}),
        ({"limit": "x"}, "int_parsing", {}),
        (
            {"priority": ["low"] * 11},
            "too_long",
            {"field_type": "List", "max_length": 10, "actual_length": 11},
        ),
    ],
)
def test_so_does_that_of_a_query(
    http: httpx.Client, alice: User, query: dict[str, Any], kind: str, params: dict[str, Any]
) -> None:
    answer = http.get("/api/tasks", headers=alice.headers, params=query)
    (detail,) = check_refusal(answer, 422, "validation_failed")["details"]
    assert (detail["type"], detail["params"]) == (kind, params)


def test_so_does_that_of_a_path(http: httpx.Client, alice: User) -> None:
    answer = http.get("/api/tasks/no-uuid", headers=alice.headers)
    (detail,) = check_refusal(answer, 422, "validation_failed")["details"]
    assert detail["type"] == "uuid_parsing"


@pytest.mark.parametrize(
    ("password", "kind", "params", "message"),
    [
        ("x" * 7, "string_too_short", {"min_length": 8}, "at least 8 characters"),
        ("e\u0301" * 7, "string_too_short", {"min_length": 8}, "at least 8 characters"),
        ("x" * 257, "string_too_long", {"max_length": 256}, "at most 256 characters"),
        ("password", "password_common", {}, "commonest"),
        (1, "string_type", {}, "string"),
    ],
)
def test_so_does_that_of_a_password(
    http: httpx.Client, password: object, kind: str, params: dict[str, Any], message: str
) -> None:
    body = {"email": "ada@example.com", "password": password}
    answer = http.post("/api/auth/register", json=body)
    (detail,) = check_refusal(answer, 422, "validation_failed")["details"]
    assert (detail["type"], detail["params"]) == (kind, params)
    assert message in detail["message"]


_WANTED = [
    PROBLEM,
    "Application/Problem+JSON",
    f"{PROBLEM};q=0.1",
    f"application/json, {PROBLEM}; charset=utf-8 ;q=1.000",
    f"*/*;q=0,{PROBLEM}",
]
_NOT_WANTED = [
    "",
    "*/*",
    "application/*",
    "application/json",
    "application/problem+xml",
    f"x{PROBLEM}",
    f"{PROBLEM}x",
    f"{PROBLEM};q=0",
    f"{PROBLEM} ; q=0.000, */*",
    f"application/json;profile={PROBLEM}",
]


def _refuse(http: httpx.Client, user: User, accepted: str) -> list[httpx.Response]:
    """Refusals of all sorts."""
    headers = {"Accept": accepted}
    known = {**user.headers, **headers}
    many = {"title": "x", **{f"unknown_{number}": 1 for number in range(100)}}
    return [
        http.get("/nowhere", headers=headers),
        http.delete("/health", headers=headers),
        http.get("/api/tasks", headers=headers),
        http.get("/api/nobody/tasks", headers=known),
        http.get("/api/tasks?cursor=x", headers=known),
        http.post("/api/tasks", headers=known, content=b"{"),
        http.post("/api/tasks", headers=known, json=many),  # long enough for gzip
    ]


@pytest.mark.parametrize("accepted", _WANTED)
def test_a_problem_is_for_those_who_name_it(http: httpx.Client, alice: User, accepted: str) -> None:
    plain = _refuse(http, alice, "*/*")
    for answer, usual in zip(_refuse(http, alice, accepted), plain, strict=True):
        assert answer.status_code == usual.status_code
        assert answer.headers["Content-Type"] == PROBLEM
        assert answer.json() == {
            **usual.json(),
            "type": "about:blank",
            "title": HTTPStatus(answer.status_code).phrase,
            "status": answer.status_code,
            "request_id": answer.headers["X-Request-Id"],
        }
        assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("accepted", _NOT_WANTED)
def test_all_others_have_json(http: httpx.Client, alice: User, accepted: str) -> None:
    for answer in _refuse(http, alice, accepted):
        check_refusal(answer, answer.status_code, answer.json()["code"])


def test_what_is_no_refusal_is_json_for_all(http: httpx.Client, alice: User) -> None:
    answer = http.get("/api/tasks", headers={**alice.headers, "Accept": PROBLEM})
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/json")


def test_a_fault_is_a_problem_too(
    handlers: httpx.Client, monkeypatch: pytest.MonkeyPatch, alice: User
) -> None:
    monkeypatch.setattr(store, "read", lambda *_: 1 / 0)
    path = "/api/tasks/01a1fbd7-3487-74e1-8485-4522a070d730"
    answer = handlers.get(path, headers={**alice.headers, "Accept": PROBLEM})
    assert (answer.status_code, answer.headers["Content-Type"]) == (500, PROBLEM)
    assert answer.json()["title"] == "Internal Server Error"
    assert answer.json()["code"] == "internal_error"


def test_the_document_tells_of_problems(http: httpx.Client) -> None:
    document = http.get("/openapi.json").json()
    answers = [
        answer
        for operations in document["paths"].values()
        for operation in operations.values()
        for status, answer in operation["responses"].items()
        if int(status) >= 400
    ]
    assert answers
    for answer in answers:
        assert answer["content"].keys() == {"application/json", PROBLEM}
    (schema,) = {json.dumps(answer["content"][PROBLEM]["schema"]) for answer in answers}
    name = json.loads(schema)["$ref"].rpartition("/")[2]
    problem = document["components"]["schemas"][name]
    assert {"type", "title", "status", "code", "request_id"} <= {*problem["required"]}
