"""An empty AWS account behind a proxy.

It is moto's, with what moto leaves out and a deployment of Lambdo needs: CloudFormation expands
SAM's resources, makes HTTP APIs and aliases, and waits for custom resources; and Lambda runs a
function's own code, on its own layer, with its own variables.
"""

import io
import json
import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

import boto3
import httpx
from moto.apigatewayv2.models import apigatewayv2_backends
from moto.awslambda.models import LambdaFunction, LambdaVersion, LayerVersion
from moto.awslambda.utils import get_backend as get_lambda_backend
from moto.cloudformation.custom_model import CustomModel
from moto.cloudformation.exceptions import ValidationError
from moto.cloudformation.models import ChangeSet
from moto.core.common_models import CloudFormationModel
from moto.iam.models import Role, iam_backends
from moto.moto_proxy.certificate_creator import CertificateCreator
from moto.moto_proxy.proxy3 import ProxyRequestHandler
from moto.server import ThreadedMotoServer
from samtranslator.yaml_helper import yaml_parse

from tests.servers import free_port, running
from tests.stack import running_stack
from tests.templates import REGION, transform_template

# What a function is told by what runs it, and not by its stack.
_RUNTIME = (
    *("PATH", "PYENV_VERSION", "HTTPS_PROXY", "AWS_CA_BUNDLE"),
    *("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION"),
    # Functions use no proxy: they find the account's services here.
    "AWS_ENDPOINT_URL",
)

# Runs a handler as Lambda's runtime does, but once.
_RUN = """
import importlib, json, sys
from types import SimpleNamespace
module, _, name = sys.argv[1].rpartition(".")
context = SimpleNamespace(
    aws_request_id="1", function_name="function", memory_limit_in_mb="512",
    invoked_function_arn="arn", log_group_name="logs",
    get_remaining_time_in_millis=lambda: 28_000,
)
answer = getattr(importlib.import_module(module), name)(json.load(sys.stdin), context)
with open(sys.argv[2], "w") as file:
    json.dump(answer, file)
"""


@contextmanager
def running_aws() -> Iterator[dict[str, str]]:
    """What a program is told so that AWS is such an account, while the block runs."""
    port = free_port()
    environment = {
        "HTTPS_PROXY": f"http://127.0.0.1:{port}",
        "AWS_CA_BUNDLE": CertificateCreator.cacert,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": REGION,
    }
    address = f"http://localhost:{port}/moto-api/data.json"
    with running(
        [sys.executable, "-c", f"from tests import aws; aws.serve({port})"],
        {**os.environ, **environment},
        lambda: httpx.get(address).status_code > 0,
    ):
        yield environment


class Alias(CloudFormationModel):
    """A version of a function, under a name."""

    def __init__(self, arn: str) -> None:
        self.physical_resource_id = arn

    @staticmethod
    def cloudformation_type() -> str:
        return "AWS::Lambda::Alias"

    @classmethod
    def create_from_cloudformation_json(  # type: ignore[override]
        cls, _name: str, definition: Any, account_id: str, region: str, **_: Any
    ) -> "Alias":
        alias = definition["Properties"]
        made = get_lambda_backend(account_id, region).create_alias(
            name=alias["Name"],
            function_name=alias["FunctionName"],
            function_version=alias["FunctionVersion"],
            description="",
            routing_config="",
        )
        return cls(made.arn)


class Alarm(CloudFormationModel):
    """An alarm, of which nothing but its name is kept."""

    def __init__(self, name: str, account_id: str, region: str) -> None:
        self.physical_resource_id = name
        self._arn = f"arn:aws:cloudwatch:{region}:{account_id}:alarm:{name}"

    @staticmethod
    def cloudformation_type() -> str:
        return "AWS::CloudWatch::Alarm"

    @staticmethod
    def cloudformation_name_type() -> str:
        return "AlarmName"

    @classmethod
    def create_from_cloudformation_json(  # type: ignore[override]
        cls, name: str, _definition: Any, account_id: str, region: str, **_: Any
    ) -> "Alarm":
        return cls(name, account_id, region)

    def get_cfn_attribute(self, _name: str) -> str:
        return self._arn


class HttpApi(CloudFormationModel):
    """An HTTP API, with the routes of its document."""

    def __init__(self, api_id: str) -> None:
        self.physical_resource_id = api_id

    @staticmethod
    def cloudformation_type() -> str:
        return "AWS::ApiGatewayV2::Api"

    @classmethod
    def create_from_cloudformation_json(  # type: ignore[override]
        cls, name: str, definition: Any, account_id: str, region: str, **_: Any
    ) -> "HttpApi":
        api = apigatewayv2_backends[account_id][region].create_api(
            name=name, protocol_type="HTTP", tags={}, **dict.fromkeys(_NO_OPTIONS, "")
        )
        api.import_api(json.dumps(definition["Properties"]["Body"]), fail_on_warnings=True)
        return cls(api.api_id)


