"""Measures subjects in turns, so that a machine that has other things to do delays all alike."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import pyperf

from infra.template import ROOT
from tests.bench.figures import Figure


class Work(NamedTuple):
    """What a process measures of a subject: its plan, and how many values each case has."""

    plan: object
    environment: dict[str, str]
    values: int
    warmups: int = 0
    """Values before those, which are not counted."""


def measure_in_turns(
    worker: str, subjects: Mapping[str, Callable[[], Work]], turns: int
) -> dict[str, pyperf.BenchmarkSuite]:
    """What module `worker` finds of each subject; it is a pyperf program that reads a plan.

    In every turn each subject has a process. Raises CalledProcessError when a call fails.
    """
    with tempfile.TemporaryDirectory(prefix="lambdo-") as folder:
        results = {name: Path(folder) / f"{name}.json" for name in subjects}
        for _ in range(turns):
            for name, prepare in subjects.items():
                work = prepare()
                subprocess.run(
                    [
                        *(sys.executable, "-m", worker, "--append", str(results[name])),
                        *("--worker", "--loops", "1", "--values", str(work.values)),
                        *("--warmups", str(work.warmups)),
                    ],
                    cwd=ROOT,
                    env=work.environment,
                    input=json.dumps(work.plan),
                    text=True,
                    # Where the functions' log lines go, too.
                    stdout=subprocess.DEVNULL,
                    check=True,
                )
        return {name: pyperf.BenchmarkSuite.load(str(file)) for name, file in results.items()}


def compare(
    case: tuple[str, str],
    lambdo: pyperf.Benchmark,
    beside: str,
    other: pyperf.Benchmark,
    limit: float | None = None,
) -> Figure:
    """What the medians of two benchmarks say of a case: its part of the table, and its name."""
    return Figure(
        *case,
        seconds=lambdo.median(),
        beside=beside,
        beside_seconds=other.median(),
        samples=min(lambdo.get_nvalue(), other.get_nvalue()),
        limit=limit,
    )
