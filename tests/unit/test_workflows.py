"""The workflows have no more rights than they need, end, and call only what there is."""

import re
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra.template import ROOT

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


def read(path: Path) -> dict[Any, Any]:
    """A workflow; YAML takes its `on` for the boolean."""
    workflow: dict[Any, Any] = yaml.safe_load(path.read_text())
    return workflow


JOBS = {
    f"{path.stem}/{name}": job for path in WORKFLOWS for name, job in read(path)["jobs"].items()
}
STEPS = [step for job in JOBS.values() for step in job.get("steps", [])]
COMMANDS = [step["run"] for step in STEPS if "run" in step]


def test_there_are_workflows() -> None:
    assert {path.name for path in WORKFLOWS} >= {"ci.yml", "deploy.yml", "release.yml"}
    assert COMMANDS


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_has_no_rights_but_those_of_its_jobs(path: Path) -> None:
    workflow = read(path)
    assert workflow["permissions"] == {}
    assert {*workflow[True]} <= {"pull_request", "push", "workflow_call"}


@pytest.mark.parametrize("name", JOBS)
def test_a_job_says_its_rights_and_ends(name: str) -> None:
    job = JOBS[name]
    rights = {"contents": "read"}
    if "environment" in job or job.get("uses", "").endswith("/release.yml"):
        rights["id-token"] = "write"
    assert job["permissions"] == rights
    # A job that calls a workflow cannot have a time limit; the jobs of that workflow have one.
    assert "uses" in job or 0 < job["timeout-minutes"] <= 120


def test_what_others_wrote_is_pinned_by_its_hash() -> None:
    texts = chain.from_iterable(path.read_text().splitlines() for path in WORKFLOWS)
    used = [line.strip() for line in texts if "uses:" in line]
    assert used
    for line in used:
        assert re.fullmatch(
            r"(- )?uses: (\./\.github/workflows/\w+\.yml|[\w.-]+/[\w.-]+@[0-9a-f]{40} # v[\d.]+)",
            line,
        ), line


def test_one_version_of_an_action_is_used_everywhere() -> None:
    used = {step["uses"] for step in STEPS if "uses" in step}
    assert len(used) == len({action.partition("@")[0] for action in used})


def test_no_checkout_leaves_its_token_behind() -> None:
    checkouts = [step for step in STEPS if step.get("uses", "").startswith("actions/checkout@")]
    assert checkouts
    assert all(step["with"]["persist-credentials"] is False for step in checkouts)


def test_no_secret_is_used_and_no_command_holds_what_others_may_word() -> None:
    for path in WORKFLOWS:
        assert "secrets." not in path.read_text()
    assert [command for command in COMMANDS if "${{" in command] == []


def test_commands_call_what_there_is() -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = {*re.findall(r"^([\w$()/-]+):", makefile, re.MULTILINE)}
    targets = {target.replace("$(VENV)", ".venv") for target in targets}
    for command in COMMANDS:
        for target in re.findall(r"\bmake ([\w./-]+)", command):
            assert target in targets, command
        for module in re.findall(r"-m ([\w.]+)", command):
            assert (ROOT / f"{module.replace('.', '/')}.py").is_file(), command
        for file in re.findall(r"(?<![\w/])((?:\.ci|shared|infra)/[\w./-]+)", command):
            assert (ROOT / file).is_file(), command
    for job in JOBS.values():
        if job.get("uses", "").startswith("./"):
            assert (ROOT / job["uses"]).is_file()


def test_a_release_is_told_what_differs_from_account_to_account() -> None:
    (step,) = [step for step in STEPS if "infra.release" in step.get("run", "")]
    given = {name for name, value in step["env"].items() if value == f"${{{{ vars.{name} }}}}"}
    source = (ROOT / "infra" / "release.py").read_text()
    (listed,) = re.findall(r"^_FROM_ENVIRONMENT = \((.*?)\)", source, re.MULTILINE | re.DOTALL)
    parameters = re.findall(r'"(\w+)"', listed)
    needed = {re.sub(r"(?<!^)([A-Z])", r"_\1", name).upper() for name in parameters}
    needed |= {*re.findall(r'os\.environ\.get\("((?!LAMBDO_)\w+)"\)', source)}
    assert given == needed


def test_releases_of_a_stage_never_overlap_nor_end_halfway() -> None:
    releases = {name: job for name, job in JOBS.items() if "environment" in job}
    assert releases
    for job in releases.values():
        assert job["concurrency"]["group"].endswith(job["environment"])
        assert job["concurrency"]["cancel-in-progress"] is False


def test_only_what_passed_is_deployed_and_prod_comes_after_staging() -> None:
    jobs = read(ROOT / ".github" / "workflows" / "deploy.yml")["jobs"]
    assert jobs["build"]["needs"] == "ci"
    assert [jobs[stage]["needs"] for stage in ("dev", "staging", "prod")] == [
        "build",
        "build",
        "staging",
    ]
    for stage in ("dev", "staging", "prod"):
        assert jobs[stage]["with"] == {"stage": stage}
