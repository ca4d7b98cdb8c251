"""PATCH …/tasks/{task_id}/complete: completes, reopens, or flips between the two."""

from uuid import UUID

from shared.http.app import create_caller_app, create_handler, serve_tasks
from shared.http.requests import CurrentCaller, IfMatch
from shared.http.responses import versioned
from shared.models import NO_BODY, Task, TaskCompletion
from shared.tasks import store

from fastapi import Response

app = create_caller_app()


@serve_tasks(app, "PATCH", "/{task_id}/complete", model=Task, others=(400, 404, 409, 412, 413, 415))
async def complete_task(
    caller: CurrentCaller, task_id: UUID, if_match: IfMatch, body: TaskCompletion = NO_BODY
) -> Response:
    """Set `is_completed` to what the body says, or flip it where there is no body."""
    if body is NO_BODY:
        return versioned(store.flip(caller, task_id, if_match))
    return versioned(store.change(caller, task_id, body, if_match))


handler = create_handler(app)
