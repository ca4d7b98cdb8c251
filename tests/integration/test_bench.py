"""What Lambdo is measured beside does the same work: the same calls get the same answers."""

import importlib
import json
import re
import subprocess
import sys
from typing import Any

import psycopg
import pytest

from infra.template import ROOT
from tests.bench.subjects import (
    CALLS,
    FLOOR,
    FLOOR_WITH_KEYS,
    LAMBDO,
    LIST,
    TEXTBOOK,
    Subject,
    make_environment,
)
from tests.clients import SECRET, User, make_event
from tests.integration.conftest import add_user
from tests.servers import running_pgbouncer

# Each in a process of its own: two of them have a table of the same name.
_ANSWER = """
import json, sys
from infra.local.workers import Context
from importlib import import_module
answers = [
    getattr(import_module(module), function)(event, Context("bench"))
    for module, function, event in json.load(sys.stdin)
]
print(json.dumps(answers))
"""

# What is not the same for two users, or at two times.
_OWN = {"id", "user_id", "created_at", "updated_at", "completed_at"}


def answer_all(subject: Subject, owner: psycopg.Connection, url: str) -> list[Any]:
    """What a subject answers to each call, and to a listing after them: its status and its JSON."""
    user = User()
    add_user(owner, user)
    insert = """
        INSERT INTO tasks (user_id, title, description, created_at)
        SELECT %s, 'Task ' || t, NULLIF('Words ' || t, 'Words 2'), now() - t * interval '1 minute'
        FROM generate_series(1, 3) AS t RETURNING id::text
    """
    ids = [task for (task,) in owner.execute(insert, [user.id])]
    calls = []
    for call in (*CALLS, LIST):
        event = make_event(
            call.method,
            f"/api/{user.id}/tasks{call.path.format(task=ids[0])}",
            headers={"content-type": "application/json", **user.headers},
            query=call.query,
            body=b"" if call.title is None else json.dumps({"title": call.title}).encode(),
        )
        module, _, function = subject.handler.format(function=call.function).rpartition(".")
        calls.append((module, function, event))
    printed = subprocess.run(
        [sys.executable, "-c", _ANSWER],
        cwd=ROOT,
        env=make_environment(url, SECRET, ROOT, subject.folder),
        input=json.dumps(calls),
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    answers = json.loads(printed.splitlines()[-1])
    return [(answer["statusCode"], _read(answer.get("body"), user)) for answer in answers]


def _read(body: str | None, user: User) -> Any:
    if not body:
        return None
    answered = json.loads(body)
    # Lambdo says where a listing goes on, too.
    tasks = answered if isinstance(answered, list) else answered.get("tasks")
    if tasks is None:
        return _compare(answered, user)
    return [_compare(task, user) for task in tasks]


def _compare(task: dict[str, Any], user: User) -> dict[str, Any]:
    assert task["user_id"] == user.id
    assert task["id"]
    return {name: bool(value) if name in _OWN else value for name, value in task.items()}


@pytest.mark.parametrize(
    "subject", [FLOOR, FLOOR_WITH_KEYS, TEXTBOOK], ids=lambda subject: subject.name
)
def test_what_lambdo_is_measured_beside_answers_as_it_does(
    subject: Subject, owner: psycopg.Connection, database_url: str
) -> None:
    answers = answer_all(LAMBDO, owner, database_url)
    assert [status for status, _ in answers] == [200, 200, 201, 200, 200, 204, 200]
    before, after = answers[0][1], answers[-1][1]
    assert ([task["title"] for task in before], len(after)) == (["Task 1", "Task 2", "Task 3"], 3)
    assert answer_all(subject, owner, database_url) == answers


def test_the_floor_with_keys_needs_no_password(
    postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running_pgbouncer(postgres, password="a password: 1 + 1 = 2") as url:
        monkeypatch.setenv("DATABASE_URL", url)
        floor_with_keys = importlib.import_module("tests.bench.floor.floor_with_keys")
        keys = floor_with_keys.derive_keys(url)
        without_password = re.sub(":[^:@]+@", "@", url)
        with psycopg.connect(without_password, **keys) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(without_password)
    assert floor_with_keys.derive_keys(postgres) == {}
