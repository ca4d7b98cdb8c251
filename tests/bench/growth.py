"""Growth: a page costs what it costs, however many tasks there are and however many are one's own.

The first page of a user with 100,000 tasks among 5,000,000, beside that of a user with 1,000 among
10,000, for every sort with every filter; and page 1,000 beside page 1.

`python -m tests.bench.growth` also prints how long the tasks took to make, and how large they are.
"""

import secrets
from collections.abc import Mapping, Sequence
from functools import partial
from typing import NamedTuple, get_args

import pyperf

from infra.template import ROOT
from shared.callers import Caller
from shared.models import Sort, TaskQuery
from shared.tasks.cursors import encode_cursor
from tests.bench.figures import Figure
from tests.bench.filling import OWNER, VOCABULARY, Say, Size, connect, fill
from tests.bench.stack import Stack, running_stack
from tests.bench.subjects import LAMBDO, LIST_PAGE, make_environment
from tests.bench.turns import Work, compare, measure_in_turns
from tests.clients import make_event, make_token

PART = "Growth"
LIMIT = 1.2
PAGE = 100

LARGE = Size(5_000_000, 100_000)
SMALL = Size(10_000, 1_000)

SORTS: tuple[str, ...] = get_args(Sort)

# Each finds more than a page, also among 1,000 tasks: else it would be pages that are compared, one
# of them shorter.
FILTERS = {
    "no filter": "",
    "status=pending": "status=pending",
    "status=completed": "status=completed",
    "priority=high": "priority=high",
    "two priorities": "priority=low&priority=high",
    "due_before": "due_before=2026-07-01T00:00:00Z",
    "due_after": "due_after=2026-07-01T00:00:00Z",
    "due_after and due_before": "due_after=2026-04-01T00:00:00Z&due_before=2026-09-01T00:00:00Z",
    "status and priority": "status=pending&priority=medium",
}

FIRST_PAGES = {
    name: [f"{query}&sort={sort}".lstrip("&") for sort in SORTS] for name, query in FILTERS.items()
}

SEARCHES = {
    "q: a common word": f"q={VOCABULARY[0]}",
    "q: a rare word": f"q={VOCABULARY[-1]}",
    "q: the beginning of words": f"q={VOCABULARY[len(VOCABULARY) // 2][:3]}",
}


class Sampling(NamedTuple):
    """How often each listing is measured: so many times in every turn."""

    turns: int
    values: int


TO_FIND_THE_WORST = Sampling(turns=1, values=3)
SAMPLING = Sampling(turns=6, values=5)
WARMUPS = 1

Suites = Mapping[Size, pyperf.BenchmarkSuite]


def measure(say: Say = lambda _: None) -> list[Figure]:
    """Of each filter the sort that grows most, likewise of late pages; and searches.

    `say` is told how long the tasks took to make, and how large they are.
    """
    with running_stack() as large, running_stack() as small:
        stacks = {LARGE: large, SMALL: small}
        for size, stack in stacks.items():
            fill(stack.postgres, size, say)
        late = _find_late_pages(large.postgres)
        queries = [query for each in FIRST_PAGES.values() for query in each]
        found = _time(stacks, {LARGE: [*queries, *late], SMALL: queries}, TO_FIND_THE_WORST)
        worst = {
            name: max(each, key=lambda query: _grow(found, query).ratio)
            for name, each in FIRST_PAGES.items()
        }
        worst_late = max(late, key=lambda query: _turn_pages(found, query, late[query]).ratio)

        queries = [*worst.values(), *SEARCHES.values()]
        found = _time(
            stacks, {LARGE: [*queries, late[worst_late], worst_late], SMALL: queries}, SAMPLING
        )
    return [
        *(
            _grow(found, query, f"{name}, {query.rpartition('&')[2]}", LIMIT)
            for name, query in worst.items()
        ),
        _turn_pages(found, worst_late, late[worst_late], LIMIT),
        *(_grow(found, query, name) for name, query in SEARCHES.items()),
    ]


def _grow(found: Suites, query: str, name: str = "", limit: float | None = None) -> Figure:
    """The first page of a large database, beside that of a small one."""
    return compare(
        (PART, f"page 1 of {LARGE.own:,}, {name}"),
        found[LARGE].get_benchmark(query),
        f"of {SMALL.own:,}",
        found[SMALL].get_benchmark(query),
        limit,
    )


def _turn_pages(found: Suites, late: str, first: str, limit: float | None = None) -> Figure:
    """The last page of OWNER's tasks, beside their first."""
    return compare(
        (PART, f"page {LARGE.own // PAGE:,}, {first}"),
        found[LARGE].get_benchmark(late),
        "page 1",
        found[LARGE].get_benchmark(first),
        limit,
    )


def _time(
    stacks: Mapping[Size, Stack], queries: Mapping[Size, Sequence[str]], sampling: Sampling
) -> Suites:
    """How long each of the listings takes, by its query."""
    secret = secrets.token_urlsafe(32)
    headers = {
        "authorization": f"Bearer {make_token(OWNER, secret)}",
        "accept-encoding": "gzip",
    }

    def prepare(size: Size) -> Work:
        plan = [
            {
                "what": query,
                "handler": LAMBDO.handler.format(function=LIST_PAGE.function),
                "events": [make_event("GET", "/api/tasks", headers=headers, query=query)]
                * (WARMUPS + sampling.values),
            }
            for query in dict.fromkeys(queries[size])
        ]
        environment = make_environment(stacks[size].pooled, secret, ROOT, LAMBDO.folder)
        return Work(plan, environment, sampling.values, WARMUPS)

    subjects = {str(size): partial(prepare, size) for size in stacks}
    suites = measure_in_turns("tests.bench.calling", subjects, sampling.turns)
    return {size: suites[str(size)] for size in stacks}


def _find_late_pages(postgres: str) -> dict[str, str]:
    """The query of OWNER's last page in every order, and that of their first."""
    late = {}
    with connect(postgres) as connection:
        connection.execute("CREATE TEMPORARY TABLE own (LIKE tasks)")
        connection.execute("INSERT INTO own SELECT * FROM tasks WHERE user_id = %s", [OWNER])
        for sort in SORTS:
            key, direction = sort.removeprefix("-"), "DESC" if sort.startswith("-") else "ASC"
            if key == "priority":
                key = "array_position('{low,medium,high}', priority)"
            ((last,),) = connection.execute(
                f"SELECT to_jsonb(own) FROM own WHERE id = (SELECT id FROM own"
                f" ORDER BY {key} {direction} NULLS LAST, id {direction} LIMIT 1 OFFSET %s)",
                [LARGE.own - PAGE - 1],
            )
            query = TaskQuery.model_validate({"sort": sort})
            late[f"sort={sort}&cursor={encode_cursor(Caller(OWNER), query, last)}"] = f"sort={sort}"
    return late


if __name__ == "__main__":
    for figure in measure(print):
        print(f"{figure.what}: {figure.seconds * 1000:.1f} ms, {figure.ratio:.2f}")  # noqa: T201
