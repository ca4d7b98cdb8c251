"""The queries on one task. Postgres does the work of each in one statement, and builds its JSON.

They go through the view task_answers, which has that JSON and the ETag beside the task's columns.
Every one names the owner (`user_id = %(user_id)s`), and row-level security holds it to that.
"""

import functools
from collections.abc import Collection, Mapping
from typing import NamedTuple
from uuid import UUID

from shared.data import database
from shared.data.connection import Row, Statement
from shared.errors import PreconditionFailed, TaskNotFound
from shared.models import Caller, Changes, TaskChanges, TaskCreate


class StoredTask(NamedTuple):
    """A task as it is answered: its JSON text, the tag of this version of it, and its id."""

    json: str
    etag: str
    id: str


# bandit takes SQL that is put together for an injection (B608). It is told to be silent where that
# is done, as in accounts.py and sign_in.py: the texts are constants, and values are parameters.


def json_object(**values: str) -> str:
    """A JSON object, in SQL; `values` are the SQL of its members, each a JSON text or null."""
    # row_to_json would look up for each row anew how each type is written: a third of the work.
    # And each thing to be joined takes its time, so what is always there is joined already.
    members = ", ',".join(
        f"\"{name}\":', coalesce({value}, 'null')" for name, value in values.items()
    )
    return f"concat('{{{members}, '}}')"


def json_text(column: str) -> str:
    """A column of texts as JSON, in SQL."""
    return f"to_json({column})::text"


def json_literal(column: str) -> str:
    """A column in whose values nothing needs escaping, as JSON texts in SQL."""
    return f"""'"' || {column} || '"'"""


def json_time(column: str) -> str:
    """A column of times as JSON, in SQL: in UTC, as RFC 3339 writes it."""
    # It is Postgres' own way but for the T and the Z: database.run has it write dates as ISO does.
    # An offset of nothing is UTC, too, and its name need not be looked up for each time.
    return f"""'"' || replace(({column} AT TIME ZONE INTERVAL '0')::text, ' ', 'T') || 'Z"'"""


TASK_JSON = json_object(
    id=json_literal("id"),
    user_id=json_text("user_id"),
    title=json_text("title"),
    description=json_text("description"),
    priority=json_literal("priority"),
    due_at=json_time("due_at"),
    is_completed="is_completed::text",
    completed_at=json_time("completed_at"),
    created_at=json_time("created_at"),
    updated_at=json_time("updated_at"),
)
"""A task as the view has it, for those who have read many and answer some."""

_THIS_TASK = "user_id = %(user_id)s AND id = %(id)s"
_EXISTS = f"SELECT FROM tasks WHERE {_THIS_TASK}"  # nosec
_IF_MATCH = "(%(if_match)s::text[] IS NULL OR etag = ANY (%(if_match)s))"
_ANSWER = "json, etag, id"

_READ = f"SELECT {_ANSWER} FROM task_answers WHERE {_THIS_TASK}"  # nosec

_CREATE = f"""
    INSERT INTO task_answers (user_id, title, description, priority, due_at)
    VALUES (%(user_id)s, %(title)s, %(description)s, %(priority)s, %(due_at)s)
    RETURNING {_ANSWER}
"""  # nosec

_FLIP = f"""
    UPDATE task_answers SET is_completed = NOT is_completed
    WHERE {_THIS_TASK} AND {_IF_MATCH}
    RETURNING {_ANSWER}
"""  # nosec

_DELETE = f"DELETE FROM task_answers WHERE {_THIS_TASK} AND {_IF_MATCH} RETURNING id"  # nosec


def read(caller: Caller, task_id: UUID) -> StoredTask:
    """One of the caller's tasks. Raises TaskNotFound."""
    (rows,) = database.run(caller, Statement(_READ, {"id": task_id}), reads=True)
    if not rows:
        raise TaskNotFound
    return StoredTask(*rows[0])


def create(caller: Caller, task: TaskCreate) -> StoredTask:
    """A new task of the caller's."""
    ((row,),) = database.run(caller, Statement(_CREATE, task.model_dump()), owns=True)
    return StoredTask(*row)


def change(
    caller: Caller, task_id: UUID, changes: Changes, if_match: Collection[str] | None
) -> StoredTask:
    """The task after the fields that were sent are changed.

    Raises TaskNotFound, and PreconditionFailed when its tag is none of `if_match` (None: any is).
    """
    sent = changes.sent()
    sql = _change(tuple(name for name in TaskChanges.model_fields if name in sent))
    return StoredTask(*_write(caller, sql, task_id, if_match, sent))


@functools.cache
def _change(columns: tuple[str, ...]) -> str:
    """The statement that changes these columns, and no others."""
    # Without any it answers the task as it is, if its tag is the right one.
    new = ", ".join(f"{name} = %({name})s" for name in columns) or "title = title"
    return f"""
        UPDATE task_answers SET {new}
        WHERE {_THIS_TASK} AND {_IF_MATCH}
        RETURNING {_ANSWER}
    """  # nosec


def flip(caller: Caller, task_id: UUID, if_match: Collection[str] | None) -> StoredTask:
    """The task after it is completed if it was open, reopened if not. Raises as `change` does."""
    return StoredTask(*_write(caller, _FLIP, task_id, if_match))


def delete(caller: Caller, task_id: UUID, if_match: Collection[str] | None) -> None:
    """Delete a task for good. Raises as `change` does."""
    _write(caller, _DELETE, task_id, if_match)


def _write(
    caller: Caller,
    sql: str,
    task_id: UUID,
    if_match: Collection[str] | None,
    changes: Mapping[str, object] | None = None,
) -> Row:
    tags = None if if_match is None else list(if_match)
    values = {**(changes or {}), "id": task_id, "if_match": tags}
    statements = [Statement(sql, values)]
    if tags is not None:
        statements.append(Statement(_EXISTS, {"id": task_id}))
    rows, *found = database.run(caller, *statements)
    if not rows:
        raise PreconditionFailed if any(found) else TaskNotFound
    return rows[0]
