"""Alembic's entry point: runs migrations on the database's direct endpoint."""

import time
from collections.abc import Iterable
from typing import Any

import psycopg
from alembic import context
from alembic.autogenerate.rewriter import Rewriter
from alembic.migration import MigrationContext
from alembic.operations.ops import (
    AddColumnOp,
    CreateCheckConstraintOp,
    MigrateOperation,
    MigrationScript,
)
from alembic.script import ScriptDirectory
from sqlalchemy import CheckConstraint, Connection, create_engine, event, pool
from sqlmodel import SQLModel

import shared.queries.tables  # noqa: F401 - fills SQLModel.metadata
from shared.data import database
from shared.migrations import direct_url
from shared.migrations.online import LOCK_TIMEOUT
from shared.settings import get_settings

_POLL_INTERVAL = 0.2
"""Seconds between two looks whether another upgrade is done."""


_writer = Rewriter()


@_writer.rewrites(AddColumnOp)
def _add_rules(_context: Any, _revision: Any, added: AddColumnOp) -> Iterable[MigrateOperation]:
    """A new column with the rules for its values, which Alembic leaves out by itself."""
    yield added
    for rule in added.column.constraints:
        if isinstance(rule, CheckConstraint):
            # Rows that are there have the default. To look through them would lock the table.
            yield CreateCheckConstraintOp(
                f"{added.table_name}_{added.column.name}_check",
                added.table_name,
                str(rule.sqltext),
                postgresql_not_valid=True,
            )


def _number(_context: MigrationContext, _revision: Any, scripts: list[MigrationScript]) -> None:
    """Give a new migration the next number."""
    head = ScriptDirectory.from_config(context.config).get_current_head()
    for script in scripts:
        script.rev_id = f"{int(head or 0) + 1:04}"


def run_migrations() -> None:
    """Run what Alembic's command asks for, each migration in a transaction of its own."""
    settings = get_settings()
    if settings.direct_database_url is None:
        database.check_settings()
    url = direct_url(settings)
    engine = create_engine(
        "postgresql+psycopg://", creator=lambda: psycopg.connect(url), poolclass=pool.NullPool
    )
    event.listen(engine, "begin", _limit_waits)
    with engine.connect() as guard, engine.connect() as connection:
        _wait_for_others(guard)
        context.configure(
            connection=connection,
            target_metadata=SQLModel.metadata,
            transaction_per_migration=True,
            process_revision_directives=_writer.chain(_number),
        )
        with context.begin_transaction():
            context.run_migrations()


def _limit_waits(connection: Connection) -> None:
    # Outside a transaction Postgres ignores it, with a warning.
    connection.exec_driver_sql(LOCK_TIMEOUT)


def _wait_for_others(guard: Connection) -> None:
    """Wait until no other upgrade of this database runs; `guard` keeps the others waiting.

    The lock belongs to a transaction that stays open, so a pooler cannot hand it to somebody else.
    """
    # A statement that waits has a snapshot, and to build an index concurrently, the other upgrade
    # would wait for that. A transaction between two statements has none.
    take = "SELECT pg_try_advisory_xact_lock(hashtext('lambdo'))"
    while not guard.exec_driver_sql(take).scalar():
        guard.rollback()
        time.sleep(_POLL_INTERVAL)
    guard.exec_driver_sql("SET LOCAL idle_in_transaction_session_timeout = 0")


run_migrations()
