"""$default: every path and method that no other function answers."""

from shared.app import create_app, create_handler
from shared.openapi import refuse_route

app = create_app()
app.router.default = refuse_route

handler = create_handler(app)
