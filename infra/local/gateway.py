"""API Gateway's part: turns HTTP requests into events (payload format 2.0), and answers into HTTP.

It has no logic of its own that a handler could come to need. Where it answers by itself, it says
what an HTTP API says.
"""

import asyncio
import base64
import logging
import uuid
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from urllib.parse import parse_qsl

import uvicorn
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from infra.local.workers import Answer, Event, Workers
from infra.template import DEFAULT_ROUTE, CorsRules, Route

MAX_BODY_BYTES = 10 * 1024 * 1024
TIMEOUT = 30
"""Seconds: an HTTP API's limits, which cannot be raised."""

_logger = logging.getLogger(__name__)

_TEXT_TYPES = ("text/", "application/json", "application/javascript", "application/xml")


class Gateway:
    """An ASGI app that serves `routes` to pages of `origins`, among others."""

    def __init__(self, routes: Sequence[Route], cors: CorsRules, origins: Sequence[str]) -> None:
        self.routes = routes
        self.cors = cors
        self.origins = origins
        self.workers = Workers(routes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request, as ASGI has it."""
        request = Request(scope, receive)
        origin = request.headers.get("origin")
        if (
            request.method == "OPTIONS"
            and origin is not None
            and "access-control-request-method" in request.headers
        ):
            response = Response(status_code=204, headers=self._preflight_headers(origin))
        else:
            response = await self._answer(request)
            response.headers.update(self._origin_headers(origin))
        await response(scope, receive, send)

    def close(self) -> None:
        """Stop the workers, once they are done with what they have."""
        self.workers.close()

    async def _answer(self, request: Request) -> Response:
        body = b""
        async for chunk in request.stream():
            body += chunk
            if len(body) > MAX_BODY_BYTES:
                return _own_answer(413, "Request Entity Too Large")
        route, parameters = match_route(self.routes, request.method, request.scope["path"])
        event = make_event(request, body, route, parameters)
        invocation = asyncio.create_task(self.workers.invoke(route, event))
        try:
            # Shielded: a worker goes on with what nobody waits for any more, and is not idle yet.
            return _make_response(await asyncio.wait_for(asyncio.shield(invocation), TIMEOUT))
        except TimeoutError:
            return _own_answer(503, "Service Unavailable")
        except Exception:
            _logger.exception("%s failed", route.handler)
        return _own_answer(500, "Internal Server Error")

    def _preflight_headers(self, origin: str) -> dict[str, str]:
        headers = self._origin_headers(origin)
        if headers:
            del headers["access-control-expose-headers"]
            headers["access-control-allow-methods"] = ",".join(self.cors.methods)
            headers["access-control-allow-headers"] = ",".join(self.cors.headers).lower()
            headers["access-control-max-age"] = str(self.cors.max_age)
        return headers

    def _origin_headers(self, origin: str | None) -> dict[str, str]:
        if origin is None or not {origin, "*"}.intersection(self.origins):
            return {}
        return {
            "access-control-allow-origin": "*" if "*" in self.origins else origin,
            "access-control-expose-headers": ",".join(self.cors.exposed).lower(),
        }


def make_server(app: ASGIApp) -> uvicorn.Server:
    """What speaks HTTP for the gateway."""
    # API Gateway believes no caller who says where a call comes from; uvicorn would those nearby.
    config = uvicorn.Config(
        app, lifespan="off", log_level="warning", access_log=False, proxy_headers=False
    )
    return uvicorn.Server(config)


def match_route(routes: Sequence[Route], method: str, path: str) -> tuple[Route, dict[str, str]]:
    """The route for a request, and the values of its path's parameters.

    Of several, the one whose path is fixed the longest from the left; $default if there is none.
    """
    segments = path.split("/")
    found = []
    default = None
    for route in routes:
        if route.key == DEFAULT_ROUTE:
            default = route
            continue
        pattern = route.path.split("/")
        parameters = [part.startswith("{") for part in pattern]
        if (
            route.method == method
            and len(pattern) == len(segments)
            and all(
                value if free else value == part
                for part, free, value in zip(pattern, parameters, segments, strict=True)
            )
        ):
            found.append((parameters, route, pattern))
    if not found:
        if default is None:
            raise LookupError("template.yaml has no $default route")
        return default, {}
    parameters, route, pattern = min(found, key=lambda match: match[0])
    values = zip(pattern, parameters, segments, strict=True)
    return route, {part.strip("{}"): value for part, free, value in values if free}


def make_event(request: Request, body: bytes, route: Route, parameters: dict[str, str]) -> Event:
    """The event of an HTTP request, in API Gateway's payload format 2.0.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
    """
    path = request.scope["path"]
    query = request.scope["query_string"].decode("ascii")
    now = datetime.now(UTC)
    server, port = request.scope["server"]
    source = request.client.host if request.client else "127.0.0.1"
    headers = {
        **_join_values(request.headers.items()),
        # API Gateway takes requests for its own name only.
        "host": f"{server}:{port}" if ":" not in server else "localhost",
        "x-forwarded-for": source,
        "x-forwarded-port": str(port),
        "x-forwarded-proto": request.scope["scheme"],
    }
    cookies = headers.pop("cookie", None)
    text = _as_text(body, headers.get("content-type", ""))
    event: Event = {
        "version": "2.0",
        "routeKey": route.key,
        "rawPath": path,
        "rawQueryString": query,
        "headers": headers,
        "requestContext": {
            "accountId": "000000000000",
            "apiId": "local",
            "domainName": "localhost",
            "domainPrefix": "localhost",
            "http": {
                "method": request.method,
                "path": path,
                "protocol": f"HTTP/{request.scope['http_version']}",
                "sourceIp": source,
                "userAgent": headers.get("user-agent", ""),
            },
            "requestId": str(uuid.uuid4()),
            "routeKey": route.key,
            "stage": "$default",
            "time": now.strftime("%d/%b/%Y:%H:%M:%S +0000"),
            "timeEpoch": int(now.timestamp() * 1000),
        },
        "isBase64Encoded": text is None,
    }
    if cookies:
        event["cookies"] = cookies.split("; ")
    if query:
        event["queryStringParameters"] = _join_values(parse_qsl(query, keep_blank_values=True))
    if parameters:
        event["pathParameters"] = parameters
    if body:
        event["body"] = base64.b64encode(body).decode() if text is None else text
    return event


def _join_values(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    joined: dict[str, str] = {}
    for name, value in pairs:
        joined[name] = f"{joined[name]},{value}" if name in joined else value
    return joined


def _as_text(body: bytes, content_type: str) -> str | None:
    """The body as an event carries it, or None where it has to be encoded."""
    if body and not content_type.startswith(_TEXT_TYPES):
        return None
    try:
        return body.decode()
    except UnicodeDecodeError:
        return None


def _make_response(answer: Answer) -> Response:
    body = answer.get("body", "")
    response = Response(
        base64.b64decode(body) if answer.get("isBase64Encoded") else body,
        status_code=answer["statusCode"],
        headers=answer.get("headers", {}),
    )
    for cookie in answer.get("cookies", []):
        response.headers.append("set-cookie", cookie)
    return response


def _own_answer(status: int, message: str) -> Response:
    return JSONResponse({"message": message}, status)
