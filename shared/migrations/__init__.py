"""The database's schema, as Alembic migrations, and the way to run them."""

from pathlib import Path
from urllib.parse import urlsplit

from alembic import command
from alembic.config import Config

from shared.settings import Settings


def direct_url(settings: Settings) -> str:
    """The URL that migrations use: DIRECT_DATABASE_URL, or DATABASE_URL without Neon's pooler.

    A migration's session outlives a transaction, which a pooler in transaction mode cannot give.
    Raises SettingsError when neither is set.
    """
    if settings.direct_database_url is not None:
        return settings.direct_database_url.get_secret_value()
    url = urlsplit(settings.read_database_url())
    login, at, address = url.netloc.rpartition("@")
    endpoint, dot, domain = address.partition(".")
    direct = f"{endpoint.removesuffix('-pooler')}{dot}{domain}"
    return url._replace(netloc=f"{login}{at}{direct}").geturl()


def config() -> Config:
    """Alembic's configuration, for its commands."""
    settings = Config()
    settings.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    return settings


def upgrade() -> None:
    """Bring the database to the newest version of the schema."""
    command.upgrade(config(), "head")
