"""DELETE /api/users/me: deletes the caller's account and everything it owns."""

from shared.accounts import account
from shared.http.app import create_caller_app, create_handler, serve
from shared.http.requests import CurrentCaller
from shared.http.responses import Response

app = create_caller_app()


@serve(app, "DELETE /api/users/me", status=204)
async def delete_user(caller: CurrentCaller) -> Response:
    """Delete the user and every task of theirs, for good."""
    account.delete(caller)
    return Response(status_code=204)


handler = create_handler(app)
