"""Every alarm watches something that exists, says so to somebody, and fires when it should."""

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import boto3
import pytest
from moto import mock_aws

from infra.template import ROOT, read_functions
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
ACCESS_LOGS = f"/aws/vendedlogs/{NAME}-Api"
TOPIC = f"arn:aws:sns:{REGION}:123456789012:topic"
ALARMS = f"arn:aws:cloudwatch:{REGION}:123456789012:alarm:{NAME}"

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

TEMPLATE = read_template(ROOT / "infra" / "monitoring.yaml")
PARENT = transform_template(
    package_template(read_template(ROOT / "template.yaml")),
    DatabaseUrlArn="arn:aws:ssm:eu-central-1:123456789012:parameter/database",
    AuthSecretArn="arn:aws:ssm:eu-central-1:123456789012:parameter/secret",
)["Resources"]
GIVEN = PARENT["Monitoring"]["Properties"]["Parameters"]
ENDPOINTS = {name: function for name, function in read_functions().items() if "Events" in function}

VALUES = {
    **{"Name": NAME, "ApiId": API, "AccessLogs": ACCESS_LOGS, "AlarmEmail": EMAIL, "Topic": TOPIC},
    **{"AWS::Partition": "aws", "AWS::Region": REGION, "AWS::AccountId": "123456789012"},
    **{
        f"{name}.Arn": resource["Properties"]["AlarmName"]["Fn::Sub"].replace("${Name}", ALARMS)
        for name, resource in TEMPLATE["Resources"].items()
        if resource["Type"] == "AWS::CloudWatch::Alarm"
    },
}

Alarm = dict[str, Any]


class Metric(NamedTuple):
    """A metric that an alarm or the dashboard reads; our own may have no dimension."""

    namespace: str
    name: str
    dimension: str = ""
    value: str = ""


