"""A page of a listing. Its statement is put together from the parts that queries/listing.py has."""

import itertools
import json
from typing import Any

from shared.callers import Caller
from shared.data import database
from shared.data.connection import Row, Statement
from shared.data.query import Query
from shared.errors import CursorInvalid
from shared.models import TaskQuery
from shared.statements import listing as statements
from shared.tasks import pages
from shared.tasks.cursors import RANKS, Position, decode_cursor, encode_cursor
from shared.tasks.pages import Page, read_page

_STATUSES = {"all": (False, True), "pending": (False,), "completed": (True,)}

_PAGES_NEARBY = 10
"""How many pages a search reads in order before it looks its words up in the index."""

# Postgres' first moment, and one that never comes: every due time is between them.
_ANY_TIME = ("4713-01-01 BC", "infinity")

_Values = dict[str, object]


def list_page(caller: Caller, query: TaskQuery) -> str:
    """The JSON of one page of the caller's tasks. Raises CursorInvalid."""
    position = decode_cursor(caller, query)

    def read(rows: list[Row]) -> Page:
        return read_page(rows, query.limit)

    queries: list[Query[Any]] = [Query(_select_page(query, position), read)]
    if query.with_total:
        queries.append(Query(Statement(statements.COUNT, _values(query, None)), _read_count))
    page, *totals = database.run(caller, *queries)
    cursor = encode_cursor(caller, query, page.last) if page.has_more else None
    end = "".join(f', "total": {total}' for total in totals)
    return f'{{"tasks": {page.json}, "next_cursor": {json.dumps(cursor)}{end}}}'


def _values(query: TaskQuery, position: Position | None) -> _Values:
    """The parameters that the statements of a listing have in common."""
    first, end = _ANY_TIME
    rows = query.limit + 1  # one more than was asked for tells whether there is a next page
    return {
        "any_due": not _is_filtered_by_due(query),
        "due_after": query.due_after or first,
        "due_before": query.due_before or end,
        "statuses": list(_STATUSES[query.status]),
        "ranks": _ranks(query),
        "q": query.q,
        "key": None if position is None else position.key,
        "id": None if position is None else position.id,
        "rows": rows,
        "range_rows": query.limit * _PAGES_NEARBY if query.q else rows,
        "bytes": pages.PAGE_BYTES,
    }


def _select_page(query: TaskQuery, position: Position | None) -> Statement:
    """The statement of a page: its ranges, and what is made of them."""
    values = _values(query, position)
    ranges, own_values = _select_ranges(query, position)
    if query.q:
        page = statements.SEARCHES[query.sort]
    else:
        page = statements.PAGE_DESCENDING if query.sort.startswith("-") else statements.PAGE
    return Statement(
        f"WITH ranges AS ({ranges}) SELECT * FROM ({page}) AS page", {**values, **own_values}
    )


def _select_ranges(query: TaskQuery, position: Position | None) -> tuple[str, _Values]:
    """SQL for the ranges of tasks that the page may be of, and the parameters of each."""
    is_after, is_due = position is not None, _is_filtered_by_due(query)
    is_whole = query.status == "all" and not query.priority and not is_due
    if is_whole and (select := statements.WHOLE_RANGES.get((query.sort, is_after))):
        return select, {}
    select = statements.RANGES[query.sort, is_after, is_due]
    selects: list[str] = []
    values: _Values = {}
    ranges = itertools.product(_ranks_following(query, position), _STATUSES[query.status])
    for number, (rank, is_completed) in enumerate(ranges):
        own = select
        for name, value in (("priority_rank", rank), ("is_completed", is_completed)):
            own = own.replace(f"%({name})s", f"%({name}_{number})s")
            values[f"{name}_{number}"] = value
        selects.append(f"({own})")
    return " UNION ALL ".join(selects), values


def _ranks(query: TaskQuery) -> list[int]:
    return sorted({RANKS.index(priority) for priority in query.priority or RANKS})


def _ranks_following(query: TaskQuery, position: Position | None) -> list[int]:
    """The ranks that tasks of the page may have. Raises CursorInvalid for a cursor beyond them."""
    ranks = _ranks(query)
    if position is None or not isinstance(position.key, int):
        return ranks
    reached = position.key
    if reached not in ranks:
        raise CursorInvalid
    # Of ranks that the cursor is beyond, Postgres would look through all tasks.
    if query.sort.startswith("-"):
        return [rank for rank in ranks if rank <= reached]
    return [rank for rank in ranks if rank >= reached]


def _is_filtered_by_due(query: TaskQuery) -> bool:
    return query.due_before is not None or query.due_after is not None


def _read_count(rows: list[Row]) -> str:
    ((count,),) = rows
    return str(count)
