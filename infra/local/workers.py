"""Lambda's part: processes that hold every function, each serving one event at a time."""

import importlib
import multiprocessing
import signal
import sys
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from infra.template import Route

Event = dict[str, Any]
Answer = dict[str, Any]

WORKERS = 8


@dataclass
class Context:
    """What Lambda tells a handler of an invocation."""

    function_name: str
    function_version: str = "$LATEST"
    memory_limit_in_mb: int = 512
    aws_request_id: str = field(default_factory=lambda: str(uuid.uuid4()))

    @property
    def invoked_function_arn(self) -> str:
        """The name under which AWS would know the function."""
        return f"arn:aws:lambda:local:000000000000:function:{self.function_name}"


def start_workers(routes: Sequence[Route]) -> ProcessPoolExecutor:
    """A pool of processes for `invoke`; each starts when all before it are busy."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["shared.app", "shared.openapi"])
    return ProcessPoolExecutor(WORKERS, context, _load_functions, (routes,))


def invoke(route: Route, event: Event) -> Answer:
    """What the function of `route` answers to `event`."""
    return _load(route)(event, Context(route.handler))


def _load_functions(routes: Sequence[Route]) -> None:
    # Ctrl-C is for the server, which lets the requests under way end first.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for route in routes:
        _load(route)


def _load(route: Route) -> Callable[[Event, Context], Answer]:
    if str(route.code) not in sys.path:
        sys.path.insert(0, str(route.code))
    module, _, name = route.handler.rpartition(".")
    handler: Callable[[Event, Context], Answer] = getattr(importlib.import_module(module), name)
    return handler
