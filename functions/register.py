"""POST /api/auth/register: a new account, where accounts are built in."""

from shared import sign_in
from shared.app import create_handler, create_sign_in_app, serve_sign_in
from shared.credentials import Registration
from shared.errors import EmailTaken
from shared.requests import CurrentCaller
from shared.responses import JsonResponse

from fastapi import Response

app = create_sign_in_app()


@serve_sign_in(app, "/register", status=201, refusal=EmailTaken)
async def register(caller: CurrentCaller, body: Registration) -> Response:
    """Register with an e-mail address and a password, and be logged in."""
    return JsonResponse(sign_in.register(caller, body), status_code=201)


handler = create_handler(app)
