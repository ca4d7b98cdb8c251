"""The commands in the documentation do what it says they do."""

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from infra.template import ROOT
from shared.models import TaskFields
from shared.settings import Settings
from tests.clients import make_token
from tests.templates import read_template

_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_PAGES = sorted(
    str(path.relative_to(ROOT))
    for pattern in ("docs/*.md", "examples/*/*.md")
    for path in ROOT.glob(pattern)
)
_NEXT_COMMAND = "--- next command ---"
# What differs from run to run, and what it has to look like.
_VARYING = {
    name: re.compile(pattern)
    for name, pattern in {
        "id": r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}",
        "created_at": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z",
        "updated_at": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z",
        "completed_at": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z",
        "request_id": r"[\w.-]+",
        "access_token": r"[\w-]+\.[\w-]+\.[\w-]+",
        "email": r"ada-\d+@example\.com",
    }.items()
}


def _alike(shown: Any, got: Any) -> bool:
    if isinstance(shown, dict) and isinstance(got, dict):
        return shown.keys() == got.keys() and all(
            _matches(name, shown[name], got[name]) for name in shown
        )
    if isinstance(shown, list) and isinstance(got, list):
        return len(shown) == len(got) and all(map(_alike, shown, got))
    return bool(shown == got)


def _matches(name: str, shown: Any, got: Any) -> bool:
    if name in _VARYING and isinstance(shown, str):
        return isinstance(got, str) and _VARYING[name].fullmatch(got) is not None
    return _alike(shown, got)


def _run(commands: list[str], api: str, folder: Path) -> list[str]:
    """What each command prints, run one after the other in one shell."""
    script = f"\necho '{_NEXT_COMMAND}'\n".join(["set -euo pipefail", *commands])
    process = subprocess.run(
        ["bash", "-c", script.replace("/tmp/", f"{folder}/")],
        env={**os.environ, "API": api, "TOKEN": make_token("alice")},
        capture_output=True,
        text=True,
        check=True,
    )
    return process.stdout.split(_NEXT_COMMAND)[1:]


def test_every_example_of_the_api_is_answered_as_shown(gateway: str, tmp_path: Path) -> None:
    blocks = [
        (kind, text)
        for kind, text in _BLOCK.findall((ROOT / "docs" / "api.md").read_text())
        if kind in ("sh", "json")
    ]
    printed = iter(_run([text for kind, text in blocks if kind == "sh"], gateway, tmp_path))
    answer = ""
    shown = 0
    for kind, text in blocks:
        if kind == "sh":
            answer = next(printed)
        else:
            shown += 1
            assert _alike(json.loads(text), json.loads(answer)), f"{text}\n is shown for\n{answer}"
    assert shown >= 10


def test_the_walk_in_the_readme_leaves_nothing_behind(gateway: str, tmp_path: Path) -> None:
    blocks = _BLOCK.findall((ROOT / "README.md").read_text())
    commands = [text for kind, text in blocks if kind == "sh"]
    created, listed, changed, completed = _run(commands, gateway, tmp_path)
    assert created.strip() == ""
    assert "Buy milk" in listed
    assert "2026-12-24T17:00:00Z" in changed
    task, _ = json.JSONDecoder().raw_decode(completed.lstrip())
    assert task["is_completed"] is True
    assert '"code"' not in listed + changed + completed


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", *_PAGES])
def test_every_file_that_a_page_links_to_is_there(page: str) -> None:
    links = re.findall(r"\]\((?!https?://)([^)#]+)\)", (ROOT / page).read_text())
    assert [link for link in links if not (ROOT / page).parent.joinpath(link).exists()] == []


def test_the_example_environment_names_every_setting() -> None:
    names = {name.upper() for name in Settings.model_fields} | {"HOST", "PORT"}
    example = (ROOT / ".env.example").read_text()
    assert {name for name in names if not re.search(rf"^#?{name}=", example, re.MULTILINE)} == set()


def test_every_parameter_of_the_template_is_explained() -> None:
    page = (ROOT / "docs" / "deploying.md").read_text()
    rows = re.findall(r"^\| (`.*?) \|", page, re.MULTILINE)
    explained = re.findall(r"`(\w+)`", " ".join(rows))
    assert sorted(explained) == sorted(read_template(ROOT / "template.yaml")["Parameters"])


def test_the_lock_of_an_example_names_packages_by_hash_and_no_registry() -> None:
    locks = sorted(ROOT.glob("examples/*/package-lock.json"))
    assert locks
    for lock in locks:
        packages = json.loads(lock.read_text())["packages"]
        installed = [package for path, package in packages.items() if path]
        assert all("integrity" in package and "resolved" not in package for package in installed)


def test_every_field_of_a_task_is_explained() -> None:
    table = (ROOT / "docs" / "api.md").read_text().partition("| field | type | rules |")[2]
    rows = [line for line in table.partition("\n\n")[0].splitlines() if line.startswith("| `")]
    explained = {name for row in rows for name in re.findall(r"`(\w+)`", row.split("|")[1])}
    assert explained == {*TaskFields.model_fields}
