"""The database's failures are counted, in the log, and nothing else is."""

import base64
import json
import re
from typing import Any

import pytest

from infra.template import ROOT
from tests.clients import User, invoke_alone, make_event


def metrics_of(method: str, path: str, **environment: str) -> list[dict[str, Any]]:
    """The lines that CloudWatch takes metrics from, of one call where no database listens."""
    event = make_event(method, path, headers=User().headers)
    return [line for line in invoke_alone(event, **environment) if "_aws" in line]


@pytest.mark.parametrize("path", ["/api/tasks", "/health/ready"])
@pytest.mark.parametrize(
    ("environment", "service"),
    [({}, "lambdo"), ({"POWERTOOLS_SERVICE_NAME": "lambdo-prod"}, "lambdo-prod")],
)
def test_a_database_that_is_unavailable_is_counted_once(
    path: str, environment: dict[str, str], service: str
) -> None:
    (metric,) = metrics_of("GET", path, **environment)
    assert metric["_aws"]["CloudWatchMetrics"] == [
        {
            "Namespace": "Lambdo",
            "Dimensions": [["service"]],
            "Metrics": [{"Name": "DatabaseUnavailable", "Unit": "Count"}],
        }
    ]
    assert metric["DatabaseUnavailable"] == [1.0]
    assert metric["service"] == service


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/health"), ("GET", "/nowhere"), ("POST", "/api/tasks"), ("GET", "/api/bob/tasks")],
)
def test_nothing_else_is_counted(method: str, path: str) -> None:
    assert metrics_of(method, path) == []


def test_the_log_is_what_operations_are_told() -> None:
    event = make_event("GET", "/api/tasks", headers=User().headers)
    cause, metric, answered = invoke_alone(event, POWERTOOLS_SERVICE_NAME="lambdo-prod")
    header = base64.urlsafe_b64encode(b'{"alg": "EdDSA"}').decode().rstrip("=")
    event = make_event("GET", "/api/tasks", headers={"authorization": f"Bearer {header}.e30.e30"})
    (refused,) = invoke_alone(event, POWERTOOLS_SERVICE_NAME="lambdo-prod")
    lines = (cause, answered, refused)
    assert {line["service"] for line in (metric, *lines)} == {"lambdo-prod"}
    page = (ROOT / "docs" / "operations.md").read_text()
    examples = [json.loads(line) for line in re.findall(r"^{.*}$", page, re.MULTILINE)]
    changing = {"timestamp", "correlation_id", "duration_ms", "exception"}
    for example, line in zip(examples, lines, strict=True):
        assert {*example} <= {*line}
        for name in {*example} - changing:
            assert line[name] == example[name]
        assert line.get("code") == example.get("code")
