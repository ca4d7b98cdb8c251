"""Serves the whole API with `sam local start-api`: python -m infra.local.sam [OPTION...]

It is what `make sam-local` calls. Options go to `sam local start-api`.
"""

import json
import os
import platform
import signal
import subprocess
import sys
from contextlib import ExitStack
from types import FrameType
from urllib.parse import urlsplit, urlunsplit

import psycopg
from sqlalchemy.exc import SQLAlchemyError

from infra.local.containers import NETWORK, make_url, running_database
from infra.local.environment import DATA, load_environment, make_token, write_private
from shared import migrations
from shared.migrations import NewerSchema
from shared.settings import SettingsError, get_settings

_VARIABLES = DATA / "functions.json"

# What functions are told beside the database and the secret, where it is set.
_PASSED_ON = (
    "AUTH_JWKS_URL",
    "AUTH_ISSUER",
    "AUTH_AUDIENCE",
    "CORS_ORIGINS",
    "LOG_LEVEL",
    "USER_PROVISIONING",
)

_THIS_MACHINE = ("localhost", "127.0.0.1", "::1")
_FROM_CONTAINERS = "host.docker.internal"


def main(options: list[str]) -> None:
    """Start the database, if none is named, build, and serve until Ctrl-C."""
    signal.signal(signal.SIGTERM, _exit)
    load_environment()
    os.environ.setdefault("SAM_CLI_TELEMETRY", "0")
    with ExitStack() as stack:
        if any(os.environ.get(name) for name in ("DATABASE_URL", "NEON_DB_URL")):
            url = see_from_container(get_settings().read_database_url())
            network = "bridge"
        else:
            direct, pooled = stack.enter_context(running_database())
            os.environ["DIRECT_DATABASE_URL"], os.environ["DATABASE_URL"] = direct, pooled
            url, network = make_url("pgbouncer", 6432), NETWORK
        migrations.upgrade()
        variables = {name: os.environ[name] for name in _PASSED_ON if os.environ.get(name)}
        variables["DATABASE_URL"] = url
        variables["BETTER_AUTH_SECRET"] = get_settings().read_auth_secret()
        write_private(_VARIABLES, json.dumps({"Parameters": variables}))
        overrides = ["--parameter-overrides", *_name_parameters()]
        port = os.environ.get("PORT") or "3000"
        subprocess.run(["sam", "build", *overrides], check=True)  # noqa: S603, S607
        print(
            "\nOnce it is ready, and after a while for the first call of each function:\n\n"
            f"  curl http://127.0.0.1:{port}/api/tasks"
            f" -H 'Authorization: Bearer {make_token('alice')}'\n",
            flush=True,
        )
        _serve(["--port", port, "--docker-network", network, *overrides, *options])


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
    return urlunsplit(parts._replace(netloc=f"{user}{at}{_FROM_CONTAINERS}{port}"))


def _name_parameters() -> list[str]:
    arm = platform.machine().lower() in ("arm64", "aarch64")
    parameters = {
        "Environment": "local",
        "Architecture": "arm64" if arm else "x86_64",
        "DatabaseUrlArn": "",
    }
    if origins := os.environ.get("CORS_ORIGINS"):
        parameters["CorsOrigins"] = origins
    return [f"{name}={value}" for name, value in parameters.items()]


def _serve(options: list[str]) -> None:
    command = ["sam", "local", "start-api", *options]
    with subprocess.Popen(command) as process:  # noqa: S603
        try:
            process.wait()
        except KeyboardInterrupt:
            # Ctrl-C reaches it as well; it removes its containers then.
            process.wait()
        except SystemExit:
            process.send_signal(signal.SIGINT)
            process.wait()
    if process.returncode > 0:
        sys.exit(process.returncode)


def _exit(_signal: int, _frame: FrameType | None) -> None:
    sys.exit()


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except (SettingsError, NewerSchema) as error:
        sys.exit(str(error))
    except (psycopg.Error, SQLAlchemyError) as error:
        sys.exit(f"The database cannot be used: {error}")
    except subprocess.CalledProcessError as error:
        sys.exit(error.returncode)
    except KeyboardInterrupt:
        sys.exit()
