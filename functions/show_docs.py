"""GET /docs and GET /openapi.json: the one document for every endpoint."""

from shared.http import openapi
from shared.http.app import create_app, create_handler, serve
from shared.http.responses import HTMLResponse, JsonResponse, Response

app = create_app()


@serve(app, "GET /openapi.json")
async def read_openapi() -> Response:
    """The OpenAPI document of the whole API."""
    return JsonResponse(openapi.read_document())


@serve(app, "GET /docs", response_class=HTMLResponse)
async def show_docs() -> Response:
    """The document as a page to read and to try calls on."""
    return HTMLResponse(openapi.render_page())


handler = create_handler(app)
