"""Servers for tests, each stopped when its block ends."""

import os
import pwd
import random
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import parse_qs, quote, urlsplit

import httpx
import psycopg

from infra.local.postgres import running_postgres
from infra.template import ROOT
from tests.clients import SECRET

START_TIMEOUT = 60

_direct_urls: dict[str, str] = {}
"""Where the database itself is that is reached through a pooler, by the URL of that."""

Damage = Callable[[httpx.Request, httpx.Response], httpx.Response | None]


# Tests that run in parallel each have ports of their own.
_PORTS = range(
    20_000 + int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")),
    32_768,
    int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1")),
)


def free_port() -> int:
    """A port that nothing listens on, and that no connection is given meanwhile.

    Linux gives connections ports from 32768 on (ip_local_port_range).
    """
    while True:
        port = random.choice(_PORTS)  # noqa: S311 - nobody must not guess it
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


@contextmanager
def fresh_postgres() -> Iterator[str]:
    """The URL of an empty database, on a server of its own."""
    with tempfile.TemporaryDirectory(prefix="lambdo-") as folder:
        # Postgres, which does not run as root, has to get at its folder.
        Path(folder).chmod(0o755)
        with running_postgres(Path(folder) / "postgres") as url:
            yield url


@contextmanager
def fresh_checkout() -> Iterator[Path]:
    """A folder that looks like a fresh checkout, with data of its own."""
    with tempfile.TemporaryDirectory(prefix="lambdo-") as folder:
        # Postgres, which does not run as root, has to get at its folder.
        Path(folder).chmod(0o755)
        for part in ("functions", "infra", "shared", "template.yaml"):
            (Path(folder) / part).symlink_to(ROOT / part)
        yield Path(folder)


def run(checkout: Path, module: str, *arguments: str, **environment: str) -> subprocess.Popen[str]:
    """Start a module of the checkout, with nothing set that it does not need."""
    return subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        cwd=checkout,
        env={"PATH": os.environ["PATH"], "HOME": str(checkout), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


@contextmanager
def running_gateway(database_url: str, **environment: str) -> Iterator[str]:
    """The address of a local gateway on a database, with more settings if need be."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    environment = {
        **os.environ,
        "DATABASE_URL": database_url,
        # A migration locks out others for its session, which a pooler keeps and gives to anybody.
        "DIRECT_DATABASE_URL": _direct_urls.get(database_url, database_url),
        "BETTER_AUTH_SECRET": SECRET,
        "PORT": str(port),
        **environment,
    }
    command = [sys.executable, "-m", "infra.local"]
    with running(
        command, environment, lambda: httpx.get(f"{url}/health", timeout=5).status_code == 200
    ):
        yield url


@contextmanager
def damaged(api: str, damage: Damage) -> Iterator[str]:
    """The address of the API at `api`, with such of its answers as `damage` replaces."""

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {name: value for name, value in self.headers.items() if name != "Host"}
            request = httpx.Request(self.command, api + self.path, headers=headers, content=body)
            with httpx.Client(timeout=30) as client:
                answer = client.send(request)
            answer = damage(request, answer) or answer
            self.send_response(answer.status_code)
            for name, value in answer.headers.items():
                if name not in ("content-length", "content-encoding", "transfer-encoding"):
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.content)))
            self.end_headers()
            self.wfile.write(answer.content)

        do_GET = do_POST = do_PATCH = do_DELETE = answer  # noqa: N815 - http.server's names

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@contextmanager
def running_pgbouncer(
    postgres: str, pool_size: int = 20, password: str | None = None
) -> Iterator[str]:
    """The URL of the same database through PgBouncer, in transaction mode as on Neon.

    With a `password`, which is in that URL, PgBouncer asks for it as Neon does: SCRAM-SHA-256.
    Its connections, which it keeps, are named for more than the functions alone, so that a test can
    wait until no function has a connection of its own any more.
    """
    url = urlsplit(postgres)
    directory = parse_qs(url.query)["host"][0]
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="lambdo-") as folder:
        users = Path(folder) / "users.txt"
        users.write_text(f'"{url.username}" "{_scram_secret(postgres, password)}"\n')
        settings = Path(folder) / "pgbouncer.ini"
        settings.write_text(
            f"""
            [databases]
            {url.path[1:]} = host={directory} port=5432
            [pgbouncer]
            listen_addr = 127.0.0.1
            listen_port = {port}
            unix_socket_dir =
            auth_type = {"trust" if password is None else "scram-sha-256"}
            auth_file = {users}
            stats_users = {url.username}
            pool_mode = transaction
            default_pool_size = {pool_size}
            max_client_conn = 1000
            ignore_startup_parameters = extra_float_digits
            application_name_add_host = 1
            """
        )
        # It does not run as root, and has to get at the socket and at its own files.
        Path(folder).chmod(0o755)
        owner = pwd.getpwuid(Path(directory).stat().st_uid).pw_name
        become = ["-u", owner] if os.geteuid() == 0 else []
        command = ["pgbouncer", "-q", *become, str(settings)]
        login = url.username if password is None else f"{url.username}:{quote(password)}"
        pooled = f"postgresql://{login}@127.0.0.1:{port}{url.path}"
        _direct_urls[pooled] = postgres
        with running(command, {**os.environ}, lambda: _can_connect(pooled)):
            yield pooled


def _scram_secret(postgres: str, password: str | None) -> str:
    """What a server keeps of a password, with which it can check one and not log in with it."""
    if password is None:
        return ""
    with psycopg.connect(postgres) as connection:
        user = connection.info.user.encode()
        secret = connection.pgconn.encrypt_password(password.encode(), user, b"scram-sha-256")
    return secret.decode()


@contextmanager
def running(
    command: list[str], environment: dict[str, str], ready: Callable[[], bool]
) -> Iterator[None]:
    """A program that runs while the block does, which begins once it is `ready`."""
    process = subprocess.Popen(command, cwd=ROOT, env=environment)
    try:
        _wait_until(ready, process)
        yield
    finally:
        process.terminate()
        process.wait(START_TIMEOUT)


def _can_connect(url: str) -> bool:
    with psycopg.connect(url) as connection:
        return not connection.closed


def _wait_until(ready: Callable[[], bool], process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_TIMEOUT
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"{process.args!r} ended with {process.returncode}")
        with suppress(httpx.TransportError, psycopg.OperationalError):
            if ready():
                return
        time.sleep(0.1)
    raise TimeoutError(f"{process.args!r} is not ready after {START_TIMEOUT} s")
