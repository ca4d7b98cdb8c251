"""The statements on one task. Each names the owner, and row-level security holds it to that."""

from typing import Any

from sqlalchemy import (
    ARRAY,
    Boolean,
    ColumnElement,
    Text,
    any_,
    bindparam,
    case,
    delete,
    insert,
    or_,
    select,
    true,
    update,
)
from sqlmodel import col

from shared.models import CHANGEABLE_FIELDS, TaskCreate
from shared.queries.answers import TASK_ETAG, TASK_JSON
from shared.queries.tables import Task

_ANSWER = (TASK_JSON.label("json"), TASK_ETAG.label("etag"), col(Task.id))
_THIS_TASK = (col(Task.user_id) == bindparam("user_id"), col(Task.id) == bindparam("id"))

_tags = bindparam("if_match", type_=ARRAY(Text))
_IF_MATCH = or_(_tags.is_(None), any_(_tags) == TASK_ETAG)


def _changed(name: str) -> ColumnElement[Any]:
    """The new value of a field: as it is, unless one was sent."""
    # Postgres knows the parameters when it plans, so what was not sent costs nothing.
    column = col(getattr(Task, name))
    return case((bindparam(f"{name}_sent", type_=Boolean), bindparam(name)), else_=column)


READ = select(*_ANSWER).where(*_THIS_TASK)

CREATE = (
    insert(Task)
    .values(
        user_id=bindparam("user_id"), **{name: bindparam(name) for name in TaskCreate.model_fields}
    )
    .returning(*_ANSWER)
)

CHANGE = (
    update(Task)
    .where(*_THIS_TASK, _IF_MATCH)
    .values({name: _changed(name) for name in CHANGEABLE_FIELDS})
    .returning(*_ANSWER)
)

FLIP = (
    update(Task)
    .where(*_THIS_TASK, _IF_MATCH)
    .values(is_completed=~col(Task.is_completed))
    .returning(*_ANSWER)
)

DELETE = delete(Task).where(*_THIS_TASK, _IF_MATCH).returning(col(Task.id))

EXISTS = select(true()).where(*_THIS_TASK)
