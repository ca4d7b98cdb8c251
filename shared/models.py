"""A task's fields, once, and the shapes that callers send and receive.

The table and its statements are made of the same fields: see shared/queries.
"""

import copy
import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar, Literal, TypeVar
from uuid import UUID

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    create_model,
    model_validator,
)
from pydantic_core import PydanticCustomError

TITLE_LENGTH = 500
DESCRIPTION_LENGTH = 5000
MAX_TASKS = 1000
"""Tasks on one page, of a listing or of an export."""

MAX_DETAILS = 100

_RFC_3339 = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)",
    re.ASCII | re.IGNORECASE,
)


def storable(text: str) -> str:
    """The text itself. Raises PydanticCustomError for one that Postgres cannot keep."""
    # Any Unicode but NUL can be kept; half a surrogate pair is refused by pydantic itself.
    if "\0" in text:
        raise PydanticCustomError("nul", "Input should not contain the NUL character")
    return text


def stripped(text: object) -> object:
    """Text without the white space at its ends; anything else as it is."""
    return text.strip() if isinstance(text, str) else text


def parse_instant(text: object) -> datetime:
    """A point in time, in UTC, from RFC 3339 text with an offset.

    Raises PydanticCustomError for anything else, and for times outside the years 1 to 9999 UTC.
    """
    if isinstance(text, str) and _RFC_3339.fullmatch(text):
        try:
            return datetime.fromisoformat(text.upper()).astimezone(UTC)
        except (ValueError, OverflowError):
            pass
    raise PydanticCustomError(
        "rfc3339", "Input should be a time with an offset, such as 2026-01-31T12:00:00Z"
    )


Title = Annotated[
    str,
    Field(min_length=1, max_length=TITLE_LENGTH),
    AfterValidator(storable),
    BeforeValidator(stripped),
]
Description = Annotated[str, Field(max_length=DESCRIPTION_LENGTH), AfterValidator(storable)]
SearchText = Annotated[str, Field(max_length=TITLE_LENGTH), AfterValidator(storable)]
Instant = Annotated[datetime, BeforeValidator(parse_instant)]
Priority = Literal["low", "medium", "high"]
Sort = Literal[
    "created_at",
    "-created_at",
    "updated_at",
    "-updated_at",
    "due_at",
    "-due_at",
    "priority",
    "-priority",
    "title",
    "-title",
]


_READ_ONLY: dict[str, Any] = {"readOnly": True}
"""What OpenAPI calls a field that Lambdo sets. Callers may send it back; then it is ignored."""

_SET_BY_LAMBDO = Field(json_schema_extra=_READ_ONLY)


class TaskFields(BaseModel):
    """The fields of a task. Each is defined here and nowhere else.

    What callers send, what they are answered, the table, its statements and its rules are made of
    this. A field that callers set needs a default that existing tasks can have, or allows null.
    """

    id: Annotated[UUID, _SET_BY_LAMBDO]
    user_id: Annotated[str, _SET_BY_LAMBDO]
    title: Title
    description: Description | None = None
    priority: Priority = "medium"
    due_at: Instant | None = None
    is_completed: StrictBool = False
    completed_at: Annotated[datetime | None, _SET_BY_LAMBDO]
    created_at: Annotated[datetime, _SET_BY_LAMBDO]
    updated_at: Annotated[datetime, _SET_BY_LAMBDO]


READ_ONLY_FIELDS = frozenset(
    name for name, field in TaskFields.model_fields.items() if field.json_schema_extra == _READ_ONLY
)
CHANGEABLE_FIELDS = tuple(name for name in TaskFields.model_fields if name not in READ_ONLY_FIELDS)
"""What callers may change, in the order of TaskFields."""


class Task(TaskFields):
    """A task as it is answered. All times are UTC and end in Z."""

    model_config = ConfigDict(json_schema_serialization_defaults_required=True)


class TaskPage(BaseModel):
    """One page of a listing; `next_cursor` is null on the last one."""

    tasks: list[Task] = Field(max_length=MAX_TASKS)
    next_cursor: str | None
    total: int = Field(
        default=0, description="How many tasks match; only there when with_total=true was asked for"
    )


def _document_ignored(schema: dict[str, Any], body: type["_TaskBody"]) -> None:
    for name in sorted(body.ignored):
        schema["properties"][name] = {"description": "Ignored"}


