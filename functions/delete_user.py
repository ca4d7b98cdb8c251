"""DELETE /api/users/me: deletes the caller's account and everything it owns."""

from shared.http.app import create_caller_app, create_handler, serve_account
from shared.http.requests import CurrentCaller
from shared.identity import accounts

from fastapi import Response

app = create_caller_app()


@serve_account(app, "DELETE", model=None, status=204, others=(409,))
async def delete_user(caller: CurrentCaller) -> Response:
    """Delete the user and every task of theirs, for good."""
    accounts.delete(caller)
    return Response(status_code=204)


handler = create_handler(app)
