"""The OpenAPI document of the whole API, and what can be told from it.

openapi.json beside this file is made from the functions by `make openapi`; a test keeps it true.
"""

import base64
import functools
import json
import re
from pathlib import Path
from typing import Any

import fastapi_offline
from fastapi import Response
from fastapi.openapi.docs import get_swagger_ui_html
from starlette.types import Receive, Scope, Send

from shared.errors import MethodNotAllowed, NotFound
from shared.settings import get_settings

_DOCUMENT = Path(__file__).with_name("openapi.json")
_BUILT_IN = "/api/auth/"
_ASSETS = Path(fastapi_offline.__file__).with_name("static")


@functools.cache
def read_document() -> str:
    """The OpenAPI document, as JSON, without what is not served where accounts are external."""
    text = _DOCUMENT.read_text()
    if get_settings().accounts == "built_in":
        return text
    document = json.loads(text)
    document["paths"] = {
        path: operations
        for path, operations in document["paths"].items()
        if not path.startswith(_BUILT_IN)
    }
    return json.dumps(document)


@functools.cache
def render_page() -> str:
    """The document as a page that needs nothing from anywhere else, as HTML."""
    # The text is kept, and never the answer: its headers are those of one request.
    page = get_swagger_ui_html(
        openapi_url="openapi.json",
        title="Lambdo",
        swagger_js_url=_as_data_url("swagger-ui-bundle.js", "text/javascript"),
        swagger_css_url=_as_data_url("swagger-ui.css", "text/css"),
        swagger_favicon_url="data:,",
    )
    return bytes(page.body).decode()


async def refuse_route(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer a request that no endpoint takes, as ASGI has it.

    Raises NotFound, or MethodNotAllowed where the path is served with other methods.
    """
    allowed = _allowed_methods(scope["path"])
    if not allowed:
        raise NotFound
    if scope["method"] != "OPTIONS":
        raise MethodNotAllowed(allowed)
    # With a $default route API Gateway may leave a CORS preflight to us, and adds the headers.
    await Response(status_code=204, headers={"Allow": ", ".join(allowed)})(scope, receive, send)


def _allowed_methods(path: str) -> list[str]:
    return sorted({method for pattern, method in _operations() if pattern.fullmatch(path)})


@functools.cache
def _operations() -> list[tuple[re.Pattern[str], str]]:
    paths: dict[str, dict[str, Any]] = json.loads(read_document())["paths"]
    return [
        (_compile(path), method.upper())
        for path, operations in paths.items()
        for method in operations
    ]


def _compile(path: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(path)))


def _as_data_url(asset: str, media_type: str) -> str:
    content = base64.b64encode((_ASSETS / asset).read_bytes()).decode()
    return f"data:{media_type};base64,{content}"
