"""What users may do with their own account, wherever it was made: see, take away, delete it."""

import json
from uuid import UUID

from shared.callers import Caller
from shared.data import database
from shared.data.connection import Row, Statement
from shared.data.query import Command, Query, first_column
from shared.data.users import provision
from shared.models import MAX_TASKS
from shared.statements import listing
from shared.statements import users as statements
from shared.tasks import pages
from shared.tasks.pages import Page, read_page


def read(caller: Caller) -> str:
    """The caller as a user, as JSON."""
    _, user = database.run(caller, provision(caller), _USER)
    return user


def delete(caller: Caller) -> None:
    """Delete the caller's account, and with it every task. It need not be there."""
    database.run(caller, Command(Statement(statements.DELETE), first_column))


def export(caller: Caller, cursor: UUID | None) -> str:
    """All that is kept of the caller, as JSON: the user, and the tasks in the order of their ids.

    What does not fit is on the pages after it: `cursor` is the last page's `next_cursor`.
    """
    values = {"cursor": cursor, "rows": MAX_TASKS + 1, "bytes": pages.PAGE_BYTES}
    tasks = Query(Statement(listing.EXPORT, values), _read_page)
    _, user, page = database.run(caller, provision(caller), _USER, tasks)
    next_cursor = json.dumps(page.last["id"] if page.has_more else None)
    return f'{{"user": {user}, "tasks": {page.json}, "next_cursor": {next_cursor}}}'


def _read_user(rows: list[Row]) -> str:
    ((user,),) = rows
    return str(user)


def _read_page(rows: list[Row]) -> Page:
    return read_page(rows, MAX_TASKS)


_USER = Query(Statement(statements.READ), _read_user)
