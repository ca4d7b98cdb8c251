"""GET …/tasks/{task_id}: one of the caller's tasks."""

from uuid import UUID

from shared.errors import TaskNotFound
from shared.http.app import create_caller_app, create_handler, serve
from shared.http.requests import CurrentCaller, IfNoneMatch
from shared.http.responses import Response, versioned
from shared.models import Task
from shared.tasks import store

app = create_caller_app()


@serve(app, "GET /api/tasks/{task_id}", model=Task, raises=(TaskNotFound,))
async def read_task(caller: CurrentCaller, task_id: UUID, known: IfNoneMatch) -> Response:
    """Read a task. `ETag` identifies this version; it changes with every edit."""
    return versioned(store.read(caller, task_id), known)


handler = create_handler(app)