@pytest.fixture
def alarms(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Alarm]]:
    """Every alarm as CloudWatch has it, under its name without the stack's."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        cloudwatch = boto3.client("cloudwatch", region_name=REGION)
        # CloudFormation's resource and CloudWatch's API take the same.
        for properties in resources("AWS::CloudWatch::Alarm"):
            cloudwatch.put_metric_alarm(**properties)
        found = cloudwatch.describe_alarms()["MetricAlarms"]
        yield {alarm["AlarmName"].removeprefix(f"{NAME}-"): alarm for alarm in found}


def resources(kind: str) -> list[dict[str, Any]]:
    """The properties of every resource of a kind."""
    return [
        resolve(resource["Properties"], VALUES)
        for resource in TEMPLATE["Resources"].values()
        if resource["Type"] == kind
    ]


def resource(kind: str) -> dict[str, Any]:
    """The properties of the only resource of its kind."""
    (found,) = resources(kind)
    return found


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
        dimensions = [(each["Name"], each["Value"]) for each in metric["Dimensions"]]
        assert len(dimensions) <= 1
        found.append(Metric(metric["Namespace"], metric["MetricName"], *sum(dimensions, ())))
    return found


def expression(alarm: Alarm) -> str:
    """What an alarm makes of its metrics."""
    (found,) = [query["Expression"] for query in alarm["Metrics"] if "Expression" in query]
    return str(found)


def counted() -> dict[Metric, str]:
    """The metrics that are counted from the access log, and the pattern of what counts."""
    found = {}
    for properties in resources("AWS::Logs::MetricFilter"):
        assert properties["LogGroupName"] == ACCESS_LOGS
        (made,) = properties["MetricTransformations"]
        assert made["MetricValue"] == "1"
        assert made.keys() == {"MetricNamespace", "MetricName", "MetricValue"}
        metric = Metric(made["MetricNamespace"], made["MetricName"])
        found[metric] = properties["FilterPattern"]
    return found


def check_exists(metric: Metric) -> None:
    if metric.dimension:
        assert metric.name in KNOWN[metric.namespace, metric.dimension]
        values = {"ApiId": API, "FunctionName": NAME, "service": NAME}
        assert metric.value == values[metric.dimension]
    else:
        assert metric in counted()


# --- what the stack is given ---


def test_the_stack_is_given_what_it_watches() -> None:
    assert PARENT["Monitoring"]["Properties"]["TemplateURL"] == "infra/monitoring.yaml"
    assert {*GIVEN} == {*TEMPLATE["Parameters"]}
    assert GIVEN["AlarmEmail"] == {"Ref": "AlarmEmail"}
    assert GIVEN["ApiId"] == {"Ref": "Api"}
    assert PARENT["Api"]["Type"] == "AWS::ApiGatewayV2::Api"
    assert GIVEN["AccessLogs"] == {"Ref": "AccessLogs"}
    (stage,) = [each for each in PARENT.values() if each["Type"] == "AWS::ApiGatewayV2::Stage"]
    destination = stage["Properties"]["AccessLogSettings"]["DestinationArn"]
    assert destination == {"Fn::GetAtt": ["AccessLogs", "Arn"]}


def test_no_function_is_named_so_that_none_can_be_forgotten() -> None:
    text = (ROOT / "infra" / "monitoring.yaml").read_text()
    assert len(ENDPOINTS) > 2
    assert [name for name in ENDPOINTS if name in text] == []


# --- what alarms read ---


def test_alarms_read_metrics_that_exist(alarms: dict[str, Alarm]) -> None:
    for alarm in alarms.values():
        assert metrics(alarm)
        for metric in metrics(alarm):
            check_exists(metric)


def test_what_is_counted_from_the_access_log_is_watched(alarms: dict[str, Alarm]) -> None:
    read = {metric for alarm in alarms.values() for metric in metrics(alarm)}
    assert counted().keys() == {metric for metric in read if not metric.dimension}


def test_what_is_counted_is_the_stacks_own() -> None:
    # A metric without a dimension is one with that of any other stack whose namespace is the same.
    assert {metric.namespace for metric in counted()} == {f"Lambdo/{NAME}"}


def test_alarms_are_named_for_the_stack(alarms: dict[str, Alarm]) -> None:
    assert {alarm["AlarmName"] for alarm in alarms.values()} == {
        f"{NAME}-{name}" for name in alarms
    }


def test_a_deployment_goes_back_when_an_alarm_that_exists_goes_off(
    alarms: dict[str, Alarm],
) -> None:
    for function in ENDPOINTS.values():
        watched = function["DeploymentPreference"]["Alarms"]
        assert watched
        assert {*watched} <= {f"${{AWS::StackName}}-{name}" for name in alarms}


def test_alarms_are_within_the_limits_of_metric_math(alarms: dict[str, Alarm]) -> None:
    for alarm in alarms.values():
        assert len(metrics(alarm)) <= 10
        assert len({query["Period"] for query in queries(alarm).values()}) == 1
        if alarm.get("Metrics"):
            returned = [query for query in alarm["Metrics"] if query.get("ReturnData", True)]
            assert [query["Expression"] for query in returned] == [expression(alarm)]
            names = {*re.findall(r"\b[a-z]\w*", expression(alarm))}
            assert names <= queries(alarm).keys()


def test_no_metric_is_read_twice_and_what_all_cost_is_said_once(alarms: dict[str, Alarm]) -> None:
    read = [metric for alarm in alarms.values() for metric in metrics(alarm)]
    assert len(read) == len({*read})
    said = re.findall(r"^\| Alarms.*\| (\d+) ", (ROOT / "docs/deploying.md").read_text(), re.M)
    assert said == [str(len(read))]
    for path in ("template.yaml", "infra/monitoring.yaml", "docs/operations.md"):
        assert re.findall(r"\$\d", (ROOT / path).read_text()) == []


# --- when they go off ---


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


# What is read every five minutes, and values with which an alarm goes off, and does not.
RUNS = {
    "api-latency": ("p99", [3001, 3001, 3001], [3001, 3000, 3001]),
    "database-unavailable": ("Sum", [3], [2]),
    "function-errors": ("Sum", [1], [0]),
    "function-throttles": ("Sum", [1, 0, 1], [0, 100, 0]),
    "function-duration": ("Maximum", [24_001], [24_000]),
}


def goes_off(alarm: Alarm, values: list[int]) -> bool:
    """Whether an alarm is on after its latest periods had these values."""
    assert len(values) == alarm["EvaluationPeriods"]
    limit: float = alarm["Threshold"]
    breaches = {
        "GreaterThanThreshold": [value > limit for value in values],
        "GreaterThanOrEqualToThreshold": [value >= limit for value in values],
    }[alarm["ComparisonOperator"]]
    return sum(breaches) >= int(alarm.get("DatapointsToAlarm", len(values)))


def test_alarms_go_off_when_they_should(alarms: dict[str, Alarm]) -> None:
    assert alarms.keys() == RUNS.keys() | {"api-5xx"}
    for name, (statistic, loud, quiet) in RUNS.items():
        alarm = alarms[name]
        assert statistic in (alarm.get("Statistic"), alarm.get("ExtendedStatistic")), name
        assert alarm["Period"] == 300
        assert goes_off(alarm, loud), name
        assert not goes_off(alarm, quiet), name


def test_slow_functions_are_told_before_they_are_stopped(alarms: dict[str, Alarm]) -> None:
    limit = alarms["function-duration"]["Threshold"]
    assert limit > 1000 * deadline.CALL_TIMEOUT
    assert limit < 1000 * max(function["Timeout"] for function in ENDPOINTS.values())
    assert alarms["api-latency"]["Threshold"] < limit


# --- what the access log says, and what of it counts ---

# What API Gateway writes for each variable, "-" where a call has none, and what that counts as.
# Errors are worded as in logs of HTTP APIs; Lambda's statuses are those of its Invoke.
FAILED = (
    "The Lambda function returned the following error: {}"
    " Check your Lambda function code and try again."
)
LINES: dict[str, tuple[dict[str, str], str]] = {
    "an answer": ({"status": "200", "integration.integrationStatus": "200"}, ""),
    "a task that is not there": ({"status": "404", "integration.integrationStatus": "200"}, ""),
    "a limit of ours": ({"status": "429", "integration.integrationStatus": "200"}, ""),
    "a fault that was answered": ({"status": "500", "integration.integrationStatus": "200"}, ""),
    "no database": ({"status": "503", "integration.integrationStatus": "200"}, ""),
    "a preflight request": ({"status": "204"}, ""),
    "a limit of the route's": ({"status": "429", "error.message": "Too Many Requests"}, ""),
    "a body that Lambda does not take": (
        {
            "status": "413",
            "integration.integrationStatus": "413",
            "integrationErrorMessage": "Request must be smaller than 6291456 bytes",
        },
        "",
    ),
    "a function that ran out of time": (
        {
            "status": "500",
            "integration.integrationStatus": "200",
            "integrationErrorMessage": FAILED.format(
                "RequestId: 01fe3839-4974-40d5-960a-173fcb5ec786"
                " Error: Task timed out after 28.00 seconds."
            ),
        },
        "FunctionErrors",
    ),
    "a function that did not start": (
        {
            "status": "500",
            "integration.integrationStatus": "200",
            "integrationErrorMessage": FAILED.format('AUTH_JWKS_URL: "x" is no URL.'),
        },
        "FunctionErrors",
    ),
    "a fault of Lambda's": (
        {
            "status": "500",
            "integration.integrationStatus": "502",
            "integrationErrorMessage": "Internal server error",
        },
        "FunctionErrors",
    ),
    "no answer in 30 s": (
        {"status": "503", "integrationErrorMessage": "Endpoint request timed out"},
        "FunctionErrors",
    ),
    "too many at once": (
        {
            "status": "503",
            "integration.integrationStatus": "429",
            "integrationErrorMessage": "Rate Exceeded.",
        },
        "FunctionThrottles",
    ),
}


def access_log_format() -> str:
    """What the API's stage writes of each call."""
    (stage,) = [each for each in PARENT.values() if each["Type"] == "AWS::ApiGatewayV2::Stage"]
    return str(stage["Properties"]["AccessLogSettings"]["Format"])


