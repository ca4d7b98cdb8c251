"""GET /health: the service is alive. Touches nothing else."""

from shared.http.app import create_app, create_handler
from shared.models import Health

app = create_app()


@app.get("/health", tags=["health"])
async def check_health() -> Health:
    """Say that the service is alive."""
    return Health()


handler = create_handler(app)
