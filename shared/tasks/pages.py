"""How many tasks one answer has room for: Lambda hands over 6 MB at most, and fails beyond that."""

import json
from typing import Any, NamedTuple

from shared.data.connection import Row
from shared.models import MAX_TASKS

PAGE_BYTES = 4_950_000
"""The most that Lambda may hand over for the tasks of a page; with what is around them, 5 MB."""

SHORT_TASK = PAGE_BYTES // (MAX_TASKS + 1) // 3
"""Bytes: of tasks that are no longer, the longest page is not too large, whatever is in them."""


class Page(NamedTuple):
    """Tasks as JSON, in order, and whether there are more after them."""

    tasks: list[str]
    has_more: bool

    @property
    def json(self) -> str:
        """The tasks as a JSON array."""
        return f"[{','.join(self.tasks)}]"

    @property
    def last(self) -> dict[str, Any]:
        """The last task, after which the next page begins. Raises IndexError on an empty page."""
        task: dict[str, Any] = json.loads(self.tasks[-1])
        return task


def read_page(rows: list[Row], limit: int) -> Page:
    """The page of at most `limit` tasks that these rows have: see shared/queries/pages.py.

    The statement was asked for one row more, which tells whether there is another page. From where
    the page is full, a row has no task.
    """
    tasks = [task for (task,) in rows[:limit] if task is not None]
    return Page(tasks, len(rows) > len(tasks))
