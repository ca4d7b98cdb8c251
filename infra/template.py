"""What template.yaml says of the API: its functions, their routes, its CORS rules."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parent.parent
DEFAULT_ROUTE = "$default"


@dataclass(frozen=True, slots=True)
class Route:
    """A route of the API. Its key is `METHOD /path`, or $default for all that have no route."""

    key: str
    handler: str
    code: Path

    @property
    def method(self) -> str:
        """The method, empty for $default."""
        return self.key.rpartition(" ")[0]

    @property
    def path(self) -> str:
        """The path, with its parameters in braces."""
        return self.key.rpartition(" ")[2]


@dataclass(frozen=True, slots=True)
class CorsRules:
    """What pages on other origins may do; the origins themselves are a parameter."""

    methods: list[str]
    headers: list[str]
    exposed: list[str]
    max_age: int


def read_functions(*, built_in_accounts: bool = True) -> dict[str, dict[str, Any]]:
    """The properties of every function of the template, in its order, with what Globals add."""
    template = _read_template()
    return {
        name: _merge(template["Globals"]["Function"], resource["Properties"])
        for name, resource in template["Resources"].items()
        if resource["Type"] == "AWS::Serverless::Function"
        and (built_in_accounts or resource.get("Condition") != "HasBuiltInAccounts")
    }


def read_routes(*, built_in_accounts: bool = True) -> list[Route]:
    """Every route of the template, in its order, with or without those of built-in accounts."""
    routes = []
    for function in read_functions(built_in_accounts=built_in_accounts).values():
        for event in function.get("Events", {}).values():
            route = event["Properties"]
            key = f"{route['Method']} {route['Path']}" if "Path" in route else DEFAULT_ROUTE
            routes.append(Route(key, function["Handler"], ROOT / function["CodeUri"]))
    return routes


def read_cors() -> CorsRules:
    """The CORS rules of the template."""
    rules = _read_template()["Resources"]["Api"]["Properties"]["CorsConfiguration"]
    return CorsRules(
        rules["AllowMethods"], rules["AllowHeaders"], rules["ExposeHeaders"], rules["MaxAge"]
    )


def read_environment() -> dict[str, str]:
    """What every function has in its environment, as far as the parameters have defaults."""
    template = _read_template()
    environment = {}
    for name, value in template["Globals"]["Function"]["Environment"]["Variables"].items():
        # A reference, or a function whose last argument is one.
        parameter = value[-1] if isinstance(value, list) else value
        if "Default" in template["Parameters"].get(parameter, {}):
            environment[name] = str(template["Parameters"][parameter]["Default"])
    return environment


def _merge(common: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    # AWS SAM Developer Guide, "Globals section": maps are merged, and of the rest a function's own
    # wins. (Lists would be joined; no function has one that Globals have, too.)
    merged = {**common, **own}
    for name in common.keys() & own.keys():
        if isinstance(common[name], dict) and isinstance(own[name], dict):
            merged[name] = _merge(common[name], own[name])
    return merged


class _Loader(yaml.CSafeLoader):
    """Reads CloudFormation's short intrinsic functions as what they are given."""


def _read_intrinsic(loader: yaml.CSafeLoader, _tag: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.ScalarNode):
        return loader.construct_scalar(node)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    return loader.construct_mapping(node, deep=True)  # type: ignore[arg-type]


_Loader.add_multi_constructor("!", _read_intrinsic)


def _read_template() -> dict[str, Any]:
    with (ROOT / "template.yaml").open() as file:
        template: dict[str, Any] = _Loader(file).get_single_data()
    return template
