"""What tests stand on: a real Postgres, PgBouncer before it, the handlers, and the local gateway.

Nothing is shared with a developer's own server: the database is made for the run and deleted.
"""

import functools
import inspect
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import httpx
import psycopg
import pytest

from shared import migrations
from shared.settings import get_settings
from tests.clients import SECRET, SERVED, HandlerTransport, User
from tests.openapi import connect
from tests.servers import fresh_postgres, running_gateway, running_pgbouncer

_HAS_PGBOUNCER = shutil.which("pgbouncer") or os.environ.get("CI")
POOLERS = ["direct", "pgbouncer"] if _HAS_PGBOUNCER and SERVED is None else ["direct"]
"""How tests reach Postgres; in CI a missing PgBouncer is a failure."""

ONE_WAY = pytest.mark.parametrize("database_url", POOLERS[-1:], indirect=True)
"""For what does not depend on the way to the database, or does not get that far.

It goes through PgBouncer: Postgres itself starts a process for each call, which takes longer than
the call.
"""

LONGEST = (
    "test_deployment.py",
    "test_isolation.py",
    "test_runtime.py",
    "test_better_auth.py",
    "test_release.py",
    "test_secrets.py",
    "test_fields.py",
)
"""The files that take the longest begin, so that no core is idle while the last of them runs."""

_BEYOND = pytest.StashKey[dict[str, int]]()


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


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int | None:
    """No workers for a single file: whole files are what is dealt out to them."""
    files = {argument.partition("::")[0] for argument in config.args}
    return 0 if len(files) == 1 and files.pop().endswith(".py") else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put the longest files first; of an API that runs already, test what is called over HTTP."""
    ranks = {name: rank for rank, name in enumerate(LONGEST)}
    items.sort(key=lambda item: ranks.get(item.path.name, len(ranks)))
    if SERVED is not None:
        _keep_what_can_be_called(config, items)


def _keep_what_can_be_called(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what does not go over HTTP and, where `sam local` serves, what it cannot do.

    That it is what serves, it says itself.
    """
    try:
        server = httpx.get(f"{SERVED}/health", timeout=60).headers.get("Server", "")
    except httpx.TransportError as error:
        pytest.exit(f"{SERVED} does not answer: {error}", returncode=1)
    config.stash[_BEYOND] = {}
    kept = []
    for item in items:
        beyond = server.startswith("Werkzeug") and item.get_closest_marker("beyond_sam_local")
        if beyond:
            (what,) = beyond.args
            config.stash[_BEYOND][what] = config.stash[_BEYOND].get(what, 0) + 1
        elif _goes_over_http(item):
            kept.append(item)
    config.hook.pytest_deselected(items=[item for item in items if item not in kept])
    items[:] = kept


def _goes_over_http(item: pytest.Item) -> bool:
    # What looks into the database itself looks into one of this run.
    if not isinstance(item, pytest.Function) or "owner" in item.fixturenames:
        return False
    looks_inside = "postgres" in inspect.signature(item.function).parameters
    return not looks_inside and bool({"http", "gateway"} & {*item.fixturenames})


def pytest_report_collectionfinish(config: pytest.Config) -> list[str]:
    """Say which tests are left out because `sam local` serves."""
    return [
        f"left out, as only API Gateway {what}: {count} tests"
        for what, count in config.stash.get(_BEYOND, {}).items()
    ]


def use_database(environment: pytest.MonkeyPatch, url: str) -> None:
    """Let functions in this process use the database at `url`."""
    environment.setenv("DATABASE_URL", url)
    get_settings.cache_clear()


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The URL of a migrated database."""
    with fresh_postgres() as url, pytest.MonkeyPatch.context() as environment:
        use_database(environment, url)
        migrations.upgrade()
        yield url


@pytest.fixture
def owner(postgres: str) -> Iterator[psycopg.Connection]:
    """A connection of the database's owner, whom no policy binds."""
    with psycopg.connect(postgres, autocommit=True) as connection:
        yield connection


@pytest.fixture(scope="session")
def pgbouncer(postgres: str) -> Iterator[str]:
    """The URL of the same database through PgBouncer, in transaction mode."""
    with running_pgbouncer(postgres) as url:
        yield url


@pytest.fixture(scope="session", params=POOLERS)
def database_url(request: pytest.FixtureRequest) -> str:
    """The URL that functions are given: Postgres itself, then the pooler."""
    if SERVED is not None:
        return "that of the API that runs already"
    url: str = request.getfixturevalue("postgres" if request.param == "direct" else "pgbouncer")
    return url


@pytest.fixture(scope="session")
def serve() -> Iterator[Callable[[str], str]]:
    """Serves the API on the database at a URL; each is served once, by a local gateway."""
    with ExitStack() as gateways:
        yield functools.cache(lambda url: gateways.enter_context(running_gateway(url)))


@pytest.fixture(scope="session")
def gateway(database_url: str, serve: Callable[[str], str]) -> str:
    """The address of a running local gateway, or of what runs already."""
    return SERVED or serve(database_url)


@pytest.fixture(scope="session")
def http(gateway: str) -> Iterator[httpx.Client]:
    """A client of the gateway, over HTTP."""
    with connect(gateway) as client:
        yield client


@pytest.fixture
def handlers(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[httpx.Client]:
    """A client whose requests reach the handlers in this process, as events."""
    use_database(monkeypatch, database_url)
    with connect("http://lambda", HandlerTransport()) as client:
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
