"""The layer as `sam build` makes it, and every function on it under Lambda's own runtime client.

The client (awslambdaric) talks to the emulator that the SAM CLI ships, as it does to Lambda.
"""

import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from importlib import metadata
from pathlib import Path
from typing import Any

import httpx
import pytest

from infra.template import ROOT, read_routes
from tests.clients import SECRET, User, make_event
from tests.servers import free_port, running

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or (shutil.which("python3.13") is None and "CI" not in os.environ),
    reason="the layer is built by, and for, Python 3.13 on Linux",
)

LAYER_BUDGET = 85_000_000
"""Bytes, unzipped and with bytecode; Lambda takes 250 MB of layers and function together."""

_RUNTIME_CLIENT = ("awslambdaric", "simplejson", "snapshot-restore-py")
"""What Lambda has beside Python itself, apart from boto3."""


def _build_layer(folder: Path) -> Path:
    subprocess.run(["python3.13", "-m", "infra.layer", str(folder)], cwd=ROOT, check=True)
    return folder


def _fingerprints(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def opt(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What Lambda finds in /opt."""
    return _build_layer(tmp_path_factory.mktemp("opt"))


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
    folder = tmp_path_factory.mktemp("runtime")
    pinned = [f"{name}=={metadata.version(name)}" for name in _RUNTIME_CLIENT]
    # Not those of this environment, which may be of another Python.
    pip = ["python3.13", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "--no-deps", "--target", str(folder), *pinned], check=True)
    return folder


class Functions:
    """Starts a function's runtime when it is first needed, and keeps it warm."""

    def __init__(self, stack: ExitStack, folders: list[Path], database_url: str) -> None:
        self._stack = stack
        self._handlers = {route.key: route.handler for route in read_routes()}
        self._emulator = _find_emulator()
        self._environment = {
            "PATH": os.environ["PATH"],
            "PYENV_VERSION": os.environ.get("PYENV_VERSION", ""),
            "PYTHONPATH": os.pathsep.join(map(str, folders)),
            "PYTHONDONTWRITEBYTECODE": "1",
            "DATABASE_URL": database_url,
            "BETTER_AUTH_SECRET": SECRET,
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
        handler = self._handlers[event["routeKey"]]
        if handler not in self._warm:
            self._warm[handler] = self._start(handler)
        answer = httpx.post(self._warm[handler], json=event, timeout=30).json()
        assert "statusCode" in answer, answer
        return dict(answer)

    def _start(self, handler: str) -> str:
        own, client = f"127.0.0.1:{free_port()}", f"127.0.0.1:{free_port()}"
        command = [
            *(str(self._emulator), "--log-level", "error"),
            *("--runtime-interface-emulator-address", own, "--runtime-api-address", client),
            *("python3.13", "-S", "-m", "awslambdaric", handler),
        ]
        url = f"http://{own}/2015-03-31/functions/function/invocations"
        self._stack.enter_context(
            running(command, self._environment, lambda: httpx.get(url).status_code > 0)
        )
        return url


def _find_emulator() -> Path:
    machine = {"x86_64": "x86_64", "aarch64": "arm64"}[platform.machine()]
    pattern = f"lib/python*/site-packages/samcli/local/rapid/aws-lambda-rie-{machine}"
    (emulator,) = (ROOT / ".venv" / "sam").glob(pattern)
    return emulator


@pytest.fixture
def functions(opt: Path, task: Path, runtime: Path, postgres: str) -> Iterator[Functions]:
    """The functions of the template, on the layer."""
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

    for path, status in (("/health", 200), ("/health/ready", 200), ("/docs", 200), ("/no", 404)):
        assert functions.call(alice, "GET", path)["statusCode"] == status

    assert functions.used == {route.handler for route in read_routes()}
    assert (_fingerprints(opt), _fingerprints(task)) == before


def test_the_layer_is_the_same_however_often_it_is_built(opt: Path, tmp_path: Path) -> None:
    assert _fingerprints(_build_layer(tmp_path)) == _fingerprints(opt)


def test_the_layer_keeps_to_its_budget_and_has_nothing_that_lambda_has_already(opt: Path) -> None:
    assert sum(path.stat().st_size for path in opt.rglob("*") if path.is_file()) < LAYER_BUDGET
    packages = {path.name for path in (opt / "python").iterdir()}
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
