"""Makes shared/http/openapi.json of the functions that template.yaml names."""

import importlib
import json
import os
import secrets
import sys
import tomllib
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from infra.template import ROOT, read_routes
from shared.errors import PROBLEM_TYPE, ApiError
from shared.http.requests import CallerRoute, Route
from shared.models import ErrorBody, Problem

DOCUMENT = ROOT / "shared" / "http" / "openapi.json"

# How the document groups paths, by what they begin with; the first that fits counts.
_TAGS = {
    "/api/{user_id}/tasks": "tasks of the user in the path",
    "/api/tasks": "tasks of the token's user",
    "/api/users/me": "account of the token's user",
    "/api/auth": "built-in accounts",
    "/health": "health",
    "/docs": "documentation",
    "/openapi.json": "documentation",
}

_USER_ID = {
    "name": "user_id",
    "in": "path",
    "required": True,
    "description": "The subject of the token",
    "schema": {"type": "string"},
}

_REFERENCE = "#/components/schemas/{model}"
_ERROR_SHAPES: dict[str, type[BaseModel]] = {"application/json": ErrorBody, PROBLEM_TYPE: Problem}


def make_document() -> dict[str, Any]:
    """The OpenAPI document of all functions together."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    document = get_openapi(
        title="Lambdo",
        version=project["version"],
        description=project["description"],
        routes=[_describe_route(route) for route in _routes()],
    )
    components = document["components"]
    components["schemas"] |= _describe_errors()
    components["securitySchemes"] = {
        "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
    }
    # Operations say where no token is needed.
    document["security"] = [{"bearer": []}]
    return document


def _routes() -> Iterator[Route]:
    for module, code in dict.fromkeys(
        (route.handler.partition(".")[0], route.code) for route in read_routes()
    ):
        if str(code) not in sys.path:
            sys.path.append(str(code))
        yield from importlib.import_module(module).app.routes


def _describe_route(route: Route) -> APIRoute:
    """The route with all that FastAPI is to write about it."""
    responses: dict[int | str, dict[str, Any]] = {}
    if "if-none-match" in route.headers:
        responses[304] = {"description": HTTPStatus.NOT_MODIFIED.phrase}
    errors = route.list_errors()
    for status in sorted({error.status_code for error in errors}):
        responses[status] = _describe_error(
            error for error in errors if error.status_code == status
        )
    return APIRoute(
        route.path,
        route.endpoint,
        methods=route.methods,
        response_model=route.model,
        status_code=route.status_code,
        response_class=route.response_class,
        responses=responses,
        tags=[_find_tag(route.path)],
        openapi_extra={
            "security": [{"bearer": []} if isinstance(route, CallerRoute) else {}],
            **({"parameters": [_USER_ID]} if "{user_id}" in route.path else {}),
        },
    )


def _find_tag(path: str) -> str:
    for start, tag in _TAGS.items():
        if path.startswith(start):
            return tag
    raise LookupError(f"{path}: add what it begins with to _TAGS in infra/openapi.py")


def _describe_error(errors: Iterator[type[ApiError]]) -> dict[str, Any]:
    """The answers with one status, which differ by their codes."""
    return {
        "description": ", ".join(sorted({f"`{error.code}`" for error in errors})),
        "content": {
            media_type: {"schema": {"$ref": _REFERENCE.format(model=shape.__name__)}}
            for media_type, shape in _ERROR_SHAPES.items()
        },
    }


def _describe_errors() -> dict[str, Any]:
    """The schemas of what all errors look like."""
    _, schemas = models_json_schema(
        [(shape, "serialization") for shape in _ERROR_SHAPES.values()], ref_template=_REFERENCE
    )
    described: dict[str, Any] = schemas["$defs"]
    return described


if __name__ == "__main__":
    # No function starts without these; none is called here.
    os.environ["DATABASE_URL"] = "postgresql://localhost/none"
    os.environ["BETTER_AUTH_SECRET"] = secrets.token_urlsafe(32)
    os.environ["ACCOUNTS"] = "built_in"
    DOCUMENT.write_text(json.dumps(make_document(), indent=2) + "\n")
