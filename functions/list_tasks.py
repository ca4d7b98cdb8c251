"""GET …/tasks: a page of the caller's tasks."""

from typing import Annotated

from shared.errors import CursorInvalid
from shared.http.app import create_caller_app, create_handler, serve
from shared.http.requests import CurrentCaller, Query
from shared.http.responses import JsonResponse, Response
from shared.models import TaskPage, TaskQuery
from shared.tasks import listing

app = create_caller_app()


@serve(app, "GET /api/tasks", model=TaskPage, raises=(CursorInvalid,))
async def list_tasks(caller: CurrentCaller, query: Annotated[TaskQuery, Query()]) -> Response:
    """List tasks, newest first unless `sort` says otherwise; follow `next_cursor` for more."""
    return JsonResponse(listing.list_page(caller, query))


handler = create_handler(app)