class _TaskBody(BaseModel):
    """A body that names its fields exactly, except that what a GET answered may be sent back."""

    model_config = ConfigDict(extra="forbid", json_schema_extra=_document_ignored)
    ignored: ClassVar[frozenset[str]] = READ_ONLY_FIELDS

    @model_validator(mode="before")
    @classmethod
    def _drop_ignored(cls, body: object) -> object:
        if not isinstance(body, dict):
            return body
        return {name: value for name, value in body.items() if name not in cls.ignored}


_Body = TypeVar("_Body", bound=_TaskBody)


def _drop_default(schema: dict[str, Any]) -> None:
    schema.pop("default", None)


def _takes(
    fields: Iterable[str], *, optional: bool = False
) -> Callable[[type[_Body]], type[_Body]]:
    """Give a body these fields of a task.

    An optional field may be absent, which is not the same as null: null is a value, and refused
    unless the field's type allows it.
    """

    def add(body: type[_Body]) -> type[_Body]:
        taken: dict[str, Any] = {}
        for name in fields:
            field = TaskFields.model_fields[name]
            given = Field(
                default=None, description=field.description, json_schema_extra=_drop_default
            )
            taken[name] = (field.rebuild_annotation(), given if optional else copy.copy(field))
        return create_model(body.__name__, __base__=body, __doc__=body.__doc__, **taken)

    return add


_NOT_AT_FIRST = frozenset({"is_completed"})


@_takes(name for name in CHANGEABLE_FIELDS if name not in _NOT_AT_FIRST)
class TaskCreate(_TaskBody):
    """A new task. It is open at first, so `is_completed` is ignored with the read-only fields."""

    ignored = READ_ONLY_FIELDS | _NOT_AT_FIRST


class Changes(_TaskBody):
    """A body in which a field that is not sent stays as it is."""

    def sent(self) -> dict[str, Any]:
        """The fields that were sent, as JSON values."""
        return self.model_dump(mode="json", exclude_unset=True)


@_takes(CHANGEABLE_FIELDS, optional=True)
class TaskChanges(Changes):
    """The fields of a task to change; one that is not sent never changes."""


@_takes(["is_completed"], optional=True)
class TaskCompletion(Changes):
    """Whether the task is to be completed."""


NO_BODY: Any = None
"""What an endpoint is given for a body that was left out, as it may be; null is not one."""


class TaskQuery(BaseModel):
    """Which of the caller's tasks to list, in which order, and where to go on."""

    status: Literal["all", "pending", "completed"] = "all"
    priority: list[Priority] = Field(default=[], max_length=10, description="One or more of these")
    due_before: Instant | None = Field(default=None, description="Due before this time")
    due_after: Instant | None = Field(default=None, description="Due at this time or later")
    q: SearchText = Field(
        default="", description="Every word of it begins a word of the title or description"
    )
    sort: Sort = Field(default="-created_at", description="`-` in front for descending")
    limit: int = Field(default=100, ge=1, le=MAX_TASKS)
    cursor: str | None = Field(default=None, description="next_cursor of the page before this one")
    with_total: bool = Field(default=False, description="Count all that match, too")


class UserFields(BaseModel):
    """The fields of a user: of the answer and of the table."""

    id: str
    email: str | None = Field(description="Null where the user's token had none")
    created_at: datetime
    updated_at: datetime


class User(UserFields):
    """A user as it is answered. All times are UTC and end in Z."""


class Session(BaseModel):
    """A user, and the token to call with from here on."""

    access_token: str
    token_type: Literal["bearer"]
    expires_in: int = Field(description="Seconds")
    user: User


class Export(BaseModel):
    """All that is kept of a user; `next_cursor` is null unless there are more tasks to come."""

    user: User
    tasks: list[Task] = Field(max_length=MAX_TASKS)
    next_cursor: UUID | None


class Health(BaseModel):
    """The service, or the service and its database, can answer."""

    status: Literal["ok"] = "ok"


class ErrorBody(BaseModel):
    """What every error looks like."""

    code: str = Field(description="For programs")
    message: str = Field(description="For people")
    details: Annotated[list["ErrorDetail"], Field(max_length=MAX_DETAILS)] | None
    request_id: str


class ErrorDetail(BaseModel):
    """One field that breaks a rule."""

    field: str
    message: str = Field(description="For people")
    type: str = Field(description="Which rule, for programs: such as `string_too_long`")
    params: dict[str, str | int | float] = Field(
        description="What the rule is about: such as `max_length`"
    )


class Problem(ErrorBody):
    """What every error looks like to those who accept application/problem+json (RFC 9457)."""

    type: Literal["about:blank"]
    title: str = Field(description="What the status is called")
    status: int
