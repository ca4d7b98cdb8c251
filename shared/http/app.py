"""The app factory: from an endpoint to the handler that Lambda calls."""

import logging
from collections.abc import Callable
from typing import Any, TypeVar, cast

from aws_lambda_powertools import Logger
from fastapi import FastAPI
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
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
    BodyTooLarge,
    DatabaseUnavailable,
    InternalError,
    KeysUnavailable,
    RateLimited,
    TokenExpired,
    TokenInvalid,
    TokenMissing,
    UserUnknown,
    ValidationFailed,
    install_error_handlers,
)
from shared.http.requests import CallerRoute, JsonRoute, Route, StrangerRoute
from shared.http.responses import Envelope, Response
from shared.settings import get_settings

# Python's logging HOWTO, "Optimization": no log line here names a thread, process or source line.
logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
logging.logAsyncioTasks = False  # type: ignore[attr-defined] # there from Python 3.12 on
logging._srcfile = None

_logger = Logger(
    service=get_settings().powertools_service_name,
    level=get_settings().log_level,
    location=None,
    json_deserializer=str,  # Powertools would try to parse each message as JSON
)

# Lambda traces and measures already. FastAPI would look for a telemetry provider on each request.
_TELEMETRY: TelemetryConfig = {"tracing": False, "metrics": False, "logs": False}

# What every endpoint may refuse with, by who may call it. JsonRoute.list_errors adds what follows
# from an endpoint's parameters.
_PAGES_RAISE = (InternalError,)
_STRANGERS_RAISE = (
    *_PAGES_RAISE,
    BodyTooLarge,
    ValidationFailed,
    RateLimited,
    DatabaseUnavailable,
    KeysUnavailable,
)
_CALLERS_RAISE = (*_STRANGERS_RAISE, TokenMissing, TokenExpired, TokenInvalid, UserUnknown)
_ALWAYS_RAISED: dict[type[APIRoute], tuple[type[ApiError], ...]] = {
    Route: _PAGES_RAISE,
    StrangerRoute: _STRANGERS_RAISE,
    CallerRoute: _CALLERS_RAISE,
}

Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])


def create_app(*, with_database: bool = False) -> FastAPI:
    """An app that answers every error in the one shape that docs/api.md describes.

    Raises SettingsError if its database is not set up, so that a function stops at its start.
    """
    if with_database:
        database.check_settings()
    # A redirect to the path without its trailing slash would lose the stage and the body of a POST.
    app = FastAPI(title="Lambdo", openapi_url=None, redirect_slashes=False, telemetry=_TELEMETRY)
    app.router.route_class = Route
    install_error_handlers(app, _logger)
    return app


def create_caller_app() -> FastAPI:
    """An app whose endpoints have a caller and a database.

    Raises SettingsError if either is not set up.
    """
    auth.check_settings()
    return _create_lean_app(CallerRoute)


def create_sign_in_app() -> FastAPI:
    """An app whose endpoints anybody may call, to register or to log in.

    Raises SettingsError if accounts are not built in, or its database or secret is not set up.
    """
    auth.check_signing_settings()
    return _create_lean_app(StrangerRoute)


def _create_lean_app(route_class: type[JsonRoute]) -> FastAPI:
    app = create_app(with_database=True)
    app.router.route_class = route_class
    # FastAPI's other middleware closes what dependencies opened, which a JsonRoute has none of, and
    # answers unhandled exceptions, which Envelope does.
    app.middleware_stack = ExceptionMiddleware(app.router, handlers=app.exception_handlers)
    return app


def serve(
    app: FastAPI,
    route: str,
    *,
    model: type[BaseModel] | None = None,
    status: int = 200,
    raises: tuple[type[ApiError], ...] = (),
    response_class: type[Response] = JSONResponse,
) -> Callable[[Endpoint], Endpoint]:
    """Serve an endpoint at a route such as `GET /api/tasks`; tasks also below /api/{user_id}.

    The rest is for the document: the `status` of a success, its body, which is `model` as JSON
    unless `response_class` has another media type, and the errors that the endpoint `raises`.
    Errors that every endpoint of the app may answer with, or that follow from its parameters, need
    not be named.
    """
    route_class = cast(type[Route], app.router.route_class)  # create_app chooses it
    method, path = route.split(" ")
    paths = [path]
    if path.startswith("/api/tasks"):
        paths.append(path.replace("/api/", "/api/{user_id}/", 1))

    def register(endpoint: Endpoint) -> Endpoint:
        app.router.routes += [
            route_class(
                each,
                endpoint,
                methods=[method],
                status_code=status,
                response_class=response_class,
                model=model,
                raises=(*_ALWAYS_RAISED[route_class], *raises),
            )
            for each in paths
        ]
        return endpoint

    return register


def create_handler(app: FastAPI) -> Mangum:
    """The handler that Lambda calls with an API Gateway event (payload format 2.0)."""
    # Mangum would run start-up and shutdown on every request. It sends media types that it does
    # not know as text in base64.
    text_types = [*DEFAULT_TEXT_MIME_TYPES, PROBLEM_TYPE]
    return Mangum(Envelope(app, _logger), lifespan="off", text_mime_types=text_types)
