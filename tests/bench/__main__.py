"""Measures Lambdo beside others: python -m tests.bench [--write] [part ...]

Ends with 1 when a ratio is beyond its limit, and says which.
"""

import argparse
import shutil
import sys
import time
from collections.abc import Callable

from tests.bench import cold, growth, latency, load, report, warm
from tests.bench.figures import Figure

PARTS: dict[str, Callable[[], list[Figure]]] = {
    "cold": cold.measure,
    "warm": warm.measure,
    "latency": latency.measure,
    "growth": growth.measure,
    "load": load.measure,
}


def main() -> int:
    """Measure what was asked for; write it down if that is all there is, or if told to."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    known = ", ".join(PARTS)
    parser.add_argument("parts", nargs="*", metavar="part", help=f"of {known}; all when none is")
    parser.add_argument("--write", action="store_true", help="write down a part, too")
    arguments = parser.parse_args()
    for part in {*arguments.parts} - {*PARTS}:
        parser.error(f"{part} is none of {known}")

    for program in ("pgbouncer", "python3.13"):
        if shutil.which(program) is None:
            sys.exit(f"Benchmarks need {program}, which is not there; install it.")

    figures = []
    for part in arguments.parts or PARTS:
        print(f"{part} ...", end="", file=sys.stderr, flush=True)
        started = time.monotonic()
        figures += PARTS[part]()
        print(f" {time.monotonic() - started:.0f} s", file=sys.stderr)

    print(report.format_table(figures))
    if arguments.write or not arguments.parts:
        report.write(figures)
    broken = [figure for figure in figures if report.is_broken(figure)]
    for figure in broken:
        print(
            f"{figure.part}: {figure.what}: {figure.ratio:.2f} x {figure.beside},"
            f" which may be {figure.limit:g} at most",
            file=sys.stderr,
        )
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