_NO_OPTIONS = (
    *("api_key_selection_expression", "cors_configuration", "description", "version"),
    *("disable_schema_validation", "disable_execute_api_endpoint", "route_selection_expression"),
)


def _create_function(
    name: str, definition: Any, account_id: str, region: str, **_: Any
) -> LambdaFunction:
    spec = {"FunctionName": name, **definition["Properties"]}
    return get_lambda_backend(account_id, region).create_function(spec)


def _create_role(name: str, definition: Any, account_id: str, *_: str, **__: str) -> Role:
    role = definition["Properties"]
    iam = iam_backends[account_id]["aws"]
    made = iam.create_role(
        role_name=name,
        assume_role_policy_document=json.dumps(role["AssumeRolePolicyDocument"]),
        path="/",
        permissions_boundary=role.get("PermissionsBoundary", ""),
        description="",
        tags=[],
        max_session_duration="3600",
    )
    for arn in role["ManagedPolicyArns"]:
        iam.attach_role_policy(arn, name)
    return made


def _create_custom_resource(
    name: str, definition: Any, account_id: str, region: str, **more: str
) -> CustomModel:
    properties = definition["Properties"]
    function = get_lambda_backend(account_id, region).get_function(properties["ServiceToken"])
    with running_stack() as stack:
        event = {**stack.make_event("Create", **properties), "LogicalResourceId": more["LogicalId"]}
        _run(function, event)
        answer = stack.read_answer()
    if answer["Status"] != "SUCCESS":
        raise ValidationError(message=f"{more['LogicalId']}: {answer['Reason']}")
    resource = CustomModel(region, "1", more["LogicalId"], name)  # type: ignore[abstract]
    resource.set_data(answer["Data"])
    return resource


def _invoke(function: LambdaFunction, body: str, _request: Any, _response: Any) -> bytes:
    return json.dumps(_run(function, json.loads(body))).encode()


def _run(function: LambdaFunction, event: Any) -> Any:
    lambdas = get_lambda_backend(function.account_id, function.region)
    layers = [lambdas.layers_versions_by_arn(layer["Arn"]) for layer in function.layers]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _unpack(function.code_bytes, folder / "task")
        for layer in layers:
            assert layer is not None
            _unpack(layer.code_bytes, folder / "opt")
        # Lambda's own boto3 comes last, so that of all else the layer's is found.
        boto3_folder = Path(boto3.__file__).parent.parent
        path = [folder / "task", folder / "opt" / "python", boto3_folder]
        answer = folder / "answer.json"
        subprocess.run(
            ["python3.13", "-S", "-P", "-c", _RUN, str(function.handler), str(answer)],
            input=json.dumps(event),
            env={
                **{name: os.environ[name] for name in _RUNTIME if name in os.environ},
                # moto leaves a parameter that is a number as it is.
                **{name: str(value) for name, value in function.environment_vars.items()},
                "PYTHONPATH": os.pathsep.join(map(str, path)),
            },
            text=True,
            check=True,
        )
        return json.loads(answer.read_text())


def _unpack(archive: bytes, folder: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(archive)) as file:
        file.extractall(folder)


def _expand(change_set: ChangeSet) -> None:
    change_set.template_dict = transform_template(
        yaml_parse(change_set.template), **change_set.parameters
    )


def apply_wholly(change_set: ChangeSet) -> None:
    """Execute a change set; moto's own way forgets the stack's parameters and outputs."""
    stack = change_set.stack
    stack.template = change_set.template
    stack.template_dict = change_set.template_dict
    stack.resource_map.update(change_set.template_dict, change_set.parameters)
    stack.parameters = change_set.parameters
    stack.output_map = stack._create_output_map()


def serve(port: int) -> None:
    """Be such an account, for this process' life."""
    os.environ["MOTO_IAM_LOAD_MANAGED_POLICIES"] = "true"
    for owner, name, replacement in (
        (ChangeSet, "_parse_template", _expand),
        (ChangeSet, "apply", apply_wholly),
        (CustomModel, "create_from_cloudformation_json", _create_custom_resource),
        (LambdaFunction, "create_from_cloudformation_json", _create_function),
        (LambdaFunction, "invoke", _invoke),
        (LambdaVersion, "get_cfn_attribute", lambda version, _name: str(version.version)),
        (LayerVersion, "physical_resource_id", property(lambda layer: layer.arn)),
        (Role, "create_from_cloudformation_json", _create_role),
    ):
        setattr(owner, name, replacement)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, own_port = server.get_host_and_port()
    os.environ["AWS_ENDPOINT_URL"] = f"http://{host}:{own_port}"
    ThreadingHTTPServer(("127.0.0.1", port), ProxyRequestHandler).serve_forever()
