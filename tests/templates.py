"""What becomes of the templates: what SAM's transform and CloudFormation make of them."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest
from samtranslator.translator.managed_policy_translator import ManagedPolicyLoader
from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

REGION = "eu-central-1"


def read_template(path: Path) -> dict[str, Any]:
    """A template, with its intrinsic functions in their long form."""
    template: dict[str, Any] = yaml_parse(path.read_text())
    return template


def package_template(template: Any) -> Any:
    """`template` as `sam package` would leave it: with its code, whatever that is, in a bucket."""
    if isinstance(template, list):
        return [package_template(item) for item in template]
    if not isinstance(template, dict):
        return template
    return {
        name: "s3://bucket/code" if name in ("CodeUri", "ContentUri") else package_template(value)
        for name, value in template.items()
    }


def transform_template(template: dict[str, Any], **parameters: str) -> dict[str, Any]:
    """What a packaged template is to CloudFormation, once SAM's resources are its own.

    `parameters` are those that have no default, or shall have another value.
    Raises InvalidDocumentException for a template that SAM refuses.
    """
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("AWS_DEFAULT_REGION", REGION)
        policies = ManagedPolicyLoader(boto3.client("iam", region_name=REGION))
        transformed: dict[str, Any] = transform(template, parameters, policies)
    return transformed


def resolve(value: Any, known: dict[str, str]) -> Any:
    """`value` with its intrinsic functions resolved.

    `known` has what each name refers to, and each attribute as `Name.Attribute`. KeyError for one
    that is not there, or for an intrinsic function that no template of ours uses.
    """
    if isinstance(value, list):
        items = [resolve(item, known) for item in value]
        return [item for item in items if item is not _NO_VALUE]
    if not isinstance(value, dict):
        return value
    for function, argument in value.items():
        if function == "Ref" or function.startswith("Fn::"):
            return _INTRINSICS[function](argument, known)
    return {name: resolve(item, known) for name, item in value.items()}


def _substitute(argument: Any, known: dict[str, str]) -> str:
    text, more = (argument, {}) if isinstance(argument, str) else argument
    values = {**known, **resolve(more, known)}
    return re.sub(r"\$\{([\w:.]+)\}", lambda name: values[name[1]], text)


def _join(argument: Any, known: dict[str, str]) -> str:
    delimiter, parts = resolve(argument, known)
    return str(delimiter.join(parts))


_NO_VALUE = object()

_INTRINSICS: dict[str, Callable[[Any, dict[str, str]], Any]] = {
    "Ref": lambda name, known: _NO_VALUE if name == "AWS::NoValue" else known[name],
    # A condition is known by its name; empty is no.
    "Fn::If": lambda argument, known: resolve(argument[1 if known[argument[0]] else 2], known),
    "Fn::GetAtt": lambda path, known: known[".".join(path)],
    "Fn::Sub": _substitute,
    "Fn::Join": _join,
    "Fn::Not": lambda argument, known: not resolve(argument, known)[0],
    "Fn::Equals": lambda argument, known: len({*resolve(argument, known)}) == 1,
}
