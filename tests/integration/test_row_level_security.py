"""Where a query forgets whose task it is, the database still does not give another user's."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import httpx
import psycopg
import pytest

from shared.callers import Requester
from shared.data import database
from shared.data.connection import Row, Statement
from shared.data.query import Query, is_found
from tests.clients import User
from tests.conftest import use_database
from tests.integration.conftest import CREATE, DELETE, LIST, READ, WRITES, Call, create, make_call
from tests.queries import OWNED_VALUE, rewrite, without_owner
from tests.servers import running_pgbouncer

BECOME_API = f"""
    SELECT set_config('role', '{database.ROLE}', true), set_config('app.user_id', %s, true)
"""

TRACES = """
    SELECT pg_backend_pid(), session_user, current_user, current_setting('role'),
           nullif(current_setting('app.user_id', true), ''), current_setting('statement_timeout'),
           current_setting('lock_timeout'), current_setting('client_connection_check_interval')
"""


@pytest.fixture
def task(handlers: httpx.Client, bob: User) -> dict[str, Any]:
    """A task of Bob's."""
    return create(handlers, bob, title="Private")


@pytest.fixture
def keep_role(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let statements run with the login role's rights, for comparison."""
    dropped = f"'{database.ROLE}'"
    kept = database._BECOME_CALLER.replace(dropped, "'none'")
    assert kept != database._BECOME_CALLER
    monkeypatch.setattr(database, "_BECOME_CALLER", kept)


@pytest.fixture
def forget_owner(monkeypatch: pytest.MonkeyPatch, task: dict[str, Any]) -> Iterator[None]:
    """Once the task is there, take the condition on the owner out of every statement."""
    assert task
    forgotten = []
    run = database.run

    def run_carelessly(requester: Requester, *queries: Query[Any]) -> tuple[Any, ...]:
        careless = [rewrite(query, without_owner) for query in queries]
        assert not [query for query in careless if "%(user_id)s" in query.statement.sql]
        forgotten.extend(careless)
        return run(requester, *careless)

    monkeypatch.setattr(database, "run", run_carelessly)
    yield
    assert forgotten


def read_as_owner(owner: psycopg.Connection, task_id: str) -> Row | None:
    return owner.execute("SELECT * FROM tasks WHERE id = %s", [task_id]).fetchone()


@pytest.mark.usefixtures("forget_owner")
@pytest.mark.parametrize("call", [READ, *WRITES], ids=str)
def test_another_users_task_is_not_found(
    handlers: httpx.Client,
    alice: User,
    task: dict[str, Any],
    owner: psycopg.Connection,
    call: Call,
) -> None:
    before = read_as_owner(owner, task["id"])
    assert make_call(handlers, alice, call, task["id"]).status_code == 404
    assert before is not None
    assert read_as_owner(owner, task["id"]) == before


@pytest.mark.usefixtures("forget_owner")
@pytest.mark.parametrize("call", WRITES, ids=str)
def test_a_precondition_tells_nothing_of_another_users_task(
    handlers: httpx.Client, alice: User, task: dict[str, Any], call: Call
) -> None:
    assert make_call(handlers, alice, call, task["id"], if_match='"old"').status_code == 404


@pytest.mark.usefixtures("forget_owner", "task")
@pytest.mark.parametrize("query", ["", "?q=private", "?status=pending&sort=title"])
def test_another_users_task_is_neither_listed_nor_counted(
    handlers: httpx.Client, alice: User, query: str
) -> None:
    call = Call("GET", f"{query or '?'}&with_total=true")
    page = make_call(handlers, alice, call).json()
    assert page == {"tasks": [], "next_cursor": None, "total": 0}


@pytest.mark.usefixtures("forget_owner", "keep_role")
@pytest.mark.parametrize("call", [READ, *WRITES], ids=str)
def test_it_would_be_reached_with_the_login_role(
    handlers: httpx.Client,
    alice: User,
    task: dict[str, Any],
    owner: psycopg.Connection,
    call: Call,
) -> None:
    before = read_as_owner(owner, task["id"])
    assert make_call(handlers, alice, call, task["id"]).is_success
    after = read_as_owner(owner, task["id"])
    assert (after is None) == (call == DELETE)
    assert (after == before) == (call == READ)


@pytest.mark.usefixtures("forget_owner", "keep_role")
@pytest.mark.parametrize("call", WRITES, ids=str)
def test_its_precondition_would_be_told_with_the_login_role(
    handlers: httpx.Client, alice: User, task: dict[str, Any], call: Call
) -> None:
    assert make_call(handlers, alice, call, task["id"], if_match='"old"').status_code == 412


@pytest.mark.usefixtures("forget_owner", "keep_role")
def test_it_would_be_listed_and_counted_with_the_login_role(
    handlers: httpx.Client, alice: User, task: dict[str, Any]
) -> None:
    page = make_call(handlers, alice, Call("GET", "?with_total=true")).json()
    assert task in page["tasks"]
    assert page["total"] >= 1


@pytest.fixture
def create_for_bob(monkeypatch: pytest.MonkeyPatch, task: dict[str, Any]) -> None:
    """Let creating a task forget for whom it does."""
    run = database.run

    def run_for_bob(
        requester: Requester, provision: Query[Any], creation: Query[Any]
    ) -> tuple[Any, ...]:
        sql, values = creation.statement
        assert OWNED_VALUE in sql
        for_bob = Statement(
            sql.replace(OWNED_VALUE, "VALUES (%(other)s::VARCHAR"),
            {**values, "other": task["user_id"]},
        )
        return run(requester, provision, replace(creation, statement=for_bob))

    monkeypatch.setattr(database, "run", run_for_bob)


def count_tasks(owner: psycopg.Connection, user: User) -> int:
    return owner.execute("SELECT FROM tasks WHERE user_id = %s", [user.id]).rowcount


@pytest.mark.usefixtures("create_for_bob")
def test_a_task_cannot_be_made_for_another_user(
    handlers: httpx.Client, alice: User, bob: User, owner: psycopg.Connection
) -> None:
    answer = make_call(handlers, alice, CREATE)
    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
    assert "polic" not in answer.text
    assert (count_tasks(owner, alice), count_tasks(owner, bob)) == (0, 1)
    assert owner.execute("SELECT FROM users WHERE id = %s", [alice.id]).rowcount == 0


@pytest.mark.usefixtures("create_for_bob", "keep_role")
def test_it_could_be_made_with_the_login_role(
    handlers: httpx.Client, alice: User, bob: User, owner: psycopg.Connection
) -> None:
    assert make_call(handlers, alice, CREATE).status_code == 201
    assert (count_tasks(owner, alice), count_tasks(owner, bob)) == (0, 2)


def test_a_task_cannot_be_given_to_another_user(
    handlers: httpx.Client, alice: User, task: dict[str, Any], database_url: str
) -> None:
    own = create(handlers, alice)
    give = "UPDATE tasks SET user_id = %s WHERE id = %s"
    with psycopg.connect(database_url) as connection:
        connection.execute(BECOME_API, [alice.id])
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="row-level security"):
            connection.execute(give, [task["user_id"], own["id"]])


