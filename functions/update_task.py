"""PUT and PATCH …/tasks/{task_id}: changes the fields that are sent."""

from uuid import UUID

from shared import tasks
from shared.app import create_caller_app, create_handler, serve_tasks
from shared.models import Task, TaskChanges
from shared.requests import CurrentCaller, IfMatch
from shared.responses import versioned

from fastapi import Response

app = create_caller_app()


@serve_tasks(app, "PUT", "/{task_id}", model=Task, others=(400, 404, 409, 412, 413, 415))
@serve_tasks(app, "PATCH", "/{task_id}", model=Task, others=(400, 404, 409, 412, 413, 415))
async def update_task(
    caller: CurrentCaller, task_id: UUID, body: TaskChanges, if_match: IfMatch
) -> Response:
    """Change the fields that are sent, and no others; PUT and PATCH do the same."""
    return versioned(tasks.change(caller, task_id, body, if_match))


handler = create_handler(app)
