"""Shows where the time goes, for docs/performance.md: python -m tests.bench.profile

Draws docs/benchmarks/warm-request.svg and imports.svg, and writes the tables of that page anew.
"""

import json
import os
import re
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

from infra.template import ROOT
from tests.bench import costs
from tests.bench.calls import Call
from tests.bench.costs import ColdStart
from tests.bench.report import PAGE, describe_machine, put_between_markers
from tests.bench.stack import Stack, running_stack
from tests.bench.stacks import OURS, PYTHON, Frame, Stacks, draw, group_of
from tests.clients import SECRET, User, make_event

_DRAWINGS = ROOT / "docs" / "benchmarks"

_CALLS = 300
_COLD_STARTS = 15
_SAMPLES_A_SECOND = 400
_LISTED_PACKAGES = 12

_FEET = ("list_100_tasks", "read_one_task")
_LISTING, _READING = _FEET

# A folded stack of py-spy: frames such as `run (shared/data/database.py:109)`, and their samples.
_FRAME = re.compile(r"(?P<function>.+) \((?P<file>[^():]+)(:\d+)?\)")
# import time: self [us] | cumulative | imported package, indented by depth
_IMPORT = re.compile(r"import time: +(?P<own>\d+) \| +\d+ \| (?P<indent> *)(?P<module>\S+)")


def main() -> None:
    """Measure, draw, and write the tables."""
    with running_stack() as stack:
        calls = _measure_calls(stack)
        samples = _sample_calls(stack)
        cold = _measure_cold_starts(stack)
        imports = _time_imports(stack)
    draw(
        _scale(samples, calls),
        _DRAWINGS / "warm-request.svg",
        "Two warm requests, side by side: milliseconds",
        lambda seconds: f"{seconds * 1000:.2f}",
    )
    draw(
        imports,
        _DRAWINGS / "imports.svg",
        "What functions/list_tasks.py imports: milliseconds, each package where it is first needed",
        lambda seconds: f"{seconds * 1000:.0f}",
    )
    listing, reading = calls[_LISTING], calls[_READING]
    _write_tables(
        machine=[_describe()],
        warm=costs.warm_table(listing, reading),
        cold=costs.cold_table(cold),
        imports=_import_table(imports),
        memory=costs.memory_table(listing, reading, cold),
        snapstart=costs.snapstart_table(cold),
        connections=costs.connection_table(listing),
        limits=costs.limit_table(listing),
    )


def _environment(stack: Stack, *folders: Path) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.pathsep.join(map(str, folders)),
        "DATABASE_URL": stack.pooled,
        "BETTER_AUTH_SECRET": SECRET,
    }


def _measure_calls(stack: Stack) -> dict[str, Call]:
    printed = subprocess.run(
        [sys.executable, "-m", "tests.bench.calls", str(_CALLS)],
        cwd=ROOT,
        env=_environment(stack),
        stdout=subprocess.PIPE,
        check=True,
    ).stdout
    return {name: Call(**call) for name, call in json.loads(printed).items()}


def _sample_calls(stack: Stack) -> Stacks:
    """How often each stack was seen. Also while it waits: a caller waits for that, too."""
    with tempfile.TemporaryDirectory(prefix="lambdo-") as folder:
        folded = Path(folder) / "folded"
        subprocess.run(
            [
                *(
                    str(Path(sys.executable).with_name("py-spy")),
                    "record",
                    "--idle",
                    "--function",
                    "--format",
                    "raw",
                ),
                *("--rate", str(_SAMPLES_A_SECOND), "--output", str(folded)),
                *("--", sys.executable, "-m", "tests.bench.calls", str(_CALLS)),
            ],
            cwd=ROOT,
            env=_environment(stack),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=True,
        )
        lines = folded.read_text().splitlines()
    samples: dict[tuple[Frame, ...], float] = defaultdict(float)
    for line in lines:
        path, _, count = line.rpartition(" ")
        matches = [_FRAME.fullmatch(frame) for frame in path.split(";")]
        frames = [(match["function"], match["file"]) for match in matches if match]
        foot = next((i for i, (name, _) in enumerate(frames) if name.endswith(_FEET)), None)
        if foot is not None:
            name = frames[foot][0].rpartition(".")[2]
            samples[Frame(name, OURS), *_shorten(frames[foot + 1 :])] += int(count)
    return samples


def _shorten(frames: list[tuple[str, str]]) -> Iterator[Frame]:
    """Of each package that calls itself, only where it is entered; and what was seen at work.

    What Python itself does in between, such as an event loop, is left out.
    """
    group_before = ""
    for position, (function, file) in enumerate(frames):
        last = position == len(frames) - 1
        path = Path(file)
        package = path.parts[0] if len(path.parts) > 1 else path.stem
        if (ROOT / "functions" / file).is_file():
            package = "functions"
        group = group_of(package)
        if package == "tests" or (group == PYTHON and not last):
            continue
        if last or group in (OURS, PYTHON) or group != group_before:
            module = ".".join(path.with_suffix("").parts) if group == OURS else package
            yield Frame(f"{module}.{function.rpartition('<locals>.')[2]}", group)
        group_before = group


