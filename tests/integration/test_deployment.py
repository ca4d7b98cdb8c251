"""A deployment from a clean checkout: `sam build` and `sam deploy`, to an AWS that stands in."""

import json
import re
import subprocess
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
import psycopg
import pytest
from botocore.config import Config

from infra.template import read_functions, read_routes
from tests.aws import running_aws
from tests.clients import SECRET, User, make_event
from tests.integration.conftest import list_objects
from tests.runtime import ARCHITECTURE
from tests.sam import run_sam
from tests.servers import free_port
from tests.templates import REGION

STACK = "lambdo-dev"

# As the template says; the tests of the template say what it has to.
FUNCTIONS = read_functions(built_in_accounts=False)
ROUTES = {route.key: route.handler for route in read_routes(built_in_accounts=False)}


class Account:
    """An AWS account, and Lambdo's deployments to it."""

    def __init__(self, environment: dict[str, str], built: Path) -> None:
        self._environment = environment
        self._built = built
        self._lambda = self.client("lambda")

    def client(self, service: str) -> Any:
        """A client of one of the account's services."""
        return boto3.client(
            service,
            region_name=self._environment["AWS_DEFAULT_REGION"],
            aws_access_key_id="testing",
            aws_secret_access_key="testing",
            config=Config(proxies={"https": self._environment["HTTPS_PROXY"]}),
            verify=self._environment["AWS_CA_BUNDLE"],
        )

    def keep(self, name: str, value: str) -> str:
        """Keep a secret as a parameter; its ARN."""
        store = self.client("ssm")
        store.put_parameter(Name=name, Value=value, Type="SecureString", Overwrite=True)
        return str(store.get_parameter(Name=name)["Parameter"]["ARN"])

    def deploy(self, stack: str = STACK, **parameters: str) -> subprocess.CompletedProcess[str]:
        """Deploy the stage dev."""
        parameters = {
            **{"Environment": "dev", "LogLevel": "DEBUG", "Architecture": ARCHITECTURE},
            **parameters,
        }
        return run_sam(
            *("deploy", "--config-env", "dev", "--stack-name", stack),
            *("--template-file", str(self._built)),
            *("--no-resolve-s3", "--s3-bucket", "artifacts"),
            *("--parameter-overrides", *(f"{key}={value}" for key, value in parameters.items())),
            environment=self._environment,
        )

    def read_outputs(self) -> dict[str, str]:
        """What the stack says of itself."""
        stack = self.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"][0]
        return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}

    def read_resources(self, kind: str) -> dict[str, str]:
        """The names of the stack's resources of a kind, by their names in the template."""
        pages = self.client("cloudformation").get_paginator("list_stack_resources")
        return {
            resource["LogicalResourceId"]: resource["PhysicalResourceId"]
            for page in pages.paginate(StackName=STACK)
            for resource in page["StackResourceSummaries"]
            if resource["ResourceType"] == kind
        }

    def read_routes(self) -> dict[str, str]:
        """The ARN that each route of the API leads to."""
        gateway = self.client("apigatewayv2")
        (api,) = gateway.get_apis()["Items"]
        uris = {
            f"integrations/{integration['IntegrationId']}": integration["IntegrationUri"]
            for integration in gateway.get_integrations(ApiId=api["ApiId"])["Items"]
        }
        return {
            # $default, as documents spell it: API Gateway Developer Guide,
            # "x-amazon-apigateway-any-method"
            route["RouteKey"].removeprefix("X-AMAZON-APIGATEWAY-ANY-METHOD /"): re.findall(
                r"/functions/(.+)/invocations$", uris[route["Target"]]
            )[0]
            for route in gateway.get_routes(ApiId=api["ApiId"])["Items"]
        }

    def read_policies(self, function: str) -> dict[str, Any]:
        """The statements of every policy that a function's role has, by the policy's name."""
        iam = self.client("iam")
        role = self.describe(function)["Role"].rpartition("/")[2]
        assert iam.list_role_policies(RoleName=role)["PolicyNames"] == []
        statements = {}
        for policy in iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]:
            version = iam.get_policy(PolicyArn=policy["PolicyArn"])["Policy"]["DefaultVersionId"]
            document = iam.get_policy_version(PolicyArn=policy["PolicyArn"], VersionId=version)
            statements[policy["PolicyName"]] = document["PolicyVersion"]["Document"]["Statement"]
        return statements

    def describe(self, function: str) -> dict[str, Any]:
        """What Lambda knows of a function."""
        configuration: dict[str, Any] = self._lambda.get_function_configuration(
            FunctionName=function
        )
        return configuration

    def call(self, function: str, event: dict[str, Any]) -> dict[str, Any]:
        """What a function answers an event."""
        answer = self._lambda.invoke(FunctionName=function, Payload=json.dumps(event))
        payload: dict[str, Any] = json.load(answer["Payload"])
        return payload


@pytest.fixture(scope="module")
def account(built: Path) -> Iterator[Account]:
    """An account with nothing but a bucket for what is deployed."""
    with running_aws() as environment:
        account = Account(environment, built)
        account.client("s3").create_bucket(
            Bucket="artifacts", CreateBucketConfiguration={"LocationConstraint": REGION}
        )
        yield account


