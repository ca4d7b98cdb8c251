"""GET /api/users/me: the caller."""

from shared.http.app import create_caller_app, create_handler, serve_account
from shared.http.requests import CurrentCaller
from shared.http.responses import JsonResponse
from shared.identity import accounts
from shared.models import User

from fastapi import Response

app = create_caller_app()


@serve_account(app, "GET", model=User)
async def read_user(caller: CurrentCaller) -> Response:
    """Read who the token's user is."""
    return JsonResponse(accounts.read(caller))


handler = create_handler(app)
