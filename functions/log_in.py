"""POST /api/auth/login: a token, where accounts are built in."""

from shared.accounts import sign_in
from shared.accounts.credentials import Login
from shared.errors import CredentialsInvalid
from shared.http.app import create_handler, create_sign_in_app, serve
from shared.http.requests import CurrentStranger
from shared.http.responses import JsonResponse, Response
from shared.models import Session

app = create_sign_in_app()


@serve(app, "POST /api/auth/login", model=Session, raises=(CredentialsInvalid,))
async def log_in(stranger: CurrentStranger, body: Login) -> Response:
    """Log in. An unknown e-mail address and a wrong password are the same refusal."""
    return JsonResponse(sign_in.log_in(stranger, body))


handler = create_handler(app)
