"""Times calls of handlers in this process. Its plan: for each case its name, handler and events.

Every value is one call, from the event to the answer.
"""

import importlib
import json
import sys
from collections.abc import Callable, Iterator
from time import perf_counter
from typing import Any

import pyperf

from infra.local.workers import Context

Handler = Callable[[dict[str, Any], Context], dict[str, Any]]


def find_handler(name: str) -> Handler:
    """The handler of this name, as Lambda finds it."""
    module, _, function = name.rpartition(".")
    handler: Handler = getattr(importlib.import_module(module), function)
    return handler


def time_calls(loops: int, handler: Handler, events: Iterator[dict[str, Any]]) -> float:
    """Seconds that the next `loops` calls take. Raises RuntimeError where one is refused."""
    taken = 0.0
    for _ in range(loops):
        event = next(events)
        context = Context("bench")
        started = perf_counter()
        answer = handler(event, context)
        taken += perf_counter() - started
        if answer["statusCode"] >= 300:
            raise RuntimeError(f"{event['routeKey']}: {answer}")
    return taken


if __name__ == "__main__":
    plan = json.load(sys.stdin)
    cases = [(case["what"], find_handler(case["handler"]), case["events"]) for case in plan]
    runner = pyperf.Runner()
    for what, handler, events in cases:
        runner.bench_time_func(what, time_calls, handler, iter(events))
