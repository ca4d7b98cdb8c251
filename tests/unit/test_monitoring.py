"""Every alarm watches something that exists, says so to somebody, and fires when it should."""

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import boto3
import pytest
from moto import mock_aws

from infra.template import ROOT
from shared.data import database
from shared.runtime import deadline
from tests.clients import invoke_alone, make_event
from tests.templates import (
    REGION,
    package_template,
    read_template,
    resolve,
    transform_template,
)

NAME = "lambdo-prod"
EMAIL = "team@example.com"
API = "abc123"

# What a function of API Gateway's HTTP APIs and of Lambda is measured by:
# https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-metrics.html
# https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
KNOWN = {
    ("AWS/ApiGateway", "ApiId"): {
        *("4xx", "5xx", "Count", "DataProcessed", "IntegrationLatency", "Latency")
    },
    ("AWS/Lambda", "FunctionName"): {
        *("ConcurrentExecutions", "Duration", "Errors", "Invocations", "Throttles")
    },
    ("Lambdo", "service"): {"DatabaseUnavailable"},
}

SIGN_IN = ("Register", "LogIn")
ACCOUNT_FUNCTIONS = ("ReadUser", "DeleteUser", "ExportUser", *SIGN_IN)
UNWATCHED = {
    "MigrateDatabase": "a deployment runs it, and fails with it",
}
NOT_SLOW = {
    **UNWATCHED,
    **dict.fromkeys(("CheckHealth", "ShowDocs", "RefuseRoute"), "waits for nothing"),
    "CheckReadiness": f"gives the database up after {database.READY_TIMEOUT} s",
    **dict.fromkeys(ACCOUNT_FUNCTIONS, "waits for the database that those of the tasks wait for"),
}
NOT_THROTTLED = {
    **UNWATCHED,
    **dict.fromkeys(
        ("CheckHealth", "CheckReadiness", "ShowDocs", "RefuseRoute", *ACCOUNT_FUNCTIONS),
        "has no concurrency of its own to run out of",
    ),
}

TEMPLATE = read_template(ROOT / "infra" / "monitoring.yaml")
PARENT = transform_template(
    package_template(read_template(ROOT / "template.yaml")),
    DatabaseUrlArn="arn:aws:ssm:eu-central-1:123456789012:parameter/database",
    AuthSecretArn="arn:aws:ssm:eu-central-1:123456789012:parameter/secret",
)
FUNCTIONS = {
    name: resource["Properties"]
    for name, resource in PARENT["Resources"].items()
    if resource["Type"] == "AWS::Lambda::Function"
}
GIVEN = PARENT["Resources"]["Monitoring"]["Properties"]["Parameters"]
WATCHED = [name for name in GIVEN if name not in ("Name", "ApiId", "AlarmEmail")]

# As long as a function's name may be: 64 characters.
NAMES = {name: f"{NAME}-{name}-".ljust(64, "X") for name in WATCHED}
TOPIC = f"arn:aws:sns:{REGION}:123456789012:topic"
ALARMS = f"arn:aws:cloudwatch:{REGION}:123456789012:alarm:{NAME}"
VALUES = {
    **{"Name": NAME, "ApiId": API, "AlarmEmail": EMAIL, "Topic": TOPIC, **NAMES},
    "HasBuiltInAccounts": "yes",
    **{"AWS::Partition": "aws", "AWS::Region": REGION, "AWS::AccountId": "123456789012"},
    **{
        f"{name}.Arn": resource["Properties"]["AlarmName"]["Fn::Sub"].replace("${Name}", ALARMS)
        for name, resource in TEMPLATE["Resources"].items()
        if resource["Type"] == "AWS::CloudWatch::Alarm"
    },
}

Alarm = dict[str, Any]


class Metric(NamedTuple):
    """A metric that an alarm or the dashboard reads."""

    namespace: str
    name: str
    dimension: str
    value: str


