"""Steps of a migration that take long, and while which the API goes on.

They run outside a transaction, each statement by itself. So a migration of such steps has no
others, and can be run again after it stopped in the middle.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from alembic import op

LOCK_TIMEOUT = "SET lock_timeout = '3s'"
"""How long other steps wait for a lock: behind one that waits, all who need the table wait, too."""


@contextmanager
def outside_transaction() -> Iterator[None]:
    """Run statements without a transaction, and wait for locks as long as it takes.

    They take no lock that keeps anybody from reading or writing, so nobody waits behind them.
    """
    with op.get_context().autocommit_block():
        op.execute("SET lock_timeout = 0")
        yield
        op.execute(LOCK_TIMEOUT)


def create_index(name: str, on: str, *, unique: bool = False) -> None:
    """Build an index on a table that is in use: `on` is its table and its columns, in SQL."""
    # One that could not be finished is there, too, and of no use.
    op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
    op.execute(f"CREATE {'UNIQUE ' if unique else ''}INDEX CONCURRENTLY {name} ON {on}")
