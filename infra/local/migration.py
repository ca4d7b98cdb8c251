"""Writes the migration for what changed in the tables: python -m infra.local.migration "add color"

It compares shared/queries/tables.py with a database of its own, which it makes for that.
"""

import os
import secrets
import sys
import tempfile
from pathlib import Path

from alembic.config import main

from infra.local.postgres import running_postgres


def write_migration(message: str) -> None:
    """Write a migration into shared/migrations/versions, named for `message`."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)  # Postgres runs as another user where this one is root
        with running_postgres(Path(folder) / "postgres") as url:
            os.environ["DATABASE_URL"] = os.environ["DIRECT_DATABASE_URL"] = url
            os.environ.setdefault("BETTER_AUTH_SECRET", secrets.token_urlsafe(32))
            main(["upgrade", "head"])
            main(["revision", "--autogenerate", "--message", message])


if __name__ == "__main__":
    if len(sys.argv) != 2 or not sys.argv[1]:  # noqa: PLR2004
        sys.exit('Say what the migration does: make migration NAME="add color"')
    write_migration(sys.argv[1])
