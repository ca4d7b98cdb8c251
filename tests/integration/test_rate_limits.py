"""Where calls are counted: by nobody but the database's owner, and with nothing left behind."""

import httpx
import psycopg
import pytest

from shared import migrations
from tests.clients import User
from tests.integration.conftest import CREATE, WRITES, create, make_call

DIRECTLY = pytest.mark.parametrize("database_url", ["direct"], indirect=True)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM rate_limits",
        "UPDATE rate_limits SET calls = 0",
        "DELETE FROM rate_limits",
        "INSERT INTO rate_limits (subject) VALUES ('user alice')",
    ],
)
def test_what_serves_requests_gets_at_no_count(owner: psycopg.Connection, sql: str) -> None:
    with owner.transaction(force_rollback=True):
        owner.execute("SET LOCAL ROLE lambdo_api")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            owner.execute(sql)


@DIRECTLY
def test_a_database_that_can_only_be_read_is_read_uncounted(
    handlers: httpx.Client, alice: User, bob: User, empty: str
) -> None:
    migrations.upgrade()
    task = create(handlers, alice)
    with psycopg.connect(empty, autocommit=True) as owner:
        name = owner.info.dbname
        owner.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
        reads = ("/api/tasks", f"/api/tasks/{task['id']}", "/api/users/me", "/api/users/me/export")
        for path in reads:
            answer = handlers.get(path, headers=alice.headers)
            assert answer.status_code == 200
            assert "RateLimit-Limit" not in answer.headers
        assert handlers.get("/health/ready").status_code == 200
        for call in (CREATE, *WRITES):
            answer = make_call(handlers, alice, call, task["id"])
            assert (answer.status_code, answer.json()["code"]) == (503, "database_unavailable")
        # Somebody who has no row yet would get one.
        assert handlers.get("/api/users/me", headers=bob.headers).status_code == 503
        assert handlers.get("/api/tasks", headers=bob.headers).json()["tasks"] == []
        owner.execute(f"ALTER DATABASE {name} RESET default_transaction_read_only")
    assert handlers.get("/api/tasks", headers=alice.headers).json()["tasks"] == [task]


@DIRECTLY
def test_whoever_does_not_come_back_is_forgotten(
    handlers: httpx.Client, alice: User, owner: psycopg.Connection
) -> None:
    owner.execute(
        "INSERT INTO rate_limits (subject, window_start)"
        " SELECT 'user gone-' || n, now() - interval '61 minutes' FROM generate_series(1, 15) AS n"
    )
    owner.execute("INSERT INTO rate_limits (subject, window_start) VALUES ('user here', now())")
    for user in (alice, User()):
        assert handlers.get("/api/tasks", headers=user.headers).status_code == 200
    left = owner.execute("SELECT subject FROM rate_limits WHERE subject ~ '^user (gone|here)'")
    assert left.fetchall() == [("user here",)]
