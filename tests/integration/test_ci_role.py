"""infra/ci-role.yaml: who may deploy, and that a deployment can do nothing but deploy."""

import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

import boto3
import pytest
import yaml
from moto import mock_aws

from infra.template import ROOT, _Loader

pytestmark = pytest.mark.filterwarnings(
    "ignore:Tried to parse AWS..S3..BucketPolicy but it's not supported by moto"
)

TEMPLATE = (ROOT / "infra" / "ci-role.yaml").read_text()
REPOSITORY = "acme/lambdo"
REGION = "eu-central-1"
ACCOUNT = "123456789012"
ISSUER = "token.actions.githubusercontent.com"
DEPLOYED = f"arn:aws:{{}}:{REGION}:{ACCOUNT}:{{}}"
Statement = dict[str, Any]


class Stack(NamedTuple):
    """The deployed stack: its outputs, and what its roles may do."""

    outputs: dict[str, str]
    trust: Statement
    deploy: list[Statement]
    execution: list[Statement]
    boundary: list[Statement]


@pytest.fixture(autouse=True)
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An empty account."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    with mock_aws():
        yield


def deploy(stage: str = "dev") -> Stack:
    """Deploy the template, under the name that is most like its stage's own."""
    name = f"lambdo-{stage}-ci"
    # moto cannot make the provider, so this account has one.
    provider = f"arn:aws:iam::{ACCOUNT}:oidc-provider/{ISSUER}"
    parameters = {"Stage": stage, "Repository": REPOSITORY, "OidcProviderArn": provider}
    cloudformation, iam = boto3.client("cloudformation"), boto3.client("iam")
    cloudformation.create_stack(
        StackName=name,
        TemplateBody=TEMPLATE,
        Capabilities=["CAPABILITY_IAM"],
        Parameters=[
            {"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()
        ],
    )
    (stack,) = cloudformation.describe_stacks(StackName=name)["Stacks"]
    assert stack["StackStatus"] == "CREATE_COMPLETE"
    outputs = {each["OutputKey"]: each["OutputValue"] for each in stack["Outputs"]}

    def role(arn: str) -> dict[str, Any]:
        found: dict[str, Any] = iam.get_role(RoleName=arn.rpartition("/")[2])["Role"]
        return found

    def policy(arn: str) -> list[Statement]:
        version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
        found = iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]
        statements: list[Statement] = found["Document"]["Statement"]
        return statements

    def attached(role: dict[str, Any]) -> list[Statement]:
        policies = iam.list_attached_role_policies(RoleName=role["RoleName"])["AttachedPolicies"]
        return [statement for each in policies for statement in policy(each["PolicyArn"])]

    deploys, executes = role(outputs["DeployRoleArn"]), role(outputs["ExecutionRoleArn"])
    (trust,) = deploys["AssumeRolePolicyDocument"]["Statement"]
    return Stack(
        outputs,
        trust,
        attached(deploys),
        attached(executes),
        policy(outputs["BoundaryArn"]),
    )


def as_list(value: Any) -> list[Any]:
    """What a policy may say once without brackets."""
    return value if isinstance(value, list) else [value]


def allows(
    statements: list[Statement], action: str, resource: str, context: dict[str, str] | None = None
) -> bool:
    """Whether policies with nothing but Allow and StringEquals allow this, as IAM would say."""
    for statement in statements:
        assert statement["Effect"] == "Allow"
        conditions = statement.get("Condition", {})
        assert {*conditions} <= {"StringEquals"}
        if (
            any(fnmatchcase(action, allowed) for allowed in as_list(statement["Action"]))
            and any(fnmatchcase(resource, allowed) for allowed in as_list(statement["Resource"]))
            and all(
                (context or {}).get(key) in as_list(values)
                for key, values in conditions.get("StringEquals", {}).items()
            )
        ):
            return True
    return False


def admits(trust: Statement, claims: dict[str, str]) -> bool:
    """Whether a role lets in who has a token of GitHub's with these claims."""
    assert (trust["Effect"], trust["Action"]) == ("Allow", "sts:AssumeRoleWithWebIdentity")
    assert {*trust["Condition"]} == {"StringEquals"}
    wanted = trust["Condition"]["StringEquals"]
    return all(claims.get(key.removeprefix(f"{ISSUER}:")) == wanted[key] for key in wanted)


@pytest.mark.parametrize("stage", ["dev", "staging", "prod"])
def test_a_job_in_the_stages_environment_gets_in(stage: str) -> None:
    stack = deploy(stage)
    subject = f"repo:{REPOSITORY}:environment:{stage}"
    assert admits(stack.trust, {"aud": "sts.amazonaws.com", "sub": subject})
    assert stack.trust["Principal"] == {"Federated": stack.outputs["OidcProviderArn"]}


