"""GET /health/ready: the database answers, too."""

from shared.data import database
from shared.errors import document_error
from shared.http.app import create_app, create_handler
from shared.models import Health

app = create_app(with_database=True)


@app.get("/health/ready", tags=["health"], responses={503: document_error(503)})
async def check_readiness() -> Health:
    """Say that the service would answer for tasks: 503 where its database does not."""
    database.check_ready()
    return Health()


handler = create_handler(app)
