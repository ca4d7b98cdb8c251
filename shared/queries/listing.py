"""The statements of a listing: a page costs what it holds, however many tasks there are.

Tasks of one status and one priority are a range of an index, and in order there. A listing takes
the ranges that it needs (RANGES), and a page of them in order (PAGE), or of those that have the
words of a search (SEARCHES). shared/tasks/listing.py puts them together.

Under row-level security Postgres uses an index only for conditions that are leakproof: comparisons
and CASE, not coalesce, left or a text search.
"""

from typing import Any, NamedTuple, get_args

from sqlalchemy import (
    ARRAY,
    Boolean,
    ColumnElement,
    DateTime,
    Integer,
    Select,
    SmallInteger,
    Text,
    Uuid,
    and_,
    any_,
    bindparam,
    cast,
    func,
    or_,
    select,
    table,
    tuple_,
    union_all,
)
from sqlalchemy import column as named
from sqlalchemy import literal_column as sql
from sqlmodel import col

from shared.models import Sort, TaskFields
from shared.queries.pages import fit
from shared.queries.tables import Task, due_at_or

_user_id = bindparam("user_id", type_=Text)
_rows = bindparam("rows", type_=Integer)
_range_rows = bindparam("range_rows", type_=Integer)
_words = bindparam("q", type_=Text)

# What a listing is ordered by. A task without due_at comes last in both directions.
_DUE_AT = sql(due_at_or("infinity").text, DateTime(timezone=True))
_DUE_AT_DESCENDING = sql(due_at_or("-infinity").text, DateTime(timezone=True))
_KEYS: dict[str, Any] = {
    "created_at": col(Task.created_at),
    "updated_at": col(Task.updated_at),
    "due_at": _DUE_AT,
    "-due_at": _DUE_AT_DESCENDING,
    "priority": col(Task.priority_rank),
    "title": col(Task.title_key),
}

_ranges = table("ranges")
_ALL: ColumnElement[Any] = sql("*")
_FIELDS = [named(name, Task.__table__.c[name].type) for name in TaskFields.model_fields]


class _Order(NamedTuple):
    """The order of a listing."""

    sort: str

    @property
    def key(self) -> ColumnElement[Any]:
        """What it sorts by first; the id breaks a tie."""
        key: ColumnElement[Any] = _KEYS.get(self.sort, _KEYS[self.sort.removeprefix("-")])
        return key

    @property
    def is_descending(self) -> bool:
        return self.sort.startswith("-")

    @property
    def by_columns(self) -> list[ColumnElement[Any]]:
        """ORDER BY, where the key is a column."""
        return self._by(named("sort_key"), named("id"))

    @property
    def by_task(self) -> list[ColumnElement[Any]]:
        """ORDER BY, for tasks as the table has them."""
        return self._by(self.key, col(Task.id))

    def _by(self, *columns: Any) -> list[ColumnElement[Any]]:
        return [each.desc() if self.is_descending else each.asc() for each in columns]

    @property
    def is_after_cursor(self) -> ColumnElement[bool]:
        """The condition that a task comes after the cursor's place."""
        last = tuple_(bindparam("key", type_=self.key.type), bindparam("id", type_=Uuid))
        this = tuple_(self.key, col(Task.id))
        return this < last if self.is_descending else this > last

    @property
    def is_due(self) -> ColumnElement[bool]:
        """The condition of the filters on due_at, in terms of what an index is ordered by."""
        key = _DUE_AT_DESCENDING if self.sort == "-due_at" else _DUE_AT
        return and_(
            key >= bindparam("due_after", type_=DateTime(timezone=True)),
            key < bindparam("due_before", type_=DateTime(timezone=True)),
        )

    @property
    def rank(self) -> ColumnElement[bool]:
        """The condition of a range's priority."""
        rank = bindparam("priority_rank", type_=SmallInteger)
        column = col(Task.priority_rank)
        # Of a column with one value Postgres forgets that it is a part of the order.
        is_key = self.sort.removeprefix("-") == "priority"
        return column.between(rank, rank) if is_key else column == rank


