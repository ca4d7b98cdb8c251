"""How many calls a user has in a minute, counted for all functions together."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import psycopg
import pytest

from shared.settings import get_settings
from tests.clients import User
from tests.contract.conftest import check_refusal
from tests.openapi import connect
from tests.servers import running_gateway

LIMIT = 20


@pytest.fixture(scope="module")
def limited(database_url: str) -> Iterator[httpx.Client]:
    """A client of a gateway, whose functions allow each user LIMIT calls a minute."""
    with (
        running_gateway(database_url, RATE_LIMIT_PER_MINUTE=str(LIMIT)) as url,
        connect(url) as client,
    ):
        yield client


def list_tasks(http: httpx.Client, user: User) -> httpx.Response:
    """A page of a user's tasks."""
    return http.get("/api/tasks", headers=user.headers)


def read_limits(answer: httpx.Response) -> list[int]:
    """The limit, what is left of it, and the seconds until the next minute; said in two ways."""
    limits = [int(answer.headers[f"RateLimit-{name}"]) for name in ("Limit", "Remaining", "Reset")]
    limit, remaining, reset = limits
    assert answer.headers.get_list("RateLimit") == [f'"default";r={remaining};t={reset}']
    assert answer.headers.get_list("RateLimit-Policy") == [f'"default";q={limit};w=60']
    return limits


def use_up(http: httpx.Client, user: User) -> None:
    """Make all the calls that a user has."""
    for _ in range(LIMIT):
        assert list_tasks(http, user).status_code == 200


def test_every_answer_says_what_is_left(limited: httpx.Client, alice: User) -> None:
    headers = alice.headers
    created = limited.post("/api/tasks", headers=headers, json={"title": "Counted"})
    path = f"/api/tasks/{created.json()['id']}"
    answers = [
        created,
        limited.get(path, headers=headers),
        limited.get(path, headers={**headers, "If-None-Match": created.headers.get("etag", "*")}),
        limited.get("/api/tasks/00000000-0000-7000-8000-000000000000", headers=headers),
        limited.patch(path, headers={**headers, "If-Match": '"0"'}, json={"title": "Not so"}),
        limited.delete(path, headers=headers),
        limited.get("/api/tasks", headers=headers),
    ]
    assert [answer.status_code for answer in answers] == [201, 200, 304, 404, 412, 204, 200]
    limits = [read_limits(answer) for answer in answers]
    assert [remaining for _, remaining, _ in limits] == [*range(LIMIT - 1, LIMIT - 8, -1)]
    assert all(limit == LIMIT and 50 < reset <= 60 for limit, _, reset in limits)


def test_a_call_too_many_is_refused_and_does_nothing(
    limited: httpx.Client, alice: User, owner: psycopg.Connection
) -> None:
    use_up(limited, alice)
    refused = limited.post("/api/tasks", headers=alice.headers, json={"title": "Too many"})
    check_refusal(refused, 429, "rate_limited")
    limit, remaining, reset = read_limits(refused)
    assert (limit, remaining) == (LIMIT, 0)
    assert 1 <= int(refused.headers["Retry-After"]) == reset <= 60
    count = owner.execute("SELECT count(*) FROM tasks WHERE user_id = %s", [alice.id])
    assert count.fetchone() == (0,)


def test_nobody_else_is_refused(limited: httpx.Client, alice: User, bob: User) -> None:
    use_up(limited, alice)
    assert list_tasks(limited, alice).status_code == 429
    assert read_limits(list_tasks(limited, bob))[1] == LIMIT - 1


def test_the_next_minute_begins_anew(
    limited: httpx.Client, alice: User, owner: psycopg.Connection
) -> None:
    use_up(limited, alice)
    turn_back(owner, alice, seconds=58)
    assert list_tasks(limited, alice).status_code == 429
    turn_back(owner, alice, seconds=60)
    answer = list_tasks(limited, alice)
    assert answer.status_code == 200
    assert read_limits(answer)[1] == LIMIT - 1


def turn_back(owner: psycopg.Connection, user: User, seconds: int) -> None:
    """Let a user's minute have begun so long ago."""
    owner.execute(
        "UPDATE rate_limits SET window_start = now() - %s * interval '1 second' WHERE subject = %s",
        [seconds, f"user {user.id}"],
    )


def test_functions_in_many_processes_count_together_and_exactly(
    limited: httpx.Client, alice: User
) -> None:
    calls = 3 * LIMIT
    with ThreadPoolExecutor(max_workers=calls) as callers:
        answers = [*callers.map(lambda _: list_tasks(limited, alice), range(calls))]
    assert Counter(answer.status_code for answer in answers) == {200: LIMIT, 429: calls - LIMIT}
    remaining = sorted(read_limits(answer)[1] for answer in answers if answer.status_code == 200)
    assert remaining == [*range(LIMIT)]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/api/bob/tasks", 403), ("GET", "/api/tasks/1", 422), ("GET", "/health", 200)],
)
def test_what_does_not_ask_the_database_does_not_count(
    limited: httpx.Client, alice: User, method: str, path: str, status: int
) -> None:
    answer = limited.request(method, path, headers=alice.headers)
    assert answer.status_code == status
    assert not [name for name in answer.headers if name.startswith("ratelimit")]
    assert read_limits(list_tasks(limited, alice))[1] == LIMIT - 1


def test_without_a_limit_nothing_is_said_of_one(
    handlers: httpx.Client, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RATE_LIMIT_PER_MINUTE", "0")
    get_settings.cache_clear()
    answer = list_tasks(handlers, alice)
    assert answer.status_code == 200
    assert not [name for name in answer.headers if name.startswith("ratelimit")]


def test_600_calls_are_allowed_where_nothing_else_is_said(
    handlers: httpx.Client, alice: User
) -> None:
    assert read_limits(list_tasks(handlers, alice))[:2] == [600, 599]
