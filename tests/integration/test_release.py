"""A release that does not work is taken back: real `sam deploy`s, to an AWS that moto plays."""

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import httpx
import pytest
from moto.cloudformation.models import ChangeSet
from moto.server import ThreadedMotoServer

from infra.template import ROOT
from tests.aws import apply_wholly
from tests.servers import damaged

REGION = "eu-central-1"
SETTINGS = """
version = 0.1
[dev.global.parameters]
stack_name = "lambdo-dev"
[dev.deploy.parameters]
capabilities = ["CAPABILITY_IAM"]
parameter_overrides = ["Environment=dev", "Version=1"]
resolve_s3 = true
"""


@pytest.fixture(scope="module")
def gateway(postgres: str, serve: Callable[[str], str]) -> str:
    """The address of an API that works."""
    return serve(postgres)


@pytest.fixture(scope="module")
def broken(gateway: str) -> Iterator[str]:
    """The address of one that does not."""

    def lose_document(request: httpx.Request, _: httpx.Response) -> httpx.Response | None:
        return httpx.Response(404) if request.url.path == "/openapi.json" else None

    with damaged(gateway, lose_document) as url:
        yield url


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """What the environment of a program says so that AWS is an empty account of moto's."""
    monkeypatch.setattr(ChangeSet, "apply", apply_wholly)
    server = ThreadedMotoServer("127.0.0.1", 0)
    server.start()
    _, port = server.get_host_and_port()
    environment = {
        # moto finds a bucket in a path only under this name.
        "AWS_ENDPOINT_URL": f"http://localhost:{port}",
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": REGION,
        "ARTIFACT_BUCKET": "artifacts",
        "SAM_CLI_TELEMETRY": "0",
        "SAM_CLI_POLL_DELAY": "0.1",
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    # moto keeps what it plays for as long as this process runs.
    httpx.post(f"{environment['AWS_ENDPOINT_URL']}/moto-api/reset").raise_for_status()
    boto3.client("s3").create_bucket(
        Bucket="artifacts", CreateBucketConfiguration={"LocationConstraint": REGION}
    )
    yield environment
    server.stop()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project that is released as ours is, with one topic in place of the whole API."""
    (tmp_path / "samconfig.toml").write_text(SETTINGS)
    for part in ("infra", "shared"):
        (tmp_path / part).symlink_to(ROOT / part)
    write_template(tmp_path, "http://127.0.0.1:1")
    return tmp_path


def write_template(project: Path, url: str, **topic: str) -> None:
    """Let the project deploy a stack whose API is at `url`."""
    template = {
        "Parameters": {
            name: {"Type": "String", "Default": ""}
            for name in ("Environment", "Version", "DatabaseUrlArn", "CorsOrigins")
        },
        "Resources": {"Topic": {"Type": "AWS::SNS::Topic", "Properties": topic}},
        "Outputs": {"ApiUrl": {"Value": url}},
    }
    (project / "template.yaml").write_text(json.dumps(template))


def run(project: Path, aws: dict[str, str], **environment: str) -> subprocess.CompletedProcess[str]:
    """Release the stage dev."""
    return subprocess.run(
        [str(ROOT / ".venv/sam/bin/python"), "-m", "infra.release", "dev", "--watch", "0"],
        cwd=project,
        env={"PATH": os.environ["PATH"], "HOME": str(project), **aws, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def read_stack() -> tuple[dict[str, str], dict[str, str]]:
    """The parameters and outputs of what is deployed."""
    stack: dict[str, Any] = boto3.client("cloudformation").describe_stacks(StackName="lambdo-dev")[
        "Stacks"
    ][0]
    return (
        {each["ParameterKey"]: each["ParameterValue"] for each in stack["Parameters"]},
        {each["OutputKey"]: each["OutputValue"] for each in stack["Outputs"]},
    )


def test_what_the_account_says_adds_to_what_the_stage_says(
    project: Path, aws: dict[str, str], gateway: str
) -> None:
    write_template(project, gateway)
    result = run(
        project,
        aws,
        DATABASE_URL_ARN="arn:aws:ssm:eu-central-1:123456789012:parameter/lambdo/dev/database",
        CORS_ORIGINS="https://app.example.com,https://www.example.com",
        CLOUDFORMATION_ROLE_ARN="arn:aws:iam::123456789012:role/deploys",
    )
    assert result.returncode == 0, result.stdout + result.stderr
    parameters, outputs = read_stack()
    assert outputs == {"ApiUrl": gateway}
    assert parameters == {
        "Environment": "dev",
        "Version": "1",
        "DatabaseUrlArn": "arn:aws:ssm:eu-central-1:123456789012:parameter/lambdo/dev/database",
        "CorsOrigins": "https://app.example.com,https://www.example.com",
    }


def test_a_release_that_does_not_work_is_taken_back(
    project: Path, aws: dict[str, str], gateway: str, broken: str
) -> None:
    write_template(project, gateway)
    assert run(project, aws).returncode == 0
    before = read_stack()

    write_template(project, broken, DisplayName="Changed")
    (project / "samconfig.toml").write_text(SETTINGS.replace("Version=1", "Version=2"))
    result = run(project, aws, CORS_ORIGINS="https://new.example.com")
    assert result.returncode == 1
    assert "FAIL  GET /openapi.json" in result.stdout
    assert result.stderr.endswith(
        "lambdo-dev did not work; what was there before is there again.\n"
    )
    assert read_stack() == before


def test_a_first_release_that_does_not_work_fails(
    project: Path, aws: dict[str, str], broken: str
) -> None:
    write_template(project, broken)
    result = run(project, aws)
    assert result.returncode == 1
    assert result.stderr.endswith("lambdo-dev does not work, and nothing was deployed before it.\n")


def test_a_template_that_cannot_be_deployed_fails(project: Path, aws: dict[str, str]) -> None:
    (project / "template.yaml").write_text('{"Resources": {}}')
    result = run(project, aws)
    assert result.returncode == 1
    assert "lambdo-dev was not deployed" in result.stderr
    assert "GET /health" not in result.stdout


def test_an_alarm_that_begins_with_a_release_takes_it_back(
    project: Path, aws: dict[str, str], gateway: str
) -> None:
    def ring_when_asked(request: httpx.Request, _: httpx.Response) -> None:
        if request.url.path == "/health":
            ring("lambdo-dev-Monitoring-1A2B-Errors")

    write_template(project, gateway)
    assert run(project, aws).returncode == 0
    before = read_stack()
    with damaged(gateway, ring_when_asked) as url:
        write_template(project, url, DisplayName="Changed")
        result = run(project, aws)
    assert result.returncode == 1
    assert "In alarm: lambdo-dev-Monitoring-1A2B-Errors" in result.stdout
    assert read_stack() == before


def test_alarms_of_before_and_of_others_take_nothing_back(
    project: Path, aws: dict[str, str], gateway: str
) -> None:
    ring("lambdo-dev-Monitoring-1A2B-Errors")
    ring("lambdo-staging-Monitoring-3C4D-Errors")
    write_template(project, gateway)
    result = run(project, aws)
    assert result.returncode == 0, result.stdout + result.stderr


def ring(name: str) -> None:
    """Have an alarm that rings."""
    client = boto3.client("cloudwatch")
    client.put_metric_alarm(
        AlarmName=name,
        Namespace="AWS/Lambda",
        MetricName="Errors",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=0,
        ComparisonOperator="GreaterThanThreshold",
    )
    client.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="A test")


def test_a_stage_that_is_not_configured_is_refused(project: Path, aws: dict[str, str]) -> None:
    (project / "samconfig.toml").write_text("version = 0.1\n")
    result = run(project, aws)
    assert (result.returncode, result.stderr) == (1, "samconfig.toml knows no stage 'dev'.\n")
