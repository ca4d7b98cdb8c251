"""What benchmarks found: as a table to read, as JSON to compare, and as a chart."""

import json
import os
import platform
import re
import subprocess
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import psycopg

from infra.template import ROOT
from tests.bench.figures import LATENCY, Figure
from tests.bench.stack import running_stack

_FOLDER = ROOT / "docs" / "benchmarks"
_README = ROOT / "README.md"
PAGE = ROOT / "docs" / "performance.md"
"""What explains the figures."""

_HEAD = ("part", "what", "Lambdo", "beside", "its time", "ratio", "limit", "")


def is_broken(figure: Figure) -> bool:
    """Whether a ratio is more than it may be."""
    return figure.limit is not None and figure.ratio > figure.limit


def format_table(figures: Iterable[Figure]) -> str:
    """The table for a terminal."""
    rows = [_HEAD, *map(_cells, figures)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )


def _cells(figure: Figure) -> tuple[str, ...]:
    verdict = "" if figure.limit is None else ("BROKEN" if is_broken(figure) else "kept")
    return (
        figure.part,
        figure.what,
        _milliseconds(figure.seconds),
        figure.beside,
        _milliseconds(figure.beside_seconds),
        f"{figure.ratio:.2f}",
        "" if figure.limit is None else f"{figure.limit:g}",
        verdict,
    )


def _milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:.1f} ms"


def describe_machine() -> dict[str, str | int]:
    """What the figures depend on, and nothing by which the machine could be found."""
    with running_stack() as stack, psycopg.connect(stack.postgres) as connection:
        postgres = connection.execute("SHOW server_version").fetchone()
    pgbouncer = _run("pgbouncer", "--version").partition("\n")[0]
    return {
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "commit": _run("git", "describe", "--always", "--dirty", "--exclude=*"),
        "processor": _read_processor(),
        "cores": os.cpu_count() or 1,
        "memory_gb": round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1e9),
        "system": f"{platform.system()} {platform.release().partition('-')[0]}",
        "python": platform.python_version(),
        "postgres": postgres[0] if postgres else "",
        "pgbouncer": pgbouncer.removeprefix("PgBouncer "),
    }


def _run(*command: str) -> str:
    # Without a word about where it comes from, what was found is still worth having.
    return subprocess.run(
        command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False
    ).stdout.strip()


def _read_processor() -> str:
    found = re.search(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return found[1] if found else platform.machine()


def write(figures: list[Figure]) -> None:
    """Write the figures into docs/benchmarks, and their table into the README."""
    machine = describe_machine()
    _FOLDER.mkdir(exist_ok=True)
    found = [{**figure._asdict(), "ratio": round(figure.ratio, 3)} for figure in figures]
    results = json.dumps({"machine": machine, "figures": found}, indent=2)
    (_FOLDER / "results.json").write_text(f"{results}\n")
    _draw(figures, machine, _FOLDER / "results.svg")
    latency = [figure for figure in figures if figure.part == LATENCY]
    others = [figure for figure in figures if figure.part != LATENCY]
    put_between_markers(_README, "benchmarks", _markdown(others, machine))
    put_between_markers(PAGE, "latency", _markdown(latency, machine))


def put_between_markers(page: Path, name: str, text: str) -> None:
    """Put `text` between the comments in `page` that have its name; LookupError without them."""
    before, begun, rest = page.read_text().partition(f"<!-- {name} -->\n")
    _, ended, after = rest.partition(f"<!-- /{name} -->")
    if not ended:
        raise LookupError(f"{page.name} has no place for {name}")
    page.write_text(f"{before}{begun}{text}{ended}{after}")


def _markdown(figures: list[Figure], machine: dict[str, str | int]) -> str:
    rules = ("---", "---", "--:", "---", "--:", "--:", "--:")
    rows = [_HEAD[:-1], rules, *(_cells(figure)[:-1] for figure in figures)]
    table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    return f"\n{table}\n\n{_describe(machine)}\n\n"


def _describe(machine: dict[str, str | int]) -> str:
    return (
        f"Measured on {machine['date']} at {machine['commit']}: {machine['processor']},"
        f" {machine['cores']} cores, {machine['memory_gb']} GB, {machine['system']},"
        f" Python {machine['python']}, Postgres {machine['postgres']},"
        f" PgBouncer {machine['pgbouncer']}."
    )


def _draw(figures: list[Figure], machine: dict[str, str | int], file: Path) -> None:
    # It is slow to import, and only who writes a report needs it.
    import matplotlib as mpl  # noqa: PLC0415
    from matplotlib import pyplot  # noqa: PLC0415

    # The same figures make the same bytes, in letters that stay letters.
    mpl.rcParams.update({"svg.hashsalt": "lambdo", "svg.fonttype": "none", "font.size": 9})
    figure, axes = pyplot.subplots(figsize=(12, 1.6 + 0.26 * len(figures)), layout="constrained")
    places = range(len(figures))
    for place, each in zip(places, figures, strict=True):
        colour = "#b5b5b5" if each.limit is None else ("#c0392b" if is_broken(each) else "#2e7d5b")
        # From 1, which is as long as the other takes: left of it is less, right of it is more.
        axes.barh(place, each.ratio - 1, left=1, color=colour, height=0.66)
        if each.limit is not None:
            axes.plot([each.limit] * 2, [place - 0.42, place + 0.42], color="black", linewidth=2)
        axes.annotate(
            f"{each.ratio:.2f}",
            (max(each.ratio, each.limit or 0, 1), place),
            xytext=(5, 0),
            textcoords="offset points",
            verticalalignment="center",
        )
    axes.set_yticks(places, [f"{each.part}: {each.what}, beside {each.beside}" for each in figures])
    axes.invert_yaxis()
    axes.set_ylim(len(figures) - 0.4, -0.6)
    axes.set_xscale("log", base=2)
    low = min(each.ratio for each in figures)
    high = max(max(each.ratio, each.limit or 0) for each in figures)
    axes.set_xlim(low / 1.15, high * 1.35)
    axes.xaxis.set_major_formatter(lambda ratio, _: f"{ratio:g}")
    axes.axvline(1, color="black", linewidth=0.8)
    axes.grid(axis="x", color="#dddddd", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel("times as long as what it is beside; a black mark is the limit")
    figure.supxlabel(_describe(machine), fontsize=7, color="#555555")
    axes.set_title("How long Lambdo takes", loc="left", fontweight="bold")
    figure.savefig(file, metadata={"Date": None})
    pyplot.close(figure)
