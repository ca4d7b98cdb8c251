"""POST …/tasks: a new task of the caller's."""

from shared.http.app import create_caller_app, create_handler, serve
from shared.http.requests import CurrentCaller, Request
from shared.http.responses import Response, created
from shared.models import Task, TaskCreate
from shared.tasks import store

app = create_caller_app()


@serve(app, "POST /api/tasks", model=Task, status=201)
async def create_task(caller: CurrentCaller, body: TaskCreate, request: Request) -> Response:
    """Create a task. It is open at first; `Location` says where it is."""
    return created(store.create(caller, body), request)


handler = create_handler(app)
