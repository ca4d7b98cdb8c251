"""Times starts of a function under Lambda's runtime. Its plan: the function, and its first event.

Every value is one start, from that of the process to the first answer.
"""

import json
import subprocess
import sys
import time
from http.client import HTTPConnection
from typing import Any, NamedTuple

import pyperf

from tests.runtime import INVOCATIONS, emulate
from tests.servers import free_port

TIMEOUT = 30


class Function(NamedTuple):
    """A function that can be started."""

    handler: str
    python: str
    environment: dict[str, str]
    """What it finds in its environment, and this process does not."""


def time_starts(loops: int, function: Function, event: dict[str, Any]) -> float:
    """Seconds that `loops` starts take, one by one. Raises RuntimeError where one fails."""
    taken = 0.0
    body = json.dumps(event)
    for _ in range(loops):
        port = free_port()
        command = emulate(
            function.handler, f"127.0.0.1:{port}", f"127.0.0.1:{free_port()}", function.python
        )
        started = time.perf_counter()
        process = subprocess.Popen(
            command,
            env=function.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            answer = _call(process, port, body)
            taken += time.perf_counter() - started
        finally:
            process.terminate()
            process.wait(TIMEOUT)
        if answer.get("statusCode") != 200:
            raise RuntimeError(f"{function.handler}: {answer}")
    return taken


def _call(process: subprocess.Popen[bytes], port: int, body: str) -> dict[str, Any]:
    while process.poll() is None:
        connection = HTTPConnection("127.0.0.1", port, timeout=TIMEOUT)
        try:
            connection.request("POST", INVOCATIONS, body)
            answer: dict[str, Any] = json.loads(connection.getresponse().read())
        except ConnectionRefusedError:
            time.sleep(0.001)
        else:
            return answer
        finally:
            connection.close()
    raise RuntimeError(f"{process.args!r} ended with {process.returncode}")


if __name__ == "__main__":
    plan = json.load(sys.stdin)
    runner = pyperf.Runner()
    runner.bench_time_func("start", time_starts, Function(**plan["function"]), plan["event"])
