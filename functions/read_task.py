"""GET …/tasks/{task_id}: one of the caller's tasks."""

from uuid import UUID

from shared.http.app import create_caller_app, create_handler, serve_tasks
from shared.http.requests import CurrentCaller, IfNoneMatch
from shared.http.responses import versioned
from shared.models import Task
from shared.tasks import store

from fastapi import Response

app = create_caller_app()


@serve_tasks(app, "GET", "/{task_id}", model=Task, others=(304, 400, 404))
async def read_task(caller: CurrentCaller, task_id: UUID, known: IfNoneMatch) -> Response:
    """Read a task. Its `ETag` tells this version of it from every other."""
    return versioned(store.read(caller, task_id), known)


handler = create_handler(app)
