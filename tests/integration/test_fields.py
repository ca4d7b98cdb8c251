"""A field of a task is added by one line, and what is made of that."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from infra.template import ROOT
from tests.clients import User, make_event

LAST = "    due_at: Instant | None = None\n"
ADDED = (
    '    color: Annotated[Literal["red", "blue"], Field(description="A color")] | None = None\n'
    "    is_starred: StrictBool = False\n"
    "    effort: Annotated[int, Field(ge=1, le=9)] | None = None\n"
    "    aliases: Annotated[list[str], Field(max_length=3)] = []\n"
)
FOLDERS = ("functions", "infra", "shared")
INVOKE = """
import importlib, json, sys
for name, event in json.load(sys.stdin):
    answer = importlib.import_module(name).handler(event, None)
    print(json.dumps([answer["statusCode"], json.loads(answer["body"] or "null")]))
"""


class Copy:
    """A copy of the project, whose tasks have more fields, and a database of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in FOLDERS:
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / name, folder / name, ignore=ignored)
        for name in ("pyproject.toml", "template.yaml"):
            shutil.copy(ROOT / name, folder / name)
        models = folder / "shared" / "models.py"
        text = models.read_text()
        assert text.count(LAST) == 1
        models.write_text(text.replace(LAST, LAST + ADDED))

    def run(self, *arguments: str, given: str = "") -> str:
        """What Python prints for these arguments."""
        environment = {**os.environ, "PYTHONPATH": f".{os.pathsep}functions"}
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=self.folder,
            env=environment,
            input=given,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def invoke(self, *calls: tuple[str, dict[str, Any]]) -> list[tuple[int, Any]]:
        """The statuses and bodies that functions answer."""
        printed = self.run("-c", INVOKE, given=json.dumps(calls)).splitlines()
        lines = [json.loads(line) for line in printed]
        return [(line[0], line[1]) for line in lines if isinstance(line, list)]


@pytest.fixture
def copy(tmp_path: Path, empty: str) -> Copy:
    """The project with more fields, and everything made anew that is made of them."""
    assert empty
    copy = Copy(tmp_path)
    copy.run("-m", "infra.local.migration", "add fields")
    for module in ("infra.statements", "infra.openapi"):
        copy.run("-m", module)
    copy.run("-c", "from shared import migrations; migrations.upgrade()")
    return copy


def event(user: User, method: str, path: str, body: Any = None, query: str = "") -> dict[str, Any]:
    """An event with a JSON body."""
    headers = {**user.headers, "content-type": "application/json"}
    sent = b"" if body is None else json.dumps(body).encode()
    return make_event(method, path, headers=headers, body=sent, query=query)


def test_a_field_that_is_added_is_created_changed_listed_answered_and_documented(
    copy: Copy, alice: User
) -> None:
    new = {"title": "A task", "color": "red", "aliases": ["a", 'b "c"', "{d}"]}
    ((status, task),) = copy.invoke(("create_task", event(alice, "POST", "/api/tasks", new)))
    assert status == 201
    assert (task["color"], task["is_starred"], task["effort"]) == ("red", False, None)
    assert task["aliases"] == new["aliases"]

    path = f"/api/tasks/{task['id']}"
    same = {"color": "red", "aliases": new["aliases"]}
    changed, unchanged, wrong, read, listed = copy.invoke(
        ("update_task", event(alice, "PATCH", path, {"is_starred": True, "effort": 9})),
        ("update_task", event(alice, "PATCH", path, same)),
        ("update_task", event(alice, "PATCH", path, {"color": "green", "effort": 10})),
        ("read_task", event(alice, "GET", path)),
        ("list_tasks", event(alice, "GET", "/api/tasks")),
    )
    assert changed[0] == 200
    expected = {**task, "is_starred": True, "effort": 9, "updated_at": changed[1]["updated_at"]}
    assert changed[1] == expected
    assert changed[1]["updated_at"] > task["updated_at"]
    assert unchanged == changed
    assert wrong[0] == 422
    assert [detail["field"] for detail in wrong[1]["details"]] == ["color", "effort"]
    assert read == changed
    assert listed[1]["tasks"] == [expected]

    schemas = json.loads((copy.folder / "shared/http/openapi.json").read_text())["components"]
    for name in ("Task", "TaskCreate", "TaskChanges"):
        assert {"color", "is_starred", "effort", "aliases"} < {
            *schemas["schemas"][name]["properties"]
        }


def test_postgres_keeps_the_rules_of_a_field_that_is_added(copy: Copy) -> None:
    check = """
import os, psycopg
with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
    connection.execute("INSERT INTO users (id) VALUES ('alice')")
    for column, value in [("color", "green"), ("effort", 0), ("aliases", list("abcd"))]:
        try:
            connection.execute(
                f"INSERT INTO tasks (user_id, title, {column}) VALUES ('alice', 'A', %s)", [value]
            )
        except psycopg.errors.CheckViolation as error:
            print(error.diag.constraint_name)
"""
    expected = ["tasks_color_check", "tasks_effort_check", "tasks_aliases_check"]
    assert copy.run("-c", check).split() == expected
