"""Makes shared/http/openapi.json of the functions that template.yaml names."""

import importlib
import json
import os
import secrets
import sys
import tomllib
from typing import Any

from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from starlette.routing import BaseRoute

from infra.template import ROOT, read_routes
from shared.models import Problem

DOCUMENT = ROOT / "shared" / "http" / "openapi.json"


def make_document() -> dict[str, Any]:
    """The OpenAPI document of all functions together."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    document = get_openapi(
        title="Lambdo",
        version=project["version"],
        description=project["description"],
        routes=_routes(),
    )
    document["components"]["securitySchemes"] = {
        "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
    }
    document["components"]["schemas"]["Problem"] = _describe(Problem)
    # A token, unless it says that nothing is needed.
    document["security"] = [{"bearer": []}]
    for path in document["paths"].values():
        for operation in path.values():
            operation.setdefault("security", [{}])
    return document


def _describe(model: type[BaseModel]) -> dict[str, Any]:
    """The schema of a model that no route names; those it is made of are in the document."""
    schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
    return {name: value for name, value in schema.items() if name != "$defs"}


def _routes() -> list[BaseRoute]:
    routes: list[BaseRoute] = []
    for module, code in dict.fromkeys(
        (route.handler.partition(".")[0], route.code) for route in read_routes()
    ):
        if str(code) not in sys.path:
            sys.path.append(str(code))
        routes.extend(importlib.import_module(module).app.routes)
    return routes


if __name__ == "__main__":
    # No function starts without these; none is called here.
    os.environ["DATABASE_URL"] = "postgresql://localhost/none"
    os.environ["BETTER_AUTH_SECRET"] = secrets.token_urlsafe(32)
    os.environ["ACCOUNTS"] = "built_in"
    DOCUMENT.write_text(json.dumps(make_document(), indent=2) + "\n")
