"""Every error that the API answers with, and how an exception becomes such an answer."""

import json
import re
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any, ClassVar, TypedDict

from aws_lambda_powertools import Logger, single_metric
from aws_lambda_powertools.metrics import MetricUnit
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from shared.models import MAX_DETAILS

PROBLEM_TYPE = "application/problem+json"
"""RFC 9457's media type for errors."""

# RFC 9110, 12.4.2: weight 0 means "not acceptable".
_NO_WEIGHT = re.compile(r"q=0(\.0*)?")


class Detail(TypedDict):
    """One field that breaks a rule."""

    field: str
    message: str
    type: str
    params: dict[str, Any]


class ApiError(HTTPException):
    """An error that the caller is told of: a status, a code for programs, a message for people.

    It is an HTTPException because FastAPI passes on no other exception while it reads a body.
    """

    status_code: int
    code: str
    detail: str
    always: ClassVar[Mapping[str, str]] = {}
    """Headers that every answer with this code has."""
    reason: str | None = None
    """Why, for the log alone: the caller must not learn it."""

    def __init__(self, message: str | None = None, *, details: list[Detail] | None = None) -> None:
        super().__init__(self.status_code, message or self.detail, dict(self.always))
        self.details = details


class BadRequest(ApiError):
    status_code = 400
    code = "bad_request"
    detail = "The request is malformed."


class CursorInvalid(ApiError):
    status_code = 400
    code = "cursor_invalid"
    detail = (
        "This cursor is not one of ours, or belongs to another sort or other filters; "
        "start again without it."
    )


class Unauthorized(ApiError):
    """The caller is not known. RFC 6750, 3: the challenge names no error if no token was sent."""

    status_code = 401
    always: ClassVar = {"WWW-Authenticate": 'Bearer error="invalid_token"'}

    def __init__(self, *, reason: str | None = None) -> None:
        super().__init__()
        self.reason = reason


class TokenMissing(Unauthorized):
    code = "token_missing"
    detail = "Send an Authorization header with a bearer token."
    always: ClassVar = {"WWW-Authenticate": "Bearer"}


class TokenInvalid(Unauthorized):
    code = "token_invalid"
    detail = "The token is not valid here; sign in again."


class TokenExpired(Unauthorized):
    code = "token_expired"
    detail = "The token has expired; fetch a new one."


class UserUnknown(Unauthorized):
    code = "user_unknown"
    detail = "The token is valid, but its user has no account here."


class CredentialsInvalid(ApiError):
    status_code = 401
    code = "credentials_invalid"
    detail = "There is no account with this e-mail address and password."
    always: ClassVar = {"WWW-Authenticate": "Bearer"}  # RFC 9110, 11.6.1: no 401 goes without


class EmailTaken(ApiError):
    status_code = 409
    code = "conflict"
    detail = "This e-mail address has an account already; log in instead."


class Forbidden(ApiError):
    status_code = 403
    code = "forbidden"
    detail = "The user in the path is not the user of the token."


class NotFound(ApiError):
    status_code = 404
    code = "not_found"
    detail = "There is no such route; GET /docs lists them all."


class TaskNotFound(ApiError):
    status_code = 404
    code = "task_not_found"
    detail = "There is no such task."


class MethodNotAllowed(ApiError):
    status_code = 405
    code = "method_not_allowed"

    def __init__(self, allowed: Iterable[str]) -> None:
        methods = ", ".join(sorted(allowed))
        super().__init__(f"This path answers to {methods}.")
        self.headers = {"Allow": methods}


class Conflict(ApiError):
    status_code = 409
    code = "conflict"
    detail = "Another request changed the same thing at the same moment; try again."


class PreconditionFailed(ApiError):
    status_code = 412
    code = "precondition_failed"
    detail = "The task has changed since you read it; read it again."


class BodyTooLarge(ApiError):
    status_code = 413
    code = "body_too_large"
    detail = "The body is larger than 64 KiB."


class UnsupportedMediaType(ApiError):
    status_code = 415
    code = "unsupported_media_type"
    detail = "Send the body as Content-Type: application/json."


class ValidationFailed(ApiError):
    status_code = 422
    code = "validation_failed"
    detail = "The request breaks a rule; details names each field."


