"""POST /api/auth/login: a token, where accounts are built in."""

from shared.errors import CredentialsInvalid
from shared.http.app import create_handler, create_sign_in_app, serve_sign_in
from shared.http.requests import CurrentStranger
from shared.http.responses import JsonResponse
from shared.identity import sign_in
from shared.identity.credentials import Login

from fastapi import Response

app = create_sign_in_app()


@serve_sign_in(app, "/login", status=200, refusal=CredentialsInvalid)
async def log_in(stranger: CurrentStranger, body: Login) -> Response:
    """Log in. An unknown e-mail address and a wrong password are the same refusal."""
    return JsonResponse(sign_in.log_in(stranger, body))


handler = create_handler(app)
