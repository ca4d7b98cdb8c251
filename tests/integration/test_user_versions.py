"""A user's version moves with each change of their tasks, in the order of the commits."""

import random
from collections.abc import Callable
from typing import Any

import httpx
import psycopg
import pytest

from shared.data import database
from tests.clients import User
from tests.integration.conftest import (
    CALLS,
    CHANGE,
    COMPLETE,
    CREATE,
    DELETE,
    LIST,
    READ,
    TOGGLE,
    Call,
    add_user,
    calling,
    create,
    make_call,
)

Task = dict[str, Any]
EMPTY = Call("PATCH", "/{id}", {})
SAME = Call("PATCH", "/{id}", {"title": "A task", "priority": "medium", "due_at": None})
REOPEN = Call("PATCH", "/{id}/complete", {"is_completed": False})


@pytest.fixture
def task(handlers: httpx.Client, alice: User) -> Task:
    """A task of Alice's."""
    return create(handlers, alice)


@pytest.fixture
def version(owner: psycopg.Connection, alice: User) -> Callable[[], int]:
    """What tells her version."""

    def read() -> int:
        ((version,),) = owner.execute(
            "SELECT version FROM user_versions WHERE user_id = %s", [alice.id]
        )
        return int(version)

    return read


def read_task_version(owner: psycopg.Connection, task: Task) -> int:
    """The version that a task carries."""
    ((version,),) = owner.execute("SELECT version FROM tasks WHERE id = %s", [task["id"]])
    return int(version)


@pytest.mark.parametrize("call", [CREATE, CHANGE, COMPLETE, TOGGLE, DELETE], ids=str)
def test_a_change_moves_it_by_one(
    handlers: httpx.Client,
    alice: User,
    task: Task,
    version: Callable[[], int],
    owner: psycopg.Connection,
    call: Call,
) -> None:
    before = version()
    assert read_task_version(owner, task) == before
    answer = make_call(handlers, alice, call, task["id"])
    assert answer.is_success
    assert version() == before + 1
    if answer.content:
        assert read_task_version(owner, answer.json()) == before + 1


@pytest.mark.parametrize("call", [LIST, READ, EMPTY, SAME, REOPEN], ids=str)
def test_what_changes_nothing_does_not_move_it(
    handlers: httpx.Client, alice: User, task: Task, version: Callable[[], int], call: Call
) -> None:
    before = version()
    assert make_call(handlers, alice, call, task["id"]).status_code == 200
    assert version() == before


@pytest.mark.parametrize("call", CALLS, ids=str)
def test_what_is_refused_does_not_move_it(
    handlers: httpx.Client, alice: User, task: Task, version: Callable[[], int], call: Call
) -> None:
    before = version()
    if call.method != "POST":
        make_call(handlers, alice, call)
    else:
        make_call(handlers, alice, Call("POST", "", {"title": ""}), task["id"])
    make_call(handlers, alice, Call("PATCH", "/{id}", {"title": "B"}), task["id"], if_match='"x"')
    assert version() == before


def test_a_transaction_moves_it_once(
    owner: psycopg.Connection, alice: User, version: Callable[[], int]
) -> None:
    add_user(owner, alice)
    add = "INSERT INTO tasks (user_id, title) SELECT %s, 'A' FROM generate_series(1, 3)"
    before = version()
    with owner.transaction():
        owner.execute(add, [alice.id])
        owner.execute("UPDATE tasks SET title = 'B' WHERE user_id = %s", [alice.id])
    owner.execute(add, [alice.id])
    owner.execute("DELETE FROM tasks WHERE user_id = %s AND title = 'A'", [alice.id])
    assert version() == before + 3
    versions = owner.execute("SELECT version FROM tasks WHERE user_id = %s", [alice.id]).fetchall()
    assert versions == [(before + 1,)] * 3


def test_it_is_each_users_own(
    handlers: httpx.Client, bob: User, task: Task, version: Callable[[], int]
) -> None:
    before = version()
    create(handlers, bob)
    assert make_call(handlers, bob, TOGGLE, task["id"]).status_code == 404
    assert version() == before


def test_commands_of_a_user_wait_for_one_another_and_for_nobody_else(
    handlers: httpx.Client,
    alice: User,
    bob: User,
    task: Task,
    owner: psycopg.Connection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(database, "STATEMENT_TIMEOUT", 0.3)
    other = create(handlers, bob)
    with owner.transaction():
        owner.execute("SELECT FROM user_versions WHERE user_id = %s FOR UPDATE", [alice.id])
        for call in (CREATE, CHANGE, DELETE):
            assert make_call(handlers, alice, call, task["id"]).status_code == 503
        for call in (LIST, READ):
            assert make_call(handlers, alice, call, task["id"]).status_code == 200
        assert make_call(handlers, bob, CHANGE, other["id"]).status_code == 200
    assert make_call(handlers, alice, CHANGE, task["id"]).status_code == 200


@pytest.mark.parametrize("database_url", ["direct"], indirect=True)
def test_changes_at_once_are_counted_each_and_none_is_lost(
    handlers: httpx.Client, alice: User, version: Callable[[], int], owner: psycopg.Connection
) -> None:
    tasks = [create(handlers, alice) for _ in range(3)]
    before = version()
    chance = random.Random(2)  # noqa: S311 - any order will do
    calls = [(chance.choice([TOGGLE, CREATE]), chance.choice(tasks)) for _ in range(60)]
    with calling(6) as threads:
        made = threads.map(lambda each: make_call(handlers, alice, each[0], each[1]["id"]), calls)
        assert {answer.status_code for answer in made} <= {200, 201}
    assert version() == before + len(calls)
    carried = owner.execute("SELECT version FROM tasks WHERE user_id = %s", [alice.id]).fetchall()
    assert len({*carried}) == len(carried)


def test_it_goes_with_the_user(owner: psycopg.Connection, handlers: httpx.Client) -> None:
    user = User()
    for _ in range(2):
        create(handlers, user)
    assert handlers.delete("/api/users/me", headers=user.headers).status_code == 204
    for table, column in (("users", "id"), ("user_versions", "user_id"), ("tasks", "user_id")):
        find = f"SELECT FROM {table} WHERE {column} = %s"
        assert owner.execute(find, [user.id]).rowcount == 0


def test_two_users_may_have_a_task_of_the_same_id(
    handlers: httpx.Client, alice: User, bob: User, task: Task, owner: psycopg.Connection
) -> None:
    add_user(owner, bob)
    add = "INSERT INTO tasks (user_id, id, title) VALUES (%s, %s, 'Of Bob')"
    owner.execute(add, [bob.id, task["id"]])
    assert make_call(handlers, bob, CHANGE, task["id"]).json()["title"] == "Sent"
    assert make_call(handlers, alice, READ, task["id"]).json() == task
    assert make_call(handlers, bob, DELETE, task["id"]).status_code == 204
    assert make_call(handlers, alice, READ, task["id"]).json() == task
