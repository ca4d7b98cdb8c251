"""The shapes that callers send and receive. tables.py has the shapes that are stored."""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar, Literal
from uuid import UUID

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
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


@dataclass(frozen=True, slots=True)
class Allowance:
    """How many calls somebody has a minute, how many of them are left, and until when."""

    limit: int
    remaining: int
    seconds_left: int


@dataclass(slots=True)
class Caller:
    """The user that a verified token speaks for, or a stranger, whose `user_id` is empty.

    The database says how many calls are left to them.
    """

    user_id: str
    email: str | None = None
    registered: bool = False
    """Whether the token is one of ours: its user was made by registering, or is gone."""
    address: str = ""
    """Where a stranger's call comes from: an IP address."""
    allowance: Allowance | None = field(default=None, compare=False)


class Task(BaseModel):
    """A task as it is answered. All times are UTC and end in Z."""

    id: UUID
    user_id: str
    title: str
    description: str | None
    priority: Priority
    due_at: datetime | None
    is_completed: bool
    completed_at: datetime | None
    created_at: datetime
    updated_at: datetime


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
    ignored: ClassVar[frozenset[str]] = frozenset(
        {"id", "user_id", "completed_at", "created_at", "updated_at"}
    )

    @model_validator(mode="before")
    @classmethod
    def _drop_ignored(cls, body: object) -> object:
        if not isinstance(body, dict):
            return body
        return {name: value for name, value in body.items() if name not in cls.ignored}


class TaskCreate(_TaskBody):
    """A new task. It is open at first, so `is_completed` is ignored with the read-only fields."""

    ignored = _TaskBody.ignored | {"is_completed"}

    title: Title
    description: Description | None = None
    priority: Priority = "medium"
    due_at: Instant | None = None


def _no_default(schema: dict[str, Any]) -> None:
    schema.pop("default", None)


_NOT_SENT: Any = Field(default=None, json_schema_extra=_no_default)
"""Absent and null are different things: null is refused by the field's type, absent is allowed."""


class Changes(_TaskBody):
    """A body in which a field that is not sent stays as it is."""

    def sent(self) -> dict[str, Any]:
        """The fields that were sent, as JSON values."""
        return self.model_dump(mode="json", exclude_unset=True)


class TaskChanges(Changes):
    """The fields of a task to change; one that is not sent never changes."""

    title: Title = _NOT_SENT
    description: Description | None = _NOT_SENT
    priority: Priority = _NOT_SENT
    due_at: Instant | None = _NOT_SENT
    is_completed: StrictBool = _NOT_SENT


class TaskCompletion(Changes):
    """Whether the task is to be completed."""

    is_completed: StrictBool = _NOT_SENT


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


class User(BaseModel):
    """A user as it is answered. All times are UTC and end in Z."""

    id: str
    email: str | None = Field(description="Null where the user's token had none")
    created_at: datetime
    updated_at: datetime


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
