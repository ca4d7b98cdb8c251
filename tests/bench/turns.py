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
    """What a subject's process is to measure, and its environment."""

    plan: object
    environment: dict[str, str]


class Sampling(NamedTuple):
    """How often it is measured: a process in every turn, and so many values in each process."""

    turns: int
    values: int
    warmups: int = 0
    """Values at the beginning of each process that are not counted."""


def measure_in_turns(
    worker: str, subjects: Mapping[str, Callable[[], Work]], sampling: Sampling
) -> dict[str, pyperf.BenchmarkSuite]:
    """What module `worker` finds of each subject; it is a pyperf program that reads a plan.

    Raises CalledProcessError when a call fails.
    """
    with tempfile.TemporaryDirectory(prefix="lambdo-") as folder:
        results = {name: Path(folder) / f"{name}.json" for name in subjects}
        for _ in range(sampling.turns):
            for name, prepare in subjects.items():
                plan, environment = prepare()
                subprocess.run(
                    [
                        *(sys.executable, "-m", worker, "--append", str(results[name])),
                        *("--worker", "--loops", "1", "--values", str(sampling.values)),
                        *("--warmups", str(sampling.warmups)),
                    ],
                    cwd=ROOT,
                    env=environment,
                    input=json.dumps(plan),
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
