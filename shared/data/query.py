"""A question to the database as a value, so that several can travel together."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from shared.data.connection import Row, Statement

Result_co = TypeVar("Result_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Query(Generic[Result_co]):
    """A statement, and how its rows are read. Running it twice does no harm.

    database.run alone sets its parameter `user_id`: it is the requester's.
    """

    statement: Statement
    read: Callable[[list[Row]], Result_co]


@dataclass(frozen=True, slots=True)
class Command(Query[Result_co]):
    """A query that changes something. A user's commands happen one after the other."""


def first_column(rows: list[Row]) -> str | None:
    """The first column of the only row; None where there is no row."""
    return rows[0][0] if rows else None


def is_found(rows: list[Row]) -> bool:
    """Whether there is any row."""
    return bool(rows)
