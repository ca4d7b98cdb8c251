"""Lambda's part: processes that hold every function, each serving one event at a time."""

import asyncio
import importlib
import json
import multiprocessing
import signal
import sys
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from typing import Any

from infra.template import Route

Event = dict[str, Any]
Answer = dict[str, Any]

WORKERS = 8

MAX_ANSWER_BYTES = 6 * 1024 * 1024 + 100
"""The largest JSON of an answer that Lambda hands over."""


class AnswerTooLarge(Exception):
    """A function answered more than Lambda hands over."""


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


class Workers:
    """WORKERS processes; each starts when all before it are busy, and is replaced if it dies."""

    def __init__(self, routes: Sequence[Route]) -> None:
        self._routes = routes
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(["shared.http.app", "shared.http.openapi"])
        # Each is a pool of its own, because a pool ends with the first of its processes that dies.
        self._idle: asyncio.LifoQueue[ProcessPoolExecutor] = asyncio.LifoQueue()
        self._all: set[ProcessPoolExecutor] = set()
        for _ in range(WORKERS):
            self._idle.put_nowait(self._add())

    async def invoke(self, route: Route, event: Event) -> Answer:
        """What the function of `route` answers to `event`, once there is a worker for it.

        Raises BrokenProcessPool where that dies, AnswerTooLarge, and what the function raises.
        """
        worker = await self._idle.get()
        try:
            return await asyncio.wrap_future(worker.submit(invoke, route, event))
        except BrokenProcessPool:
            self._all.remove(worker)
            worker = self._add()
            raise
        finally:
            self._idle.put_nowait(worker)

    def close(self) -> None:
        """Stop the workers, once they are done with what they have."""
        for worker in self._all:
            worker.shutdown()

    def _add(self) -> ProcessPoolExecutor:
        worker = ProcessPoolExecutor(1, self._context, _load_functions, (self._routes,))
        self._all.add(worker)
        return worker


def invoke(route: Route, event: Event) -> Answer:
    """What the function of `route` answers to `event`. Raises AnswerTooLarge."""
    return hand_over(_load(route)(event, Context(route.handler)))


def hand_over(answer: Answer) -> Answer:
    """The answer, as Lambda hands it over. Raises AnswerTooLarge where it would not."""
    text = json.dumps(answer, ensure_ascii=False)  # as the client of Lambda's runtime writes it
    if len(text.encode()) > MAX_ANSWER_BYTES:
        raise AnswerTooLarge
    handed_over: Answer = json.loads(text)
    return handed_over


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
