"""What the client of the tests refuses: every answer that is not documented."""

import re
from typing import Any

import httpx
import pytest

from infra.template import ROOT
from tests.openapi import Document, connect

NOTE = {
    "type": "object",
    "required": ["id", "text", "at"],
    "properties": {
        "id": {"type": "string", "format": "uuid"},
        "text": {"type": "string"},
        "at": {"anyOf": [{"type": "string", "format": "date-time"}, {"type": "null"}]},
        "tags": {"type": "object", "additionalProperties": {"type": "string"}},
    },
}
ERROR = {"type": "object", "required": ["code"], "properties": {"code": {"type": "string"}}}
DOCUMENT = {
    "paths": {
        "/notes": {
            "get": {
                "responses": {
                    "200": {
                        "content": {
                            "application/json": {
                                "schema": {
                                    "type": "object",
                                    "properties": {
                                        "notes": {
                                            "type": "array",
                                            "items": {"$ref": "#/components/schemas/Note"},
                                        }
                                    },
                                }
                            }
                        },
                    }
                }
            }
        },
        "/notes/{id}": {
            "get": {
                "responses": {
                    "200": {
                        "headers": {"ETag": {"required": True}, "Age": {"required": False}},
                        "content": {
                            "application/json": {"schema": {"$ref": "#/components/schemas/Note"}}
                        },
                    },
                    "304": {"description": "As it was"},
                }
            }
        },
    },
    "components": {"schemas": {"Note": NOTE, "ErrorBody": ERROR, "Problem": ERROR}},
}
GOOD: dict[str, Any] = {
    "id": "01a1fbd7-3487-74e1-8485-4522a070d730",
    "text": "Water the plants",
    "at": "2026-12-01T08:00:00.000001Z",
    "tags": {"any": "text"},
}


def check(
    path: str, status: int = 200, *, method: str = "GET", headers: Any = None, **body: Any
) -> None:
    """Have an answer compared with the document."""
    answer = httpx.Response(status, headers={"ETag": '"1"', **(headers or {})}, **body)
    answer.request = httpx.Request(method, f"http://lambda{path}")
    Document(DOCUMENT).check(answer)


@pytest.mark.parametrize("changes", [{}, {"at": None}, {"tags": {}}])
def test_a_body_that_fits_passes(changes: dict[str, Any]) -> None:
    check("/notes/1", json={**GOOD, **changes})
    check("/notes", json={"notes": [{**GOOD, **changes}]})


@pytest.mark.parametrize(
    "changes",
    [
        {"text": 1},
        {"text": None},
        {"more": None},
        {"id": "1"},
        {"at": "2026-12-01"},
        {"at": "2026-12-01T08:00:00"},
        {"at": "2026-02-30T08:00:00Z"},
        {"tags": {"any": 1}},
    ],
    ids=str,
)
def test_a_member_that_is_unknown_or_of_another_type_is_refused(changes: dict[str, Any]) -> None:
    wrong = {**GOOD, **changes}
    with pytest.raises(AssertionError, match="has another body"):
        check("/notes/1", json=wrong)
    with pytest.raises(AssertionError, match="has another body"):
        check("/notes", json={"notes": [GOOD, wrong]})


@pytest.mark.parametrize("name", NOTE["required"])
def test_a_member_that_is_missing_is_refused(name: str) -> None:
    with pytest.raises(AssertionError, match=f'"{name}" is a required property'):
        check("/notes/1", json={key: value for key, value in GOOD.items() if key != name})


@pytest.mark.parametrize(("path", "status"), [("/notes/1", 201), ("/notes", 304), ("/notes", 500)])
def test_a_status_that_is_not_documented_is_refused(path: str, status: int) -> None:
    with pytest.raises(AssertionError, match=f"{status} is not documented"):
        check(path, status, json={"code": "no"})


def test_another_media_type_is_refused() -> None:
    with pytest.raises(AssertionError, match="is text/html"):
        check("/notes/1", html="<p>")
    with pytest.raises(AssertionError, match="is of no type"):
        check("/notes/1")


def test_a_body_where_none_is_documented_is_refused() -> None:
    check("/notes/1", 304)
    with pytest.raises(AssertionError, match="has a body"):
        check("/notes/1", 304, json=GOOD)


def test_a_header_that_is_missing_is_refused() -> None:
    answer = httpx.Response(200, json=GOOD, request=httpx.Request("GET", "http://lambda/notes/1"))
    with pytest.raises(AssertionError, match="has no ETag"):
        Document(DOCUMENT).check(answer)


@pytest.mark.parametrize(("method", "path"), [("GET", "/"), ("GET", "/notes/"), ("PUT", "/notes")])
def test_a_route_that_is_unknown_is_answered_by_an_error(method: str, path: str) -> None:
    check(path, 404, method=method, json={"code": "not_found"})
    check(path, 405, method=method, json={"code": "method_not_allowed"})
    with pytest.raises(AssertionError, match="200 is not documented"):
        check(path, 200, method=method, json=GOOD)
    with pytest.raises(AssertionError, match="has another body"):
        check(path, 404, method=method, json={"message": "Not Found"})


def test_a_preflight_is_not_the_documents() -> None:
    answer = httpx.Response(
        204,
        request=httpx.Request(
            "OPTIONS", "http://lambda/notes", headers={"Access-Control-Request-Method": "GET"}
        ),
    )
    Document(DOCUMENT).check(answer)


def test_a_client_refuses_what_the_document_of_the_api_does_not_have() -> None:
    answers = {"/health": {"status": "ok"}, "/health/ready": {"status": "ok", "more": 1}}
    transport = httpx.MockTransport(
        lambda request: httpx.Response(200, json=answers.get(request.url.path))
    )
    with connect("http://lambda", transport) as client:
        assert client.get("/health").json() == {"status": "ok"}
        for path in ("/health/ready", "/nowhere"):
            with pytest.raises(AssertionError, match=f"GET {path} "):
                client.get(path)


def test_no_test_of_the_contract_has_another_client() -> None:
    files = [*(ROOT / "tests" / "contract").glob("*.py")]
    assert files
    for file in files:
        own = r"httpx\.(AsyncClient|Client|delete|get|head|options|patch|post|put|request|stream)\("
        assert not re.findall(own, file.read_text()), file.name
