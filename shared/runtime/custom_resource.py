"""How a function answers CloudFormation, which waits for it while it deploys a stack.

The protocol is that of custom resources: AWS CloudFormation User Guide, "Custom resource request
and response reference". CloudFormation waits for an answer, and for nothing else: so it gets one
whatever happens.
"""

import hashlib
import json
import os
import sys
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any, Protocol
from urllib.request import Request, urlopen

from aws_lambda_powertools import Logger

ANSWER_TIME = 10
"""Seconds of a function's time that are kept for the answer."""

_ATTEMPTS = 3
_REASON_LENGTH = 1000  # an answer has 4096 bytes in all

_logger = Logger(service="lambdo", location=None)

Event = Mapping[str, Any]


class Context(Protocol):
    """The part that is used of what Lambda tells a function about its invocation."""

    log_group_name: str

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until Lambda ends the function."""


def create_handler(make: Callable[[], dict[str, str]]) -> Callable[[Event, Context], None]:
    """What Lambda calls for a custom resource: `make` creates or updates what it stands for.

    What `make` returns become attributes of the resource, beside `Digest`, which changes with its
    properties. Deleting the resource deletes nothing. An exception of `make` is a failure, and its
    message is the reason that the stack's events show.
    """

    def handler(event: Event, context: Context) -> None:
        limit = context.get_remaining_time_in_millis() / 1000 - ANSWER_TIME
        work: Future[dict[str, str]] = Future()
        if event["RequestType"] == "Delete":
            work.set_result({})
        else:
            executor = ThreadPoolExecutor(max_workers=1)
            work = executor.submit(make)
            executor.shutdown(wait=False)
            wait([work], limit)
        if not work.done():
            _answer(event, "FAILED", f"It was not done within {limit:.0f} s, and was stopped.")
            # The thread would go on when Lambda uses this process again. With the process its
            # connection ends, and with that the transaction.
            sys.stdout.flush()
            os._exit(1)
        if (error := work.exception()) is None:
            _answer(event, "SUCCESS", Data={**work.result(), "Digest": _digest(event)})
        else:
            _logger.error("Custom resource failed", exc_info=error)
            reason = f"{_first_line(error)} The log group {context.log_group_name} has the trace."
            _answer(event, "FAILED", reason)

    return handler


def _answer(event: Event, status: str, reason: str = "", **more: object) -> None:
    answer = {
        "Status": status,
        "Reason": reason[:_REASON_LENGTH],
        # Always the same: CloudFormation would delete the one that had another id.
        "PhysicalResourceId": event["LogicalResourceId"],
        **{name: event[name] for name in ("StackId", "RequestId", "LogicalResourceId")},
        **more,
    }
    request = Request(  # noqa: S310 - CloudFormation's own address
        event["ResponseURL"],
        data=json.dumps(answer).encode(),
        headers={"Content-Type": ""},  # what the address was signed for
        method="PUT",
    )
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            urlopen(request, timeout=ANSWER_TIME / 5).close()  # noqa: S310
        except OSError:
            _logger.exception("CloudFormation does not take the answer", attempt=attempt)
            if attempt == _ATTEMPTS:
                raise
            time.sleep(1)
        else:
            return


def _digest(event: Event) -> str:
    properties = json.dumps(event["ResourceProperties"], sort_keys=True)
    return hashlib.sha256(properties.encode()).hexdigest()[:12]


def _first_line(error: BaseException) -> str:
    # The lines after the first may hold rows of the database.
    message = str(getattr(error, "orig", None) or error).strip().partition("\n")[0]
    return f"{type(error).__name__}: {message[: _REASON_LENGTH // 2]}"
