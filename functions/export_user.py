"""GET /api/users/me/export: all that is kept of the caller."""

from typing import Annotated
from uuid import UUID

from shared.accounts import account
from shared.http.app import create_caller_app, create_handler, serve
from shared.http.requests import CurrentCaller, Query
from shared.http.responses import JsonResponse, Response
from shared.models import Export

app = create_caller_app()

Cursor = Annotated[UUID | None, Query(description="next_cursor of the page before this one")]


@serve(app, "GET /api/users/me/export", model=Export)
async def export_user(caller: CurrentCaller, cursor: Cursor = None) -> Response:
    """Take away the user and all tasks: on one page, or on several where they are very many."""
    headers = {"Content-Disposition": 'attachment; filename="lambdo-export.json"'}
    return JsonResponse(account.export(caller, cursor), headers=headers)


handler = create_handler(app)
