"""Which errors the document promises: those an endpoint names, and those its parameters imply."""

import json
import re
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from infra.openapi import DOCUMENT
from shared import errors
from shared.errors import ApiError, CursorInvalid, TaskNotFound
from shared.http.app import create_app, create_caller_app, create_sign_in_app, serve
from shared.http.requests import CurrentCaller, IfMatch, IfNoneMatch, Route
from shared.http.responses import Response
from shared.models import Task, TaskCreate

STRANGERS = {"body_too_large", "validation_failed", "rate_limited", "internal_error"} | {
    *("database_unavailable", "keys_unavailable"),
}
CALLERS = STRANGERS | {"token_missing", "token_expired", "token_invalid", "user_unknown"}


async def take_nothing(caller: CurrentCaller) -> Response:
    """An endpoint that reads nothing of a request."""
    raise NotImplementedError


async def take_body(caller: CurrentCaller, body: TaskCreate) -> Response:
    """An endpoint with a body."""
    raise NotImplementedError


async def take_optional_body(caller: CurrentCaller, body: TaskCreate | None = None) -> Response:
    """An endpoint whose body may be left out."""
    raise NotImplementedError


async def take_if_match(caller: CurrentCaller, task_id: UUID, tags: IfMatch) -> Response:
    """An endpoint that changes a known version."""
    raise NotImplementedError


async def take_if_none_match(caller: CurrentCaller, task_id: UUID, tags: IfNoneMatch) -> Response:
    """An endpoint that answers unless the version is known."""
    raise NotImplementedError


def list_codes(route: Route) -> set[str]:
    return {error.code for error in route.list_errors()}


@pytest.mark.parametrize(
    ("route", "endpoint", "implied"),
    [
        ("GET /api/users/me", take_nothing, set()),
        ("DELETE /api/users/me", take_nothing, {"conflict"}),
        ("POST /api/x", take_body, {"conflict", "bad_request", "unsupported_media_type"}),
        ("POST /api/x", take_optional_body, {"conflict", "bad_request", "unsupported_media_type"}),
        (
            "DELETE /api/x/{task_id}",
            take_if_match,
            {"conflict", "bad_request", "precondition_failed", "not_found"},
        ),
        ("GET /api/x/{task_id}", take_if_none_match, {"bad_request", "not_found"}),
    ],
)
def test_what_an_endpoint_takes_implies_errors(
    route: str, endpoint: Callable[..., Any], implied: set[str]
) -> None:
    app = create_caller_app()
    serve(app, route)(endpoint)
    (served,) = app.routes
    assert isinstance(served, Route)
    assert list_codes(served) == CALLERS | implied


def test_an_endpoint_names_what_is_its_own() -> None:
    app = create_caller_app()
    serve(app, "GET /api/users/me", raises=(TaskNotFound, CursorInvalid))(take_nothing)
    assert list_codes(app.routes[0]) == CALLERS | {"task_not_found", "cursor_invalid"}  # type: ignore[arg-type]


def test_a_path_that_names_a_user_may_name_another() -> None:
    app = create_caller_app()
    serve(app, "GET /api/tasks", model=Task)(take_nothing)
    codes = {route.path: list_codes(route) for route in app.routes if isinstance(route, Route)}
    assert codes == {
        "/api/tasks": CALLERS,
        "/api/{user_id}/tasks": CALLERS | {"forbidden", "not_found"},
    }


def test_no_token_is_refused_where_none_is_read() -> None:
    pages, sign_in = create_app(), create_sign_in_app()
    serve(pages, "GET /health")(take_nothing)
    serve(sign_in, "GET /calendar")(take_nothing)
    assert list_codes(pages.routes[0]) == {"internal_error"}  # type: ignore[arg-type]
    assert list_codes(sign_in.routes[0]) == STRANGERS  # type: ignore[arg-type]


def test_nothing_is_built_for_the_document_when_a_function_starts() -> None:
    app = create_caller_app()
    serve(app, "GET /api/users/me", model=Task, raises=(TaskNotFound,))(take_nothing)
    (served,) = app.routes
    assert isinstance(served, Route)
    assert (served.response_field, served.response_fields) == (None, {})


def test_the_document_knows_every_code_that_an_endpoint_answers() -> None:
    codes = {
        error.code
        for error in vars(errors).values()
        if isinstance(error, type) and issubclass(error, ApiError) and hasattr(error, "code")
    }
    documented = {
        code
        for operations in json.loads(DOCUMENT.read_text())["paths"].values()
        for operation in operations.values()
        for answer in operation["responses"].values()
        for code in re.findall(r"`(\w+)`", answer["description"])
    }
    # No operation has it: it is for methods that no operation has.
    assert codes - documented == {"method_not_allowed"}
