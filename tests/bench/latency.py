"""A database that is not next door: one task is read through a proxy that delays all it passes on.

Every process measures one call more than the others, its first: what an ORM wants to know of the
database before it is of any use, it asks then.
"""

import secrets
import statistics
from functools import partial

import pyperf

from infra.template import ROOT
from tests.bench.figures import LATENCY, Figure
from tests.bench.stack import running_stack
from tests.bench.subjects import (
    FLOOR,
    LAMBDO,
    OWNER,
    READ,
    SUBJECTS,
    TEXTBOOK,
    Subject,
    make_environment,
    make_events,
    seed,
)
from tests.bench.turns import Work, compare, measure_in_turns
from tests.clients import make_token
from tests.counting_proxy import running_proxy

ROUND_TRIPS = (0.001, 0.005, 0.020)
"""Seconds to the database and back: the same zone, the same region, the next region."""

TURNS = 3
VALUES = 2
WARMUPS = 3


def measure() -> list[Figure]:
    """Reading one task, with each of the round trips."""
    figures = []
    with running_stack() as stack:
        tasks = seed(stack)
        secret = secrets.token_urlsafe(32)
        tokens = {OWNER: make_token(OWNER, secret)}
        for round_trip in ROUND_TRIPS:
            with running_proxy(stack.pooled, round_trip) as proxy:

                def prepare(subject: Subject, url: str = proxy.url) -> Work:
                    case = {
                        "what": READ.what,
                        "handler": subject.handler.format(function=READ.function),
                        "events": make_events(READ, tasks, tokens, WARMUPS + VALUES),
                    }
                    environment = make_environment(url, secret, ROOT, subject.folder)
                    return Work([case], environment, VALUES, WARMUPS)

                subjects = {subject.name: partial(prepare, subject) for subject in SUBJECTS}
                suites = measure_in_turns("tests.bench.calling", subjects, TURNS)
            found = {name: suite.get_benchmark(READ.what) for name, suite in suites.items()}
            away = f"{round_trip * 1000:.0f} ms away"
            lambdo, textbook = found[LAMBDO.name], found[TEXTBOOK.name]
            case = (LATENCY, f"{READ.what}, {away}")
            figures += [
                compare(case, lambdo, FLOOR.name, found[FLOOR.name]),
                compare(case, lambdo, TEXTBOOK.name, textbook),
                Figure(
                    LATENCY,
                    f"first call of a process, {away}",
                    _first_call(lambdo),
                    TEXTBOOK.name,
                    _first_call(textbook),
                    TURNS,
                ),
            ]
    return figures


def _first_call(benchmark: pyperf.Benchmark) -> float:
    seconds: float = statistics.median(run.warmups[0][1] for run in benchmark.get_runs())
    return seconds
