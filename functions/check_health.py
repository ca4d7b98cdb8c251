"""GET /health: the service is alive. Touches nothing else."""

from shared.http.app import create_app, create_handler, serve
from shared.models import Health

app = create_app()


@serve(app, "GET /health", model=Health)
async def check_health() -> Health:
    """Say that the service is alive."""
    return Health()


handler = create_handler(app)
