"""One task: to read, create, change and delete it, each with one statement.

A task that is not there and a task of somebody else are the same.
"""

from collections.abc import Collection
from typing import NamedTuple, TypeVar
from uuid import UUID

from shared.callers import Caller
from shared.data import database
from shared.data.connection import Row, Statement
from shared.data.query import Command, Query, first_column, is_found
from shared.data.users import provision
from shared.errors import PreconditionFailed, TaskNotFound
from shared.models import CHANGEABLE_FIELDS, Changes, TaskCreate
from shared.statements import tasks as statements

_Written = TypeVar("_Written")


class StoredTask(NamedTuple):
    """A task as it is answered: its JSON text, the tag of this version of it, and its id."""

    json: str
    etag: str
    id: str


def read(caller: Caller, task_id: UUID) -> StoredTask:
    """One of the caller's tasks. Raises TaskNotFound."""
    query = Query(Statement(statements.READ, {"id": task_id}), _first_task)
    (task,) = database.run(caller, query)
    if task is None:
        raise TaskNotFound
    return task


def create(caller: Caller, task: TaskCreate) -> StoredTask:
    """A new task of the caller's."""
    command = Command(Statement(statements.CREATE, task.model_dump()), _only_task)
    _, created = database.run(caller, provision(caller), command)
    return created


def change(
    caller: Caller, task_id: UUID, changes: Changes, if_match: Collection[str] | None
) -> StoredTask:
    """The task after the fields that were sent are changed.

    Raises TaskNotFound, and PreconditionFailed when its tag is none of `if_match` (None: any is).
    """
    sent = changes.sent()
    values = _condition(task_id, if_match)
    for name in CHANGEABLE_FIELDS:
        values |= {name: sent.get(name), f"{name}_sent": name in sent}
    command = Command(Statement(statements.CHANGE, values), _first_task)
    return _write(caller, task_id, if_match, command)


def flip(caller: Caller, task_id: UUID, if_match: Collection[str] | None) -> StoredTask:
    """The task after it is completed if it was open, reopened if not. Raises as `change` does."""
    statement = Statement(statements.FLIP, _condition(task_id, if_match))
    return _write(caller, task_id, if_match, Command(statement, _first_task))


def delete(caller: Caller, task_id: UUID, if_match: Collection[str] | None) -> None:
    """Delete a task for good. Raises as `change` does."""
    statement = Statement(statements.DELETE, _condition(task_id, if_match))
    _write(caller, task_id, if_match, Command(statement, first_column))


def _condition(task_id: UUID, if_match: Collection[str] | None) -> dict[str, object]:
    """Which task to write to, and in which of its versions."""
    return {"id": task_id, "if_match": None if if_match is None else list(if_match)}


def _write(
    caller: Caller,
    task_id: UUID,
    if_match: Collection[str] | None,
    command: Command[_Written | None],
) -> _Written:
    queries: list[Query[_Written | bool | None]] = [command]
    if if_match is not None:
        queries.append(Query(Statement(statements.EXISTS, {"id": task_id}), is_found))
    written, *is_there = database.run(caller, *queries)
    if written is None:
        raise PreconditionFailed if any(is_there) else TaskNotFound
    done: _Written = written
    return done


def _first_task(rows: list[Row]) -> StoredTask | None:
    return StoredTask(*rows[0]) if rows else None


def _only_task(rows: list[Row]) -> StoredTask:
    return StoredTask(*rows[0])
