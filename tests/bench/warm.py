"""Warm calls: handlers called in a process that has served before, each with its own connection."""

import secrets
from functools import partial

from infra.template import ROOT
from tests.bench.figures import Figure
from tests.bench.stack import running_stack
from tests.bench.subjects import (
    CALLS,
    FLOOR,
    FLOOR_WITH_KEYS,
    LAMBDO,
    LIST,
    LISTER,
    OWNER,
    READ,
    SUBJECTS,
    TEXTBOOK,
    Call,
    Subject,
    make_environment,
    make_events,
    seed,
)
from tests.bench.turns import Work, compare, measure_in_turns
from tests.clients import make_token
from tests.provider import running_provider

PART = "Warm"
FLOOR_LIMIT = 1.25
KEYS_LIMIT = 1.6
"""Beside the floor that logs in as cheaply as Lambdo does: all that is left is what Lambdo does."""
KEYS_LIST_LIMIT = 1.35
TURNS = 10
VALUES = 8
WARMUPS = 3
READ_WITH_KEY_SET = "read one, its token signed with EdDSA"


def measure() -> list[Figure]:
    """Every call beside both floors, with everything on, and beside the textbook."""
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

        subjects = {
            subject.name: partial(prepare, subject) for subject in (*SUBJECTS, FLOOR_WITH_KEYS)
        }
        found = measure_in_turns("tests.bench.calling", subjects, TURNS)

    lambdo = found[LAMBDO.name]

    def beside(
        subject: Subject, call: Call, limit: float | None, what: str | None = None
    ) -> Figure:
        what = what or call.what
        other = found[subject.name].get_benchmark(call.what)
        return compare((PART, what), lambdo.get_benchmark(what), subject.name, other, limit)

    return [
        *(beside(FLOOR, call, FLOOR_LIMIT) for call in CALLS),
        beside(FLOOR, READ, FLOOR_LIMIT, READ_WITH_KEY_SET),
        *(
            beside(FLOOR_WITH_KEYS, call, KEYS_LIST_LIMIT if call is LIST else KEYS_LIMIT)
            for call in CALLS
        ),
        *(beside(TEXTBOOK, call, None) for call in CALLS),
    ]
