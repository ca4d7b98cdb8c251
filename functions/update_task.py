"""PUT and PATCH …/tasks/{task_id}: changes the fields that are sent."""

from uuid import UUID

from shared.http.app import create_caller_app, create_handler, serve_tasks
from shared.http.requests import CurrentCaller, IfMatch
from shared.http.responses import versioned
from shared.models import Task, TaskChanges
from shared.tasks import store

from fastapi import Response

app = create_caller_app()


@serve_tasks(app, "PUT", "/{task_id}", model=Task, others=(400, 404, 409, 412, 413, 415))
@serve_tasks(app, "PATCH", "/{task_id}", model=Task, others=(400, 404, 409, 412, 413, 415))
async def update_task(
    caller: CurrentCaller, task_id: UUID, body: TaskChanges, if_match: IfMatch
) -> Response:
    """Change the fields that are sent, and no others; PUT and PATCH do the same."""
    return versioned(store.change(caller, task_id, body, if_match))


handler = create_handler(app)
