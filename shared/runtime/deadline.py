"""How long a call may take: one budget, of which every wait inside the call is a part.

Lambda stops a function after the time that template.yaml gives it, and then nobody answers the
caller. So each wait asks here how long it may last.
"""

import time
from contextvars import ContextVar

CALL_TIMEOUT = 20
"""Seconds that the waits of one call may take together; below the functions' Timeout."""

_deadline: ContextVar[float] = ContextVar("deadline", default=float("inf"))


def start_call(seconds: float = CALL_TIMEOUT) -> None:
    """Begin the budget of a call: from here on its waits share so many seconds."""
    _deadline.set(time.monotonic() + seconds)


def time_left(at_most: float) -> float:
    """Seconds that a wait may last which would otherwise last `at_most`; 0 when time is up.

    Outside a call, as while a function starts, that is `at_most`.
    """
    return min(at_most, max(0.0, _deadline.get() - time.monotonic()))


class RemoteClock:
    """Another machine's clock, read from its answers, so that it can be told a deadline."""

    def __init__(self) -> None:
        self._ahead: float | None = None

    def note(self, its_time: float, asked_at: float) -> None:
        """Note its time, and ours when it was asked; both in seconds since 1970.

        An answer that took long to come makes its clock look faster than it is, and deadlines
        later. So the quickest answer counts.
        """
        ahead = its_time - asked_at
        self._ahead = ahead if self._ahead is None else min(self._ahead, ahead)

    def deadline(self, seconds: float) -> float | None:
        """Its time in so many seconds from now; None where nothing is known of it."""
        return None if self._ahead is None else time.time() + self._ahead + seconds

    def forget(self) -> None:
        """Forget what was noted, because one of the clocks has been set."""
        self._ahead = None
