"""GET /api/users/me: the caller."""

from shared import accounts
from shared.app import create_caller_app, create_handler, serve_account
from shared.models import User
from shared.requests import CurrentCaller
from shared.responses import JsonResponse

from fastapi import Response

app = create_caller_app()


@serve_account(app, "GET", model=User)
async def read_user(caller: CurrentCaller) -> Response:
    """Read who the token's user is."""
    return JsonResponse(accounts.read(caller))


handler = create_handler(app)
