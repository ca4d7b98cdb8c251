"""The template, the functions and the OpenAPI document name the same routes."""

import importlib
import json
import re
from html.parser import HTMLParser
from typing import Any

import httpx
import pytest

from infra.openapi import DOCUMENT, make_document
from infra.template import DEFAULT_ROUTE, ROOT, Route, read_routes
from tests.conftest import ONE_WAY
from tests.contract.conftest import CALLS

HTTP_METHODS = {"get", "put", "post", "delete", "options", "head", "patch", "trace"}
PAGES = {"GET /health", "GET /health/ready", "GET /docs", "GET /openapi.json"}
ACCOUNTS = {
    *("GET /api/users/me", "DELETE /api/users/me", "GET /api/users/me/export"),
    *("POST /api/auth/register", "POST /api/auth/login"),
}
EXPECTED = (
    PAGES
    | ACCOUNTS
    | {
        f"{method} {family}/tasks{path.replace('{id}', '{task_id}')}"
        for family in ("/api", "/api/{user_id}")
        for method, path in CALLS
    }
)
ROUTES = [route for route in read_routes() if route.key != DEFAULT_ROUTE]


def _served_by(route: Route) -> set[str]:
    """What the app of a route's function serves."""
    app = importlib.import_module(route.handler.partition(".")[0]).app
    return {f"{method} {served.path}" for served in app.routes for method in served.methods}


def _operations(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {
        f"{method.upper()} {path}": operation
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if method in HTTP_METHODS
    }


def test_the_template_serves_every_call_on_both_families_of_paths() -> None:
    keys = [route.key for route in ROUTES]
    assert len({*keys}) == len(keys)
    assert {*keys} >= EXPECTED


def test_the_template_sends_what_is_left_to_one_function() -> None:
    assert [route.key for route in read_routes()].count(DEFAULT_ROUTE) == 1


def test_each_function_serves_the_routes_that_lead_to_it_and_no_others() -> None:
    handlers = {route.handler: route for route in ROUTES}
    for handler, route in handlers.items():
        led_to = {other.key for other in ROUTES if other.handler == handler}
        assert _served_by(route) == led_to, handler


def test_every_file_of_functions_is_a_handler_of_the_template() -> None:
    files = {path.resolve() for path in (ROOT / "functions").glob("**/*.py")}
    named = {
        (route.code / f"{route.handler.partition('.')[0]}.py").resolve() for route in read_routes()
    }
    # CloudFormation calls this one, by no route.
    assert files - named == {(ROOT / "functions" / "migrate_database.py").resolve()}
    assert named <= files
    assert {route.handler.partition(".")[2] for route in read_routes()} == {"handler"}


def test_the_document_describes_every_route_and_no_other() -> None:
    document = json.loads(DOCUMENT.read_text())
    assert {*_operations(document)} == {route.key for route in ROUTES}


def test_the_document_is_made_of_the_functions_as_they_are() -> None:
    assert json.loads(DOCUMENT.read_text()) == make_document()


def test_the_document_names_each_operation_once() -> None:
    operations = _operations(json.loads(DOCUMENT.read_text())).values()
    assert len({operation["operationId"] for operation in operations}) == len(operations)


@pytest.mark.parametrize("family", ["/api", "/api/{user_id}"])
def test_the_document_says_what_every_task_path_needs(family: str) -> None:
    operations = _operations(json.loads(DOCUMENT.read_text()))
    for method, path in CALLS:
        operation = operations[f"{method} {family}/tasks{path.replace('{id}', '{task_id}')}"]
        assert operation["security"] == [{"bearer": []}]
        assert {"401", "413", "422", "429", "500", "503"} <= operation["responses"].keys()
        assert ("403" in operation["responses"]) == (family == "/api/{user_id}")
        in_path = [part["name"] for part in operation.get("parameters", []) if part["in"] == "path"]
        assert sorted(in_path) == sorted(
            re.findall(r"\{(\w+)\}", f"{family}{path}".replace("{id}", "{task_id}"))
        )


def test_the_document_asks_for_a_token_wherever_it_does_not_say_otherwise() -> None:
    document = json.loads(DOCUMENT.read_text())
    assert document["security"] == [{"bearer": []}]
    operations = _operations(document)
    open_to_all = {key for key in operations if operations[key]["security"] == [{}]}
    assert open_to_all == PAGES | {key for key in ACCOUNTS if "/auth/" in key}


# --- as they are served ---


@ONE_WAY
def test_the_document_is_served(http: httpx.Client) -> None:
    answer = http.get("/openapi.json")
    assert answer.status_code == 200
    assert answer.json() == json.loads(DOCUMENT.read_text())


class _Links(HTMLParser):
    """Collects where a page loads things from, and its scripts and styles."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.code: list[str] = []
        self._in_code = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Collect the links of a tag."""
        self._in_code = tag in ("script", "style")
        names = ("src", "href", "srcset", "action", "data", "poster", "background", "formaction")
        self.links += [value for name, value in attrs if name in names and value is not None]

    def handle_data(self, data: str) -> None:
        """Collect what a script or a style is made of."""
        if self._in_code:
            self.code.append(data)

    def handle_endtag(self, _tag: str) -> None:
        """A script ends with its tag."""
        self._in_code = False


@ONE_WAY
def test_the_page_loads_nothing_from_elsewhere(http: httpx.Client) -> None:
    page = http.get("/docs")
    assert page.status_code == 200
    reader = _Links()
    reader.feed(page.text)
    assert [link for link in reader.links if not link.startswith("data:")] == []
    assert len(reader.links) >= 3
    code = "".join(reader.code)
    assert "SwaggerUIBundle(" in code
    assert not re.search(r"//|@import", code)
    (document,) = re.findall(r"""url: ['"]([^'"]+)['"]""", code)
    assert http.get(page.url.join(document)).json() == json.loads(DOCUMENT.read_text())


@ONE_WAY
@pytest.mark.parametrize("path", ["/health", "/health/ready"])
def test_health_is_answered_without_a_token(http: httpx.Client, path: str) -> None:
    answer = http.get(path)
    assert answer.status_code == 200
    assert answer.json() == {"status": "ok"}