class RateLimited(ApiError):
    status_code = 429
    code = "rate_limited"

    def __init__(self, seconds: int) -> None:
        super().__init__(f"Too many calls within a minute; wait {seconds} s.")
        self.headers = {"Retry-After": str(seconds)}


class DatabaseUnavailable(ApiError):
    status_code = 503
    code = "database_unavailable"
    detail = (
        "The database cannot be reached or is too slow. Reading can be tried again at once; a write"
        " may have been made, so look first."
    )
    always: ClassVar = {"Retry-After": "2"}


class KeysUnavailable(ApiError):
    status_code = 503
    code = "keys_unavailable"
    detail = "The keys that tokens are checked with cannot be had now. Try again."
    always: ClassVar = {"Retry-After": "2"}


class InternalError(ApiError):
    status_code = 500
    code = "internal_error"
    detail = "Something failed on our side; tell us the request_id."


def error_response(error: ApiError, request_id: str, accepted: str) -> Response:
    """The answer to an error, in the shape that all errors have.

    `accepted` is the request's Accept header: if it names PROBLEM_TYPE, the body also has the
    members of RFC 9457.
    """
    body: dict[str, Any] = {
        "code": error.code,
        "message": error.detail,
        "details": error.details,
        "request_id": request_id,
    }
    is_problem = _names_problem_type(accepted)
    if is_problem:
        # RFC 9457, 4.2.1: about:blank adds nothing to the status; `code` does.
        status = HTTPStatus(error.status_code)
        body = {"type": "about:blank", "title": status.phrase, "status": status, **body}
    # ASCII, because a field name from the caller may hold a lone surrogate.
    return Response(
        json.dumps(body, ensure_ascii=True),
        status_code=error.status_code,
        headers=error.headers,
        media_type=PROBLEM_TYPE if is_problem else "application/json",
    )


def _names_problem_type(accepted: str) -> bool:
    for offer in accepted.lower().split(","):
        media_type, *parameters = map(str.strip, offer.split(";"))
        if media_type == PROBLEM_TYPE and not any(map(_NO_WEIGHT.fullmatch, parameters)):
            return True
    return False


def install_error_handlers(app: FastAPI, logger: Logger) -> None:
    """Let `app` answer every error, its framework's own too, with error_response."""

    async def refuse(request: Request, error: Exception) -> Response:
        refusal = _as_api_error(error)
        # For the log line of the call: see shared/http/responses.py.
        request.state.code, request.state.reason = refusal.code, refusal.reason
        if refusal.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
            logger.warning(refusal.code, exc_info=refusal.__cause__)
        if isinstance(refusal, DatabaseUnavailable):
            _count("DatabaseUnavailable", service=logger.service)
        accepted = request.headers.get("accept", "")
        return error_response(refusal, request.state.request_id, accepted)

    for kind in (ApiError, RequestValidationError, HTTPException):
        app.add_exception_handler(kind, refuse)


def _count(name: str, **dimensions: str) -> None:
    """Add one to a CloudWatch metric, which CloudWatch reads from the log."""
    with single_metric(
        name=name,
        unit=MetricUnit.Count,
        value=1,
        namespace="Lambdo",
        default_dimensions=dimensions,
    ):
        pass


def _as_api_error(error: Exception) -> ApiError:
    if isinstance(error, ApiError):
        return error
    if isinstance(error, RequestValidationError):
        if any(
            problem["loc"] == ("body",) and problem["type"] == "missing"
            for problem in error.errors()
        ):
            return BadRequest("The body is empty; send a JSON object.")
        # A body of 64 KiB has room for ten thousand unknown fields.
        problems = error.errors()[:MAX_DETAILS]
        return ValidationFailed(details=[_detail(problem) for problem in problems])
    # API Gateway has chosen this function, though none of its routes matches the path.
    return NotFound()


def _detail(problem: Mapping[str, Any]) -> Detail:
    # FastAPI's location starts with where the value came from: body, query or path.
    source, *path = problem["loc"]
    # Beside numbers and texts, pydantic's context may hold an exception.
    context = problem.get("ctx", {}).items()
    return {
        "field": ".".join(map(str, path)) or str(source),
        "message": problem["msg"],
        "type": problem["type"],
        "params": {name: value for name, value in context if isinstance(value, str | int | float)},
    }