@pytest.fixture
def alarms(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Alarm]]:
    """Every alarm as CloudWatch has it, under its name without the stack's."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        cloudwatch = boto3.client("cloudwatch", region_name=REGION)
        for resource in TEMPLATE["Resources"].values():
            if resource["Type"] == "AWS::CloudWatch::Alarm":
                # CloudFormation's resource and CloudWatch's API take the same.
                cloudwatch.put_metric_alarm(**resolve(resource["Properties"], VALUES))
        found = cloudwatch.describe_alarms()["MetricAlarms"]
        yield {alarm["AlarmName"].removeprefix(f"{NAME}-"): alarm for alarm in found}


def resource(kind: str) -> dict[str, Any]:
    """The properties of the only resource of its kind."""
    (found,) = [one for one in TEMPLATE["Resources"].values() if one["Type"] == kind]
    properties: dict[str, Any] = resolve(found["Properties"], VALUES)
    return properties


def queries(alarm: Alarm) -> dict[str, dict[str, Any]]:
    """The metrics that an alarm reads, as metric math has them."""
    if "MetricName" in alarm:
        return {"only": {"Metric": alarm, "Period": alarm["Period"]}}
    return {query["Id"]: query["MetricStat"] for query in alarm["Metrics"] if "MetricStat" in query}


def metrics(alarm: Alarm) -> list[Metric]:
    """The metrics that an alarm reads."""
    found = []
    for query in queries(alarm).values():
        metric = query["Metric"]
        (dimension,) = metric["Dimensions"]
        found.append(
            Metric(metric["Namespace"], metric["MetricName"], dimension["Name"], dimension["Value"])
        )
    return found


def expression(alarm: Alarm) -> str:
    """What an alarm makes of its metrics."""
    (found,) = [query["Expression"] for query in alarm["Metrics"] if "Expression" in query]
    return str(found)


def watched_by(alarms: dict[str, Alarm], metric_name: str) -> set[str]:
    """The functions of which some alarm reads this metric."""
    read = {
        metric.value
        for alarm in alarms.values()
        for metric in metrics(alarm)
        if (metric.namespace, metric.name) == ("AWS/Lambda", metric_name)
    }
    return {name for name in NAMES if NAMES[name] in read}


def check_exists(metric: Metric) -> None:
    assert metric.name in KNOWN[metric.namespace, metric.dimension]
    values = {"ApiId": [API], "FunctionName": NAMES.values(), "service": [NAME]}
    assert metric.value in values[metric.dimension]


def test_the_stack_is_given_what_it_watches() -> None:
    assert {*GIVEN} == {*TEMPLATE["Parameters"]}
    assert PARENT["Resources"]["Monitoring"]["Properties"]["TemplateURL"] == "infra/monitoring.yaml"
    assert GIVEN["AlarmEmail"] == {"Ref": "AlarmEmail"}
    assert GIVEN["ApiId"] == {"Ref": "Api"}
    assert PARENT["Resources"]["Api"]["Type"] == "AWS::ApiGatewayV2::Api"
    for name in WATCHED:
        given = {"Ref": name}
        if name in SIGN_IN:
            given = {"Fn::If": ["HasBuiltInAccounts", given, ""]}
        assert GIVEN[name] == given
        assert name in FUNCTIONS


def test_alarms_read_metrics_that_exist(alarms: dict[str, Alarm]) -> None:
    assert len(alarms) == 7
    for alarm in alarms.values():
        assert metrics(alarm)
        for metric in metrics(alarm):
            check_exists(metric)


def test_alarms_are_named_for_the_stack(alarms: dict[str, Alarm]) -> None:
    assert {alarm["AlarmName"] for alarm in alarms.values()} == {
        f"{NAME}-{name}" for name in alarms
    }


@pytest.mark.parametrize(
    ("metric", "excepted"),
    [("Errors", UNWATCHED), ("Throttles", NOT_THROTTLED), ("Duration", NOT_SLOW)],
)
def test_every_function_is_watched(
    alarms: dict[str, Alarm], metric: str, excepted: dict[str, str]
) -> None:
    watched = watched_by(alarms, metric)
    assert watched | excepted.keys() >= FUNCTIONS.keys()
    assert not watched & excepted.keys()


def test_alarms_are_within_the_limits_of_metric_math(alarms: dict[str, Alarm]) -> None:
    for alarm in alarms.values():
        assert len(metrics(alarm)) <= 10
        assert len({query["Period"] for query in queries(alarm).values()}) == 1
        if alarm.get("Metrics"):
            returned = [query for query in alarm["Metrics"] if query.get("ReturnData", True)]
            assert [query["Expression"] for query in returned] == [expression(alarm)]
            names = {*re.findall(r"\b[a-z]\w*", expression(alarm))}
            assert names <= queries(alarm).keys()


def test_no_metric_is_read_twice_and_all_together_cost_what_is_said(
    alarms: dict[str, Alarm],
) -> None:
    read = [metric for alarm in alarms.values() for metric in metrics(alarm)]
    assert len(read) == len({*read})
    for text in (ROOT / "infra/monitoring.yaml", ROOT / "docs/operations.md"):
        assert f"${len(read) * 0.1:.2f}" in text.read_text()


@pytest.mark.parametrize(
    ("failures", "requests", "fires"),
    [(0, 1, 0), (1, 1, 0), (2, 2, 1), (1, 20, 0), (50, 1000, 0), (51, 1000, 1), (1000, 1000, 1)],
)
def test_one_failure_in_a_quiet_night_wakes_nobody(
    alarms: dict[str, Alarm], failures: int, requests: int, fires: int
) -> None:
    alarm = alarms["api-5xx"]
    values = {"failures": failures, "requests": requests}
    choose = {"IF": lambda condition, yes, no: yes if condition else no}
    rate = eval(expression(alarm), choose, values)  # noqa: S307 - a text of our own
    assert alarm["ComparisonOperator"] == "GreaterThanThreshold"
    assert (rate > alarm["Threshold"]) == bool(fires)


def test_slow_functions_are_told_before_they_are_stopped(alarms: dict[str, Alarm]) -> None:
    limit = alarms["task-duration"]["Threshold"]
    assert limit > 1000 * deadline.CALL_TIMEOUT
    assert all(limit < 1000 * FUNCTIONS[name]["Timeout"] for name in watched_by(alarms, "Duration"))
    assert alarms["api-latency"]["Threshold"] < limit


def test_what_the_functions_count_is_what_is_watched(alarms: dict[str, Alarm]) -> None:
    service = {
        json.dumps(function["Environment"]["Variables"]["POWERTOOLS_SERVICE_NAME"])
        for name, function in FUNCTIONS.items()
        if name not in UNWATCHED
    }
    assert service == {json.dumps(GIVEN["Name"])} == {'{"Ref": "AWS::StackName"}'}
    log = invoke_alone(make_event("GET", "/health/ready"), POWERTOOLS_SERVICE_NAME=NAME)
    (counted,) = [line for line in log if "_aws" in line]
    (emitted,) = counted["_aws"]["CloudWatchMetrics"]
    ((dimension,),) = emitted["Dimensions"]
    (name,) = [metric["Name"] for metric in emitted["Metrics"]]
    assert metrics(alarms["database-unavailable"]) == [
        Metric(emitted["Namespace"], name, dimension, counted[dimension])
    ]


def test_silence_is_no_alarm_and_every_change_is_told(alarms: dict[str, Alarm]) -> None:
    for alarm in alarms.values():
        assert alarm["TreatMissingData"] == "notBreaching"
        assert alarm["AlarmDescription"]
        assert alarm["AlarmActions"] == alarm["OKActions"] == [TOPIC]


@pytest.mark.parametrize(("email", "told"), [(EMAIL, True), ("", False)])
def test_mail_is_sent_where_there_is_an_address(email: str, told: bool) -> None:
    assert resource("AWS::SNS::Subscription") == {
        "TopicArn": TOPIC,
        "Protocol": "email",
        "Endpoint": EMAIL,
    }
    condition = TEMPLATE["Conditions"][TEMPLATE["Resources"]["Subscription"]["Condition"]]
    assert resolve(condition, {"AlarmEmail": email}) is told


def test_only_alarms_of_this_stack_may_tell() -> None:
    policy = resource("AWS::SNS::TopicPolicy")
    assert policy["Topics"] == [TOPIC]
    assert policy["PolicyDocument"]["Statement"] == [
        {
            "Effect": "Allow",
            "Principal": {"Service": "cloudwatch.amazonaws.com"},
            "Action": "sns:Publish",
            "Resource": TOPIC,
            "Condition": {"ArnLike": {"aws:SourceArn": f"{ALARMS}-*"}},
        }
    ]
    # Alarms have no right to the key that SNS would bring along.
    assert "KmsMasterKeyId" not in TEMPLATE["Resources"]["Topic"].get("Properties", {})


def test_the_dashboard_shows_what_is_watched(alarms: dict[str, Alarm]) -> None:
    dashboard = resource("AWS::CloudWatch::Dashboard")
    widgets = [widget["properties"] for widget in json.loads(dashboard["DashboardBody"])["widgets"]]
    url = resolve(TEMPLATE["Outputs"]["DashboardUrl"]["Value"], VALUES)
    assert url.endswith(f"#dashboards/dashboard/{dashboard['DashboardName']}")
    assert {*widgets[0]["alarms"]} == {alarm["AlarmArn"] for alarm in alarms.values()}

    shown = set()
    for widget in widgets[1:]:
        assert widget["region"] == REGION
        found = set()
        for namespace, *rest in widget["metrics"]:
            if isinstance(namespace, str):
                name, dimension, value = rest[:3]
                shown.add(Metric(namespace, name, dimension, value))
            else:
                found |= found_by(namespace["expression"])
        assert {metric.value for metric in found} in (set(), {*NAMES.values()})
        shown |= found
    for metric in shown:
        check_exists(metric)
    assert shown >= {metric for alarm in alarms.values() for metric in metrics(alarm)}


def test_what_is_not_deployed_is_not_watched() -> None:
    external = {**VALUES, **dict.fromkeys(SIGN_IN, ""), "HasBuiltInAccounts": ""}
    condition = TEMPLATE["Conditions"]["HasBuiltInAccounts"]
    assert [resolve(condition, values) for values in (VALUES, external)] == [True, False]
    resolved = json.dumps(resolve(TEMPLATE["Resources"], external))
    assert NAMES["ReadUser"] in resolved
    assert not [name for name in SIGN_IN if NAMES[name] in resolved]
    assert '"Value": ""' not in resolved
    assert 'OR \\\\\\"\\\\\\"' not in resolved


def found_by(search: str) -> set[Metric]:
    """The metrics that a search expression finds, once they have data."""
    assert len(search) <= 1024  # as many as CloudWatch takes
    matched = re.fullmatch(
        r"""SEARCH\('\{(\S+),(\w+)\} MetricName="(\w+)" \("(.+)"\)', '\w+'\)""", search
    )
    assert matched
    namespace, dimension, name, values = matched.groups()
    return {Metric(namespace, name, dimension, value) for value in values.split('" OR "')}
