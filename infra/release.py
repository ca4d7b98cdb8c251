"""Deploys a built stage, checks it, and puts back what was there if it does not work.

.venv/sam/bin/python -m infra.release STAGE [--watch MINUTES]

samconfig.toml says what a stage is. What differs from account to account is in the environment:
the template's parameters of _FROM_ENVIRONMENT (DatabaseUrlArn is DATABASE_URL_ARN there),
ARTIFACT_BUCKET and CLOUDFORMATION_ROLE_ARN.
"""

import argparse
import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
import time
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import ClientError

from infra import smoke

_FROM_ENVIRONMENT = (
    "DatabaseUrlArn",
    "AuthSecretArn",
    "AuthJwksUrl",
    "AuthIssuer",
    "AuthAudience",
    "CorsOrigins",
    "AlarmEmail",
    "PermissionsBoundaryArn",
)
_POLL = 15


@dataclass(frozen=True, slots=True)
class Stack:
    """What CloudFormation has of a stage: its template as it was sent, and what it was given."""

    template: str
    parameters: dict[str, str]
    outputs: dict[str, str]


def release(stage: str, watch_minutes: float) -> None:
    """Deploy a stage, and see it work for some minutes.

    Exits with a message when it does not; what was deployed before is then there again.
    """
    config = _read_config(stage)
    name = config["stack_name"]
    region = config.get("region")
    before = _read_stack(name, region)
    known = _ringing_alarms(name, region)

    parameters = _parse_overrides(config.get("parameter_overrides", {}))
    parameters |= {
        parameter: value
        for parameter in _FROM_ENVIRONMENT
        if (value := os.environ.get(_variable(parameter)))
    }
    if not _deploy(stage, name, parameters):
        sys.exit(f"{name} was not deployed; CloudFormation keeps what was there.")

    after = _read_stack(name, region)
    if not after:
        sys.exit(f"{name} was deployed, and somebody has deleted it since.")
    if smoke.check(after.outputs["ApiUrl"], os.environ.get("LAMBDO_TOKEN")):
        ringing = _watch(name, region, known, watch_minutes)
        if not ringing:
            return
        print(f"In alarm: {', '.join(sorted(ringing))}", flush=True)
    if not before:
        sys.exit(f"{name} does not work, and nothing was deployed before it.")
    if not _deploy(stage, name, before.parameters, before.template):
        sys.exit(f"{name} does not work, and what was there before could not be put back.")
    sys.exit(f"{name} did not work; what was there before is there again.")


def _read_config(stage: str) -> dict[str, Any]:
    config = tomllib.loads(Path("samconfig.toml").read_text())
    if stage not in config:
        sys.exit(f"samconfig.toml knows no stage {stage!r}.")
    return {
        name: value
        for command in ("global", "deploy")
        for name, value in config[stage].get(command, {}).get("parameters", {}).items()
    }


def _parse_overrides(overrides: str | list[str] | dict[str, object]) -> dict[str, str]:
    # `sam deploy` forgets all of samconfig.toml's as soon as its command line names one.
    if isinstance(overrides, dict):
        return {name: str(value) for name, value in overrides.items()}
    texts = [overrides] if isinstance(overrides, str) else overrides
    pairs = (pair.partition("=") for text in texts for pair in shlex.split(text))
    return {name: value for name, _, value in pairs}


def _variable(parameter: str) -> str:
    return re.sub(r"(?<!^)([A-Z])", r"_\1", parameter).upper()


def _read_stack(name: str, region: str | None) -> Stack | None:
    client = boto3.client("cloudformation", region_name=region)
    try:
        stack = client.describe_stacks(StackName=name)["Stacks"][0]
    except ClientError as error:
        if "does not exist" in str(error):
            return None
        raise
    if stack["StackStatus"] == "REVIEW_IN_PROGRESS":  # a change set that was never executed
        return None
    template = client.get_template(StackName=name, TemplateStage="Original")["TemplateBody"]
    return Stack(
        template if isinstance(template, str) else json.dumps(template),
        {
            parameter["ParameterKey"]: parameter["ParameterValue"]
            for parameter in stack.get("Parameters", [])
        },
        {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])},
    )


def _deploy(stage: str, name: str, parameters: dict[str, str], template: str | None = None) -> bool:
    with tempfile.TemporaryDirectory(prefix="lambdo-") as folder:
        # JSON is YAML, and the only kind of file that keeps every value as it is.
        overrides = Path(folder) / "parameters.yaml"
        overrides.write_text(json.dumps(parameters))
        command = [
            *(str(Path(sys.executable).with_name("sam")), "deploy", "--config-env", stage),
            *("--no-confirm-changeset", "--no-fail-on-empty-changeset", "--no-progressbar"),
            *("--parameter-overrides", f"file://{overrides}"),
        ]
        if bucket := os.environ.get("ARTIFACT_BUCKET"):
            command += ["--no-resolve-s3", "--s3-bucket", bucket, "--s3-prefix", name]
        if role := os.environ.get("CLOUDFORMATION_ROLE_ARN"):
            command += ["--role-arn", role]
        if template is not None:
            path = Path(folder) / "template.yaml"
            path.write_text(template)
            # `sam` looks for its settings beside the template.
            config = Path("samconfig.toml").absolute()
            command += ["--template-file", str(path), "--config-file", str(config)]
        return subprocess.run(command, check=False).returncode == 0  # noqa: S603 - words of ours


def _watch(name: str, region: str | None, known: set[str], minutes: float) -> set[str]:
    deadline = time.monotonic() + minutes * 60
    while not (ringing := _ringing_alarms(name, region) - known):
        if time.monotonic() >= deadline:
            break
        time.sleep(_POLL)
    return ringing


def _ringing_alarms(name: str, region: str | None) -> set[str]:
    pages = boto3.client("cloudwatch", region_name=region).get_paginator("describe_alarms")
    return {
        alarm["AlarmName"]
        for page in pages.paginate(
            AlarmNamePrefix=f"{name}-",
            AlarmTypes=["MetricAlarm", "CompositeAlarm"],
            StateValue="ALARM",
        )
        for kind in ("MetricAlarms", "CompositeAlarms")
        for alarm in page.get(kind, [])
    }


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(prog="infra.release")
    arguments.add_argument("stage")
    arguments.add_argument("--watch", type=float, default=5, metavar="MINUTES")
    given = arguments.parse_args()
    release(given.stage, given.watch)
