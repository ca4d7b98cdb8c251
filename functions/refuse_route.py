"""$default: every path and method that no other function answers."""

from shared.http.app import create_app, create_handler
from shared.http.openapi import refuse_route

app = create_app()
app.router.default = refuse_route

handler = create_handler(app)
