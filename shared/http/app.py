"""The app factory: from an endpoint to what Lambda calls."""

import logging
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from aws_lambda_powertools import Logger
from fastapi import FastAPI
from fastapi.telemetry import TelemetryConfig
from mangum import Mangum
from mangum.adapter import DEFAULT_TEXT_MIME_TYPES
from pydantic import BaseModel
from starlette.middleware.exceptions import ExceptionMiddleware

from shared import auth
from shared.data import database
from shared.errors import (
    PROBLEM_TYPE,
    ApiError,
    BadRequest,
    BodyTooLarge,
    InternalError,
    RateLimited,
    UnsupportedMediaType,
    ValidationFailed,
    document_error,
    install_error_handlers,
)
from shared.http.requests import CallerRoute, JsonRoute, StrangerRoute
from shared.http.responses import Envelope
from shared.models import Session
from shared.settings import get_settings

# Python's logging HOWTO, "Optimization": what no line of ours has need not be found out for each.
logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
logging.logAsyncioTasks = False  # type: ignore[attr-defined] # there from Python 3.12 on
logging._srcfile = None

_logger = Logger(
    service=get_settings().powertools_service_name,
    level=get_settings().log_level,
    location=None,
    json_deserializer=str,  # Powertools would try each message as JSON
)

_USER_ID = {
    "name": "user_id",
    "in": "path",
    "required": True,
    "description": "The subject of the token",
    "schema": {"type": "string"},
}

# Lambda traces and measures already; FastAPI would look for a recipient at each request.
_TELEMETRY: TelemetryConfig = {"tracing": False, "metrics": False, "logs": False}

# Where the task paths begin, how the document groups them, and their parameters.
_FAMILIES: tuple[tuple[str, str, list[dict[str, Any]]], ...] = (
    ("/api", "tasks of the token's user", []),
    ("/api/{user_id}", "tasks of the user in the path", [_USER_ID]),
)

_ALWAYS_POSSIBLE = (401, 403, 422, 429, 500, 503)
_ALWAYS_POSSIBLE_FOR_ACCOUNTS = (401, 429, 500, 503)
_ALWAYS_POSSIBLE_WITHOUT_TOKEN = (
    BadRequest,
    BodyTooLarge,
    UnsupportedMediaType,
    ValidationFailed,
    RateLimited,
    InternalError,
)

Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])


def create_app(*, with_database: bool = False) -> FastAPI:
    """An app that words every refusal as docs/api.md has it.

    Raises SettingsError where its database is not set up, so that a function stops at its start.
    """
    if with_database:
        database.check_settings()
    # Redirecting a trailing slash away would lose the stage of a URL and the body of a POST.
    app = FastAPI(title="Lambdo", openapi_url=None, redirect_slashes=False, telemetry=_TELEMETRY)
    install_error_handlers(app, _logger)
    return app


def create_caller_app() -> FastAPI:
    """An app whose endpoints have a caller and a database.

    Raises SettingsError where either is not set up.
    """
    auth.check_settings()
    return _create_lean_app(CallerRoute)


def create_sign_in_app() -> FastAPI:
    """An app whose endpoints make callers of strangers.

    Raises SettingsError where accounts are not built in, or its database or secret is not set up.
    """
    auth.check_signing_settings()
    return _create_lean_app(StrangerRoute)


def _create_lean_app(route_class: type[JsonRoute]) -> FastAPI:
    app = create_app(with_database=True)
    app.router.route_class = route_class
    # The rest of FastAPI's middleware is for what a JsonRoute has not, or answers for what nobody
    # caught, as Envelope does.
    app.middleware_stack = ExceptionMiddleware(app.router, handlers=app.exception_handlers)
    return app


def serve_tasks(
    app: FastAPI,
    method: str,
    path: str = "",
    *,
    model: type[BaseModel] | None,
    status: int = 200,
    others: Iterable[int] = (),
) -> Callable[[Endpoint], Endpoint]:
    """Serve an endpoint under both families of task paths: of the user named, and of the caller.

    `model`, `status` and `others` document its answers: the usual one, and the other statuses
    that it has beyond those that all endpoints have.
    """
    responses: dict[int | str, dict[str, Any]] = {
        other: document_error(other) for other in sorted({*_ALWAYS_POSSIBLE, *others})
    }

    def register(endpoint: Endpoint) -> Endpoint:
        for family, tag, parameters in _FAMILIES:
            app.add_api_route(
                f"{family}/tasks{path}",
                endpoint,
                methods=[method],
                response_model=model,
                status_code=status,
                responses=responses,
                tags=[tag],
                openapi_extra={"parameters": parameters, "security": [{"bearer": []}]},
            )
        return endpoint

    return register


def serve_account(
    app: FastAPI,
    method: str,
    path: str = "",
    *,
    model: type[BaseModel] | None,
    status: int = 200,
    others: Iterable[int] = (),
) -> Callable[[Endpoint], Endpoint]:
    """Serve an endpoint on the caller's own account, documented as `serve_tasks` does."""
    return app.api_route(
        f"/api/users/me{path}",
        methods=[method],
        response_model=model,
        status_code=status,
        responses={
            other: document_error(other)
            for other in sorted({*_ALWAYS_POSSIBLE_FOR_ACCOUNTS, *others})
        },
        tags=["account of the token's user"],
        openapi_extra={"security": [{"bearer": []}]},
    )


def serve_sign_in(
    app: FastAPI, path: str, *, status: int, refusal: type[ApiError]
) -> Callable[[Endpoint], Endpoint]:
    """Serve an endpoint that answers a token; `refusal` is what only this one may refuse with."""
    known = {kind.status_code: kind for kind in (*_ALWAYS_POSSIBLE_WITHOUT_TOKEN, refusal)}
    return app.api_route(
        f"/api/auth{path}",
        methods=["POST"],
        response_model=Session,
        status_code=status,
        responses={
            **{other: document_error(other, known[other]) for other in sorted(known)},
            503: document_error(503),
        },
        tags=["built-in accounts"],
    )


def create_handler(app: FastAPI) -> Mangum:
    """What Lambda calls with an API Gateway event (payload format 2.0)."""
    # Lambda has no moment for start-up and shutdown: Mangum would run both on every request.
    # What it does not know for text it would answer in base64.
    text_types = [*DEFAULT_TEXT_MIME_TYPES, PROBLEM_TYPE]
    return Mangum(Envelope(app, _logger), lifespan="off", text_mime_types=text_types)