@pytest.mark.usefixtures("task")
@pytest.mark.parametrize("table", ["tasks", "users"])
@pytest.mark.parametrize("name", ["", "nobody"])
def test_a_role_that_names_no_user_sees_nothing(database_url: str, table: str, name: str) -> None:
    with psycopg.connect(database_url) as connection:
        connection.execute(BECOME_API, [name])
        assert connection.execute(f"SELECT FROM {table}").rowcount == 0


@pytest.mark.usefixtures("task")
@pytest.mark.parametrize("table", ["tasks", "users"])
def test_a_role_that_never_named_a_user_sees_nothing(postgres: str, table: str) -> None:
    with psycopg.connect(postgres) as connection:
        connection.execute(f"SET LOCAL ROLE {database.ROLE}")
        assert connection.execute(f"SELECT FROM {table}").rowcount == 0


def test_the_role_owns_nothing_and_has_no_rights_of_its_own(owner: psycopg.Connection) -> None:
    rights = owner.execute(
        "SELECT rolcanlogin, rolsuper, rolbypassrls, rolcreaterole, rolcreatedb FROM pg_roles"
        " WHERE rolname = %s",
        [database.ROLE],
    ).fetchone()
    assert rights == (False,) * 5
    owned = "SELECT FROM pg_class WHERE relowner = %s::regrole"
    assert owner.execute(owned, [database.ROLE]).rowcount == 0
    bare = "SELECT FROM pg_class WHERE relname IN ('tasks', 'users') AND NOT relrowsecurity"
    assert owner.execute(bare).rowcount == 0


