"""DELETE …/tasks/{task_id}: deletes one of the caller's tasks for good."""

from uuid import UUID

from shared.errors import TaskNotFound
from shared.http.app import create_caller_app, create_handler, serve
from shared.http.requests import CurrentCaller, IfMatch
from shared.http.responses import Response
from shared.tasks import store

app = create_caller_app()


@serve(app, "DELETE /api/tasks/{task_id}", status=204, raises=(TaskNotFound,))
async def delete_task(caller: CurrentCaller, task_id: UUID, if_match: IfMatch) -> Response:
    """Delete a task for good. A second time it is not there: 404."""
    store.delete(caller, task_id, if_match)
    return Response(status_code=204)


handler = create_handler(app)
