"""What users may do with their own account, wherever it was made: see, take away, delete it."""

from uuid import UUID

from shared.data import database
from shared.data.connection import Statement
from shared.models import MAX_TASKS, Caller
from shared.tasks import pages
from shared.tasks.cursors import RANKS
from shared.tasks.store import json_object, json_text, json_time

USER_JSON = json_object(
    id=json_text("id"),
    email=json_text("email"),
    created_at=json_time("created_at"),
    updated_at=json_time("updated_at"),
)

_READ = f"SELECT {USER_JSON} FROM users WHERE id = %(user_id)s"  # nosec

_DELETE = "DELETE FROM users WHERE id = %(user_id)s RETURNING id"

# Like a listing it merges ranges of an index, and reads no more of them than a page takes.
_REMAINING = " UNION ALL ".join(
    f"""(
        SELECT * FROM tasks
        WHERE user_id = %(user_id)s AND is_completed = {is_completed} AND priority_rank = {rank}
              AND (%(cursor)s::uuid IS NULL OR id > %(cursor)s)
        ORDER BY id LIMIT %(rows)s
    )"""  # nosec
    for is_completed in ("false", "true")
    for rank in range(len(RANKS))
)

_IN_ORDER = f"SELECT * FROM ({_REMAINING}) AS remaining ORDER BY id LIMIT %(rows)s"  # nosec

# Aggregates take rows as they come, which is in order. To order them once more would take a file.
_EXPORT = f"""
    WITH found AS (
        SELECT id, CASE WHEN row_number() OVER () < %(rows)s THEN task END AS task
        FROM ({pages.fit(_IN_ORDER)}) AS found
    ),
    page AS (
        SELECT string_agg(task, ',') AS tasks, count(task) < count(*) AS more,
               (array_agg(id) FILTER (WHERE task IS NOT NULL))[count(task)] AS last
        FROM found
    )
    SELECT '{{"user":' || {USER_JSON} || ',"tasks":[' || coalesce(page.tasks, '')
           || '],"next_cursor":' || CASE WHEN more THEN to_json(last)::text ELSE 'null' END || '}}'
    FROM users, page WHERE users.id = %(user_id)s
"""  # nosec


def read(caller: Caller) -> str:
    """The caller as a user, as JSON."""
    ((row,),) = database.run(caller, Statement(_READ), owns=True, reads=True)
    return str(row[0])


def delete(caller: Caller) -> None:
    """Delete the caller's account, and with it every task. It need not be there."""
    database.run(caller, Statement(_DELETE))


def export(caller: Caller, cursor: UUID | None) -> str:
    """All that is kept of the caller, as JSON: the user, and the tasks in the order of their ids.

    What does not fit is on the pages after it: `cursor` is the last page's `next_cursor`.
    """
    # One row more than a page may have tells whether there is another.
    values = {"cursor": cursor, "rows": MAX_TASKS + 1, "bytes": pages.PAGE_BYTES}
    ((row,),) = database.run(caller, Statement(_EXPORT, values), owns=True, reads=True)
    return str(row[0])
