"""GET /api/users/me/export: all that is kept of the caller."""

from typing import Annotated
from uuid import UUID

from shared.http.app import create_caller_app, create_handler, serve_account
from shared.http.requests import CurrentCaller
from shared.http.responses import JsonResponse
from shared.identity import accounts
from shared.models import Export

from fastapi import Query, Response

app = create_caller_app()

Cursor = Annotated[UUID | None, Query(description="next_cursor of the page before this one")]


@serve_account(app, "GET", "/export", model=Export, others=(422,))
async def export_user(caller: CurrentCaller, cursor: Cursor = None) -> Response:
    """Take away the user and all tasks: on one page, or on several where they are very many."""
    headers = {"Content-Disposition": 'attachment; filename="lambdo-export.json"'}
    return JsonResponse(accounts.export(caller, cursor), headers=headers)


handler = create_handler(app)
