"""What every answer has, whichever function gives it and however it went."""

import gzip
import re
import time
from urllib.parse import quote

from aws_lambda_powertools import Logger
from fastapi import Request, Response
from fastapi.responses import HTMLResponse
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.data import limits
from shared.data.limits import Allowance
from shared.errors import InternalError, error_response
from shared.runtime import deadline
from shared.tasks.store import StoredTask

# Functions take these from here: tests/unit/test_imports.py says why.
__all__ = ["HTMLResponse", "JsonResponse", "Response", "created", "versioned"]

MIN_GZIP_BYTES = 1024
GZIP_LEVEL = 4

WINDOW = 60
"""Seconds within which calls are counted together."""

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")
# RFC 9110, 12.5.3: a coding whose weight is zero is refused.
_ACCEPTS_GZIP = re.compile(r"(^|,)\s*gzip\s*(;\s*q=(?!0(\.0*)?\s*(,|$))|,|$)", re.IGNORECASE)


class JsonResponse(Response):
    """An answer whose JSON is made already."""

    media_type = "application/json"


def created(task: StoredTask, request: Request) -> Response:
    """201 with the task and its tag, and where it is."""
    location = f"{quote(request.scope['path'])}/{task.id}"
    headers = {"Location": location, "ETag": f'"{task.etag}"'}
    return JsonResponse(task.json, status_code=201, headers=headers)


def versioned(task: StoredTask, known: frozenset[str] | None = frozenset()) -> Response:
    """200 with the task and its tag, or 304 where `known` has that; None stands for all tags."""
    headers = {"ETag": f'"{task.etag}"'}
    if known is None or task.etag in known:
        return Response(status_code=304, headers=headers)
    return JsonResponse(task.json, headers=headers)


class Envelope:
    """Wraps an app: identifies, logs, tags and compresses, and answers for what nobody caught."""

    def __init__(self, app: ASGIApp, logger: Logger) -> None:
        self.app = app
        self.logger = logger

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, as ASGI has it."""
        started = time.perf_counter()
        deadline.start_call()
        limits.start_call()
        # API Gateway has decoded the path already, and Mangum has done so once more.
        scope["path"] = scope["aws.event"]["rawPath"]
        request_headers = Headers(scope=scope)
        request_id = request_headers.get("x-request-id", "")
        if not _REQUEST_ID.fullmatch(request_id):
            request_id = scope["aws.event"]["requestContext"]["requestId"]
        scope["state"] = {"request_id": request_id}
        self.logger.set_correlation_id(request_id)

        answer = _Answer()
        try:
            await self.app(scope, receive, answer.collect)
        except Exception:
            self.logger.exception("unhandled exception")
            answer = _Answer()
            scope["state"]["code"] = InternalError.code
            response = error_response(
                InternalError(), request_id, request_headers.get("accept", "")
            )
            await response(scope, receive, answer.collect)

        # A list of its own: a response may be one that is answered more than once.
        headers = MutableHeaders(raw=[*answer.start["headers"]])
        more = {
            "x-request-id": request_id,
            "x-content-type-options": "nosniff",
            "cache-control": "private, no-cache" if "etag" in headers else "no-store",
            **_tell_limits(limits.find_allowance()),
        }
        headers.raw.extend((name.encode(), value.encode()) for name, value in more.items())
        if len(answer.body) > MIN_GZIP_BYTES:
            headers.add_vary_header("Accept-Encoding")
            if _ACCEPTS_GZIP.search(request_headers.get("accept-encoding", "")):
                answer.body = gzip.compress(answer.body, GZIP_LEVEL, mtime=0)
                headers["content-encoding"] = "gzip"
                headers["content-length"] = str(len(answer.body))

        self.logger.info(
            "answered",
            route=scope["aws.event"]["routeKey"],
            method=scope["method"],
            status=answer.start["status"],
            # What is None is left out.
            code=scope["state"].get("code"),
            reason=scope["state"].get("reason"),
            duration_ms=round((time.perf_counter() - started) * 1000, 1),
        )
        await send({**answer.start, "headers": headers.raw})
        await send({"type": "http.response.body", "body": answer.body})


def _tell_limits(allowance: Allowance | None) -> dict[str, str]:
    """The headers that tell a caller whose call was counted what is left."""
    if allowance is None:
        return {}
    limit, remaining, seconds = allowance.limit, allowance.remaining, allowance.seconds_left
    return {
        "ratelimit-limit": str(limit),
        "ratelimit-remaining": str(remaining),
        "ratelimit-reset": str(seconds),
        # draft-ietf-httpapi-ratelimit-headers-11
        "ratelimit": f'"default";r={remaining};t={seconds}',
        "ratelimit-policy": f'"default";q={limit};w={WINDOW}',
    }


class _Answer:
    """What an app sent, kept until it is known to be the whole answer."""

    def __init__(self) -> None:
        self.start: Message = {}
        self.body = b""

    async def collect(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.start = message
        else:
            self.body += message.get("body", b"")
