"""Where time goes: what called what, and for how long; as a drawing."""

import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import matplotlib as mpl
from matplotlib.figure import Figure as Drawing
from matplotlib.patches import Patch


class Frame(NamedTuple):
    """One box of a drawing: a function or a package, and the group that gives it its colour."""

    name: str
    group: str


Stack = tuple[Frame, ...]
"""What was at work: the outermost first."""

Stacks = Mapping[Stack, float]
"""How much was spent at the end of each stack."""

PYTHON = "Python itself"
OURS = "Lambdo"
OTHERS = "others"
_PACKAGES = {
    OURS: ("shared", "functions"),
    "FastAPI, Starlette, Mangum": ("fastapi", "starlette", "mangum", "anyio"),
    "Pydantic": ("pydantic", "pydantic_core", "pydantic_settings"),
    "psycopg": ("psycopg", "psycopg_binary"),
    "PyJWT, cryptography": ("jwt", "cryptography", "_cffi_backend"),
    "Powertools": ("aws_lambda_powertools",),
}
_GROUPS = {package: group for group, packages in _PACKAGES.items() for package in packages}

# Okabe and Ito's colours, which those see apart who see fewer.
_COLOURS = dict(
    zip(
        (*_PACKAGES, PYTHON, OTHERS),
        ("#56b4e9", "#e69f00", "#f0e442", "#2fb38a", "#cc79a7", "#b39ddb", "#d9d9d9", "#f2f2f2"),
        strict=True,
    )
)

_INCHES = 12.0
_INCHES_A_ROW = 0.24
_FONT = 7
_POINTS_A_LETTER = 0.56 * _FONT
_SMALLEST = 0.002
"""The share of the whole below which a box would be a hair."""


def group_of(package: str) -> str:
    """The group that a top-level package is drawn with."""
    return _GROUPS.get(package, PYTHON if package in sys.stdlib_module_names else OTHERS)


def draw(stacks: Stacks, path: Path, title: str, tell: Callable[[float], str]) -> None:
    """Draw stacks on one another into an SVG file; `tell` words how much a box stands for."""
    boxes = [*_stack_up(stacks, 0.0, 0)]
    whole = sum(stacks.values())
    rows = 1 + max(box.row for box in boxes if box.amount >= _SMALLEST * whole)
    # Text as text is small, and the same bytes for the same figures are no change to commit.
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "lambdo"}):
        drawing = Drawing((_INCHES, (rows + 3) * _INCHES_A_ROW), layout="constrained")
        axes = drawing.subplots()
        axes.set(xlim=(0, whole), ylim=(0, rows), title=title)
        axes.axis("off")
        for box in boxes:
            if box.amount < _SMALLEST * whole:
                continue
            colour = _COLOURS[box.frame.group]
            axes.barh(
                box.row, box.amount, 1, box.start, align="edge", color=colour, ec="white", lw=0.4
            )
            room = int(box.amount / whole * _INCHES * 72 / _POINTS_A_LETTER) - 1
            axes.text(
                box.start + box.amount / 2, box.row + 0.45, _label(box, tell(box.amount), room),
                fontsize=_FONT, ha="center", va="center",
            )  # fmt: skip
        groups = {box.frame.group for box in boxes}
        shown = [group for group in _COLOURS if group in groups]
        drawing.legend(
            handles=[Patch(color=_COLOURS[group], label=group) for group in shown],
            loc="outside lower center", ncols=len(_COLOURS), fontsize=_FONT, frameon=False,
        )  # fmt: skip
        path.parent.mkdir(parents=True, exist_ok=True)
        drawing.savefig(path, metadata={"Date": None})


class _Box(NamedTuple):
    frame: Frame
    start: float
    amount: float
    row: int


def _label(box: _Box, amount: str, room: int) -> str:
    """As much of a box's name as there is room for, in letters."""
    name = box.frame.name
    short = name.rpartition(".")[2]
    labels = (f"{name}  {amount}", f"{short}  {amount}", short)
    return next((label for label in labels if len(label) <= room), "")


def _stack_up(stacks: Stacks, start: float, row: int) -> Iterator[_Box]:
    above: dict[Frame, dict[Stack, float]] = defaultdict(lambda: defaultdict(float))
    for stack, amount in stacks.items():
        if stack:
            above[stack[0]][stack[1:]] += amount
    for frame, rest in sorted(above.items(), key=lambda item: -sum(item[1].values())):
        amount = sum(rest.values())
        yield _Box(frame, start, amount, row)
        yield from _stack_up(rest, start, row + 1)
        start += amount
