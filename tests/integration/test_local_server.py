"""`make run`: a server that needs nothing, keeps its data, and leaves nothing behind."""

import os
import re
import shlex
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest

from tests.clients import make_token
from tests.servers import free_port, fresh_checkout, run

TIMEOUT = 30


class Server(NamedTuple):
    """A running server, and what it said when it was ready."""

    process: subprocess.Popen[str]
    url: str
    greeting: str


@contextmanager
def running_server(checkout: Path, **environment: str) -> Iterator[Server]:
    """A server that is ready."""
    port = str(free_port())
    process = run(checkout, "infra.local", PORT=port, **environment)
    try:
        assert process.stdout is not None
        greeting = "".join(process.stdout.readline() for _ in range(3))
        yield Server(process, f"http://127.0.0.1:{port}", greeting)
    finally:
        if process.poll() is None:
            process.terminate()
        process.communicate(timeout=TIMEOUT)


@pytest.fixture(scope="module")
def checkout() -> Iterator[Path]:
    """Where the server below runs."""
    with fresh_checkout() as folder:
        yield folder


@pytest.fixture(scope="module")
def server(checkout: Path) -> Iterator[Server]:
    """A server that was told nothing but its port."""
    with running_server(checkout) as server:
        yield server


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def has_processes(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def print_token(checkout: Path, user: str) -> str:
    token, errors = run(checkout, "infra.local.token", user).communicate(timeout=TIMEOUT)
    assert errors == ""
    return token.strip()


def test_a_second_server_on_a_port_says_so_in_one_line(checkout: Path, server: Server) -> None:
    port = server.url.rpartition(":")[2]
    second = run(checkout, "infra.local", PORT=port)
    output, errors = second.communicate(timeout=TIMEOUT)
    assert (second.returncode, output) == (1, "")
    assert len(errors.splitlines()) == 1
    assert port in errors
    assert httpx.get(f"{server.url}/health/ready", timeout=TIMEOUT).status_code == 200


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "eighty"),
        ("DATABASE_URL", "postgresql://owner:hunter2@127.0.0.1:1/none"),
        ("DATABASE_URL", "hunter2"),
        ("BETTER_AUTH_SECRET", "hunter2"),
    ],
)
def test_a_server_that_cannot_start_says_so_in_one_line(
    checkout: Path, name: str, value: str
) -> None:
    settings = {"PORT": str(free_port()), "DATABASE_URL": "postgresql://127.0.0.1:1/none"}
    process = run(checkout, "infra.local", **{**settings, name: value})
    output, errors = process.communicate(timeout=TIMEOUT)
    assert (process.returncode, output) == (1, "")
    assert len(errors.splitlines()) == 1
    assert "hunter2" not in errors


def test_it_greets_with_what_to_do_next(server: Server) -> None:
    assert f"at {server.url} " in server.greeting
    assert f"{server.url}/docs" in server.greeting
    docs = httpx.get(f"{server.url}/docs", timeout=TIMEOUT)
    assert docs.headers["Content-Type"].startswith("text/html")

    (command,) = re.findall(r"^ *(curl .*)$", server.greeting, re.MULTILINE)
    shown = subprocess.run(
        [*shlex.split(command), "--silent", "--show-error", "--fail"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (shown.stdout, shown.stderr) == ('{"tasks": [], "next_cursor": null}', "")


def test_a_printed_token_is_for_one_user_of_this_server(checkout: Path, server: Server) -> None:
    token = bearer(print_token(checkout, "alice"))
    statuses = [
        httpx.get(f"{server.url}/api/{user}/tasks", headers=headers, timeout=TIMEOUT).status_code
        for user, headers in (
            ("bob", token),
            ("alice", bearer(make_token("alice"))),
            ("alice", token),
        )
    ]
    assert statuses == [403, 401, 200]


def stop(server: Server, checkout: Path, how: signal.Signals) -> None:
    """Stop a server, and check that all that it started stops with it."""
    lock = checkout / ".lambdo" / "postgres" / "postmaster.pid"
    postgres = int(lock.read_text().splitlines()[0])
    group = server.process.pid
    assert is_running(postgres)
    assert has_processes(group)
    if how == signal.SIGINT:  # a terminal sends it to all
        os.killpg(group, how)
    else:
        server.process.send_signal(how)
    _, errors = server.process.communicate(timeout=TIMEOUT)
    assert (server.process.returncode, errors) == (0, "")

    deadline = time.monotonic() + 5
    while is_running(postgres) or has_processes(group):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert not lock.exists()
    with pytest.raises(httpx.ConnectError):
        httpx.get(server.url)


def test_it_stops_with_all_that_it_started_and_goes_on_where_it_was() -> None:
    with fresh_checkout() as checkout:
        secret = checkout / ".lambdo" / "secret"
        with running_server(checkout) as server:
            assert secret.stat().st_mode & 0o777 == 0o600
            kept = secret.read_text()
            headers = bearer(print_token(checkout, "alice"))
            tasks = f"{server.url}/api/alice/tasks"
            answer = httpx.post(tasks, headers=headers, json={"title": "Kept"}, timeout=TIMEOUT)
            assert answer.status_code == 201
            stop(server, checkout, signal.SIGINT)
        with running_server(checkout) as server:
            assert secret.read_text() == kept
            assert secret.stat().st_mode & 0o777 == 0o600
            tasks = f"{server.url}/api/alice/tasks"
            page = httpx.get(tasks, headers=headers, timeout=TIMEOUT).json()
            assert page["tasks"] == [answer.json()]
            stop(server, checkout, signal.SIGTERM)
