"""Serves the whole API with `sam local start-api`: python -m infra.local.sam [OPTION...]

It is what `make sam-local` calls. Options go to `sam local start-api`.
"""

import json
import os
import platform
import shutil
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from infra.local.containers import compose, running
from infra.local.environment import DATA, load_environment, make_token
from infra.local.program import ending_plainly, listen
from shared import migrations
from shared.settings import SettingsError, get_settings

_VARIABLES = DATA / "functions.json"

PASSED_ON = (
    *("AUTH_JWKS_URL", "AUTH_ISSUER", "AUTH_AUDIENCE", "LOG_LEVEL"),
    *("RATE_LIMIT_PER_MINUTE", "USER_PROVISIONING"),
)
"""What functions are told beside the database and the secret, where it is set."""

_ARCHITECTURE = "arm64" if platform.machine().lower() in ("arm64", "aarch64") else "x86_64"
_IMAGE = f"public.ecr.aws/lambda/python:3.13-{_ARCHITECTURE}"
_THIS_MACHINE = ("localhost", "127.0.0.1", "::1")


def main(options: list[str]) -> None:
    """Start the database, if none is named, build, and serve until Ctrl-C."""
    load_environment()
    os.environ.setdefault("SAM_CLI_TELEMETRY", "0")
    for tool, need in (("sam", "SAM"), ("python3.13", "Python 3.13, for which it builds,")):
        if shutil.which(tool) is None:
            sys.exit(f"{need} is not installed; `make run` serves the API without it.")
    with listen("3000") as listener:
        host, port = listener.getsockname()[:2]
    with ExitStack() as stack:
        if any(os.environ.get(name) for name in ("DATABASE_URL", "NEON_DB_URL")):
            url = see_from_container(get_settings().read_database_url())
        else:
            stack.enter_context(running("pgbouncer"))
            address = compose("port", "postgres", "5432").strip()
            os.environ["DIRECT_DATABASE_URL"] = f"postgresql://lambdo_owner@{address}/lambdo"
            url = "postgresql://lambdo_owner@pgbouncer:6432/lambdo"
            options = ["--docker-network", "lambdo", *options]
        _pull_image()
        migrations.upgrade()
        variables = {name: os.environ[name] for name in PASSED_ON if os.environ.get(name)}
        variables["DATABASE_URL"] = url
        variables["BETTER_AUTH_SECRET"] = get_settings().read_auth_secret()
        _write_private(_VARIABLES, json.dumps({"Parameters": variables}, indent=2))
        overrides = ["--parameter-overrides", *_name_parameters()]
        subprocess.run(["sam", "build", *overrides], check=True)  # noqa: S603, S607
        print(
            "\nThe first call of each function takes a while. Once it is ready, try:\n\n"
            f"  curl http://{host}:{port}/api/tasks"
            f" -H 'Authorization: Bearer {make_token('alice')}'\n",
            flush=True,
        )
        _serve(["--host", host, "--port", str(port), *overrides, *options])


def see_from_container(url: str) -> str:
    """The URL under which a container reaches a database that this machine reaches at `url`.

    Raises SettingsError where it cannot.
    """
    parts = urlsplit(url)
    if not parts.hostname:
        raise SettingsError("DATABASE_URL: must name a host, which containers can reach")
    if parts.hostname not in _THIS_MACHINE:
        return url
    user, at, _ = parts.netloc.rpartition("@")
    port = f":{parts.port}" if parts.port else ""
    return urlunsplit(parts._replace(netloc=f"{user}{at}host.docker.internal{port}"))


def _name_parameters() -> list[str]:
    origins = ",".join(get_settings().cors_origins)
    return [
        "Environment=local",
        f"Architecture={_ARCHITECTURE}",
        "DatabaseUrlArn=''",
        f"CorsOrigins={origins}",
    ]


def _pull_image() -> None:
    # SAM does so at the first call only, which then fails with a trace.
    docker = shutil.which("docker")
    if docker is None:
        return  # SAM knows others
    inspect = [docker, "image", "inspect", _IMAGE]
    if subprocess.run(inspect, capture_output=True, check=False).returncode:  # noqa: S603
        subprocess.run([docker, "pull", _IMAGE], check=True)  # noqa: S603


def _write_private(path: Path, text: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.unlink(missing_ok=True)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)


def _serve(options: list[str]) -> None:
    command = ["sam", "local", "start-api", *options]
    # Of a session of its own: no terminal stops it before it has taken its containers away.
    process = subprocess.Popen(command, start_new_session=True)  # noqa: S603
    try:
        process.wait()
    finally:
        process.terminate()
        process.wait()
    if process.returncode > 0:
        sys.exit(process.returncode)


if __name__ == "__main__":
    with ending_plainly():
        main(sys.argv[1:])
