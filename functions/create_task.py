"""POST …/tasks: a new task of the caller's."""

from shared import tasks
from shared.app import create_caller_app, create_handler, serve_tasks
from shared.models import Task, TaskCreate
from shared.requests import CurrentCaller
from shared.responses import created

from fastapi import Request, Response

app = create_caller_app()


@serve_tasks(app, "POST", model=Task, status=201, others=(400, 409, 413, 415))
async def create_task(caller: CurrentCaller, body: TaskCreate, request: Request) -> Response:
    """Create a task. It is open at first; `Location` says where it is."""
    return created(tasks.create(caller, body), request)


handler = create_handler(app)