@pytest.mark.parametrize(
    "claims",
    [
        {"sub": "repo:evil/lambdo:environment:dev"},
        {"sub": "repo:acme/lambdo-fork:environment:dev"},
        {"sub": "repo:acme/lambdo:environment:prod"},
        {"sub": "repo:acme/lambdo:environment:dev2"},
        {"sub": "repo:acme/lambdo:ref:refs/heads/main"},
        {"sub": "repo:acme/lambdo:pull_request"},
        {"sub": "repo:ACME/lambdo:environment:dev"},
        {"sub": ""},
        {"aud": "https://github.com/acme"},
    ],
)
def test_nobody_else_gets_in(claims: dict[str, str]) -> None:
    ours = {"aud": "sts.amazonaws.com", "sub": f"repo:{REPOSITORY}:environment:dev"}
    assert not admits(deploy().trust, {**ours, **claims})


@pytest.mark.parametrize("repository", ["lambdo", "acme/lambdo:environment:dev", "*/*", "acme/*"])
def test_a_repository_is_one_repository(repository: str) -> None:
    parameter = yaml.load(TEMPLATE, _Loader)["Parameters"]["Repository"]  # noqa: S506 - a SafeLoader
    assert not re.fullmatch(parameter["AllowedPattern"], repository)
    assert re.fullmatch(parameter["AllowedPattern"], REPOSITORY)


def test_an_account_has_one_provider_whatever_its_stages() -> None:
    template = yaml.load(TEMPLATE, _Loader)  # noqa: S506 - a SafeLoader
    assert template["Conditions"] == {"MakesProvider": ["OidcProviderArn", ""]}
    provider = template["Resources"]["OidcProvider"]
    assert provider["Condition"] == "MakesProvider"
    assert provider["DeletionPolicy"] == "Retain"
    assert provider["Properties"] == {
        "Url": f"https://{ISSUER}",
        "ClientIdList": ["sts.amazonaws.com"],
    }