def write_line(values: dict[str, str]) -> str:
    """The line that API Gateway writes where its variables have these values."""
    usual = {"routeKey": "GET /api/tasks", "requestTime": "21/Nov/2026:12:00:00 +0000"}
    return re.sub(
        r"\$context\.([\w.]*\w)",
        lambda name: {**usual, **values}.get(name[1], "-"),
        access_log_format(),
    )


def matches(pattern: str, line: str) -> bool:
    """Whether CloudWatch's filter pattern, a regular expression of what it supports, fits a line.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/regex-expressions.html
    """
    found = re.fullmatch(r"%([A-Za-z0-9:_#=@/;,^$?\[\]{}|\\*+.-]+)%", pattern)
    assert found, pattern
    return bool(re.search(found[1], line))


@pytest.mark.parametrize("what", LINES)
def test_calls_without_an_answer_are_counted_by_their_cause(what: str) -> None:
    values, counts_as = LINES[what]
    line = write_line(values)
    found = [metric.name for metric, pattern in counted().items() if matches(pattern, line)]
    assert found == ([counts_as] if counts_as else [])


def test_every_filter_has_a_line_that_it_counts() -> None:
    assert {metric.name for metric in counted()} == {name for _, name in LINES.values() if name}
    # CloudWatch takes no more of them for one log group.
    assert len(counted()) <= 5


