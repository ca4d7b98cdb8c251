"""What a function waits for at its start: never what it does not need to serve a request."""

import ast
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from infra.template import ROOT, read_routes
from tests.bench.secret_store import running_secret_store
from tests.clients import SECRET

FILES = sorted((ROOT / "functions").glob("*.py"))
HANDLERS = sorted({route.handler for route in read_routes()})

NEVER = {
    "alembic",
    "aws_xray_sdk",
    "boto3",
    "dns",
    "hypothesis",
    "infra",
    "jinja2",
    "sqlalchemy",
    "sqlmodel",
    "yaml",
    "zxcvbn",
}
"""Migrations, deployments, the tools that write the API's document, and tests import these; some of
them later, when they are needed. Each would add some hundredths of a second, or tenths."""

SIGN_IN_HANDLERS = ("register.handler", "log_in.handler")
SIGN_IN = {"argon2", "email_validator"}
"""What only registering and logging in wait for."""

BUDGET = 460
SIGN_IN_BUDGET = 480
"""How many modules a function may import beyond Python's own; each is a millisecond or so."""


def run_python(code: str, environment: Mapping[str, str]) -> str:
    """What a new Python prints, which can import functions."""
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": f".{os.pathsep}functions", **environment},
        capture_output=True,
        text=True,
        check=True,
    ).stdout


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_function_imports_only_shared_and_the_standard_library(file: Path) -> None:
    """What comes from elsewhere, a function takes from shared: `Response`, `Query`.

    shared/__init__.py begins to fetch the secrets and stops garbage collection before it imports
    FastAPI. An `import fastapi` in a function comes first, because imports are sorted, and would
    undo both: see "A cold start" in docs/performance.md.
    """
    imported = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            imported |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add(str(node.module))
    packages = {name.partition(".")[0] for name in imported}
    assert packages - sys.stdlib_module_names == {"shared"}


@pytest.fixture(scope="module")
def deployed() -> Iterator[dict[str, str]]:
    """The settings of a function that reads its secrets by ARN, as deployed ones do."""
    secrets = {"DATABASE_URL": "postgresql://127.0.0.1:1/none", "BETTER_AUTH_SECRET": SECRET}
    with running_secret_store(secrets) as arns:
        yield {**dict.fromkeys(secrets, ""), **arns}


@pytest.fixture(scope="module")
def imported(deployed: dict[str, str]) -> dict[str, set[str]]:
    """The modules that are there when a function has been imported, by its handler."""
    code = "import sys, {}; print(*sys.modules)"
    return {
        handler: {*run_python(code.format(handler.partition(".")[0]), deployed).split()}
        for handler in HANDLERS
    }


@pytest.mark.parametrize("handler", HANDLERS)
def test_a_function_imports_nothing_that_serves_no_request(
    handler: str, imported: dict[str, set[str]]
) -> None:
    assert imported[handler] & NEVER == set()
    needed = SIGN_IN if handler in SIGN_IN_HANDLERS else set()
    assert imported[handler] & SIGN_IN == needed
    # Powertools looks whether botocore is there, which imports its empty package.
    assert {name for name in imported[handler] if name.startswith("botocore.")} == set()


@pytest.mark.parametrize("handler", HANDLERS)
def test_a_function_imports_no_more_modules_than_its_budget(
    handler: str, imported: dict[str, set[str]]
) -> None:
    modules = {
        name
        for name in imported[handler]
        if name.partition(".")[0] not in {*sys.stdlib_module_names, "__main__"}
    }
    assert len(modules) <= (SIGN_IN_BUDGET if handler in SIGN_IN_HANDLERS else BUDGET)


def test_no_package_is_searched_for_plugins(deployed: dict[str, str]) -> None:
    run_python("import importlib.metadata as m; m.entry_points = None; import list_tasks", deployed)


def test_no_model_is_built_that_serves_no_request(deployed: dict[str, str]) -> None:
    printed = run_python(
        "import list_tasks, fastapi.openapi.models as document;"
        "print(document.Components.__pydantic_complete__,"
        " list_tasks.TaskQuery.__pydantic_complete__)",
        deployed,
    )
    assert printed.split() == ["False", "True"]
