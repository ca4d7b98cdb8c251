"""The database's schema, as Alembic migrations, and the way to run them."""

import time
from pathlib import Path
from urllib.parse import urlsplit

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.script.revision import ResolutionError
from alembic.util import CommandError
from psycopg.errors import LockNotAvailable
from sqlalchemy.exc import OperationalError

from shared.settings import Settings

LOCK_ATTEMPTS = 20
LOCK_PAUSE = 1
"""Seconds between two attempts, in which those who waited behind the migration go on."""


class NewerSchema(Exception):
    """The database has a version of the schema that this code does not know."""

    def __init__(self, version: str) -> None:
        super().__init__(
            f"The database has version {version} of the schema, which this code does not know; "
            "take newer code, or another database."
        )
        self.version = version


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


def upgrade() -> str:
    """Bring the database to the newest version of the schema; that version.

    Each migration happens or does not. One that gets no lock in time is tried again.

    Raises NewerSchema where the database is beyond that, SettingsError where its URL will not do,
    and SQLAlchemyError or psycopg.Error where it fails.
    """
    try:
        _upgrade_patiently()
    except CommandError as error:
        if isinstance(error.__cause__, ResolutionError):
            raise NewerSchema(error.__cause__.argument) from error
        raise
    return str(ScriptDirectory.from_config(config()).get_current_head())


def _upgrade_patiently() -> None:
    for _ in range(LOCK_ATTEMPTS - 1):
        try:
            return command.upgrade(config(), "head")
        except OperationalError as error:
            if not isinstance(error.orig, LockNotAvailable):
                raise
            time.sleep(LOCK_PAUSE)
    return command.upgrade(config(), "head")
