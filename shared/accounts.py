"""What users may do with their own account, wherever it was made: see, take away, delete it."""

from uuid import UUID

from shared import database
from shared.connection import Statement
from shared.models import Caller
from shared.tasks import TASK_JSON, json_object, json_text, json_time

EXPORT_BYTES = 2_000_000
"""The most that the tasks of one page of an export take, in bytes.

Lambda's answers end at 6 MB, and in the JSON around one a byte may become three.
"""

USER_JSON = json_object(
    id=json_text("id"),
    email=json_text("email"),
    created_at=json_time("created_at"),
    updated_at=json_time("updated_at"),
)

_READ = f"SELECT {USER_JSON} FROM users WHERE id = %(user_id)s"  # nosec

_DELETE = "DELETE FROM users WHERE id = %(user_id)s RETURNING id"

_EXPORT = f"""
    WITH remaining AS (
        SELECT id, task, sum(octet_length(task)) OVER (ORDER BY id) AS bytes
        FROM (
            SELECT id, {TASK_JSON} AS task FROM tasks
            WHERE user_id = %(user_id)s AND (%(cursor)s::uuid IS NULL OR id > %(cursor)s)
        ) AS tasks
    ),
    page AS (
        SELECT string_agg(task, ',' ORDER BY id) AS tasks,
               count(*) < (SELECT count(*) FROM remaining) AS more,
               (array_agg(id ORDER BY id DESC))[1] AS last
        FROM remaining WHERE bytes <= %(bytes)s
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
    statement = Statement(_EXPORT, {"cursor": cursor, "bytes": EXPORT_BYTES})
    ((row,),) = database.run(caller, statement, owns=True, reads=True)
    return str(row[0])
