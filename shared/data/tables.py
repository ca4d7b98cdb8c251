"""The tables, as the migrations make them; `alembic check` compares the two.

Only migrations and tests import this module: SQLAlchemy alone would double the cold start of a
function, and the queries in tasks.py are each one statement that Postgres does all the work of.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    Column,
    Computed,
    DateTime,
    ForeignKey,
    Index,
    SmallInteger,
    Text,
    TextClause,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlmodel import Field, SQLModel

_NOW = text("now()")
_FILTERED = ("user_id", "is_completed", "priority_rank")


def _due_at_or(last: str) -> TextClause:
    # To the letter as Postgres shows it: that is how Alembic compares expressions.
    return text(f"(\nCASE\n WHEN due_at IS NULL THEN '{last}'\n ELSE due_at\nEND)")


class UserRow(SQLModel, table=True):
    """A user: made from a token when it is first needed, or by registering."""

    __tablename__ = "users"
    __table_args__ = (
        CheckConstraint("char_length(id) BETWEEN 1 AND 255", "users_id_length"),
        Index("users_email_key", text("lower(email)"), unique=True),
    )

    id: str = Field(sa_column=Column(Text, primary_key=True))
    email: str | None = Field(sa_column=Column(Text))
    hashed_password: str | None = Field(sa_column=Column(Text))
    created_at: datetime = Field(
        sa_column=Column(DateTime(timezone=True), nullable=False, server_default=_NOW)
    )
    updated_at: datetime = Field(
        sa_column=Column(DateTime(timezone=True), nullable=False, server_default=_NOW)
    )


class TaskRow(SQLModel, table=True):
    """A task, and what is worked out from it to order and search by."""

    __tablename__ = "tasks"
    __table_args__ = (
        CheckConstraint("char_length(title) BETWEEN 1 AND 500", "tasks_title_length"),
        CheckConstraint("char_length(description) <= 5000", "tasks_description_length"),
        CheckConstraint("priority IN ('low', 'medium', 'high')", "tasks_priority"),
        CheckConstraint("is_completed = (completed_at IS NOT NULL)", "tasks_completed_at"),
        Index("tasks_by_created_at", "user_id", "created_at", "id"),
        Index("tasks_filtered_by_created_at", *_FILTERED, "created_at", "id"),
        Index("tasks_filtered_by_updated_at", *_FILTERED, "updated_at", "id"),
        Index("tasks_filtered_by_due_at", *_FILTERED, _due_at_or("infinity"), "id"),
        Index("tasks_filtered_by_due_at_desc", *_FILTERED, _due_at_or("-infinity"), "id"),
        Index("tasks_filtered_by_title", *_FILTERED, "title_key", "id"),
        Index("tasks_filtered_by_priority", *_FILTERED, "id"),
        Index(
            "tasks_by_words",
            "search",
            postgresql_using="gin",
            postgresql_with={"fastupdate": "off"},
        ),
    )

    id: UUID = Field(sa_column=Column(Uuid, primary_key=True, server_default=text("uuid_v7()")))
    user_id: str = Field(
        sa_column=Column(Text, ForeignKey("users.id", ondelete="CASCADE"), nullable=False)
    )
    # Code points order titles the same in every database, whatever its locale.
    title: str = Field(sa_column=Column(Text(collation="C"), nullable=False))
    description: str | None = Field(sa_column=Column(Text))
    priority: str = Field(sa_column=Column(Text, nullable=False, server_default="medium"))
    due_at: datetime | None = Field(sa_column=Column(DateTime(timezone=True)))
    is_completed: bool = Field(sa_column_kwargs={"server_default": text("false")})
    completed_at: datetime | None = Field(sa_column=Column(DateTime(timezone=True)))
    created_at: datetime = Field(
        sa_column=Column(DateTime(timezone=True), nullable=False, server_default=_NOW)
    )
    updated_at: datetime = Field(
        sa_column=Column(DateTime(timezone=True), nullable=False, server_default=_NOW)
    )
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


class RateLimitRow(SQLModel, table=True):
    """How often somebody has called since a window of a minute began."""

    __tablename__ = "rate_limits"
    __table_args__ = (
        Index("rate_limits_by_window", "window_start"),
        {"prefixes": ["UNLOGGED"], "postgresql_with": {"fillfactor": 50}},
    )

    subject: str = Field(sa_column=Column(Text, primary_key=True))
    window_start: datetime = Field(
        sa_column=Column(DateTime(timezone=True), nullable=False, server_default=_NOW)
    )
    calls: int = Field(sa_column_kwargs={"server_default": text("1")})
