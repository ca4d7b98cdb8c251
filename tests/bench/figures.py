"""What a benchmark finds: one line of the table, two times that were taken side by side."""

from typing import NamedTuple

LATENCY = "Latency"
"""The part about databases that are not next door; it has a table of its own."""


class Figure(NamedTuple):
    """A time of Lambdo's, beside the time that it is compared with.

    Both are in seconds, from `samples` samples each. `limit` is what their ratio may be at most;
    None where it is shown and nothing was promised.
    """

    part: str
    """What was measured, as the table groups it: "Cold start"."""
    what: str
    """Which case of it: "list 1,000 tasks"."""
    seconds: float
    beside: str
    """What it is compared with: "floor"."""
    beside_seconds: float
    samples: int
    limit: float | None = None

    @property
    def ratio(self) -> float:
        """How many times as long Lambdo takes."""
        return self.seconds / self.beside_seconds
