"""What benchmarks run on: a migrated Postgres of their own, and PgBouncer before it as on Neon."""

import os
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from infra.local.postgres import running_postgres
from infra.template import ROOT
from tests.servers import running_pgbouncer


class Stack(NamedTuple):
    """Where the database is: for those who seed it, and for the functions."""

    postgres: str
    """The URL of its owner, without a pooler or a password: a Unix socket."""
    pooled: str
    """The URL that functions are given: through PgBouncer, over TCP, with a password."""


@contextmanager
def running_stack(pool_size: int = 20) -> Iterator[Stack]:
    """A database for one benchmark, empty but for its tables; `pool_size` connections serve all."""
    with tempfile.TemporaryDirectory(prefix="lambdo-") as folder:
        # Postgres, which does not run as root, has to get at its folder.
        Path(folder).chmod(0o755)
        with running_postgres(Path(folder) / "postgres") as postgres:
            subprocess.run(
                [sys.executable, "-m", "alembic", "upgrade", "head"],
                cwd=ROOT,
                env={**os.environ, "DATABASE_URL": postgres},
                check=True,
            )
            password = secrets.token_urlsafe(32)
            with running_pgbouncer(postgres, pool_size, password) as pooled:
                yield Stack(postgres, pooled)
