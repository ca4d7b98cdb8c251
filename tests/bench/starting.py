"""Times starts of a function under Lambda's runtime. Its plan: the commands, and the first event.

Every value is one start, from that of the process to the first answer.
"""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from http.client import HTTPConnection
from typing import Any, NamedTuple

import pyperf

TIMEOUT = 30


class Command(NamedTuple):
    """A command that serves a function on loopback, and its environment, which is not ours."""

    arguments: list[str]
    environment: dict[str, str]
    port: int
    path: str
    """Where it takes events."""


def time_starts(loops: int, commands: Iterator[Command], event: dict[str, Any]) -> float:
    """Seconds that the next `loops` starts take. Raises RuntimeError where one fails."""
    taken = 0.0
    body = json.dumps(event)
    for _ in range(loops):
        command = next(commands)
        started = time.perf_counter()
        process = subprocess.Popen(
            command.arguments,
            env=command.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            answer = _call(process, command, body)
            taken += time.perf_counter() - started
        finally:
            process.terminate()
            process.wait(TIMEOUT)
        if answer.get("statusCode") != 200:
            raise RuntimeError(f"{command.arguments}: {answer}")
    return taken


def _call(process: subprocess.Popen[bytes], command: Command, body: str) -> dict[str, Any]:
    while process.poll() is None:
        connection = HTTPConnection("127.0.0.1", command.port, timeout=TIMEOUT)
        try:
            connection.request("POST", command.path, body)
            answer: dict[str, Any] = json.loads(connection.getresponse().read())
        except ConnectionRefusedError:
            time.sleep(0.001)
        else:
            return answer
        finally:
            connection.close()
    raise RuntimeError(f"{command.arguments} ended with {process.returncode}")


if __name__ == "__main__":
    plan = json.load(sys.stdin)
    commands = (Command(**command) for command in plan["commands"])
    runner = pyperf.Runner()
    runner.bench_time_func("start", time_starts, commands, plan["event"])
