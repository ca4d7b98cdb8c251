"""The tables, as the migrations make them; `alembic check` compares the two."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    Column,
    Computed,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    SmallInteger,
    Text,
    TextClause,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlmodel import Field

from shared.models import TaskFields, UserFields
from shared.queries.columns import Columns

_FILTERED = ("user_id", "is_completed", "priority_rank")


def due_at_or(last: str) -> TextClause:
    """A task's due time, or `last` where it has none."""
    # To the letter as Postgres shows it: that is how Alembic compares expressions.
    return text(f"(\nCASE\n WHEN due_at IS NULL THEN '{last}'\n ELSE due_at\nEND)")


def _time() -> Any:
    return Field(
        sa_column=Column(DateTime(timezone=True), nullable=False, server_default=text("now()"))
    )


class User(UserFields, Columns, table=True):
    """A user: made from a token when it is first needed, or by registering."""

    __tablename__ = "users"
    __table_args__ = (
        CheckConstraint("char_length(id) BETWEEN 1 AND 255", "users_id_length"),
        Index("users_email_key", text("lower(email)"), unique=True),
    )

    id: str = Field(sa_column=Column(Text, primary_key=True))
    hashed_password: str | None
    created_at: datetime = _time()
    updated_at: datetime = _time()


class UserVersion(Columns, table=True):
    """How many times a user's tasks have changed. Whoever changes them locks this row first."""

    __tablename__ = "user_versions"
    __table_args__ = ({"postgresql_with": {"fillfactor": 50}},)

    user_id: str = Field(
        sa_column=Column(Text, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    )
    version: int = 1


class Task(TaskFields, Columns, table=True):
    """A task, and what is worked out from it to order and search by."""

    __tablename__ = "tasks"
    __table_args__ = (
        CheckConstraint("is_completed = (completed_at IS NOT NULL)", "tasks_completed_at"),
        Index("tasks_by_created_at", "user_id", "created_at", "id"),
        Index("tasks_filtered_by_created_at", *_FILTERED, "created_at", "id"),
        Index("tasks_filtered_by_updated_at", *_FILTERED, "updated_at", "id"),
        Index("tasks_filtered_by_due_at", *_FILTERED, due_at_or("infinity"), "id"),
        Index("tasks_filtered_by_due_at_desc", *_FILTERED, due_at_or("-infinity"), "id"),
        Index("tasks_filtered_by_title", *_FILTERED, "title_key", "id"),
        Index("tasks_filtered_by_priority", *_FILTERED, "id"),
        Index(
            "tasks_by_words",
            "search",
            postgresql_using="gin",
            postgresql_with={"fastupdate": "off"},
        ),
    )

    user_id: str = Field(
        sa_column=Column(Text, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    )
    id: UUID = Field(sa_column=Column(Uuid, primary_key=True, server_default=text("uuid_v7()")))
    created_at: datetime = _time()
    updated_at: datetime = _time()
    version: int = 1
    priority_rank: int = Field(
        sa_column=Column(
            SmallInteger,
            Computed("array_position('{low,medium,high}', priority) - 1", persisted=True),
        )
    )
    title_key: str = Field(
        sa_column=Column(Text(collation="C"), Computed("left(title, 400)", persisted=True))
    )
    search: str = Field(
        sa_column=Column(
            TSVECTOR,
            Computed(
                "array_to_tsvector(own_words(user_id, title || coalesce(' ' || description, '')))",
                persisted=True,
            ),
        )
    )


class RateLimit(Columns, table=True):
    """How often somebody has called since a window of a minute began."""

    __tablename__ = "rate_limits"
    __table_args__ = (
        Index("rate_limits_by_window", "window_start"),
        {"prefixes": ["UNLOGGED"], "postgresql_with": {"fillfactor": 50}},
    )

    subject: str = Field(sa_column=Column(Text, primary_key=True))
    window_start: datetime = _time()
    calls: int = Field(sa_column=Column(Integer, nullable=False, server_default=text("1")))
