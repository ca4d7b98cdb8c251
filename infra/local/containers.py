"""The API in a container, with Postgres and PgBouncer in others: python -m infra.local.containers

It starts what infra/compose.yaml describes and takes it away at Ctrl-C; the data stays in volumes.
"""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from infra.local.environment import load_environment
from infra.local.program import ending_plainly
from infra.template import ROOT


@contextmanager
def running(service: str) -> Iterator[None]:
    """A service of the compose file, and those it needs, which are ready when the block begins.

    Where it runs already it is left running. Raises CalledProcessError when Docker does not start
    it; Docker has said why.
    """
    _check_docker()
    kept = service in compose("ps", "--services", "--status=running").split()
    try:
        _show("up", "--build", "--detach", "--wait", service)
        yield
    finally:
        if not kept:
            _show("down")


def compose(*arguments: str) -> str:
    """What `docker compose` prints; raises CalledProcessError when it fails."""
    return subprocess.run(  # noqa: S603
        _command(*arguments), check=True, stdout=subprocess.PIPE, text=True
    ).stdout


def _show(*arguments: str) -> None:
    subprocess.run(_command(*arguments), check=True)  # noqa: S603


def _command(*arguments: str) -> list[str]:
    file = str(ROOT / "infra" / "compose.yaml")
    return ["docker", "compose", "--file", file, "--profile", "api", *arguments]


def _check_docker() -> None:
    try:
        command = ["docker", "compose", "ls"]
        subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603
    except FileNotFoundError:
        sys.exit("Docker is not installed; `make run` serves the API without it.")
    except subprocess.CalledProcessError as error:
        (*_, reason) = error.stderr.splitlines() or ["it does not say why."]
        sys.exit(f"Docker cannot be used: {reason}")


if __name__ == "__main__":
    load_environment()
    with ending_plainly(), running("api"):
        _show("logs", "--follow", "--no-log-prefix", "api")