@pytest.fixture(scope="module")
def database(postgres: str) -> Iterator[str]:
    """The URL of an empty database."""
    url = postgres.replace("/lambdo?", "/deployed?")
    assert url != postgres
    with psycopg.connect(postgres, autocommit=True) as owner:
        owner.execute("CREATE DATABASE deployed TEMPLATE template0")
        yield url
        owner.execute("DROP DATABASE deployed WITH (FORCE)")


@pytest.fixture(scope="module")
def deployed(account: Account, database: str) -> Account:
    """The account after a deployment."""
    result = account.deploy(
        DatabaseUrlArn=account.keep("/lambdo/dev/database-url", database),
        AuthSecretArn=account.keep("/lambdo/dev/auth-secret", SECRET),
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return account


def test_a_deployment_says_where_the_api_and_its_logs_are(deployed: Account) -> None:
    outputs = deployed.read_outputs()
    assert re.fullmatch(rf"https://\w+\.execute-api\.{REGION}\.amazonaws\.com", outputs["ApiUrl"])
    # It has to begin with the stack's name: infra/ci-role.yaml allows no other.
    assert outputs["LogGroup"].startswith(f"{STACK}-")
    groups = deployed.client("logs").describe_log_groups()["logGroups"]
    assert {group["logGroupName"]: group["retentionInDays"] for group in groups} == {
        outputs["LogGroup"]: 30,
        f"/aws/vendedlogs/{STACK}-Api": 30,
    }


def test_a_deployment_has_the_functions_of_the_template(deployed: Account) -> None:
    assert deployed.read_resources("AWS::Lambda::Function").keys() == FUNCTIONS.keys()


def test_a_deployment_migrates_the_database(deployed: Account, database: str) -> None:
    assert {"users", "tasks"} < list_objects(database)
    assert re.fullmatch(r"\d{4}", deployed.read_outputs()["SchemaVersion"])


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_has_its_handler_the_layer_and_what_it_is_to_know(
    deployed: Account, name: str
) -> None:
    function = deployed.describe(deployed.read_resources("AWS::Lambda::Function")[name])
    assert function["Handler"] == FUNCTIONS[name]["Handler"]
    assert function["Runtime"] == "python3.13"
    assert function["Architectures"] == [ARCHITECTURE]
    assert function["TracingConfig"] == {"Mode": "Active"}
    assert len(function["Layers"]) == 1
    variables = function["Environment"]["Variables"]
    assert variables["ENVIRONMENT"] == "dev"
    assert variables["LOG_LEVEL"] == "DEBUG"
    arns = (variables["DATABASE_URL_ARN"], variables["BETTER_AUTH_SECRET_ARN"])
    assert {arn.rpartition("/")[2] for arn in arns if arn} == _told(name)
    assert not {"DATABASE_URL", "BETTER_AUTH_SECRET"} & {*variables}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_may_read_its_secrets_write_logs_and_traces_and_no_more(
    deployed: Account, name: str
) -> None:
    policies = deployed.read_policies(deployed.read_resources("AWS::Lambda::Function")[name])
    assert policies.pop("AWSLambdaBasicExecutionRole")
    assert policies.pop("AWSXrayWriteOnlyAccess")
    statements = [statement for policy in policies.values() for statement in policy]
    resources = [
        resource for statement in statements for resource in _as_list(statement["Resource"])
    ]
    assert {resource.rpartition("/")[2] for resource in resources} == _told(name)
    for statement in statements:
        assert {*statement["Action"]} == {"secretsmanager:GetSecretValue", "ssm:GetParameter"}


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _told(name: str) -> set[str]:
    """The secrets that a function is told of, and may read."""
    variables = FUNCTIONS[name]["Environment"]["Variables"]
    secrets = {"DATABASE_URL_ARN": "database-url", "BETTER_AUTH_SECRET_ARN": "auth-secret"}
    return {secret for variable, secret in secrets.items() if variables[variable]}


def test_every_route_leads_to_its_function(deployed: Account) -> None:
    routes = deployed.read_routes()
    assert {key: deployed.describe(arn)["Handler"] for key, arn in routes.items()} == ROUTES
    assert {arn.rpartition(":")[2] for arn in routes.values()} == {"live"}


def test_what_is_deployed_keeps_tasks(deployed: Account, alice: User) -> None:
    routes = deployed.read_routes()

    def call(method: str, path: str, body: bytes = b"") -> Any:
        headers = {**alice.headers, "content-type": "application/json"}
        event = make_event(method, path, headers=headers, body=body)
        answer = deployed.call(routes[event["routeKey"]], event)
        assert answer["statusCode"] < HTTPStatus.BAD_REQUEST, answer
        return json.loads(answer["body"])

    task = call("POST", "/api/tasks", b'{"title": "Water the plants"}')
    assert call("GET", f"/api/{alice.id}/tasks")["tasks"] == [task]


def test_a_deployment_that_cannot_migrate_fails_and_says_why(account: Account) -> None:
    password = uuid4().hex
    nowhere = f"postgresql://lambdo:{password}@127.0.0.1:{free_port()}/lambdo"
    result = account.deploy(
        stack="lambdo-broken",
        DatabaseUrlArn=account.keep("/lambdo/broken/database-url", nowhere),
        AuthSecretArn=account.keep("/lambdo/broken/auth-secret", SECRET),
    )
    assert result.returncode != 0
    assert "Migration: OperationalError: connection failed" in result.stderr
    assert password not in result.stdout + result.stderr
