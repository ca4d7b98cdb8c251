"""Warm calls: handlers called in a process that has served before, each with its own connection."""

import secrets
from functools import partial

from infra.template import ROOT
from tests.bench.figures import Figure
from tests.bench.stack import running_stack
from tests.bench.subjects import (
    CALLS,
    FLOOR,
    LAMBDO,
    LISTER,
    OWNER,
    READ,
    SUBJECTS,
    TEXTBOOK,
    Subject,
    make_environment,
    make_events,
    seed,
)
from tests.bench.turns import Work, compare, measure_in_turns
from tests.clients import make_token
from tests.provider import running_provider

PART = "Warm"
LIMIT = 1.25
TURNS = 10
VALUES = 8
WARMUPS = 3
READ_WITH_KEY_SET = "read one, its token signed with EdDSA"


def measure() -> list[Figure]:
    """Every call beside the floor, with everything on, and beside the textbook."""
    with running_stack() as stack, running_provider() as provider:
        tasks = seed(stack)
        key = provider.make_key("EdDSA")
        secret = secrets.token_urlsafe(32)
        tokens = {user: make_token(user, secret) for user in (LISTER, OWNER)}
        others = {OWNER: provider.sign(key, sub=OWNER)}

        def prepare(subject: Subject) -> Work:
            cases = [(call.what, call, tokens) for call in CALLS]
            if subject is LAMBDO:
                cases.append((READ_WITH_KEY_SET, READ, others))
            plan = [
                {
                    "what": what,
                    "handler": subject.handler.format(function=call.function),
                    "events": make_events(call, tasks, token, WARMUPS + VALUES),
                }
                for what, call, token in cases
            ]
            environment = make_environment(
                stack.pooled, secret, ROOT, subject.folder, AUTH_JWKS_URL=provider.url
            )
            return Work(plan, environment, VALUES, WARMUPS)

        subjects = {subject.name: partial(prepare, subject) for subject in SUBJECTS}
        found = measure_in_turns("tests.bench.calling", subjects, TURNS)

    lambdo, floor, textbook = (found[subject.name] for subject in (LAMBDO, FLOOR, TEXTBOOK))
    beside_floor = [(call.what, call.what) for call in CALLS]
    beside_floor.insert(CALLS.index(READ) + 1, (READ_WITH_KEY_SET, READ.what))
    return [
        *(
            compare(
                (PART, what), lambdo.get_benchmark(what), "floor", floor.get_benchmark(other), LIMIT
            )
            for what, other in beside_floor
        ),
        *(
            compare(
                (PART, call.what),
                lambdo.get_benchmark(call.what),
                "textbook",
                textbook.get_benchmark(call.what),
            )
            for call in CALLS
        ),
    ]
