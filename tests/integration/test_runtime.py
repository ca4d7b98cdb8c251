"""The layer as `sam build` makes it, and every function on it under Lambda's own runtime client.

The client (awslambdaric) talks to the emulator that the SAM CLI ships, as it does to Lambda.
"""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import pytest

from infra.template import ROOT, read_routes
from shared.runtime import custom_resource
from tests.clients import SECRET, User, make_event
from tests.integration.conftest import list_objects
from tests.runtime import ARCHITECTURE, INVOCATIONS, emulate, install_runtime_client
from tests.servers import free_port, running
from tests.stack import running_stack

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or (shutil.which("python3.13") is None and "CI" not in os.environ),
    reason="the layer is built by, and for, Python 3.13 on Linux",
)

LAYER_BUDGET = 85_000_000
"""Bytes, unzipped and with bytecode; Lambda takes 250 MB of layers and function together."""

ELF_MACHINES = {"arm64": 183, "x86_64": 62}

MIGRATE = "migrate_database.handler"
LOCK = "hashtext('lambdo')"
"""What a migration holds, so that no other one runs."""


def _build_layer(folder: Path, architecture: str = ARCHITECTURE) -> Path:
    """Build the layer as `sam build` does: by the makefile that the template points to."""
    subprocess.run(
        ["make", "--silent", "build-SharedLayer", f"ARTIFACTS_DIR={folder}"],
        cwd=ROOT / "infra" / "layers" / architecture,
        check=True,
    )
    return folder


def _read_machine(library: Path) -> int:
    """The processor that a library is for, as the header of an ELF file has it."""
    with library.open("rb") as file:
        header = file.read(20)
    assert header[:4] == b"\x7fELF"
    return int.from_bytes(header[18:20], "little")


