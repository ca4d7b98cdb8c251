"""What endpoints read of a request: the caller, a JSON body, preconditions.

JsonRoute uses parts of FastAPI that its documentation does not name: `APIRoute.dependant`, which
says what an endpoint takes; `request_params_to_args`, `request_body_to_args` and `ModelField`,
which validate it. FastAPI calls these itself, but only together with its dependencies, exit stacks
and response models, which cost each request 100 us. tests/unit/test_private_parts.py fails on
another minor version of FastAPI and says what to check.
"""

import functools
import json
import re
from collections.abc import Iterable, Iterator
from typing import Annotated, Any, NoReturn, get_origin

from fastapi import Depends, Header, Query, Request, Response
from fastapi._compat import ModelField
from fastapi.dependencies.utils import request_body_to_args, request_params_to_args
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import BaseModel, PlainValidator
from pydantic_core import PydanticUndefined
from starlette.datastructures import QueryParams
from starlette.types import Receive, Scope, Send

from shared.auth import authenticate, authorize
from shared.callers import Caller, Stranger
from shared.errors import (
    ApiError,
    BadRequest,
    BodyTooLarge,
    Conflict,
    Forbidden,
    NotFound,
    PreconditionFailed,
    UnsupportedMediaType,
    ValidationFailed,
)

# Functions take these from here: tests/unit/test_imports.py says why.
__all__ = ["CurrentCaller", "CurrentStranger", "IfMatch", "IfNoneMatch", "Query", "Request"]

MAX_BODY_BYTES = 64 * 1024

_JSON_TYPE = re.compile(r"application/([\w.-]+\+)?json", re.ASCII | re.IGNORECASE)
# RFC 9110, 8.8.3: what stands between the quotes of an entity tag.
_TAG = r'(W/)?"([\x21\x23-\x7e\x80-\xff]*)"'
_TAG_LIST = rf"{_TAG}([ \t]*,[ \t]*{_TAG})*"
_TAGS_SCHEMA: dict[str, Any] = {"pattern": rf"^(\*|{_TAG_LIST})$"}


class JsonRequest(Request):
    """A request whose body, if it is read, is a JSON object."""

    def is_json(self) -> bool:
        """Whether the request says that its body is JSON."""
        media_type = self.headers.get("content-type", "").partition(";")[0].strip()
        return _JSON_TYPE.fullmatch(media_type) is not None

    async def json(self) -> dict[str, Any]:
        """The object in the body.

        Raises BadRequest if the body is not JSON (RFC 8259), ValidationFailed if it is not an
        object.
        """
        try:
            # No field is a number, so integers need not be exact; parsing long ones takes time.
            value = json.loads(
                (await self.body()).decode(), parse_constant=_refuse_constant, parse_int=float
            )
        except (ValueError, RecursionError) as error:
            raise BadRequest("The body is not JSON.") from error
        if not isinstance(value, dict):
            raise ValidationFailed(
                details=[
                    {
                        "field": "body",
                        "message": "Input should be an object",
                        "type": "dict_type",
                        "params": {},
                    }
                ]
            )
        return value


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


class Route(APIRoute):
    """A route that keeps what only the document needs: its `model`, and the errors it `raises`.

    FastAPI would build a validator for each model and each error at every cold start, though no
    request needs one. infra/openapi.py asks for them when it makes the document.
    """

    def __init__(
        self,
        *arguments: Any,
        model: type[BaseModel] | None = None,
        raises: Iterable[type[ApiError]] = (),
        **options: Any,
    ) -> None:
        """A route as FastAPI makes it, without a response model."""
        super().__init__(*arguments, **{**options, "response_model": None})
        self.model = model
        self.raises = frozenset(raises)
        self.headers = frozenset(each.alias for each in self.dependant.header_params)

    def list_errors(self) -> frozenset[type[ApiError]]:
        """Every error that the endpoint may answer with."""
        return self.raises


