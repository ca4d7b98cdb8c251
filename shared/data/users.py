"""The caller's own row in the table of users."""

from shared.callers import Caller
from shared.data.connection import Row, Statement
from shared.data.query import Query
from shared.statements import users as statements


def provision(caller: Caller) -> Query[None]:
    """Makes the caller's row, unless it is there: for queries that need it, and before them."""
    return Query(Statement(statements.PROVISION, {"email": caller.email}), _ignore)


def _ignore(_: list[Row]) -> None:
    pass
