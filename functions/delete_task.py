"""DELETE …/tasks/{task_id}: deletes one of the caller's tasks for good."""

from uuid import UUID

from shared.http.app import create_caller_app, create_handler, serve_tasks
from shared.http.requests import CurrentCaller, IfMatch
from shared.tasks import store

from fastapi import Response

app = create_caller_app()


@serve_tasks(app, "DELETE", "/{task_id}", model=None, status=204, others=(400, 404, 409, 412))
async def delete_task(caller: CurrentCaller, task_id: UUID, if_match: IfMatch) -> Response:
    """Delete a task for good. A second time it is not there: 404."""
    store.delete(caller, task_id, if_match)
    return Response(status_code=204)


handler = create_handler(app)
