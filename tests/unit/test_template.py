"""What template.yaml deploys is what is there, with no more rights and no secrets."""

import importlib
import re
import runpy
from collections.abc import Iterator
from typing import Any

import pytest

from infra import template
from infra.template import ROOT, read_cors, read_functions, read_routes
from shared.settings import Settings, SettingsError, get_settings
from tests.clients import SECRET
from tests.templates import package_template, read_template, transform_template

_TEMPLATE = template._read_template()
_COMMON = _TEMPLATE["Globals"]["Function"]
_FUNCTIONS = read_functions()
_ENDPOINTS = [name for name in _FUNCTIONS if name != "MigrateDatabase"]

_PARAMETERS = {
    "DatabaseUrlArn": "arn:aws:ssm:eu-central-1:123456789012:parameter/database",
    "AuthSecretArn": "arn:aws:ssm:eu-central-1:123456789012:parameter/secret",
}
_SECRETS = {"DATABASE_URL": "DatabaseUrlArn", "BETTER_AUTH_SECRET": "AuthSecretArn"}
"""Settings that are secrets, and the parameters that say where they are."""

_SECRET = re.compile(
    r"://[^/\s]*:[^/\s]*@"  # a URL with a password
    r"|\b(AKIA|ASIA)[0-9A-Z]{16}\b"
    r"|\bgh[pousr]_\w{20,}"
    r"|\beyJ[\w-]{10,}"
    r"|-----BEGIN"
    r"|\b(?=\w*\d)[\w+/-]{32,}"
)


