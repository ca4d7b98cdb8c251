"""GET …/tasks: a page of the caller's tasks."""

from typing import Annotated

from shared.http.app import create_caller_app, create_handler, serve_tasks
from shared.http.requests import CurrentCaller
from shared.http.responses import JsonResponse
from shared.models import TaskPage, TaskQuery
from shared.tasks import listing

from fastapi import Query, Response

app = create_caller_app()


@serve_tasks(app, "GET", model=TaskPage, others=(400,))
async def list_tasks(caller: CurrentCaller, query: Annotated[TaskQuery, Query()]) -> Response:
    """List tasks, newest first unless `sort` says otherwise; follow `next_cursor` for more."""
    return JsonResponse(listing.list_page(caller, query))


handler = create_handler(app)
