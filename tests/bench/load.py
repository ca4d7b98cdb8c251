"""Load: 100 callers at once for a minute, through PgBouncer with 20 connections to Postgres.

A caller is a person with an instance of Lambda of their own: they make one call, wait for the
answer, and pause for two seconds on average (exponentially, so that some calls come together),
which is a load of nearly 50 calls a second. The callers run on the same machine as what they call:
two cores do some five times as many for Lambdo, which is measured besides, without pauses. One
caller alone makes the same calls, without pauses either.
"""

import json
import secrets
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psycopg
import pyperf

from infra.template import ROOT
from tests.bench.callers import MIX, Person, Phase, Plan, Seen
from tests.bench.figures import Figure
from tests.bench.stack import Stack, running_stack
from tests.bench.subjects import LAMBDO, TEXTBOOK, Subject, make_environment
from tests.clients import make_token

PART = "Load"
LIMIT = 10
CALLERS = 100
CONNECTIONS = 20
PAUSE = 2.0

SECONDS = {LAMBDO: 60.0, TEXTBOOK: 10.0}
WITHOUT_PAUSES = Phase(seconds=5, pause=0)
ALONE = Phase(seconds=4, pause=0)

_SEED = f"""
    INSERT INTO users (id) SELECT 'user-' || u FROM generate_series(1, {CALLERS}) AS u;
    INSERT INTO tasks (user_id, title, description, created_at)
    SELECT 'user-' || u, 'Task ' || t, repeat('word ', t % 20), now() - t * interval '1 minute'
    FROM generate_series(1, {CALLERS}) AS u, generate_series(1, 150) AS t;
"""
_TASKS = "SELECT user_id, array_agg(id::text ORDER BY id) FROM tasks GROUP BY user_id"


def measure() -> list[Figure]:
    """The slowest calls under load beside the usual one without, and Lambdo beside the textbook.

    Raises RuntimeError where a call failed, or a connection was left behind.
    """
    with running_stack(CONNECTIONS) as stack:
        with psycopg.connect(stack.postgres, autocommit=True) as owner:
            owner.execute(_SEED)
            owner.execute("VACUUM ANALYZE")
        alone, loaded, hurried = {}, {}, {}
        for subject, seconds in SECONDS.items():
            (alone[subject],) = _run(stack, subject, 1, ALONE)
            loaded[subject], hurried[subject] = _run(
                stack, subject, CALLERS, Phase(seconds=seconds, pause=PAUSE), WITHOUT_PAUSES
            )

    samples = min(benchmark.get_nvalue() for benchmark in loaded.values())
    of_all = f"{CALLERS} callers"
    return [
        Figure(
            PART,
            f"99th percentile, {of_all}",
            loaded[LAMBDO].percentile(99),
            "median, one caller",
            alone[LAMBDO].median(),
            loaded[LAMBDO].get_nvalue(),
            LIMIT,
        ),
        Figure(
            PART,
            f"textbook's 99th percentile, {of_all}",
            loaded[TEXTBOOK].percentile(99),
            "its median, one caller",
            alone[TEXTBOOK].median(),
            loaded[TEXTBOOK].get_nvalue(),
        ),
        Figure(
            PART,
            f"99th percentile, {of_all}",
            loaded[LAMBDO].percentile(99),
            "textbook",
            loaded[TEXTBOOK].percentile(99),
            samples,
        ),
        Figure(
            PART,
            f"median, {of_all}",
            loaded[LAMBDO].median(),
            "textbook",
            loaded[TEXTBOOK].median(),
            samples,
        ),
        Figure(
            PART,
            f"a call, {of_all} without pauses",
            WITHOUT_PAUSES["seconds"] / hurried[LAMBDO].get_nvalue(),
            "textbook",
            WITHOUT_PAUSES["seconds"] / hurried[TEXTBOOK].get_nvalue(),
            min(benchmark.get_nvalue() for benchmark in hurried.values()),
        ),
    ]


def _run(stack: Stack, subject: Subject, callers: int, *phases: Phase) -> list[pyperf.Benchmark]:
    """Let callers call; how long each call took, for each phase."""
    secret = secrets.token_urlsafe(32)
    with psycopg.connect(stack.postgres) as owner:
        people = [
            Person(user=user, token=make_token(user, secret), tasks=tasks)
            for user, tasks in owner.execute(_TASKS).fetchmany(callers)
        ]
    functions = {call.function for call in MIX}
    plan = Plan(
        people=people,
        handlers={function: subject.handler.format(function=function) for function in functions},
        phases=[*phases],
    )
    with tempfile.TemporaryDirectory(prefix="lambdo-") as folder:
        result = Path(folder) / "seen.json"
        subprocess.run(
            [sys.executable, "-m", "tests.bench.callers", str(result)],
            cwd=ROOT,
            env=make_environment(stack.pooled, secret, ROOT, subject.folder),
            input=json.dumps(plan),
            text=True,
            # Where the functions' log lines go, too.
            stdout=subprocess.DEVNULL,
            check=True,
        )
        everybody = [Seen(*seen) for seen in json.loads(result.read_text())]
    _check_connections(stack)
    failures = [failure for _, failures in everybody for failure in failures]
    if failures:
        raise RuntimeError(f"{subject.name}: {len(failures)} calls failed: {failures[0]}")
    runs = [
        pyperf.Run(
            [seconds for taken in phase for seconds in taken],
            metadata={"name": subject.name},
            collect_metadata=False,
        )
        for phase in zip(*(taken for taken, _ in everybody), strict=True)
    ]
    return [pyperf.Benchmark([run]) for run in runs]


def _check_connections(stack: Stack) -> None:
    """Raise RuntimeError where somebody who is gone still holds a connection."""
    busy = ("cl_active", "cl_waiting", "sv_active")
    deadline = time.monotonic() + 5
    # PgBouncer takes a moment to see that the last caller has gone.
    while any(left := _count_connections(stack, busy)):
        if time.monotonic() > deadline:
            raise RuntimeError(f"PgBouncer still has connections in use: {busy} = {left}")
        time.sleep(0.1)
    with psycopg.connect(stack.postgres) as owner:
        ((servers,),) = owner.execute(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND backend_type = 'client backend'"
            " AND pid <> pg_backend_pid()"
        )
    if servers > CONNECTIONS:
        raise RuntimeError(f"PgBouncer has {servers} connections to Postgres, not {CONNECTIONS}")


def _count_connections(stack: Stack, kinds: tuple[str, ...]) -> list[int]:
    database, _, _ = stack.pooled.rpartition("/")
    with psycopg.connect(f"{database}/pgbouncer", autocommit=True) as console:
        pools = console.execute("SHOW POOLS")
        names = [column.name for column in pools.description or ()]
        of_database = [dict(zip(names, row, strict=True)) for row in pools]
    return [
        sum(int(pool[kind]) for pool in of_database if pool["database"] != "pgbouncer")
        for kind in kinds
    ]
