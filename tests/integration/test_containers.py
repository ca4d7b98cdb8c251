"""What infra/Containerfile and infra/compose.yaml name is there, and is enough to serve."""

import re
import shutil
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from infra.template import ROOT
from shared.settings import Settings
from tests.clients import SECRET
from tests.servers import free_port, run

INFRA = ROOT / "infra"
TIMEOUT = 30


@pytest.fixture
def context(tmp_path: Path) -> Path:
    """What of the checkout the image is made from."""
    first, *patterns, last = (INFRA / "Containerfile.dockerignore").read_text().splitlines()
    assert (first, last) == ("*", "**/__pycache__")
    for pattern in patterns:
        source, target = ROOT / pattern.removeprefix("!"), tmp_path / pattern.removeprefix("!")
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            target.parent.mkdir(exist_ok=True)
            shutil.copy(source, target)
    return tmp_path


def test_the_image_has_all_that_the_server_needs(context: Path, postgres: str) -> None:
    port = free_port()
    process = run(
        context,
        "infra.local",
        PORT=str(port),
        DATABASE_URL=postgres,
        BETTER_AUTH_SECRET=SECRET,
        ENVIRONMENT="dev",
    )
    assert process.stdout is not None
    try:
        greeting = process.stdout.readline()
        api = f"http://127.0.0.1:{port}"
        for path in ("/health/ready", "/docs", "/openapi.json"):
            assert httpx.get(f"{api}{path}", timeout=TIMEOUT).status_code == 200
    finally:
        process.terminate()
        rest = process.stdout.read()
        _, errors = process.communicate(timeout=TIMEOUT)
    assert (process.returncode, errors) == (0, "")
    assert not (context / ".lambdo").exists()
    # Outside of a developer's own machine, what it prints is kept; no token may be in it.
    assert "Bearer" not in greeting + rest


def test_the_image_is_made_of_what_is_there(context: Path) -> None:
    image = (INFRA / "Containerfile").read_text()
    copied = re.findall(r"^COPY (\S+) ", image, re.MULTILINE)
    assert copied == ["infra/local/requirements.txt", "."]
    assert all((context / path).exists() for path in copied)
    assert f"FROM python:{sys.version_info[0]}." in image
    user = re.findall(r"^USER (.+)$", image, re.MULTILINE)
    assert user
    assert user[-1] not in ("root", "0")


def _read_compose() -> dict[str, Any]:
    compose: dict[str, Any] = yaml.safe_load((INFRA / "compose.yaml").read_text())
    return compose


def test_the_compose_file_tells_the_api_what_it_understands() -> None:
    api = _read_compose()["services"]["api"]
    names = {name.upper() for name in Settings.model_fields} | {"HOST", "PORT"}
    assert api["environment"].keys() <= names
    assert (INFRA / api["build"]["context"] / api["build"]["dockerfile"]).is_file()
    assert api["read_only"] is True
    assert api["cap_drop"] == ["ALL"]


def test_nothing_in_a_container_is_published_beyond_this_machine() -> None:
    for service in _read_compose()["services"].values():
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))


def test_services_and_what_they_mount_are_named_alike() -> None:
    compose = _read_compose()
    for service in compose["services"].values():
        assert service.get("depends_on", {}).keys() <= compose["services"].keys()
        assert {config["source"] for config in service.get("configs", [])} <= {*compose["configs"]}
        volumes = {volume.partition(":")[0] for volume in service.get("volumes", [])}
        assert volumes <= compose["volumes"].keys()
