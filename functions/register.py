"""POST /api/auth/register: a new account, where accounts are built in."""

from shared.accounts import sign_in
from shared.accounts.credentials import Registration
from shared.errors import EmailTaken
from shared.http.app import create_handler, create_sign_in_app, serve
from shared.http.requests import CurrentStranger
from shared.http.responses import JsonResponse, Response
from shared.models import Session

app = create_sign_in_app()


@serve(app, "POST /api/auth/register", model=Session, status=201, raises=(EmailTaken,))
async def register(stranger: CurrentStranger, body: Registration) -> Response:
    """Register with an e-mail address and a password, and be logged in."""
    return JsonResponse(sign_in.register(stranger, body), status_code=201)


handler = create_handler(app)
