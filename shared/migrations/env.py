"""Alembic's entry point: runs migrations on the database's direct endpoint."""

import psycopg
from alembic import context
from sqlalchemy import create_engine, pool
from sqlmodel import SQLModel

import shared.data.tables  # noqa: F401 - fills SQLModel.metadata
from shared.data import database
from shared.migrations import direct_url
from shared.settings import get_settings


def run_migrations() -> None:
    """Run what Alembic's command asks for: one at a time, and all of it or nothing."""
    settings = get_settings()
    if settings.direct_database_url is None:
        database.check_settings()
    url = direct_url(settings)
    engine = create_engine(
        "postgresql+psycopg://", creator=lambda: psycopg.connect(url), poolclass=pool.NullPool
    )
    with engine.connect() as connection:
        context.configure(connection=connection, target_metadata=SQLModel.metadata)
        with context.begin_transaction():
            connection.exec_driver_sql("SELECT pg_advisory_xact_lock(hashtext('lambdo'))")
            context.run_migrations()


run_migrations()
