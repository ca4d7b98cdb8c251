"""PUT and PATCH …/tasks/{task_id}: changes the fields that are sent."""

from uuid import UUID

from shared.errors import TaskNotFound
from shared.http.app import create_caller_app, create_handler, serve
from shared.http.requests import CurrentCaller, IfMatch
from shared.http.responses import Response, versioned
from shared.models import Task, TaskChanges
from shared.tasks import store

app = create_caller_app()


@serve(app, "PUT /api/tasks/{task_id}", model=Task, raises=(TaskNotFound,))
@serve(app, "PATCH /api/tasks/{task_id}", model=Task, raises=(TaskNotFound,))
async def update_task(
    caller: CurrentCaller, task_id: UUID, body: TaskChanges, if_match: IfMatch
) -> Response:
    """Change the fields that are sent, and no others; PUT and PATCH do the same."""
    return versioned(store.change(caller, task_id, body, if_match))


handler = create_handler(app)
