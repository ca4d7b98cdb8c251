"""Who is measured, by which calls, on which tasks."""

import json
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import psycopg

from infra.template import ROOT, read_environment
from tests.bench.stack import Stack
from tests.clients import make_event

_BENCH = Path(__file__).parent

TASKS = 1000
"""How many each user has; a listing answers as many at most."""

USERS = 10

_SEED = f"""
    INSERT INTO users (id) SELECT 'user-' || u FROM generate_series(1, {USERS}) AS u;
    INSERT INTO tasks (user_id, title, description, priority, due_at, is_completed, created_at)
    SELECT 'user-' || u, 'Task ' || t, repeat('word ', t % 20),
           (ARRAY['low', 'medium', 'high'])[t % 3 + 1],
           CASE WHEN t % 2 = 0 THEN now() + t * interval '1 hour' END, t % 4 = 0,
           now() - t * interval '1 minute'
    FROM generate_series(1, {USERS}) AS u, generate_series(1, {TASKS}) AS t;
"""


class Subject(NamedTuple):
    """One that answers the calls."""

    name: str
    folder: Path
    """Where its modules are."""
    handler: str
    """What Lambda would call, for each function of Lambdo's."""


LAMBDO = Subject("Lambdo", ROOT / "functions", "{function}.handler")
FLOOR = Subject("floor", _BENCH / "floor", "floor.{function}")
FLOOR_WITH_KEYS = Subject("floor with keys", FLOOR.folder, "floor_with_keys.{function}")
TEXTBOOK = Subject("textbook", _BENCH / "textbook" / "app", "main.handler")
SUBJECTS = (FLOOR, LAMBDO, TEXTBOOK)


class Call(NamedTuple):
    """A call that all of them answer."""

    what: str
    function: str
    method: str
    path: str = ""
    query: str = ""
    title: str | None = None
    """What the body has, with a number in it: a change to what is there already is none."""


LIST_PAGE = Call("list 100 tasks", "list_tasks", "GET")
LIST = Call("list 1,000 tasks", "list_tasks", "GET", query=f"limit={TASKS}")
READ = Call("read one", "read_task", "GET", "/{task}")
CREATE = Call("create one", "create_task", "POST", title="Task {number}")
CHANGE = Call("change one", "update_task", "PATCH", "/{task}", title="Changed {number}")
FLIP = Call("flip one", "toggle_task_status", "PATCH", "/{task}/toggle-status")
DELETE = Call("delete one", "delete_task", "DELETE", "/{task}")
CALLS = (LIST, READ, CREATE, CHANGE, FLIP, DELETE)

LISTER = "user-1"
"""Whose tasks are listed; they stay as they are."""

OWNER = "user-2"
"""Whose tasks are read, changed and deleted."""


def seed(stack: Stack) -> Iterator[str]:
    """Fill an empty database; the ids of the owner's tasks, each of which is given away once."""
    with psycopg.connect(stack.postgres, autocommit=True) as owner:
        owner.execute(_SEED)
        owner.execute("VACUUM ANALYZE")
        ids = owner.execute("SELECT id::text FROM tasks WHERE user_id = %s", [OWNER]).fetchall()
    return (task for (task,) in ids)


def make_events(
    call: Call, tasks: Iterator[str], token: dict[str, str], times: int
) -> list[dict[str, Any]]:
    """The events of making a call `times` times; `token` has one for each user.

    Every deletion takes one of `tasks`; of what else names a task, all take the same.
    """
    user = LISTER if call.function == "list_tasks" else OWNER
    headers = {"authorization": f"Bearer {token[user]}", "content-type": "application/json"}
    each = [next(tasks) for _ in range(times)] if call is DELETE else [next(tasks)] * times
    return [
        make_event(
            call.method,
            f"/api/{user}/tasks{call.path.format(task=task)}",
            headers=headers,
            query=call.query,
            body=b""
            if call.title is None
            else json.dumps({"title": call.title.format(number=secrets.token_hex(4))}).encode(),
        )
        for task in each
    ]


def make_environment(database_url: str, secret: str, *folders: Path, **more: str) -> dict[str, str]:
    """What a function finds in its environment, on Lambda and here: the template's, mostly."""
    return {
        "PATH": os.environ["PATH"],
        **read_environment(),
        "POWERTOOLS_SERVICE_NAME": "lambdo",
        "DATABASE_URL": database_url,
        "BETTER_AUTH_SECRET": secret,
        # Calls are counted as ever; only, nobody makes as many.
        "RATE_LIMIT_PER_MINUTE": "1000000",
        "PYTHONPATH": os.pathsep.join(map(str, folders)),
        **more,
    }
