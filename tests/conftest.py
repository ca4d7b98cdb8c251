"""What tests stand on: a real Postgres, PgBouncer before it, the handlers, and the local gateway.

Nothing is shared with a developer's own server: the database is made for the run and deleted.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from infra.local.postgres import running_postgres
from shared import migrations
from shared.settings import get_settings
from tests.clients import SECRET, HandlerTransport, User
from tests.servers import running_gateway, running_pgbouncer

_HAS_PGBOUNCER = shutil.which("pgbouncer") or os.environ.get("CI")
POOLERS = ["direct", "pgbouncer"] if _HAS_PGBOUNCER else ["direct"]
"""How tests reach Postgres; in CI a missing PgBouncer is a failure."""


def pytest_configure() -> None:
    """Give the functions what they refuse to be imported without; fixtures name a database."""
    for name in [*os.environ]:
        if name.startswith(
            ("AUTH_", "BETTER_AUTH_", "DATABASE_URL", "USER_PROVISIONING", "ACCOUNTS")
        ):
            del os.environ[name]
    os.environ["BETTER_AUTH_SECRET"] = SECRET
    os.environ["DATABASE_URL"] = "postgresql://127.0.0.1:1/none"
    os.environ["ACCOUNTS"] = "built_in"


def use_database(environment: pytest.MonkeyPatch, url: str) -> None:
    """Let functions in this process use the database at `url`."""
    environment.setenv("DATABASE_URL", url)
    get_settings.cache_clear()


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The URL of a migrated database."""
    with tempfile.TemporaryDirectory(prefix="lambdo-") as folder:
        # Postgres, which does not run as root, has to get at its folder.
        Path(folder).chmod(0o755)
        with (
            running_postgres(Path(folder) / "postgres") as url,
            pytest.MonkeyPatch.context() as env,
        ):
            use_database(env, url)
            migrations.upgrade()
            yield url


@pytest.fixture(scope="session")
def pgbouncer(postgres: str) -> Iterator[str]:
    """The URL of the same database through PgBouncer, in transaction mode."""
    with running_pgbouncer(postgres) as url:
        yield url


@pytest.fixture(scope="session", params=POOLERS)
def database_url(request: pytest.FixtureRequest, postgres: str) -> str:
    """The URL that functions are given: Postgres itself, then the pooler."""
    if request.param == "direct":
        return postgres
    url: str = request.getfixturevalue("pgbouncer")
    return url


@pytest.fixture(scope="session")
def gateway(database_url: str) -> Iterator[str]:
    """The address of a running local gateway."""
    with running_gateway(database_url) as url:
        yield url


@pytest.fixture(scope="session")
def http(gateway: str) -> Iterator[httpx.Client]:
    """A client of the gateway, over HTTP."""
    with httpx.Client(base_url=gateway, timeout=30) as client:
        yield client


@pytest.fixture
def handlers(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[httpx.Client]:
    """A client whose requests reach the handlers in this process, as events."""
    use_database(monkeypatch, database_url)
    with httpx.Client(base_url="http://lambda", transport=HandlerTransport()) as client:
        yield client
    get_settings.cache_clear()


@pytest.fixture
def alice() -> User:
    """A user."""
    return User()


@pytest.fixture
def bob() -> User:
    """Another user."""
    return User()
