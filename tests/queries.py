"""Queries as they are on their way to the database, and how tests break them."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from shared.data.connection import Statement
from shared.data.query import Query

OWNED = "tasks.user_id = %(user_id)s::VARCHAR"
"""The condition on the owner, which every statement on tasks that are there has."""

OWNED_VALUE = "VALUES (%(user_id)s::VARCHAR"
"""The owner of a new task."""


def rewrite(query: Query[Any], change: Callable[[str], str]) -> Query[Any]:
    """The query with another statement, and the same values."""
    sql, values = query.statement
    return replace(query, statement=Statement(change(sql), values))


def is_on_tasks(query: Query[Any]) -> bool:
    """Whether a query names the table of tasks."""
    sql = query.statement.sql
    return "FROM tasks" in sql or "UPDATE tasks" in sql or "INTO tasks" in sql


def without_owner(sql: str) -> str:
    """A statement on tasks without its condition on the owner."""
    assert OWNED in sql or OWNED_VALUE in sql
    return sql.replace(OWNED, "true")
