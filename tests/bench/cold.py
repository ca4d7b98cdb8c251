"""Cold starts: from the start of a process to its first answer, under Lambda's runtime."""

import os
import secrets
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from types import MappingProxyType

from infra.template import ROOT
from tests.bench.builds import built
from tests.bench.figures import Figure
from tests.bench.secret_store import running_secret_store
from tests.bench.stack import running_stack
from tests.bench.starting import Command
from tests.bench.subjects import (
    FLOOR,
    LAMBDO,
    LIST_PAGE,
    LISTER,
    TEXTBOOK,
    make_environment,
    make_events,
    seed,
)
from tests.bench.turns import Work, compare, measure_in_turns
from tests.clients import make_token
from tests.runtime import INVOCATIONS, emulate
from tests.servers import free_port

FLOOR_LIMIT = 2.5
TEXTBOOK_LIMIT = 0.33
TURNS = 10
VALUES = 3
PART = "Cold start"
CASE = f"first answer, {LIST_PAGE.what}"
DEPLOYED_CASE = f"{CASE}, secrets by ARN"


def measure() -> list[Figure]:
    """The first answer beside that of the floor, and of the textbook with bytecode and without.

    Lambdo is measured twice: as it is deployed, when it fetches two secrets by ARN, and with its
    secrets in clear text, which is how the others are given theirs.
    """
    secret = secrets.token_urlsafe(32)
    with (
        built() as builds,
        running_stack() as stack,
        running_secret_store({"DATABASE_URL": stack.pooled, "BETTER_AUTH_SECRET": secret}) as arns,
    ):
        (event,) = make_events(LIST_PAGE, seed(stack), {LISTER: make_token(LISTER, secret)}, 1)

        def prepare(
            handler: str,
            folders: list[Path],
            values: int = VALUES,
            settings: Mapping[str, str] = MappingProxyType({}),
        ) -> Work:
            environment = {
                **make_environment(stack.pooled, secret, *folders, PYTHONDONTWRITEBYTECODE="1"),
                **settings,
            }
            name = handler.format(function=LIST_PAGE.function)
            commands = [_command(name, builds.python, environment) for _ in range(values)]
            plan = {"commands": [command._asdict() for command in commands], "event": event}
            return Work(plan, {**os.environ, "PYTHONPATH": str(ROOT)}, values)

        subjects = {
            "floor": partial(prepare, FLOOR.handler, builds.floor),
            "deployed": partial(
                prepare,
                LAMBDO.handler,
                builds.lambdo,
                settings={"DATABASE_URL": "", "BETTER_AUTH_SECRET": "", **arns},
            ),
            "Lambdo": partial(prepare, LAMBDO.handler, builds.lambdo),
            "textbook": partial(prepare, TEXTBOOK.handler, builds.textbook),
            # There is no limit for it, so once a turn is enough.
            "textbook, compiled": partial(prepare, TEXTBOOK.handler, builds.compiled_textbook, 1),
        }
        suites = measure_in_turns("tests.bench.starting", subjects, TURNS)

    found = {name: suite.get_benchmark("start") for name, suite in suites.items()}
    limits = {"floor": FLOOR_LIMIT, "textbook": TEXTBOOK_LIMIT, "textbook, compiled": None}
    return [
        compare((PART, DEPLOYED_CASE), found["deployed"], "floor", found["floor"], FLOOR_LIMIT),
        *(
            compare((PART, CASE), found["Lambdo"], name, found[name], limit)
            for name, limit in limits.items()
        ),
    ]


def _command(handler: str, python: str, environment: dict[str, str]) -> Command:
    port = free_port()
    arguments = emulate(handler, f"127.0.0.1:{port}", f"127.0.0.1:{free_port()}", python)
    return Command(arguments, environment, port, INVOCATIONS)
