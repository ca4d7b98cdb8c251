"""DELETE /api/users/me: deletes the caller's account and everything it owns."""

from shared.http.app import create_caller_app, create_handler, serve
from shared.http.requests import CurrentCaller
from shared.http.responses import Response
from shared.identity import accounts

app = create_caller_app()


@serve(app, "DELETE /api/users/me", status=204)
async def delete_user(caller: CurrentCaller) -> Response:
    """Delete the user and every task of theirs, for good."""
    accounts.delete(caller)
    return Response(status_code=204)


handler = create_handler(app)
