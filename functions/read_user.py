"""GET /api/users/me: the caller."""

from shared.accounts import account
from shared.http.app import create_caller_app, create_handler, serve
from shared.http.requests import CurrentCaller
from shared.http.responses import JsonResponse, Response
from shared.models import User

app = create_caller_app()


@serve(app, "GET /api/users/me", model=User)
async def read_user(caller: CurrentCaller) -> Response:
    """Read who the token's user is."""
    return JsonResponse(account.read(caller))


handler = create_handler(app)
