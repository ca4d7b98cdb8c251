"""Tasks and users as they are answered: the JSON that Postgres makes of their fields."""

from typing import Any

from pydantic import BaseModel
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    DateTime,
    FromClause,
    Text,
    cast,
    extract,
    func,
    select,
)
from sqlalchemy import literal_column as sql
from sqlmodel import col

from shared.models import TaskFields
from shared.queries.tables import Task


def json_object(fields: type[BaseModel], source: FromClause) -> ColumnElement[Any]:
    """One row of `source` as a JSON object, for a statement that has a single row."""
    members: list[Any] = []
    for name in fields.model_fields:
        members += [name, _as_json(source.c[name])]
    return func.json_build_object(*members)


def json_rows(fields: type[BaseModel], source: FromClause) -> FromClause:
    """The rows of `source` as JSON texts, in the order that it has them.

    Of many rows this takes three quarters of the time that json_object does.
    """
    # OFFSET 0 keeps Postgres from making the JSON anew wherever it is named.
    columns = [_as_json(source.c[name]).label(name) for name in fields.model_fields]
    answer = select(*columns).offset(sql("0")).subquery("answer")
    json = cast(func.row_to_json(answer.table_valued()), Text)
    return select(json.label("json")).offset(sql("0")).subquery("answers")


def _as_json(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """A column, or for a time the text that RFC 3339 has for it, in UTC."""
    if not isinstance(column.type, DateTime):
        return column
    # It is Postgres' own text but for T and Z: database.run asks for ISO dates. An offset of
    # nothing is UTC, and quicker than its name, which Postgres would look up for each time.
    text = cast(func.timezone(sql("INTERVAL '0'"), column), Text)
    return func.replace(text, " ", "T").concat("Z")


TASK_JSON = json_object(TaskFields, Task.__table__)

# A change moves updated_at forward, so it tells the versions of a task apart. Unlike a count it
# does so also after the database was restored from a backup.
TASK_ETAG = func.to_hex(cast(extract("epoch", col(Task.updated_at)) * 1_000_000, BigInteger))
