"""The migrations as CloudFormation calls for them: it is answered, whatever happens."""

import importlib
import sys
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from infra.template import ROOT
from shared import migrations
from tests.conftest import use_database
from tests.integration.conftest import list_objects
from tests.stack import Context, Stack, running_stack

HEAD = max(path.name for path in (ROOT / "shared/migrations/versions").glob("*.py"))[:4]

handler = importlib.import_module("migrate_database").handler


@pytest.fixture
def stack() -> Iterator[Stack]:
    """A stack that is being deployed."""
    with running_stack() as stack:
        yield stack


def migrate(stack: Stack, request_type: str, **properties: object) -> dict[str, Any]:
    """What the function answers a stack."""
    handler(stack.make_event(request_type, **properties), Context())
    return stack.read_answer()


@pytest.mark.parametrize("request_type", ["Create", "Update"])
def test_a_deployment_migrates(stack: Stack, empty: str, request_type: str) -> None:
    answer = migrate(stack, request_type)
    assert answer["Status"] == "SUCCESS", answer
    assert answer["Data"]["SchemaVersion"] == HEAD
    assert {"users", "tasks"} < list_objects(empty)


@pytest.mark.usefixtures("empty")
def test_an_answer_is_one_that_cloudformation_takes(stack: Stack) -> None:
    event = stack.make_event("Create")
    handler(event, Context())
    answer = stack.read_answer()
    for name in ("StackId", "RequestId", "LogicalResourceId"):
        assert answer[name] == event[name]
    # The address is signed for a request without a type.
    assert stack.content_types == [""]


@pytest.mark.usefixtures("empty")
def test_a_second_deployment_has_nothing_to_migrate_and_stays_the_same_resource(
    stack: Stack,
) -> None:
    first, second = migrate(stack, "Create"), migrate(stack, "Update")
    assert second["Status"] == "SUCCESS"
    # Another id would have CloudFormation delete the first.
    assert first["PhysicalResourceId"] == second["PhysicalResourceId"]


@pytest.mark.usefixtures("empty")
def test_the_digest_tells_when_functions_run_with_something_else(stack: Stack) -> None:
    def digest(*variables: str, layer: str = "layer:1") -> str:
        answer = migrate(stack, "Update", Layer=layer, Variables=list(variables))
        return str(answer["Data"]["Digest"])

    digests = [
        digest("INFO", "a"),
        digest("DEBUG", "a"),
        digest("INFO", "b"),
        digest("INFO", "a", layer="layer:2"),
    ]
    assert len(set(digests)) == len(digests)
    assert digest("INFO", "a") == digests[0]


def test_deleting_a_stack_deletes_no_data(
    stack: Stack, empty: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    migrate(stack, "Create")
    made = list_objects(empty)
    # Nor does it need the database: that may be gone by then.
    monkeypatch.setattr(migrations, "upgrade", lambda: pytest.fail("upgraded"))
    assert migrate(stack, "Delete")["Status"] == "SUCCESS"
    assert list_objects(empty) == made


def test_a_failing_migration_fails_the_deployment_with_its_message(
    stack: Stack, empty: str
) -> None:
    with psycopg.connect(empty) as connection:
        connection.execute("CREATE TABLE tasks (secret text); INSERT INTO tasks VALUES ('hunter2')")
    answer = migrate(stack, "Update")
    assert answer["Status"] == "FAILED"
    assert 'relation "tasks" already exists' in answer["Reason"]
    assert Context.log_group_name in answer["Reason"]
    assert "users" not in list_objects(empty)


def test_a_reason_shows_no_rows(stack: Stack, empty: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def break_a_rule() -> str:
        with psycopg.connect(empty) as connection:
            connection.execute("CREATE TABLE people (name text UNIQUE)")
            connection.execute("INSERT INTO people VALUES ('hunter2'), ('hunter2')")
        return ""

    monkeypatch.setattr(migrations, "upgrade", break_a_rule)
    answer = migrate(stack, "Update")
    assert "duplicate key" in answer["Reason"]
    assert "hunter2" not in answer["Reason"]


@pytest.mark.usefixtures("empty")
@pytest.mark.parametrize("url", ["postgresql://u:hunter2%zz@db.example/x", "nothing:hunter2"])
def test_a_bad_url_fails_the_deployment_and_is_not_shown(
    stack: Stack, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    use_database(monkeypatch, url)
    answer = migrate(stack, "Create")
    assert answer["Status"] == "FAILED"
    assert "DATABASE_URL" in answer["Reason"]
    assert "hunter2" not in answer["Reason"]


def test_a_deployment_that_goes_back_leaves_a_newer_schema_as_it_is(
    stack: Stack, empty: str
) -> None:
    migrate(stack, "Create")
    with psycopg.connect(empty) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    answer = migrate(stack, "Update")
    assert answer["Status"] == "SUCCESS", answer
    assert answer["Data"]["SchemaVersion"] == "9999"


def test_a_package_that_cannot_be_loaded_fails_the_deployment(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "shared.migrations", None)
    monkeypatch.delattr("shared.migrations")
    answer = migrate(stack, "Create")
    assert answer["Status"] == "FAILED"
    assert "shared.migrations" in answer["Reason"]


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt(), MemoryError(), Exception()])
def test_a_crash_fails_the_deployment(
    stack: Stack, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    def crash() -> str:
        raise error

    monkeypatch.setattr(migrations, "upgrade", crash)
    answer = migrate(stack, "Update")
    assert answer["Status"] == "FAILED"
    assert type(error).__name__ in answer["Reason"]


def test_a_reason_is_no_longer_than_cloudformation_takes(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> str:
        raise RuntimeError("é" * 10_000)

    monkeypatch.setattr(migrations, "upgrade", fail)
    assert migrate(stack, "Update")["Status"] == "FAILED"
    assert len(stack.bodies[-1]) <= 4096


@pytest.mark.usefixtures("empty")
def test_an_answer_is_sent_again_when_it_is_not_taken(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)
    stack.refusals = 2
    assert migrate(stack, "Create")["Status"] == "SUCCESS"
    assert len(stack.bodies) == 3
    stack.refusals = 100
    with pytest.raises(OSError, match="503"):
        migrate(stack, "Create")
