"""Postgres and PgBouncer in containers, and if wanted the API: python -m infra.local.containers

It starts what infra/compose.yaml describes and stops it at Ctrl-C; the data stays in a volume.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from infra.local.environment import DATA, keep_secret, load_environment, write_private
from infra.template import ROOT

NETWORK = "lambdo"
"""What containers have to join to reach the database under the names of its services."""

_SETTINGS = DATA / "compose.env"


def make_url(host: str, port: int) -> str:
    """The URL of the database at one of its two doors."""
    return f"postgresql://lambdo_owner:{_read_password()}@{host}:{port}/lambdo"


@contextmanager
def running_database() -> Iterator[tuple[str, str]]:
    """The URLs under which this machine reaches Postgres and PgBouncer.

    Containers that run already are used, and left running. Raises CalledProcessError when Docker
    does not start them; it has said why.
    """
    write_settings()
    running = _compose("ps", "--services", "--status=running", output=True).split()
    try:
        _compose("up", "--build", "--detach", "--wait", "pgbouncer")
        yield (
            make_url("127.0.0.1", int(os.environ.get("POSTGRES_PORT") or 54320)),
            make_url("127.0.0.1", int(os.environ.get("PGBOUNCER_PORT") or 64320)),
        )
    finally:
        if "pgbouncer" not in running:
            _compose("down")


def write_settings() -> None:
    """Write what the compose file asks for: a password and a secret that are made once and kept."""
    settings = {"POSTGRES_PASSWORD": _read_password()}
    if secret := os.environ.get("BETTER_AUTH_SECRET") or os.environ.get("JWT_SECRET"):
        settings["BETTER_AUTH_SECRET"] = secret
    # Single-quoted, nothing in a value means anything to Compose.
    lines = [f"{name}='{value}'\n" for name, value in settings.items()]
    write_private(_SETTINGS, "".join(lines))


def _read_password() -> str:
    return keep_secret(DATA / "postgres-password")


def _compose(*arguments: str, output: bool = False) -> str:
    file = str(ROOT / "infra" / "compose.yaml")
    command = ["docker", "compose", "--env-file", str(_SETTINGS), "--file", file, *arguments]
    done = subprocess.run(  # noqa: S603 - of constants
        command, check=True, text=True, stdout=subprocess.PIPE if output else None
    )
    return done.stdout or ""


def main() -> None:
    """Serve until Ctrl-C."""
    load_environment()
    write_settings()
    try:
        _compose("--profile", "api", "up", "--build")
    except KeyboardInterrupt:
        pass
    finally:
        _compose("--profile", "api", "down")


if __name__ == "__main__":
    try:
        main()
    except subprocess.CalledProcessError as error:
        sys.exit(error.returncode)