def _tasks(order: _Order, limit: ColumnElement[int], *conditions: ColumnElement[bool]) -> Any:
    """The caller's first tasks in order that meet the conditions."""
    return (
        select(sql("tasks.*"), order.key.label("sort_key"))
        .where(col(Task.user_id) == _user_id, *conditions)
        .order_by(*order.by_task)
        .limit(limit)
    )


def _range(order: _Order, *, after: bool, due: bool) -> Any:
    conditions = [col(Task.is_completed) == bindparam("is_completed", type_=Boolean), order.rank]
    conditions += [order.is_after_cursor] if after else []
    conditions += [order.is_due] if due else []
    return _tasks(order, _range_rows, *conditions)


def _whole_range(order: _Order, *, after: bool) -> Any:
    return _tasks(order, _range_rows, *([order.is_after_cursor] if after else []))


def _page(order: _Order) -> Select[Any]:
    return fit(select(*_FIELDS).select_from(_ranges).order_by(*order.by_columns).limit(_rows))


def _search(order: _Order) -> Select[Any]:
    """A page of the tasks that have the words.

    Words that many tasks have fill it with the next tasks in order. Of all others the index of
    words, which knows of no order, finds so few that they are soon sorted.
    """
    first = select(_ALL).select_from(_ranges).order_by(*order.by_columns).limit(_range_rows)
    words = select(func.search_query(_words)).scalar_subquery()
    # search_query is null where q has no word in it, which every task matches.
    has_words = func.coalesce(named("search").op("@@")(words), sql("true"))
    nearby = (
        select(_ALL)
        .select_from(first.subquery("first"))
        .where(has_words)
        .order_by(*order.by_columns)
        .limit(_rows)
        .cte("nearby")
        .prefix_with("MATERIALIZED")
    )
    count = select(func.count()).select_from(nearby).scalar_subquery()
    looked_up = _tasks(
        order,
        _rows,
        count < _rows,
        or_(bindparam("key", type_=order.key.type).is_(None), order.is_after_cursor),
        *_matching(order),
    )
    found = union_all(
        select(_ALL).select_from(nearby).where(count == _rows),
        select(_ALL).select_from(looked_up.subquery("looked_up")),
    )
    tasks = select(*_FIELDS).select_from(found.subquery("found"))
    return fit(tasks.order_by(*order.by_columns))


def _matching(order: _Order) -> list[ColumnElement[bool]]:
    """The conditions that all filters make."""
    # A scalar subquery, so that Postgres looks the words up once.
    ids = cast(select(func.find_tasks(_words)).scalar_subquery(), ARRAY(Uuid))
    return [
        col(Task.is_completed) == any_(bindparam("statuses", type_=ARRAY(Boolean))),
        col(Task.priority_rank) == any_(bindparam("ranks", type_=ARRAY(SmallInteger))),
        or_(bindparam("any_due", type_=Boolean), order.is_due),
        or_(_words == sql("''"), col(Task.id) == any_(ids)),
    ]


_ORDERS = [_Order(sort) for sort in get_args(Sort)]
_BOTH = (False, True)

RANGES = {
    (order.sort, after, due): _range(order, after=after, due=due)
    for order in _ORDERS
    for after in _BOTH
    for due in _BOTH
}
"""The tasks of one status and one priority: whether after a cursor, and whether due in a time."""

WHOLE_RANGES = {
    (order.sort, after): _whole_range(order, after=after)
    for order in _ORDERS
    if order.sort.removeprefix("-") == "created_at"
    for after in _BOTH
}
"""All tasks, where an index has them as one range: Postgres takes a while to plan several."""

PAGE = _page(_Order("created_at"))
PAGE_DESCENDING = _page(_Order("-created_at"))
"""The first tasks of the ranges, whatever their order is by."""

SEARCHES = {order.sort: _search(order) for order in _ORDERS}

COUNT = (
    select(func.count())
    .select_from(Task)
    .where(col(Task.user_id) == _user_id, *_matching(_Order("created_at")))
)

_after = bindparam("cursor", type_=Uuid)
EXPORT = fit(
    select(*(col(getattr(Task, name)) for name in TaskFields.model_fields))
    .where(col(Task.user_id) == _user_id, or_(_after.is_(None), col(Task.id) > _after))
    .order_by(col(Task.id))
    .limit(_rows)
)
"""All tasks of a user, in pages in the order of their ids."""
