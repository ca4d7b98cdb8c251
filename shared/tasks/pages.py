"""How many tasks one answer has room for: Lambda hands over 6 MB at most, and fails beyond that."""

from typing import NamedTuple

from shared.data.connection import Row
from shared.models import MAX_TASKS

PAGE_BYTES = 4_950_000
"""The most that Lambda may hand over for the tasks of a page; with what is around them, 5 MB."""

SHORT_TASK = PAGE_BYTES // (MAX_TASKS + 1) // 3
"""Bytes: of tasks that are no longer, the longest page is not too large, whatever is in them."""


class Page(NamedTuple):
    """Tasks as JSON, in order, and whether there are more after them."""

    tasks: list[str]
    last_id: str | None
    has_more: bool

    @property
    def json(self) -> str:
        """The tasks as a JSON array."""
        return f"[{','.join(self.tasks)}]"


def read_page(rows: list[Row], limit: int) -> Page:
    """The page of at most `limit` tasks that these rows have: see shared/queries/pages.py.

    The statement was asked for one row more, which tells whether there is another page. From where
    the page is full, a row has no task.
    """
    found = [(task, task_id) for task, task_id in rows[:limit] if task is not None]
    last_id = found[-1][1] if found else None
    return Page([task for task, _ in found], last_id, len(rows) > len(found))