def _scale(samples: Stacks, calls: dict[str, Call]) -> Stacks:
    """Samples as seconds of one call, as it is when nobody watches."""
    of_kind: dict[str, float] = defaultdict(float)
    for stack, count in samples.items():
        of_kind[stack[0].name] += count
    return {
        stack: count * calls[stack[0].name].seconds / of_kind[stack[0].name]
        for stack, count in samples.items()
    }


def _cold_environment(stack: Stack) -> dict[str, str]:
    """What a function finds on Lambda: no site module, and no folder to write to."""
    packages = Path(sysconfig.get_paths()["purelib"])
    return _environment(stack, ROOT / "functions", ROOT, packages)


def _measure_cold_starts(stack: Stack) -> ColdStart:
    event = json.dumps(make_event("GET", "/api/tasks", headers=User().headers))
    found: list[dict[str, Any]] = []
    for _ in range(1 + _COLD_STARTS):
        printed = subprocess.run(
            [
                *(sys.executable, "-S", "-P", str(Path(__file__).with_name("first_call.py"))),
                *(str(time.monotonic()), event),
            ],
            env=_cold_environment(stack),
            stdout=subprocess.PIPE,
            check=True,
        ).stdout
        found.append(json.loads(printed.splitlines()[-1]))
    # The first one compiled what was not compiled yet, which the layer is.
    del found[0]
    steps = {
        step: (
            median(one["steps"][step][0] for one in found),
            median(one["steps"][step][1] for one in found),
        )
        for step in found[0]["steps"]
    }
    return ColdStart(steps, max(one["bytes"] for one in found))


def _time_imports(stack: Stack) -> Stacks:
    """Seconds that each package took by itself, under those that imported it first.

    Of several runs, the one in the middle.
    """
    runs = []
    for _ in range(_COLD_STARTS):
        told = subprocess.run(
            [sys.executable, "-S", "-P", "-X", "importtime", "-c", "import list_tasks"],
            env=_cold_environment(stack),
            stderr=subprocess.PIPE,
            text=True,
            check=True,
        ).stderr
        runs.append(_read_imports(told))
    return sorted(runs, key=lambda run: sum(run.values()))[len(runs) // 2]


def _read_imports(told: str) -> Stacks:
    """The stacks under list_tasks, from what `python -X importtime` tells."""
    stacks: dict[tuple[Frame, ...], float] = defaultdict(float)
    above: list[str] = []
    # A module is told of after what it imports; so, backwards, it comes before.
    for line in reversed(told.splitlines()):
        match = _IMPORT.fullmatch(line)
        if match is None:
            continue
        depth = len(match["indent"]) // 2
        if depth == 0 and match["module"] != "list_tasks":
            break
        above[depth:] = [match["module"].partition(".")[0]]
        stack: list[Frame] = []
        for package in above:
            group = group_of("functions" if package == "list_tasks" else package)
            frame = Frame(PYTHON if group == PYTHON else package, group)
            if [frame] != stack[-1:]:
                stack.append(frame)
        stacks[*stack] += int(match["own"]) / 1e6
    return stacks


def _import_table(imports: Stacks) -> list[str]:
    own: dict[str, float] = defaultdict(float)
    with_others: dict[str, float] = defaultdict(float)
    for stack, seconds in imports.items():
        own[stack[-1].name] += seconds
        for name in {frame.name for frame in stack}:
            with_others[name] += seconds
    rows = sorted(own, key=lambda name: -own[name])[:_LISTED_PACKAGES]
    return [
        "| package | by itself | with what it imports first |",
        "|---|---|---|",
        *(
            f"| {name} | {own[name] * 1000:.0f} ms | {with_others[name] * 1000:.0f} ms |"
            for name in rows
        ),
        f"| all | {sum(own.values()) * 1000:.0f} ms | |",
    ]


def _describe() -> str:
    machine = describe_machine()
    return (
        f"Taken on {machine['cores']} cores of {machine['processor']}, with Python"
        f" {machine['python']}, Postgres {machine['postgres']} and PgBouncer"
        f" {machine['pgbouncer']}; each is the median of {_CALLS} warm calls, or of"
        f" {_COLD_STARTS} cold starts."
    )


def _write_tables(**tables: list[str]) -> None:
    """Put each table between the comments in the page that have its name."""
    for name, lines in tables.items():
        table = "\n".join(lines)
        put_between_markers(PAGE, name, f"{table}\n")
        sys.stdout.write(f"\n{table}\n")


if __name__ == "__main__":
    main()
