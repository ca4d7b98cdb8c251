"""The query of a listing: a page of it costs what the page holds, however many tasks there are.

Every statement names the owner (`user_id = %(user_id)s`), and row-level security holds it to that.
Of what row-level security compares for it, Postgres looks nothing up in an index that could leak a
row: it trusts comparisons and CASE, but neither coalesce nor left nor a text search.
"""

import json
from typing import NamedTuple

from shared.data import database
from shared.data.connection import Statement
from shared.models import Caller, TaskQuery
from shared.tasks import pages
from shared.tasks.cursors import RANKS, Position, decode_cursor, encode_cursor

_OWNED = "user_id = %(user_id)s"

_SORT_KEYS = {
    "created_at": ("created_at", "timestamptz"),
    "updated_at": ("updated_at", "timestamptz"),
    "due_at": ("CASE WHEN due_at IS NULL THEN 'infinity' ELSE due_at END", "timestamptz"),
    "-due_at": ("CASE WHEN due_at IS NULL THEN '-infinity' ELSE due_at END", "timestamptz"),
    "priority": ("priority_rank", "smallint"),
    "title": ("title_key", "text"),
}
"""What a listing is ordered by, and its type. A task without due_at comes last either way."""

_STATUSES = {"all": ("false", "true"), "pending": ("false",), "completed": ("true",)}

_PAGES_NEARBY = 10
"""So many pages a search looks through in order, before it looks its words up in their index."""


class _Order(NamedTuple):
    """The order of a listing, and where in it a page begins."""

    key: str
    key_type: str
    is_ascending: bool
    position: Position | None

    @property
    def sql(self) -> str:
        direction = "ASC" if self.is_ascending else "DESC"
        return f"ORDER BY sort_key {direction}, id {direction}"

    @property
    def following(self) -> str:
        """The condition that a task comes after the position."""
        if self.position is None:
            return "true"
        beyond = ">" if self.is_ascending else "<"
        return f"({self.key}, id) {beyond} (%(key)s::{self.key_type}, %(id)s::uuid)"


def list_page(caller: Caller, query: TaskQuery) -> str:
    """The JSON of one page of the caller's tasks. Raises CursorInvalid."""
    order = _order_of(query, decode_cursor(caller, query))
    page = _found(query, order) if query.q else _in_order(query, order, "%(rows)s")
    # One row more than was asked for tells whether there is a next page.
    values: dict[str, object] = {"rows": query.limit + 1, "bytes": pages.PAGE_BYTES}
    values["nearby"] = query.limit * _PAGES_NEARBY
    values |= query.model_dump(include={"due_before", "due_after", "q"})
    if order.position is not None:
        values |= order.position._asdict()
    selects = [f"SELECT task FROM ({pages.fit(page)}) AS page"]  # nosec
    if query.with_total:
        selects.append(f"SELECT count(*) FROM tasks WHERE {_matching(query)}")  # nosec
    rows, *totals = database.run(caller, *(Statement(sql, values) for sql in selects), reads=True)

    tasks = [task for (task,) in rows[: query.limit] if task is not None]
    more = len(rows) > len(tasks)
    cursor = encode_cursor(caller, query, json.loads(tasks[-1])) if more else None
    end = "".join(f', "total": {count}' for ((count,),) in totals)
    return f'{{"tasks": [{",".join(tasks)}], "next_cursor": {json.dumps(cursor)}{end}}}'


def _order_of(query: TaskQuery, position: Position | None) -> _Order:
    column = query.sort.removeprefix("-")
    key, key_type = _SORT_KEYS.get(query.sort) or _SORT_KEYS[column]
    return _Order(key, key_type, query.sort == column, position)


def _in_order(query: TaskQuery, order: _Order, rows: str) -> str:
    """The next `rows` tasks in order that pass the filters, of which q is none here.

    Tasks of one status and one priority are a range of an index, and in order there. The ranges
    are merged, and no more of them is read than that takes. The commonest listing has an index
    that is one range, because Postgres takes a while to plan six.
    """
    conditions = [order.following]
    filtered = query.status != "all" or query.priority or _due(query) != "true"
    if filtered or order.key != "created_at":
        conditions = [
            f"is_completed = {status} AND {rank} AND {_due(query)} AND {following}"
            for rank, following in _ranks_following(query, order)
            for status in _STATUSES[query.status]
        ]
    ranges = " UNION ALL ".join(
        f"(SELECT *, {order.key} AS sort_key FROM tasks WHERE {_OWNED} AND {condition}"  # nosec
        f" {order.sql} LIMIT {rows})"
        for condition in conditions
    )
    return f"SELECT * FROM ({ranges}) AS ranges {order.sql} LIMIT {rows}"  # nosec


def _found(query: TaskQuery, order: _Order) -> str:
    """A page of the tasks that pass the filters and have the words of q.

    Words that many tasks have fill it with the next tasks in order. Of all others the index of
    words, which knows of no order, finds so few that they are soon sorted.
    """
    # search_query is null where q has no word in it, which every task matches.
    return f"""
        WITH nearby AS MATERIALIZED (
            SELECT * FROM ({_in_order(query, order, "%(nearby)s")}) AS nearby
            WHERE coalesce(search @@ (SELECT search_query(%(q)s)), true)
            {order.sql} LIMIT %(rows)s
        )
        SELECT * FROM (
            SELECT * FROM nearby WHERE (SELECT count(*) FROM nearby) = %(rows)s
            UNION ALL (
                SELECT *, {order.key} AS sort_key FROM tasks
                WHERE (SELECT count(*) FROM nearby) < %(rows)s
                      AND {_matching(query)} AND {order.following}
                {order.sql} LIMIT %(rows)s
            )
        ) AS found {order.sql}
    """  # nosec


def _matching(query: TaskQuery) -> str:
    """The condition that the filters make, q among them."""
    statuses, ranks = ", ".join(_STATUSES[query.status]), ", ".join(map(str, _ranks(query)))
    found = "id = ANY ((SELECT find_tasks(%(q)s))::uuid[])" if query.q else "true"
    return (
        f"{_OWNED} AND is_completed IN ({statuses}) AND priority_rank IN ({ranks})"
        f" AND {_due(query)} AND {found}"
    )


def _ranks(query: TaskQuery) -> list[int]:
    return sorted({RANKS.index(priority) for priority in query.priority or RANKS})


def _ranks_following(query: TaskQuery, order: _Order) -> list[tuple[str, str]]:
    """For each rank that tasks of the page may have: the condition of it, and of coming after."""
    if order.key != "priority_rank":
        return [(f"priority_rank = {rank}", order.following) for rank in _ranks(query)]
    # Of one value alone Postgres forgets that it is a part of the order. And of ranks that the
    # position is beyond, it would look through all tasks.
    ranks = _ranks(query)
    if order.position is not None:
        last = int(order.position.key)
        ranks = [rank for rank in ranks if rank == last or (rank > last) == order.is_ascending]
    return [
        (
            f"priority_rank BETWEEN {rank} AND {rank}",
            order.following if order.position and rank == order.position.key else "true",
        )
        for rank in ranks
    ]


def _due(query: TaskQuery) -> str:
    """The condition on due_at, in terms of what an index is ordered by."""
    if query.due_before is None and query.due_after is None:
        return "true"
    key, _ = _SORT_KEYS["-due_at" if query.sort == "-due_at" else "due_at"]
    first = "> '-infinity'" if query.due_after is None else ">= %(due_after)s"
    end = "'infinity'" if query.due_before is None else "%(due_before)s"
    return f"{key} {first} AND {key} < {end}"
