"""Callers at once: each a process that serves one event at a time, as an instance of Lambda is.

Its plan says who they are, and for how long and at what pace they call; what they saw goes to the
file that is its argument. The first call of each kind that somebody makes is not timed.

The handlers are imported once, before the processes are forked, so that a hundred of them need
little memory. They share nothing else: a connection lasts for one call.
"""

import gc
import json
import multiprocessing
import random
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple, TypedDict

from infra.local.workers import Context
from tests.bench.calling import Handler, find_handler
from tests.bench.subjects import CHANGE, CREATE, DELETE, FLIP, LIST_PAGE, READ, Call
from tests.clients import make_event, read_routes

MIX = {LIST_PAGE: 50, READ: 20, CREATE: 10, CHANGE: 10, FLIP: 5, DELETE: 5}
"""What people do, in percent."""

_EXPECTED = {"POST": 201, "DELETE": 204}


class Person(TypedDict):
    """Somebody who calls, and the ids of their tasks."""

    user: str
    token: str
    tasks: list[str]


class Phase(TypedDict):
    """For how long they call, and how many seconds after an answer, on average."""

    seconds: float
    pause: float


class Plan(TypedDict):
    """What callers are to do; `handlers` names that of each function of Lambdo's."""

    people: list[Person]
    handlers: dict[str, str]
    phases: list[Phase]


class Seen(NamedTuple):
    """What somebody saw: the seconds that calls took, for each phase, and what was refused."""

    taken: list[list[float]]
    failures: list[str]


def _make_event(call: Call, person: Person, task: str, number: int) -> dict[str, Any]:
    body = b""
    if call.title is not None:
        body = json.dumps({"title": call.title.format(number=number)}).encode()
    return make_event(
        call.method,
        f"/api/{person['user']}/tasks{call.path.format(task=task)}",
        headers={
            "authorization": f"Bearer {person['token']}",
            "content-type": "application/json",
            "accept-encoding": "gzip",
        },
        query=call.query,
        body=body,
    )


def _play(person: Person) -> Seen:
    chance = random.Random(person["user"])  # noqa: S311 - the same in every run
    seen = Seen([], [])
    for call in MIX:
        _make_call(call, person, chance, seen.failures)
    for phase in plan["phases"]:
        together.wait()
        taken = []
        end = time.perf_counter() + phase["seconds"]
        while True:
            if phase["pause"]:
                time.sleep(chance.expovariate(1 / phase["pause"]))
            if time.perf_counter() >= end:
                break
            (call,) = chance.choices([*MIX], [*MIX.values()])
            taken.append(_make_call(call, person, chance, seen.failures))
        seen.taken.append(taken)
    return seen


def _make_call(call: Call, person: Person, chance: random.Random, failures: list[str]) -> float:
    """The seconds that a call took, on one of their tasks where it is on one."""
    task = chance.choice(person["tasks"])
    event = _make_event(call, person, task, chance.getrandbits(32))
    context = Context(call.function)
    started = time.perf_counter()
    answer = handlers[call.function](event, context)
    taken = time.perf_counter() - started
    if answer["statusCode"] != _EXPECTED.get(call.method, 200):
        failures.append(f"{call.what}: {answer['statusCode']} {answer['body']}")
    elif call is CREATE:
        person["tasks"].append(json.loads(answer["body"])["id"])
    elif call is DELETE:
        person["tasks"].remove(task)
    return taken


if __name__ == "__main__":
    plan: Plan = json.load(sys.stdin)
    handlers: dict[str, Handler] = {
        function: find_handler(name) for function, name in plan["handlers"].items()
    }
    read_routes()  # which events are made of, once for all
    # What garbage collection does not touch stays shared.
    gc.collect()
    gc.freeze()
    count = len(plan["people"])
    processes = multiprocessing.get_context("fork")
    together = processes.Barrier(count, timeout=120)
    with processes.Pool(count) as pool:
        seen = pool.map(_play, plan["people"], chunksize=1)
    Path(sys.argv[1]).write_text(json.dumps(seen))