@pytest.fixture
def single(postgres: str, handlers: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The URL of a pooler with one server connection, which the handlers use."""
    assert handlers
    with running_pgbouncer(postgres, pool_size=1) as url:
        use_database(monkeypatch, url)
        yield url


def read_traces(url: str) -> Row:
    """What the next client of the pooler finds on the connection that it is handed."""
    with psycopg.connect(url, autocommit=True) as connection:
        (traces,) = connection.execute(TRACES)
        return traces


@pytest.mark.parametrize("database_url", ["direct"], indirect=True)
def test_nothing_is_left_for_the_next_client_of_a_pooler(
    handlers: httpx.Client, alice: User, single: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = read_traces(single)
    task = create(handlers, alice)
    assert read_traces(single) == before

    for call, status in ((LIST, 200), (READ, 200), (Call("DELETE", "/{id}"), 204)):
        assert make_call(handlers, alice, call, task["id"]).status_code == status
        assert read_traces(single) == before
    assert make_call(handlers, alice, READ).status_code == 404
    assert read_traces(single) == before

    run = database.run
    for failing, status in (
        ("SELECT 1 / 0", 500),
        ("SELECT set_config('statement_timeout', '10', true)", 503),
    ):
        queries = [Query(Statement(sql), is_found) for sql in (failing, "SELECT pg_sleep(1)")]
        with monkeypatch.context() as broken:
            broken.setattr(database, "run", lambda who, *_, q=queries: run(who, *q))
            assert make_call(handlers, alice, READ).status_code == status
        assert read_traces(single) == before


@pytest.mark.parametrize(
    ("function", "schema"),
    [("find_account", "pg_catalog"), ("find_tasks", "public"), ("count_call", "public")],
)
def test_what_runs_as_the_owner_is_called_by_requests_alone_and_as_nobody_could_change_it(
    owner: psycopg.Connection, function: str, schema: str
) -> None:
    ((public, api, settings),) = owner.execute(
        "SELECT has_function_privilege('public', oid, 'EXECUTE'),"
        " has_function_privilege(%s, oid, 'EXECUTE'), proconfig"
        " FROM pg_proc WHERE prosecdef AND proname = %s",
        [database.ROLE, function],
    )
    assert (public, api) == (False, True)
    assert settings[0] == f"search_path={schema}, pg_temp"


@pytest.mark.parametrize("words", ["private", "PRIV", "!"])
def test_words_are_looked_up_among_the_callers_own_tasks(
    task: dict[str, Any], alice: User, database_url: str, words: str
) -> None:
    found = {}
    for user in (task["user_id"], alice.id, ""):
        with psycopg.connect(database_url) as connection:
            connection.execute(BECOME_API, [user])
            ((found[user],),) = connection.execute("SELECT find_tasks(%s)::text[]", [words])
    assert found == {task["user_id"]: [task["id"]], alice.id: [], "": []}