def test_artifacts_are_private_encrypted_and_kept() -> None:
    # moto makes the bucket, but without most of what the template says of it.
    resources = yaml.load(TEMPLATE, _Loader)["Resources"]  # noqa: S506 - a SafeLoader
    bucket = resources["Artifacts"]
    assert bucket["DeletionPolicy"] == "Retain"
    properties = bucket["Properties"]
    assert properties["VersioningConfiguration"] == {"Status": "Enabled"}
    assert properties["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert [*properties["PublicAccessBlockConfiguration"].values()] == [True] * 4
    (rule,) = properties["LifecycleConfiguration"]["Rules"]
    assert not {"ExpirationInDays", "ExpirationDate"} & {*rule}
    (statement,) = resources["ArtifactsPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    assert (statement["Effect"], statement["Principal"]) == ("Deny", "*")
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_a_workflow_can_only_ask_cloudformation() -> None:
    stack = deploy()
    execution = stack.outputs["ExecutionRoleArn"]
    bucket = f"arn:aws:s3:::{stack.outputs['ArtifactBucket']}"
    ours = DEPLOYED.format("cloudformation", "stack/lambdo-dev/1")
    role = {"cloudformation:RoleArn": execution}
    to_cloudformation = {"iam:PassedToService": "cloudformation.amazonaws.com"}
    assert allows(stack.deploy, "s3:PutObject", f"{bucket}/lambdo-dev/1")
    assert allows(stack.deploy, "cloudformation:CreateChangeSet", ours, role)
    assert allows(stack.deploy, "cloudformation:ExecuteChangeSet", ours)
    assert allows(stack.deploy, "iam:PassRole", execution, to_cloudformation)

    assert not allows(stack.deploy, "s3:PutObject", f"{bucket}/lambdo-prod/1")
    assert not allows(stack.deploy, "s3:DeleteObject", f"{bucket}/lambdo-dev/1")
    assert not allows(stack.deploy, "cloudformation:CreateChangeSet", ours)
    assert not allows(stack.deploy, "cloudformation:DeleteStack", ours, role)
    for other in ("lambdo-prod", "lambdo-ci-dev", "lambdo-dev2", "payroll"):
        arn = DEPLOYED.format("cloudformation", f"stack/{other}/1")
        for action in ("CreateChangeSet", "ExecuteChangeSet", "GetTemplate"):
            assert not allows(stack.deploy, f"cloudformation:{action}", arn, role)
    assert not allows(
        stack.deploy, "iam:PassRole", execution, {"iam:PassedToService": "lambda.amazonaws.com"}
    )
    assert not allows(
        stack.deploy, "iam:PassRole", f"arn:aws:iam::{ACCOUNT}:role/admin", to_cloudformation
    )
    services = {action.partition(":")[0] for each in stack.deploy for action in each["Action"]}
    assert services == {"cloudformation", "cloudwatch", "iam", "s3"}


def test_no_role_can_be_made_without_the_boundary() -> None:
    stack = deploy()
    role = f"arn:aws:iam::{ACCOUNT}:role/lambdo-dev-ListTasksRole-1A2B"
    bounded = {"iam:PermissionsBoundary": stack.outputs["BoundaryArn"]}
    other = {"iam:PermissionsBoundary": f"arn:aws:iam::{ACCOUNT}:policy/lambdo-dev-Mine"}
    for action in ("CreateRole", "PutRolePolicy", "AttachRolePolicy", "PutRolePermissionsBoundary"):
        assert allows(stack.execution, f"iam:{action}", role, bounded)
        assert not allows(stack.execution, f"iam:{action}", role, other)
        assert not allows(stack.execution, f"iam:{action}", role)
        assert not allows(
            stack.execution, f"iam:{action}", f"arn:aws:iam::{ACCOUNT}:role/admin", bounded
        )
    assert not allows(stack.execution, "iam:DeleteRolePermissionsBoundary", role, bounded)
    assert not allows(stack.execution, "iam:UpdateAssumeRolePolicy", role, bounded)


def test_what_grants_rights_is_out_of_reach_of_whom_it_grants_them() -> None:
    stack = deploy()
    bounded = {"iam:PermissionsBoundary": stack.outputs["BoundaryArn"]}
    (actions,) = [each["Action"] for each in stack.execution if each["Sid"] == "Policies"]
    assert "iam:CreatePolicyVersion" in actions
    for action in actions:
        assert not allows(stack.execution, action, stack.outputs["BoundaryArn"])
    for name in ("DeployRoleArn", "ExecutionRoleArn"):
        for action in ("PutRolePolicy", "AttachRolePolicy", "TagRole", "DeleteRole"):
            assert not allows(stack.execution, f"iam:{action}", stack.outputs[name], bounded)
        assert not allows(
            stack.execution,
            "iam:PassRole",
            stack.outputs[name],
            {"iam:PassedToService": "lambda.amazonaws.com"},
        )


def test_a_function_can_at_most_read_its_stages_secrets_and_log() -> None:
    boundary = deploy().boundary
    for service, action, name in (
        ("secretsmanager", "GetSecretValue", "secret:lambdo/{}/database-1A2B3C"),
        ("ssm", "GetParameter", "parameter/lambdo/{}/database"),
        ("logs", "PutLogEvents", "log-group:lambdo-{}-Logs-1A2B3C:log-stream:1"),
    ):
        for stage in ("dev", "prod"):
            resource = DEPLOYED.format(service, name.format(stage))
            assert allows(boundary, f"{service}:{action}", resource) is (stage == "dev")
    actions = {action for each in boundary for action in each["Action"]}
    assert not any("*" in action for action in actions)
    # Late log lines would make a deleted stack's group anew.
    assert "logs:CreateLogGroup" not in actions
    assert {action.partition(":")[0] for action in actions} == {
        *("cloudwatch", "kms", "lambda", "logs", "secretsmanager", "ssm", "xray")
    }


MADE_BY = {
    "AWS::Serverless::Function": ("lambda:CreateFunction", "lambda", "function:lambdo-{}-1"),
    "AWS::Serverless::HttpApi": ("apigateway:POST", None, f"arn:aws:apigateway:{REGION}::/apis"),
    "AWS::Serverless::LayerVersion": ("lambda:PublishLayerVersion", "lambda", "layer:SharedLayer"),
    "AWS::Logs::LogGroup": ("logs:CreateLogGroup", "logs", "log-group:lambdo-{}-Logs-1"),
    "AWS::Logs::MetricFilter": (
        *("logs:PutMetricFilter", "logs"),
        "log-group:/aws/vendedlogs/lambdo-{}-Api",
    ),
    "AWS::CloudWatch::Alarm": ("cloudwatch:PutMetricAlarm", "cloudwatch", "alarm:lambdo-{}-5xx"),
    "AWS::SNS::Topic": ("sns:CreateTopic", "sns", "lambdo-{}-Alarms-1"),
    "AWS::CloudFormation::Stack": (
        *("cloudformation:CreateStack", "cloudformation"),
        "stack/lambdo-{}-Monitoring-1/1",
    ),
    "AWS::CodeDeploy::Application": (
        *("codedeploy:CreateApplication", "codedeploy"),
        "application:lambdo-{}-1",
    ),
    "AWS::CodeDeploy::DeploymentGroup": (
        *("codedeploy:CreateDeploymentGroup", "codedeploy"),
        "deploymentgroup:lambdo-{0}-1/lambdo-{0}-2",
    ),
}


@pytest.mark.parametrize("kind", MADE_BY)
def test_resources_of_a_stage_can_be_made_and_those_of_others_cannot(kind: str) -> None:
    action, service, name = MADE_BY[kind]
    execution = deploy().execution
    made = {
        stage: allows(
            execution,
            action,
            DEPLOYED.format(service, name.format(stage)) if service else name,
        )
        for stage in ("dev", "prod")
    }
    assert made["dev"]
    # APIs and layers have no name of a stage's.
    assert made["prod"] is ("lambdo-" not in name)


def test_no_statement_allows_more_than_it_names() -> None:
    stack = deploy()
    everywhere = set()
    for statement in (*stack.deploy, *stack.execution, *stack.boundary):
        assert not any("*" in action for action in as_list(statement["Action"]))
        if "*" in as_list(statement["Resource"]):
            everywhere.add(statement["Sid"])
    assert everywhere == {"AccessLogs", "Trace"}
