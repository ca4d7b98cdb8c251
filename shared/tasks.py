"""The task queries. Postgres does the work of each in one statement, and builds its JSON too.

Every one names the owner (`user_id = %(user_id)s`), and row-level security holds it to that.
"""

import json
from collections.abc import Collection
from typing import NamedTuple
from uuid import UUID

from psycopg.types.json import Jsonb

from shared import database
from shared.cursors import decode_cursor, encode_cursor
from shared.database import Statement
from shared.errors import PreconditionFailed, TaskNotFound
from shared.models import Caller, Changes, TaskCreate, TaskQuery


class StoredTask(NamedTuple):
    """A task as it is answered: its JSON text, the tag of this version of it, and its id."""

    json: str
    etag: str
    id: str


# bandit takes SQL that is put together for an injection (B608). It is told to be silent where that
# is done, as in accounts.py and sign_in.py: the texts are constants, and values are parameters.


def as_utc(column: str) -> str:
    """A column of times, as answers have them, in SQL."""
    # to_json writes ISO 8601 whatever the session's DateStyle is; Z is RFC 3339's name for UTC.
    return f"to_json({column} AT TIME ZONE 'UTC') #>> '{{}}' || 'Z' AS {column}"


# updated_at never stands still when a task changes, so it tells versions apart.
_ETAG = "to_hex((extract(epoch FROM updated_at) * 1000000)::bigint)"

TASK_JSON = f"""
    (SELECT row_to_json(answer)::text FROM (
        SELECT id, user_id, title, description, priority, {as_utc("due_at")}, is_completed,
               {as_utc("completed_at")}, {as_utc("created_at")}, {as_utc("updated_at")}
    ) AS answer)
"""  # nosec

_ANSWER = f"SELECT {TASK_JSON}, {_ETAG}, id::text"

_THIS_TASK = "user_id = %(user_id)s AND id = %(id)s"
_EXISTS = f"SELECT FROM tasks WHERE {_THIS_TASK}"  # nosec
_IF_MATCH = f"(%(if_match)s::text[] IS NULL OR {_ETAG} = ANY (%(if_match)s))"

_READ = f"{_ANSWER} FROM tasks WHERE {_THIS_TASK}"

_CREATE = f"""
    WITH task AS (
        INSERT INTO tasks (user_id, title, description, priority, due_at)
        VALUES (%(user_id)s, %(title)s, %(description)s, %(priority)s, %(due_at)s)
        RETURNING *
    )
    {_ANSWER} FROM task
"""  # nosec

# jsonb_populate_record leaves every column alone that the changes do not name.
_CHANGE = f"""
    WITH task AS (
        UPDATE tasks
        SET (title, description, priority, due_at, is_completed) = (
            SELECT title, description, priority, due_at, is_completed
            FROM jsonb_populate_record(tasks, %(changes)s)
        )
        WHERE {_THIS_TASK} AND {_IF_MATCH}
        RETURNING *
    )
    {_ANSWER} FROM task
"""  # nosec

_FLIP = f"""
    WITH task AS (
        UPDATE tasks SET is_completed = NOT is_completed
        WHERE {_THIS_TASK} AND {_IF_MATCH}
        RETURNING *
    )
    {_ANSWER} FROM task
"""  # nosec

_DELETE = f"DELETE FROM tasks WHERE {_THIS_TASK} AND {_IF_MATCH} RETURNING id"  # nosec

# What a listing is ordered by, and its type; the migrations have an index for each. Under row-level
# security Postgres looks a key up in an index only if nothing in it could leak a row, as it says of
# CASE but not of coalesce or left.
_SORT_KEYS = {
    "created_at": ("created_at", "timestamptz"),
    "updated_at": ("updated_at", "timestamptz"),
    "due_at": ("CASE WHEN due_at IS NULL THEN 'infinity' ELSE due_at END", "timestamptz"),
    "-due_at": ("CASE WHEN due_at IS NULL THEN '-infinity' ELSE due_at END", "timestamptz"),
    "priority": ("priority_rank", "smallint"),
    "title": ("title_key", "text"),
}


def list_page(caller: Caller, query: TaskQuery) -> str:
    """The JSON of one page of the caller's tasks. Raises CursorInvalid."""
    position = decode_cursor(caller, query)
    column = query.sort.removeprefix("-")
    key, key_type = _SORT_KEYS.get(query.sort) or _SORT_KEYS[column]
    direction, beyond = ("ASC", ">") if query.sort == column else ("DESC", "<")

    matching = _matching(query)
    values = {**matching.values, "rows": query.limit + 1}
    following = "true"
    if position is not None:
        following = f"({key}, id) {beyond} (%(key)s::{key_type}, %(id)s::uuid)"
        values.update(key=position.key, id=position.id)
    page = f"""
        SELECT {TASK_JSON} FROM (
            SELECT * FROM tasks WHERE {matching.sql} AND {following}
            ORDER BY {key} {direction}, id {direction} LIMIT %(rows)s
        ) AS task
    """  # nosec
    # One row more than was asked for tells whether there is a next page.
    statements = [Statement(page, values)]
    if query.with_total:
        total = f"SELECT count(*) FROM tasks WHERE {matching.sql}"  # nosec
        statements.append(Statement(total, matching.values))
    rows, *totals = database.run(caller, *statements)

    tasks = [row[0] for row in rows[: query.limit]]
    more = len(rows) > query.limit
    cursor = encode_cursor(caller, query, json.loads(tasks[-1])) if more else None
    end = "".join(f', "total": {count}' for ((count,),) in totals)
    return f'{{"tasks": [{",".join(tasks)}], "next_cursor": {json.dumps(cursor)}{end}}}'


def _matching(query: TaskQuery) -> Statement:
    """The condition that the filters of `query` make, and its values."""
    conditions = ["user_id = %(user_id)s"]
    values: dict[str, object] = {}
    if query.status != "all":
        conditions.append("is_completed = %(is_completed)s")
        values["is_completed"] = query.status == "completed"
    if query.priority:
        conditions.append("priority = ANY (%(priorities)s)")
        values["priorities"] = list(query.priority)
    if query.due_before is not None:
        conditions.append("due_at < %(due_before)s")
        values["due_before"] = query.due_before
    if query.due_after is not None:
        conditions.append("due_at >= %(due_after)s")
        values["due_after"] = query.due_after
    if query.q:
        # search_query is null where q has no word in it, which every task matches.
        conditions.append("coalesce(search @@ search_query(%(q)s), true)")
        values["q"] = query.q
    return Statement(" AND ".join(conditions), values)


def read(caller: Caller, task_id: UUID) -> StoredTask:
    """One of the caller's tasks. Raises TaskNotFound."""
    (rows,) = database.run(caller, Statement(_READ, {"id": task_id}))
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
    return StoredTask(*_write(caller, _CHANGE, task_id, if_match, Jsonb(changes.sent())))


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
    changes: Jsonb | None = None,
) -> database.Row:
    tags = None if if_match is None else list(if_match)
    statements = [Statement(sql, {"id": task_id, "if_match": tags, "changes": changes})]
    if tags is not None:
        statements.append(Statement(_EXISTS, {"id": task_id}))
    rows, *found = database.run(caller, *statements)
    if not rows:
        raise PreconditionFailed if any(found) else TaskNotFound
    return rows[0]
