"""GET /health/ready: the database answers, too."""

from shared.data import database
from shared.errors import DatabaseUnavailable
from shared.http.app import create_app, create_handler, serve
from shared.models import Health

app = create_app(with_database=True)


@serve(app, "GET /health/ready", model=Health, raises=(DatabaseUnavailable,))
async def check_readiness() -> Health:
    """Say that the service would answer for tasks: 503 where its database does not."""
    database.check_ready()
    return Health()


handler = create_handler(app)
