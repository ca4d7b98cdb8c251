"""Warm calls in a process of their own, for those who watch one:

DATABASE_URL=… python -m tests.bench.calls COUNT

It makes COUNT calls of each kind, in turns, and prints the median Call of each kind as JSON.
"""

import importlib
import json
import os
import sys
import time
from collections.abc import Callable
from contextlib import redirect_stdout
from statistics import median
from typing import Any, NamedTuple

from infra.local.workers import Context
from infra.template import ROOT
from shared.data import connection, database
from tests.clients import SECRET, User, make_event

TASKS = 100
"""How many tasks the caller has; as many as a page may hold."""

_WARM_UP = 20


class Call(NamedTuple):
    """What a call takes, in seconds. Its database is on this machine."""

    seconds: float
    cpu_seconds: float
    """What the function's own process computes meanwhile."""
    connected_seconds: float
    """How long a connection is open, or being opened."""
    connected_cpu_seconds: float
    """What the process computes in that time."""
    asking_seconds: float
    """How long it sends statements, waits for their answers and reads them."""


class _Watch:
    """Notes how long the last connection of this process was open."""

    def __init__(self) -> None:
        self.opening = self.ready = self.asked = self.closed = self.cpu_seconds = 0.0
        connect, close = connection.connect, connection.Connection.close

        def timed_connect(url: str, timeout: float) -> connection.Connection:
            self.opening, self.cpu_seconds = time.perf_counter(), time.process_time()
            opened = connect(url, timeout)
            self.ready = time.perf_counter()
            return opened

        def timed_close(one: connection.Connection) -> None:
            self.asked = time.perf_counter()
            close(one)
            self.closed = time.perf_counter()
            self.cpu_seconds = time.process_time() - self.cpu_seconds

        watched: Any = database
        watched.connect = timed_connect
        watched = connection.Connection
        watched.close = timed_close

    def measure(self, call: Callable[[], object]) -> Call:
        """What one call takes."""
        started, computed = time.perf_counter(), time.process_time()
        call()
        return Call(
            time.perf_counter() - started,
            time.process_time() - computed,
            self.closed - self.opening,
            self.cpu_seconds,
            self.asked - self.ready,
        )


def _make_calls(count: int) -> dict[str, Call]:
    create, list_, read = (
        importlib.import_module(name).handler for name in ("create_task", "list_tasks", "read_task")
    )
    context = Context("calls")
    headers = {**User().headers, "content-type": "application/json"}
    for number in range(TASKS):
        body = json.dumps({"title": f"Task {number}"}).encode()
        made = create(make_event("POST", "/api/tasks", headers=headers, body=body), context)
    path = f"/api/tasks/{json.loads(made['body'])['id']}"
    listing = make_event("GET", "/api/tasks", headers=headers, query=f"limit={TASKS}")
    reading = make_event("GET", path, headers=headers)

    # These two are what a flame graph stands on, so their names are for those who read it.
    def list_100_tasks() -> dict[str, Any]:
        return dict(list_(listing, context))

    def read_one_task() -> dict[str, Any]:
        return dict(read(reading, context))

    kinds = (list_100_tasks, read_one_task)
    for kind in kinds * _WARM_UP:
        assert kind()["statusCode"] == 200
    watch = _Watch()
    calls: dict[str, list[Call]] = {kind.__name__: [] for kind in kinds}
    for _ in range(count):
        for kind in kinds:
            calls[kind.__name__].append(watch.measure(kind))
    return {
        name: Call(*(median(values) for values in zip(*taken, strict=True)))
        for name, taken in calls.items()
    }


if __name__ == "__main__":
    os.environ["BETTER_AUTH_SECRET"] = SECRET
    # Counted as ever, and more calls than a user has.
    os.environ["RATE_LIMIT_PER_MINUTE"] = "1000000"
    sys.path.insert(0, str(ROOT / "functions"))
    with open(os.devnull, "w") as nowhere, redirect_stdout(nowhere):
        found = _make_calls(int(sys.argv[1]))
    json.dump({name: call._asdict() for name, call in found.items()}, sys.stdout)