class JsonRoute(Route):
    """A route whose body, if it has one, is JSON, and whose endpoint answers a Response.

    FastAPI documents and validates what the endpoint takes, and does no more than that.

    Raises BodyTooLarge, UnsupportedMediaType, RequestValidationError, and whatever `find_caller`
    raises.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        """A route as FastAPI makes it. Raises TypeError if the endpoint has other dependencies."""
        super().__init__(*arguments, **options)
        if any(each.call is not _current_caller for each in self.dependant.dependencies):
            raise TypeError(f"{self.name}: an endpoint may depend on its caller alone")
        self.app = self._answer
        # Looked up once, because pydantic takes long to find a default.
        self._header_defaults = {
            each.name: each.default
            for each in self.dependant.header_params
            if not each.field_info.is_required()
        }
        self._query_names = frozenset(_names_of(self.dependant.query_params))

    def list_errors(self) -> frozenset[type[ApiError]]:
        """The errors that the endpoint names, and those that follow from what it takes."""
        implied = {
            # A slash in a parameter arrives decoded, so that no route matches the path.
            NotFound: "{" in self.path,
            Forbidden: "{user_id}" in self.path,
            BadRequest: self.body_field or self.headers & {"if-match", "if-none-match"},
            UnsupportedMediaType: self.body_field,
            PreconditionFailed: "if-match" in self.headers,
            Conflict: self.methods != {"GET"},
        }
        return self.raises.union(error for error, is_possible in implied.items() if is_possible)

    def find_caller(self, request: Request) -> Caller | Stranger:
        """Who calls. Nothing else of the request is read before."""
        raise NotImplementedError

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = JsonRequest(scope, receive)
        caller = self.find_caller(request)
        arguments = await self._read_arguments(request)
        for dependency in self.dependant.dependencies:
            arguments[str(dependency.name)] = caller
        response: Response = await self.endpoint(**arguments)
        await response(scope, receive, send)

    async def _read_arguments(self, request: JsonRequest) -> dict[str, Any]:
        """The endpoint's arguments, except for its caller."""
        declared = self.dependant
        content = await request.body()
        if len(content) > MAX_BODY_BYTES:
            raise BodyTooLarge
        if content and declared.body_params and not request.is_json():
            raise UnsupportedMediaType
        body = await request.json() if content and declared.body_params else PydanticUndefined
        found = [request_params_to_args(declared.path_params, request.path_params)]
        if declared.query_params:
            found.append(self._read_query(request.query_params))
        if headers := [
            each
            for each in declared.header_params
            if each.alias in request.headers or each.name not in self._header_defaults
        ]:
            found.append(request_params_to_args(headers, request.headers))
        if declared.body_params:
            found.append(await request_body_to_args(declared.body_params, body, False))
        unknown = [name for name in request.query_params if name not in self._query_names]
        found.append(({}, [_refuse_name(name) for name in unknown]))
        if errors := [error for _, wrong in found for error in wrong]:
            raise RequestValidationError(errors)
        arguments = dict(self._header_defaults)
        for values, _ in found:
            arguments |= values
        if declared.request_param_name:
            arguments[declared.request_param_name] = request
        return arguments

    def _read_query(self, query: QueryParams) -> tuple[dict[str, Any], list[Any]]:
        """The endpoint's one model of the query, or its parameters, and what is wrong with them."""
        first = self.dependant.query_params[0]
        model = _model_of(first)
        if model is None:
            return request_params_to_args(self.dependant.query_params, query)
        # FastAPI would inspect the type of every field of the model, sent or not, on each request.
        values = {
            name: query.getlist(name) if name in _list_fields(model) else query[name]
            for name in query
        }
        value, errors = first.validate(values, loc=("query",))
        return {first.name: value}, errors


def _model_of(parameter: ModelField) -> type[BaseModel] | None:
    """The model that a parameter reads the whole query into, if it does."""
    kind = parameter.field_info.annotation
    return kind if isinstance(kind, type) and issubclass(kind, BaseModel) else None


def _names_of(parameters: list[ModelField]) -> Iterator[str]:
    for parameter in parameters:
        model = _model_of(parameter)
        yield from [parameter.alias] if model is None else model.model_fields


def _refuse_name(name: str) -> dict[str, Any]:
    # As pydantic words it for a name in a body.
    message = "Extra inputs are not permitted"
    return {"type": "extra_forbidden", "loc": ("query", name), "msg": message, "input": None}


@functools.cache
def _list_fields(model: type[BaseModel]) -> frozenset[str]:
    """The fields that a query may repeat."""
    fields = model.model_fields.items()
    return frozenset(name for name, field in fields if get_origin(field.annotation) is list)


class StrangerRoute(JsonRoute):
    """A route whose caller need not be known."""

    def find_caller(self, request: Request) -> Stranger:
        """Somebody of whom nothing is known but where the call comes from."""
        return Stranger(request.client.host if request.client else "")


class CallerRoute(JsonRoute):
    """A route whose caller has a token, and is the user in the path."""

    def find_caller(self, request: Request) -> Caller:
        """The user of the token. Raises what `authenticate` and `authorize` do."""
        caller = authenticate(request.headers.get("authorization"))
        authorize(caller, request.path_params.get("user_id"))
        return caller


def _current_caller() -> None:
    """Marks the parameter that JsonRoute fills with the caller."""


CurrentCaller = Annotated[Caller, Depends(_current_caller)]
CurrentStranger = Annotated[Stranger, Depends(_current_caller)]


def _strong_tags(lines: list[str]) -> frozenset[str] | None:
    # RFC 9110, 13.1.1: a strong comparison, which a weak tag never passes.
    return _parse_tags("If-Match", lines, weak=False)


def _weak_tags(lines: list[str]) -> frozenset[str] | None:
    # RFC 9110, 13.1.2: a weak comparison.
    return _parse_tags("If-None-Match", lines, weak=True)


_NO_TAGS: frozenset[str] = frozenset()

# Validators and not dependencies, each of which takes FastAPI 30 us. The errors they raise take
# precedence over invalid values elsewhere in the request.
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
"""The task's tag must be one of these; None accepts any."""

IfNoneMatch = Annotated[
    frozenset[str] | None,
    PlainValidator(_weak_tags, json_schema_input_type=str),
    Header(
        alias="if-none-match",
        description="Answer 304 while its ETag is one of these",
        default_factory=lambda: _NO_TAGS,  # pydantic inspects the signature: a class takes long
        json_schema_extra=_TAGS_SCHEMA,
    ),
]
"""The tags of the versions that the caller already has; None for any version."""


def _parse_tags(name: str, lines: list[str], *, weak: bool) -> frozenset[str] | None:
    header = ", ".join(lines)
    if header.strip() == "*":
        return None
    if not re.fullmatch(_TAG_LIST, header.strip()):
        raise BadRequest(f"{name} is neither * nor a list of quoted tags.")
    return frozenset(tag for prefix, tag in re.findall(_TAG, header) if weak or not prefix)
