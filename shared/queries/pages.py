"""How many tasks one answer has room for: see shared/tasks/pages.py."""

from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Select,
    Text,
    bindparam,
    case,
    cast,
    func,
    select,
)

from shared.models import TaskFields
from shared.queries.answers import json_rows
from shared.tasks.pages import SHORT_TASK


def fit(page: Select[Any]) -> Select[Any]:
    """The JSON of each task of `page`, null from where the page is full.

    A page is full before it takes more than the parameter `bytes` to hand over, for which one task
    alone is never large enough. The tasks have an order and a limit.
    """
    # The rows come in order: to ask for it once more takes time or, of long tasks, a file.
    answers = json_rows(TaskFields, page.subquery("page"))
    task = answers.c.json
    so_far = func.sum(_bytes_handed_over(task)).over(rows=(None, 0))
    fits = so_far <= bindparam("bytes", type_=BigInteger)
    return select(case((fits, task)).label("task"))


def _bytes_handed_over(task: ColumnElement[str]) -> ColumnElement[int]:
    """What Lambda may need to hand over a task.

    It hands over an answer as a text inside of JSON, where quotes and backslashes take two bytes
    each. Without AWS_EXECUTION_ENV its client escapes what is not ASCII, too, and a byte takes
    three. A body that is gzipped is in base64, which adds a third, and gzip may not shorten it.
    """
    size = func.octet_length(task)
    quoted = func.octet_length(cast(func.to_json(task), Text))
    escaped = 4 * (size - func.char_length(task))
    # For a short task the most that it may take is counted: to know better takes longer.
    return case(
        (size <= SHORT_TASK, 3 * size),
        else_=func.greatest(quoted + escaped, size * 4 // 3),
    )
