"""Serves the whole API on this machine: python -m infra.local, or `make run`."""

import os
from contextlib import ExitStack

from infra.local.environment import DATA, load_environment, make_token
from infra.local.gateway import Gateway, make_server
from infra.local.postgres import running_postgres
from infra.local.program import ending_plainly, listen
from infra.template import read_cors, read_routes
from shared import migrations
from shared.settings import get_settings


def main() -> None:
    """Start the database, if none is named, and serve until Ctrl-C."""
    load_environment()
    with ExitStack() as stack:
        listener = stack.enter_context(listen("8000"))
        if not any(os.environ.get(name) for name in ("DATABASE_URL", "NEON_DB_URL")):
            os.environ["DATABASE_URL"] = stack.enter_context(running_postgres(DATA / "postgres"))
        settings = get_settings()
        migrations.upgrade()
        routes = read_routes(built_in_accounts=settings.accounts == "built_in")
        gateway = Gateway(routes, read_cors(), settings.cors_origins)
        stack.callback(gateway.close)
        _greet(*listener.getsockname()[:2])
        make_server(gateway).run(sockets=[listener])


def _greet(host: str, port: int) -> None:
    url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    greeting = f"Lambdo is at {url} and explains itself at {url}/docs. Ctrl-C stops it."
    if get_settings().environment == "local":  # elsewhere what is printed may be kept
        token = make_token("alice")
        greeting += f" Try:\n\n  curl {url}/api/tasks -H 'Authorization: Bearer {token}'\n"
    print(greeting, flush=True)


if __name__ == "__main__":
    with ending_plainly():
        main()
