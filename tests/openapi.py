"""Compares answers of the API with its OpenAPI document."""

import functools
import json
from http import HTTPMethod, HTTPStatus
from pathlib import Path
from typing import Any

import httpx
from jsonschema_rs import Draft202012Validator

from infra.local.gateway import match_route
from infra.openapi import DOCUMENT
from infra.template import DEFAULT_ROUTE, Route

Responses = dict[str, dict[str, Any]]
"""What an operation may answer, by status, as OpenAPI describes it."""

_ERROR = {
    "content": {
        "application/json": {"schema": {"$ref": "#/components/schemas/ErrorBody"}},
        "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}},
    }
}
_UNKNOWN_ROUTE: Responses = {
    str(HTTPStatus.NOT_FOUND): _ERROR,
    str(HTTPStatus.METHOD_NOT_ALLOWED): _ERROR,
}


class Document:
    """An OpenAPI document in which a body has no member but those that its schema names."""

    def __init__(self, document: dict[str, Any]) -> None:
        document = _close(document)
        self._components = document["components"]
        self._responses: dict[str, Responses] = {
            f"{method.upper()} {path}": operation["responses"]
            for path, operations in document["paths"].items()
            for method, operation in operations.items()
        }
        self._responses[DEFAULT_ROUTE] = _UNKNOWN_ROUTE
        self._routes = [Route(key, "", Path()) for key in self._responses]
        self._validators: dict[str, Draft202012Validator] = {}

    def check(self, answer: httpx.Response) -> None:
        """Raise AssertionError for an answer that is not documented."""
        request = answer.request
        if request.method == HTTPMethod.OPTIONS and "Access-Control-Request-Method" in (
            request.headers
        ):
            return  # API Gateway answers it, and the document is about the functions
        answer.read()
        route, _ = match_route(self._routes, request.method, request.url.path)
        said = f"{request.method} {request.url.path} ({route.key}): {answer.status_code}"
        responses = self._responses[route.key]
        assert str(answer.status_code) in responses, f"{said} is not documented"
        response = responses[str(answer.status_code)]
        for name, header in response.get("headers", {}).items():
            assert name in answer.headers or not header.get("required"), f"{said} has no {name}"
        self._check_content(answer, response.get("content", {}), said)

    def _check_content(self, answer: httpx.Response, content: dict[str, Any], said: str) -> None:
        if not content or answer.request.method == HTTPMethod.HEAD:
            assert answer.content == b"", f"{said} has a body"
            return
        media_type = answer.headers.get("Content-Type", "").partition(";")[0]
        assert media_type in content, f"{said} is {media_type or 'of no type'}"
        schema = content[media_type].get("schema")
        if schema and media_type.endswith("json"):
            errors = [
                f"{error.instance_path}: {error.message}"
                for error in self._validator(schema).iter_errors(answer.json())
            ]
            assert not errors, f"{said} has another body: {errors[:5]}"

    def _validator(self, schema: dict[str, Any]) -> Draft202012Validator:
        text = json.dumps(schema, sort_keys=True)
        if text not in self._validators:
            self._validators[text] = Draft202012Validator(
                {**schema, "components": self._components}, validate_formats=True
            )
        return self._validators[text]


def _close(part: Any) -> Any:
    """A part of a document, whose objects have no members but those that are named."""
    if isinstance(part, list):
        return [_close(item) for item in part]
    if not isinstance(part, dict):
        return part
    closed = {name: _close(value) for name, value in part.items()}
    if isinstance(part.get("properties"), dict):
        closed.setdefault("additionalProperties", False)
    return closed


@functools.cache
def read_document(*, built_in_accounts: bool = True) -> Document:
    """The API's document, with or without the routes of built-in accounts."""
    document = json.loads(DOCUMENT.read_text())
    document["paths"] = {
        path: operations
        for path, operations in document["paths"].items()
        if built_in_accounts or not path.startswith("/api/auth/")
    }
    return Document(document)


def connect(
    url: str,
    transport: httpx.BaseTransport | None = None,
    *,
    timeout: float = 30,
    built_in_accounts: bool = True,
) -> httpx.Client:
    """A client of the API at `url` that refuses, with AssertionError, what is not documented."""
    check = read_document(built_in_accounts=built_in_accounts).check
    return httpx.Client(
        base_url=url, transport=transport, timeout=timeout, event_hooks={"response": [check]}
    )
