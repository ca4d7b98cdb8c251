"""GET …/tasks/{task_id}: one of the caller's tasks."""

from uuid import UUID

from shared import tasks
from shared.app import create_caller_app, create_handler, serve_tasks
from shared.models import Task
from shared.requests import CurrentCaller, IfNoneMatch
from shared.responses import versioned

from fastapi import Response

app = create_caller_app()


@serve_tasks(app, "GET", "/{task_id}", model=Task, others=(304, 400, 404))
async def read_task(caller: CurrentCaller, task_id: UUID, known: IfNoneMatch) -> Response:
    """Read a task. Its `ETag` tells this version of it from every other."""
    return versioned(tasks.read(caller, task_id), known)


handler = create_handler(app)