def _fingerprints(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def opt(built: Path) -> Path:
    """What Lambda finds in /opt, as `sam build` leaves it."""
    return built.parent / "SharedLayer"


@pytest.fixture(scope="module")
def task(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What Lambda finds in /var/task."""
    folder = tmp_path_factory.mktemp("task")
    for path in (ROOT / "functions").glob("*.py"):
        shutil.copy(path, folder)
    return folder


@pytest.fixture(scope="module")
def runtime(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What Lambda finds in /var/runtime."""
    return install_runtime_client(tmp_path_factory.mktemp("runtime"))


class Functions:
    """Starts a function's runtime when it is first needed, and keeps it warm."""

    def __init__(self, stack: ExitStack, folders: list[Path], database_url: str) -> None:
        self._stack = stack
        self._handlers = {route.key: route.handler for route in read_routes()}
        self._environment = {
            "PATH": os.environ["PATH"],
            "PYENV_VERSION": os.environ.get("PYENV_VERSION", ""),
            "PYTHONPATH": os.pathsep.join(map(str, folders)),
            "PYTHONDONTWRITEBYTECODE": "1",
            "DATABASE_URL": database_url,
            "BETTER_AUTH_SECRET": SECRET,
            "ACCOUNTS": "built_in",
        }
        self._warm: dict[str, str] = {}

    @property
    def used(self) -> set[str]:
        """The handlers that were called so far."""
        return set(self._warm)

    def call(self, user: User, method: str, path: str, body: object = None) -> dict[str, Any]:
        """What the function for this request answers."""
        headers = {**user.headers, "content-type": "application/json"}
        content = b"" if body is None else json.dumps(body).encode()
        event = make_event(method, path, headers=headers, body=content)
        answer = self.invoke(self._handlers[event["routeKey"]], event)
        assert "statusCode" in answer, answer
        return dict(answer)

    def invoke(self, handler: str, event: dict[str, Any], **environment: str) -> Any:
        """What a function answers an event; the first one starts it, in this environment."""
        if handler not in self._warm:
            self._warm[handler] = self._start(handler, environment)
        return httpx.post(self._warm[handler], json=event, timeout=30).json()

    def _start(self, handler: str, environment: dict[str, str]) -> str:
        own, client = f"127.0.0.1:{free_port()}", f"127.0.0.1:{free_port()}"
        command = emulate(handler, own, client)
        url = f"http://{own}{INVOCATIONS}"
        self._stack.enter_context(
            running(
                command,
                {**self._environment, **environment},
                lambda: httpx.get(url).status_code > 0,
            )
        )
        return url


@pytest.fixture
def functions(opt: Path, task: Path, runtime: Path, postgres: str) -> Iterator[Functions]:
    """The functions of the template, on the layer and a migrated database."""
    with ExitStack() as stack:
        yield Functions(stack, [task, opt / "python", runtime], postgres)


def test_every_function_answers_and_leaves_its_files_alone(
    functions: Functions, opt: Path, task: Path, alice: User
) -> None:
    before = _fingerprints(opt), _fingerprints(task)
    created = functions.call(alice, "POST", "/api/tasks", {"title": "Water the plants"})
    assert created["statusCode"] == 201
    stored = json.loads(created["body"])
    path = f"/api/{alice.id}/tasks/{stored['id']}"

    assert json.loads(functions.call(alice, "GET", path)["body"]) == stored
    for method, end, body, is_completed in (
        ("PUT", "", {"title": "Feed the cat"}, False),
        ("PATCH", "/complete", {"is_completed": True}, True),
        ("PATCH", "/toggle-status", None, False),
    ):
        changed = json.loads(functions.call(alice, method, path + end, body)["body"])
        assert changed["title"] == "Feed the cat"
        assert changed["is_completed"] is is_completed
    listed = json.loads(functions.call(alice, "GET", "/api/tasks")["body"])
    assert [task["id"] for task in listed["tasks"]] == [stored["id"]]
    assert functions.call(alice, "DELETE", path)["statusCode"] == 204
    assert functions.call(alice, "GET", path)["statusCode"] == 404

    ada = {"email": f"{alice.id}@example.com", "password": "correct horse battery"}
    for path, status in (("/api/auth/register", 201), ("/api/auth/login", 200)):
        assert functions.call(alice, "POST", path, ada)["statusCode"] == status
    for method, path, status in (
        ("GET", "/api/users/me", 200),
        ("GET", "/api/users/me/export", 200),
        ("DELETE", "/api/users/me", 204),
    ):
        assert functions.call(alice, method, path)["statusCode"] == status

    for path, status in (("/health", 200), ("/health/ready", 200), ("/docs", 200), ("/no", 404)):
        assert functions.call(alice, "GET", path)["statusCode"] == status

    # What has no place in a task's or a user's life starts and answers, whatever it says.
    others = {route.handler: route for route in read_routes()}
    for route in (others[handler] for handler in others.keys() - functions.used):
        path = re.sub(r"\{\w+\}", str(uuid4()), route.path.replace("{user_id}", alice.id))
        assert functions.call(alice, route.method, path, {})["statusCode"] < 500, route.key
    assert (_fingerprints(opt), _fingerprints(task)) == before


def test_a_deployment_migrates_its_database(functions: Functions, empty: str) -> None:
    with running_stack() as stack:
        functions.invoke(MIGRATE, stack.make_event("Create"), DATABASE_URL=empty)
        answer = stack.read_answer()
    assert answer["Status"] == "SUCCESS", answer
    assert {"users", "tasks"} < list_objects(empty)


def test_a_migration_that_takes_too_long_fails_the_deployment_and_is_stopped(
    functions: Functions, empty: str
) -> None:
    with running_stack() as stack, psycopg.connect(empty) as other:
        other.execute(f"SELECT pg_advisory_xact_lock({LOCK})")
        time_out = str(custom_resource.ANSWER_TIME + 1)
        functions.invoke(
            MIGRATE,
            stack.make_event("Update"),
            DATABASE_URL=empty,
            AWS_LAMBDA_FUNCTION_TIMEOUT=time_out,
        )
        answer = stack.read_answer()
        assert answer["Status"] == "FAILED"
        assert "not done within" in answer["Reason"]
        other.commit()
        # What had waited gets the lock now, and has nobody left to go on for.
        other.execute(f"SELECT pg_advisory_xact_lock({LOCK})")
        assert "tasks" not in list_objects(empty)


def test_the_layer_is_the_same_however_often_it_is_built(opt: Path, tmp_path: Path) -> None:
    assert _fingerprints(_build_layer(tmp_path)) == _fingerprints(opt)


@pytest.mark.parametrize("architecture", ["arm64", "x86_64"])
def test_the_layer_is_for_its_processor_keeps_to_its_budget_and_has_nothing_that_lambda_has(
    opt: Path, tmp_path: Path, architecture: str
) -> None:
    layer = opt if architecture == ARCHITECTURE else _build_layer(tmp_path, architecture)
    libraries = [*layer.rglob("*.so"), *layer.rglob("*.so.*")]
    assert libraries
    assert {_read_machine(library) for library in libraries} == {ELF_MACHINES[architecture]}
    assert sum(path.stat().st_size for path in layer.rglob("*") if path.is_file()) < LAYER_BUDGET
    packages = {path.name for path in (layer / "python").iterdir()}
    assert packages.isdisjoint({"boto3", "botocore", "pip", "pytest"})


def test_every_module_of_the_layer_is_compiled(opt: Path) -> None:
    sources = {
        path.with_suffix("").relative_to(opt)
        for path in opt.rglob("*.py")
        if "templates" not in path.parts
    }
    compiled = {
        path.parent.parent.joinpath(path.name.partition(".")[0]).relative_to(opt)
        for path in opt.rglob("__pycache__/*.cpython-313.pyc")
    }
    assert sources - compiled == set()