def test_the_access_log_is_one_line_of_json_without_what_callers_write() -> None:
    line = json.loads(write_line({}))
    assert line["route"] == "GET /api/tasks"
    assert "\n" not in access_log_format()
    variables = {*re.findall(r"\$context\.([\w.]*\w)", access_log_format())}
    assert {name for values, _ in LINES.values() for name in values} <= variables
    written_by_callers = {"path", "identity.userAgent", "domainName", "domainPrefix", "httpMethod"}
    assert not variables & written_by_callers


def test_what_the_functions_count_is_what_is_watched(alarms: dict[str, Alarm]) -> None:
    service = {
        json.dumps(each["Properties"]["Environment"]["Variables"]["POWERTOOLS_SERVICE_NAME"])
        for each in PARENT.values()
        if each["Type"] == "AWS::Lambda::Function"
    }
    assert service == {json.dumps(GIVEN["Name"])} == {'{"Ref": "AWS::StackName"}'}
    log = invoke_alone(make_event("GET", "/health/ready"), POWERTOOLS_SERVICE_NAME=NAME)
    (line,) = [line for line in log if "_aws" in line]
    (emitted,) = line["_aws"]["CloudWatchMetrics"]
    ((dimension,),) = emitted["Dimensions"]
    (name,) = [metric["Name"] for metric in emitted["Metrics"]]
    assert metrics(alarms["database-unavailable"]) == [
        Metric(emitted["Namespace"], name, dimension, line[dimension])
    ]


# --- who is told ---


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
        for namespace, *rest in widget["metrics"]:
            if isinstance(namespace, str):
                shown.add(Metric(namespace, *(part for part in rest if isinstance(part, str))))
            else:
                shown.add(found_by(namespace["expression"]))
    for metric in shown:
        check_exists(metric)
    assert shown >= {metric for alarm in alarms.values() for metric in metrics(alarm)}


def found_by(search: str) -> Metric:
    """What a search expression finds, once there are data: of every function of the stack's.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/search-expression-syntax.html:
    a value without quotation marks is found anywhere in a name, in whole words.
    """
    assert len(search) <= 1024  # as many as CloudWatch takes
    matched = re.fullmatch(
        r"""SEARCH\('\{(\S+),(\w+)\} MetricName="(\w+)" (\w+)=([\w-]+)', '\w+'\)""", search
    )
    assert matched
    namespace, dimension, name, searched, value = matched.groups()
    assert searched == dimension
    return Metric(namespace, name, dimension, value)
