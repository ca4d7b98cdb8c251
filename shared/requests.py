"""What endpoints read of a request: the caller, a JSON body, preconditions."""

import json
import re
from collections.abc import Callable, Coroutine
from typing import Annotated, Any, NoReturn

from fastapi import Depends, Header, Request, Response
from fastapi.routing import APIRoute
from pydantic import PlainValidator

from shared.auth import authenticate, authorize
from shared.errors import BadRequest, BodyTooLarge, UnsupportedMediaType, ValidationFailed
from shared.models import Caller

MAX_BODY_BYTES = 64 * 1024

_JSON_TYPE = re.compile(r"application/([\w.-]+\+)?json", re.ASCII | re.IGNORECASE)
# RFC 9110, 8.8.3: what stands between the quotes of an entity tag.
_TAG = r'(W/)?"([\x21\x23-\x7e\x80-\xff]*)"'
_TAG_LIST = rf"{_TAG}([ \t]*,[ \t]*{_TAG})*"
_TAGS_SCHEMA: dict[str, Any] = {"pattern": rf"^(\*|{_TAG_LIST})$"}


class JsonRequest(Request):
    """A request whose body, where it is read, is a JSON object."""

    def is_json(self) -> bool:
        """Whether the request says that its body is JSON."""
        media_type = self.headers.get("content-type", "").partition(";")[0].strip()
        return _JSON_TYPE.fullmatch(media_type) is not None

    async def json(self) -> dict[str, Any]:
        """The object in the body.

        Raises BadRequest for what RFC 8259 does not call JSON, ValidationFailed for what it does.
        """
        try:
            # No field is a number, so how large one may be need not be found out.
            value = json.loads(
                (await self.body()).decode(), parse_constant=_refuse_constant, parse_int=float
            )
        except (ValueError, RecursionError) as error:
            raise BadRequest("The body is not JSON.") from error
        if not isinstance(value, dict):
            raise ValidationFailed(
                details=[{"field": "body", "message": "Input should be an object"}]
            )
        return value


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


class JsonRoute(APIRoute):
    """A route whose body, if it has one, is JSON. Raises BodyTooLarge and UnsupportedMediaType."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The route's handler, behind the check of what the body is sent as."""
        handle = super().get_route_handler()

        async def handle_json(request: Request) -> Response:
            json_request = JsonRequest(request.scope, request.receive)
            body = await json_request.body()
            if len(body) > MAX_BODY_BYTES:
                raise BodyTooLarge
            if body and self.body_field is not None and not json_request.is_json():
                raise UnsupportedMediaType
            return await handle(json_request)

        return handle_json


class StrangerRoute(JsonRoute):
    """A route whose caller need not be known. Raises what a JsonRoute does."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The route's handler, told where its caller is."""
        handle = super().get_route_handler()

        async def handle_for_stranger(request: Request) -> Response:
            request.state.caller = Caller("", address=request.client.host if request.client else "")
            return await handle(request)

        return handle_for_stranger


class CallerRoute(JsonRoute):
    """A route that knows its caller before it reads anything else that a stranger may send.

    Raises what authenticate and authorize do, and what a JsonRoute does.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The route's handler, behind the check of the token and of the user in the path."""
        handle = super().get_route_handler()

        async def handle_for_caller(request: Request) -> Response:
            caller = authenticate(request.headers.get("authorization"))
            authorize(caller, request.path_params.get("user_id"))
            request.state.caller = caller
            return await handle(request)

        return handle_for_caller


async def _current_caller(request: Request) -> Caller:
    caller: Caller = request.state.caller
    return caller


CurrentCaller = Annotated[Caller, Depends(_current_caller)]


def _strong_tags(lines: list[str]) -> frozenset[str] | None:
    # RFC 9110, 13.1.1: a strong comparison, which a weak tag never passes.
    return _parse_tags("If-Match", lines, weak=False)


def _weak_tags(lines: list[str]) -> frozenset[str] | None:
    # RFC 9110, 13.1.2: a weak comparison.
    return _parse_tags("If-None-Match", lines, weak=True)


_NO_TAGS: frozenset[str] = frozenset()

# Validators and not dependencies, each of which takes FastAPI 30 us. What they raise comes before
# what is wrong with a value elsewhere.
IfMatch = Annotated[
    frozenset[str] | None,
    PlainValidator(_strong_tags, json_schema_input_type=str),
    Header(
        alias="if-match",
        description="Change it only while its ETag is one of these",
        default_factory=lambda: None,
        json_schema_extra=_TAGS_SCHEMA,
    ),
]
"""The tags of which the task's must be one; None where any will do."""

IfNoneMatch = Annotated[
    frozenset[str] | None,
    PlainValidator(_weak_tags, json_schema_input_type=str),
    Header(
        alias="if-none-match",
        description="Answer 304 while its ETag is one of these",
        default_factory=lambda: _NO_TAGS,  # a class has a signature that takes long to look up
        json_schema_extra=_TAGS_SCHEMA,
    ),
]
"""The tags of the versions that the caller has already; None for any version."""


def _parse_tags(name: str, lines: list[str], *, weak: bool) -> frozenset[str] | None:
    header = ", ".join(lines)
    if header.strip() == "*":
        return None
    if not re.fullmatch(_TAG_LIST, header.strip()):
        raise BadRequest(f"{name} is neither * nor a list of quoted tags.")
    return frozenset(tag for prefix, tag in re.findall(_TAG, header) if weak or not prefix)
