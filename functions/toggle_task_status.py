"""PATCH …/tasks/{task_id}/toggle-status: completes an open task, reopens a completed one."""

from uuid import UUID

from shared.errors import TaskNotFound
from shared.http.app import create_caller_app, create_handler, serve
from shared.http.requests import CurrentCaller, IfMatch
from shared.http.responses import Response, versioned
from shared.models import Task
from shared.tasks import store

app = create_caller_app()


@serve(app, "PATCH /api/tasks/{task_id}/toggle-status", model=Task, raises=(TaskNotFound,))
async def toggle_task_status(caller: CurrentCaller, task_id: UUID, if_match: IfMatch) -> Response:
    """Flip `is_completed`."""
    return versioned(store.flip(caller, task_id, if_match))


handler = create_handler(app)
