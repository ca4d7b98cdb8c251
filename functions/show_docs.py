"""GET /docs and GET /openapi.json: the one document for every endpoint."""

from shared.http import openapi
from shared.http.app import create_app, create_handler
from shared.http.responses import JsonResponse

from fastapi import Response
from fastapi.responses import HTMLResponse

app = create_app()


@app.get("/openapi.json", tags=["documentation"], response_class=JsonResponse)
async def read_openapi() -> Response:
    """The OpenAPI document of the whole API."""
    return JsonResponse(openapi.read_document())


@app.get("/docs", tags=["documentation"], response_class=HTMLResponse)
async def show_docs() -> Response:
    """The document as a page to read and to try calls on."""
    return HTMLResponse(openapi.render_page())


handler = create_handler(app)
