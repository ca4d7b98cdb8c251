"""How many tasks one answer has room for: Lambda hands over 6 MB at most, and fails beyond that."""

from shared.models import MAX_TASKS
from shared.tasks.store import TASK_JSON

PAGE_BYTES = 4_950_000
"""The most that Lambda may hand over for the tasks of a page; with what is around them, 5 MB."""

_SHORT_TASK = PAGE_BYTES // (MAX_TASKS + 1) // 3
"""Bytes: of tasks that are no longer, the longest page is not too large, whatever is in them."""

# Lambda hands an answer over as a text inside of JSON, where quotes and backslashes take two bytes
# each. Without AWS_EXECUTION_ENV its client escapes what is not ASCII, too, and a byte takes three.
# A body that is gzipped is in base64, which adds a third, and gzip may have found nothing to save.
# Of a short task the most that it may take is counted: to know better takes longer than to read it.
_HANDED_OVER = f"""
    CASE WHEN octet_length(task) <= {_SHORT_TASK} THEN 3 * octet_length(task)
         ELSE greatest(
             octet_length(to_json(task)::text) + 4 * (octet_length(task) - char_length(task)),
             octet_length(task) * 4 / 3
         )
    END
"""


def fit(tasks: str) -> str:
    """SQL for the JSON of each of `tasks`, and its id; the JSON is null from where a page is full.

    `tasks` is SQL, too, of tasks in order and a limit of them. A page is full before it takes more
    than %(bytes)s to hand over, for which one task alone is never large enough.
    """
    # The rows come as they are, in order: to ask for it once more takes time or, of long tasks, a
    # file. OFFSET keeps Postgres from making the JSON anew wherever it is named.
    return f"""
        SELECT CASE WHEN sum({_HANDED_OVER}) OVER (ROWS UNBOUNDED PRECEDING) <= %(bytes)s
                    THEN task END AS task,
               id
        FROM (SELECT id, {TASK_JSON} AS task FROM ({tasks}) AS tasks OFFSET 0) AS page
    """  # nosec
