"""Steps of a migration that take long, and while which the API goes on.

They run outside a transaction, each statement by itself. So a migration of such steps has no
others, and can be run again after it stopped in the middle.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from alembic import op

LOCK_TIMEOUT = "SET LOCAL lock_timeout = '3s'"
"""How long a transaction waits for a lock: behind it, everybody who needs the table waits, too."""


@contextmanager
def outside_transaction() -> Iterator[None]:
    """Run statements without a transaction, each of which waits for locks as long as it takes.

    They take no lock that keeps anybody from reading or writing, so nobody waits behind them.
    """
    with op.get_context().autocommit_block():
        yield


def create_index(name: str, on: str, *, unique: bool = False) -> None:
    """Build an index on a table that is in use: `on` is its table and its columns, in SQL."""
    # One that could not be finished is there, too, and of no use.
    op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
    op.execute(f"CREATE {'UNIQUE ' if unique else ''}INDEX CONCURRENTLY {name} ON {on}")
