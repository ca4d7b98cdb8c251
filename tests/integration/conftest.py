"""What integration tests share: every call there is on tasks, and the database behind the API."""

import asyncio
import fcntl
import os
import secrets
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

import httpx
import psycopg
import pytest

from tests.clients import User
from tests.conftest import use_database
from tests.sam import build_api


class Clock:
    """What a module takes for the time; it stands still unless it is set."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Call(NamedTuple):
    """A call on tasks, with the body that it is usually sent."""

    method: str
    path: str
    body: dict[str, Any] | None = None

    def __str__(self) -> str:
        """The call as the name of a test shows it."""
        return f"{self.method} {self.path or '/'}"


CREATE = Call("POST", "", {"title": "Sent"})
LIST = Call("GET", "")
READ = Call("GET", "/{id}")
CHANGE = Call("PATCH", "/{id}", {"title": "Sent"})
COMPLETE = Call("PATCH", "/{id}/complete", {"is_completed": True})
TOGGLE = Call("PATCH", "/{id}/toggle-status")
DELETE = Call("DELETE", "/{id}")
WRITES = [Call("PUT", "/{id}", {"title": "Sent"}), CHANGE, COMPLETE, TOGGLE, DELETE]
CALLS = [LIST, CREATE, READ, *WRITES]


def make_call(
    http: httpx.Client,
    user: User,
    call: Call,
    task_id: str | None = None,
    **headers: str,
) -> httpx.Response:
    """Make a call, on a task that nobody has unless `task_id` says otherwise."""
    return http.request(
        call.method,
        "/api/tasks" + call.path.format(id=task_id or uuid4()),
        headers={**user.headers, **{name.replace("_", "-"): headers[name] for name in headers}},
        json=call.body,
    )


def create(http: httpx.Client, user: User, **fields: object) -> dict[str, Any]:
    """A new task of a user's."""
    answer = http.post("/api/tasks", headers=user.headers, json={"title": "A task", **fields})
    assert answer.status_code == 201, answer.text
    task: dict[str, Any] = answer.json()
    return task


@contextmanager
def calling(count: int) -> Iterator[ThreadPoolExecutor]:
    """Threads for so many callers at once; handlers want an event loop in each."""
    loops = []

    def begin() -> None:
        loops.append(asyncio.new_event_loop())
        asyncio.set_event_loop(loops[-1])

    with ThreadPoolExecutor(count, initializer=begin) as threads:
        yield threads
    for loop in loops:
        loop.close()


def wait_until(condition: Callable[[], object], seconds: float = 10) -> None:
    """Wait for a condition; AssertionError if it does not come true in so many seconds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def add_user(owner: psycopg.Connection, user: User, email: str | None = None) -> None:
    """Put a user's row there, as whatever has the accounts would."""
    owner.execute("INSERT INTO users (id, email) VALUES (%s, %s)", [user.id, email])


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The template as `sam build` leaves it, beside what it has built: once for all workers."""
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent
    template = folder / "build" / "template.yaml"
    with (folder / "build.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return template if template.exists() else build_api(template.parent)


@pytest.fixture
def empty(
    postgres: str, owner: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    """The URL of an empty database, which migrations use."""
    name = f"empty_{uuid4().hex}"
    owner.execute(f"CREATE DATABASE {name} TEMPLATE template0")
    url = postgres.replace("/lambdo?", f"/{name}?")
    assert url != postgres
    with monkeypatch.context() as environment:
        use_database(environment, url)
        yield url
    use_database(monkeypatch, postgres)
    owner.execute(f"DROP DATABASE {name} WITH (FORCE)")


PASSWORD = secrets.token_urlsafe()


@pytest.fixture
def guarded(postgres: str, owner: psycopg.Connection) -> Iterator[str]:
    """The URL of the database for a role whose password the server asks for."""
    role = f"guarded_{uuid4().hex}"
    owner.execute(f"CREATE ROLE {role} LOGIN PASSWORD '{PASSWORD}' IN ROLE lambdo_api")
    superuser = postgres.replace("//lambdo_owner@", "//postgres@")
    with psycopg.connect(superuser, autocommit=True) as connection:
        ((file,),) = connection.execute("SHOW hba_file")
        rules = Path(file)
        before = rules.read_text()
        try:
            rules.write_text(f"local all {role} scram-sha-256\n{before}")
            connection.execute("SELECT pg_reload_conf()")
            yield postgres.replace("lambdo_owner@", f"{role}:{PASSWORD}@")
        finally:
            rules.write_text(before)
            connection.execute("SELECT pg_reload_conf()")
    owner.execute(f"DROP ROLE {role}")


def list_objects(url: str) -> set[str]:
    """The tables, functions and types in a database."""
    with psycopg.connect(url) as connection:
        rows = connection.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace"
            " UNION SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace"
            " UNION SELECT typname FROM pg_type WHERE typnamespace = 'public'::regnamespace"
        )
        return {name for (name,) in rows}
