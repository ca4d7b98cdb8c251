"""Serves the whole API on this machine: python -m infra.local, or `make run`."""

import os
import signal
import socket
import sys
from contextlib import ExitStack
from types import FrameType

import psycopg
import uvicorn
from sqlalchemy.exc import SQLAlchemyError

from infra.local.environment import DATA, load_environment, make_token
from infra.local.gateway import Gateway
from infra.local.postgres import running_postgres
from infra.template import read_cors, read_routes
from shared import migrations
from shared.migrations import NewerSchema
from shared.settings import SettingsError, get_settings

MAX_PORT = 65535


def main() -> None:
    """Start the database, if none is named, and serve until Ctrl-C."""
    signal.signal(signal.SIGTERM, _exit)
    load_environment()
    with ExitStack() as stack:
        listener = stack.enter_context(_listen())
        if not any(os.environ.get(name) for name in ("DATABASE_URL", "NEON_DB_URL")):
            os.environ["DATABASE_URL"] = stack.enter_context(running_postgres(DATA / "postgres"))
        settings = get_settings()
        migrations.upgrade()
        routes = read_routes(built_in_accounts=settings.accounts == "built_in")
        gateway = Gateway(routes, read_cors(), settings.cors_origins)
        stack.callback(gateway.close)
        _greet(*listener.getsockname()[:2])
        config = uvicorn.Config(gateway, lifespan="off", log_level="warning", access_log=False)
        uvicorn.Server(config).run(sockets=[listener])


def _listen() -> socket.socket:
    host, port = os.environ.get("HOST") or "127.0.0.1", os.environ.get("PORT") or "8000"
    if not port.isdecimal() or int(port) > MAX_PORT:
        sys.exit(f"PORT: must be a number up to {MAX_PORT}")
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listener = socket.create_server((host, int(port)), family=family, backlog=1024)
    except OSError as error:
        sys.exit(f"Cannot serve on {host}:{port}: {error.strerror or error}. Free it, or set PORT.")
    # Or each answer on a connection that is kept waits 40 ms for the other side's acknowledgement.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def _greet(host: str, port: int) -> None:
    url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    print(
        f"Lambdo is at {url} and explains itself at {url}/docs. Ctrl-C stops it. Try:\n\n"
        f"  curl {url}/api/tasks -H 'Authorization: Bearer {make_token('alice')}'\n",
        flush=True,
    )


def _first_line(error: Exception) -> str:
    return str(getattr(error, "orig", None) or error).strip().partition("\n")[0]


def _exit(_signal: int, _frame: FrameType | None) -> None:
    sys.exit()


if __name__ == "__main__":
    try:
        main()
    except (SettingsError, NewerSchema) as error:
        sys.exit(str(error))
    except (psycopg.Error, SQLAlchemyError) as error:
        sys.exit(f"The database cannot be used: {_first_line(error)}")
    except KeyboardInterrupt:
        sys.exit()