def _texts(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        for value in node.values():
            yield from _texts(value)
    elif isinstance(node, list):
        for value in node:
            yield from _texts(value)
    elif isinstance(node, str):
        yield node


@pytest.fixture(scope="module")
def transformed() -> dict[str, Any]:
    """The template as CloudFormation sees it."""
    return transform_template(
        package_template(read_template(ROOT / "template.yaml")), **_PARAMETERS
    )


@pytest.mark.parametrize(
    "text",
    [
        "postgresql://owner:hunter2@db.example.com/lambdo",
        "AKIAIOSFODNN7EXAMPLE",
        "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
        "eyJhbGciOiJIUzI1NiJ9",
        "-----BEGIN PRIVATE KEY-----",
        "wJalrXUtnFEMI0K7MDENG0bPxRfiCYEXAMPLEKEY",
    ],
)
def test_a_secret_would_be_recognised(text: str) -> None:
    assert _SECRET.search(text)


def test_no_secret_stands_in_the_template() -> None:
    assert _SECRET.findall((ROOT / "template.yaml").read_text()) == []
    assert [text for text in _texts(_TEMPLATE) if _SECRET.search(text)] == []


def test_functions_are_told_where_secrets_are_and_not_what_they_are() -> None:
    for function in _FUNCTIONS.values():
        variables = function["Environment"]["Variables"]
        secret = {name for name in variables if re.search("SECRET|URL|PASSWORD|TOKEN", name)}
        secret -= {"AUTH_JWKS_URL"}
        # Declared for `sam local`, which fills in what a developer has; nothing deployed has them.
        undeployed = ["IsLocal", "", "AWS::NoValue"]
        assert all(name.endswith("_ARN") or variables[name] == undeployed for name in secret)
    for name, parameter in _TEMPLATE["Parameters"].items():
        if re.search("Secret|Url|Password|Token", name) and name != "AuthJwksUrl":
            assert not parameter.get("Default")


def _needed_secrets(name: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The secrets without which a function refuses to start."""
    path = _FUNCTIONS[name]["CodeUri"] + _FUNCTIONS[name]["Handler"].replace(".handler", ".py")
    usual = {"DATABASE_URL": "postgresql://127.0.0.1:1/none", "BETTER_AUTH_SECRET": SECRET}
    for missing in _SECRETS:
        with monkeypatch.context() as environment:
            for setting, value in {**usual, "ACCOUNTS": "built_in", missing: ""}.items():
                environment.setenv(setting, value)
            get_settings.cache_clear()
            try:
                runpy.run_path(str(ROOT / path))
            except SettingsError:
                yield missing
    get_settings.cache_clear()


@pytest.mark.parametrize("name", _ENDPOINTS)
def test_only_functions_that_need_a_secret_may_read_it(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert _readable_secrets(name) == {*_needed_secrets(name, monkeypatch)}


def _readable_secrets(name: str) -> set[str]:
    """The secrets that the policies of a function let it read."""
    parameters = {
        text
        for policy in _FUNCTIONS[name].get("Policies", [])
        for text in _texts(_TEMPLATE["Resources"][policy]["Properties"]["PolicyDocument"])
    }
    return {secret for secret, parameter in _SECRETS.items() if parameter in parameters}


def test_the_migration_may_read_where_its_database_is_and_no_more() -> None:
    assert _readable_secrets("MigrateDatabase") == {"DATABASE_URL"}


@pytest.mark.parametrize("name", _FUNCTIONS)
def test_only_functions_that_may_read_a_secret_are_told_where_it_is(name: str) -> None:
    """The others would ask for it as they start, in vain."""
    variables = _FUNCTIONS[name]["Environment"]["Variables"]
    assert {secret for secret in _SECRETS if variables[f"{secret}_ARN"]} == _readable_secrets(name)


def test_no_policy_allows_more_than_it_names() -> None:
    policies = [
        resource["Properties"]["PolicyDocument"]["Statement"]
        for resource in _TEMPLATE["Resources"].values()
        if resource["Type"] == "AWS::IAM::ManagedPolicy"
    ]
    assert policies
    for statements in policies:
        for statement in statements:
            assert "*" not in "".join(_texts([statement["Action"], statement["Resource"]]))


@pytest.mark.parametrize("name", _FUNCTIONS)
def test_every_function_is_described_and_ends_before_the_gateway_does(name: str) -> None:
    function = _FUNCTIONS[name]
    assert function["Description"].strip()
    assert function["Runtime"] == "python3.13"
    if name == "MigrateDatabase":
        assert "Events" not in function
        # CloudFormation waits for it, and longer.
        limit = _TEMPLATE["Resources"]["Migration"]["Properties"]["ServiceTimeout"]
    else:
        assert function["Events"]
        limit = 30
    assert 10 < function["Timeout"] < limit


@pytest.mark.parametrize("name", _FUNCTIONS)
def test_every_function_leads_to_a_handler(name: str) -> None:
    function = _FUNCTIONS[name]
    module, _, attribute = function["Handler"].rpartition(".")
    assert (ROOT / function["CodeUri"] / f"{module}.py").is_file()
    assert callable(getattr(importlib.import_module(module), attribute))
    # CheckHealth is check_health: a log or an alarm names what the code names.
    assert re.sub(r"(?<!^)([A-Z])", r"_\1", name).lower() == module


def test_every_file_of_functions_is_deployed() -> None:
    files = {path.stem for path in (ROOT / "functions").glob("*.py")}
    assert {function["Handler"].removesuffix(".handler") for function in _FUNCTIONS.values()} == (
        files
    )


def test_every_variable_is_a_setting() -> None:
    assert {name.lower() for name in _COMMON["Environment"]["Variables"]} <= {
        *Settings.model_fields,
        "powertools_service_name",
    }


def test_every_variable_and_the_layer_reach_the_digest_that_makes_new_versions() -> None:
    migration = _TEMPLATE["Resources"]["Migration"]["Properties"]
    variables = {*_texts(_COMMON["Environment"]["Variables"])} & {*_TEMPLATE["Parameters"]}
    assert len(variables) > 5
    assert {*_texts(migration["Variables"])} >= variables
    assert [migration["Layer"]] == _COMMON["Layers"]
    for name in _ENDPOINTS:
        assert _FUNCTIONS[name]["VersionDescription"] == "Migration.Digest", name


def test_every_task_path_exists_twice() -> None:
    routes = {route.key: route.handler for route in read_routes()}
    assert len(routes) == len(read_routes())
    own = {key: handler for key, handler in routes.items() if " /api/tasks" in key}
    named = {key: handler for key, handler in routes.items() if " /api/{user_id}/tasks" in key}
    assert {key.replace("/{user_id}", ""): handler for key, handler in named.items()} == own
    assert own
    assert routes["$default"] == "refuse_route.handler"


@pytest.mark.parametrize("name", ["infra/monitoring.yaml", "infra/ci-role.yaml"])
def test_a_scanner_is_told_why_it_is_silenced(name: str) -> None:
    resources = read_template(ROOT / name)["Resources"].values()
    scanner = [resource.get("Metadata", {}).get("checkov", {}) for resource in resources]
    skips = [skip for settings in scanner for skip in settings.get("skip", [])]
    assert skips
    for skip in skips:
        assert re.fullmatch(r"CKV2?_AWS_\d+", skip["id"])
        assert len(skip["comment"].split()) > 3


def test_a_scanner_is_told_why_it_is_silenced_everywhere() -> None:
    lines = (ROOT / ".checkov.yaml").read_text().splitlines()
    skipped = [number for number, line in enumerate(lines) if line.startswith("  - ")]
    assert skipped
    for number in skipped:
        assert re.fullmatch(r"  - CKV2?_AWS_\d+", lines[number])
        assert lines[number - 1].startswith("  # ")


def test_functions_of_built_in_accounts_are_left_out_whole_where_accounts_are_external(
    transformed: dict[str, Any],
) -> None:
    built_in = "HasBuiltInAccounts"
    assert transformed["Conditions"][built_in] == {"Fn::Equals": [{"Ref": "Accounts"}, "built_in"]}
    assert transformed["Parameters"]["Accounts"]["Default"] == "external"
    left_out = read_functions().keys() - read_functions(built_in_accounts=False).keys()
    assert left_out >= {"Register", "LogIn"}
    for name, part in transformed["Resources"].items():
        # A function's role, permissions, versions and so on begin with its name.
        owner = max((each for each in _FUNCTIONS if name.startswith(each)), key=len, default="")
        assert (part.get("Condition") == built_in) == (owner in left_out), name
    paths = transformed["Resources"]["Api"]["Properties"]["Body"]["paths"]
    conditional = {
        path for path, calls in paths.items() if calls.get("Fn::If", [None])[0] == built_in
    }
    external = {route.key for route in read_routes(built_in_accounts=False)}
    assert {route.path for route in read_routes() if route.key not in external} == conditional


def test_every_function_logs_to_the_one_group(transformed: dict[str, Any]) -> None:
    """An alarm or a query that a group of its own would escape need not know of it."""
    resources = transformed["Resources"].values()
    functions = [each for each in resources if each["Type"] == "AWS::Lambda::Function"]
    assert len(functions) == len(_FUNCTIONS)
    for function in functions:
        assert function["Properties"]["LoggingConfig"] == {"LogGroup": {"Ref": "Logs"}}
    group = transformed["Resources"]["Logs"]["Properties"]
    assert group == {"RetentionInDays": {"Ref": "LogRetention"}}
    assert transformed["Outputs"]["LogGroup"]["Value"] == {"Ref": "Logs"}


def test_what_each_function_serves_at_once_is_limited_where_that_is_asked_for(
    transformed: dict[str, Any],
) -> None:
    for name in _ENDPOINTS:
        limit = transformed["Resources"][name]["Properties"]["ReservedConcurrentExecutions"]
        assert limit["Fn::If"][:2] == ["LimitConcurrency", {"Ref": "MaxConcurrency"}]


def test_outputs_name_no_function() -> None:
    assert {*_texts(_TEMPLATE["Outputs"])}.isdisjoint(_FUNCTIONS)


def test_the_stage_does_not_put_itself_into_paths() -> None:
    assert _TEMPLATE["Resources"]["Api"]["Properties"]["StageName"] == "$default"


def test_pages_on_other_origins_may_send_and_read_what_the_api_uses() -> None:
    cors = read_cors()
    assert {*cors.methods} >= {route.method for route in read_routes() if route.method}
    assert {name.lower() for name in cors.headers} >= {
        "authorization",
        "content-type",
        "idempotency-key",
        "if-match",
        "if-none-match",
        "x-request-id",
        "traceparent",
        "tracestate",
    }
    assert {name.lower() for name in cors.exposed} == {
        "etag",
        "location",
        "x-request-id",
        "retry-after",
        "ratelimit",
        "ratelimit-policy",
        "ratelimit-limit",
        "ratelimit-remaining",
        "ratelimit-reset",
        "sync-version",
        "server-timing",
        "idempotency-replayed",
    }
    properties = _TEMPLATE["Resources"]["Api"]["Properties"]["CorsConfiguration"]
    assert "AllowCredentials" not in properties
