"""POST …/tasks: a new task of the caller's."""

from shared.http.app import create_caller_app, create_handler, serve_tasks
from shared.http.requests import CurrentCaller
from shared.http.responses import created
from shared.models import Task, TaskCreate
from shared.tasks import store

from fastapi import Request, Response

app = create_caller_app()


@serve_tasks(app, "POST", model=Task, status=201, others=(400, 409, 413, 415))
async def create_task(caller: CurrentCaller, body: TaskCreate, request: Request) -> Response:
    """Create a task. It is open at first; `Location` says where it is."""
    return created(store.create(caller, body), request)


handler = create_handler(app)
