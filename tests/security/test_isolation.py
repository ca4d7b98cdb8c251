"""Nobody reaches another user's tasks: every route of the template, every pair of users, every way.

An attempt has to be answered as one on a task that is not there: with the same status, body and
headers, and after the same statements, so that not even its time tells the two apart. All of it is
tried again on statements that have forgotten whose tasks they are about.
"""

import re
from dataclasses import dataclass
from itertools import permutations
from typing import Any
from urllib.parse import quote
from uuid import UUID, uuid4

import httpx
import psycopg
import pytest

from infra.template import Route, read_routes
from shared.callers import Requester
from shared.data import database
from shared.data.connection import Row
from shared.data.query import Query
from tests.clients import User
from tests.conftest import ONE_WAY
from tests.queries import is_on_tasks, rewrite, without_owner

pytestmark = ONE_WAY

PUBLIC = {
    *("GET /health", "GET /health/ready", "GET /docs", "GET /openapi.json", "$default"),
    *("POST /api/auth/register", "POST /api/auth/login"),
}
"""The routes that know no users."""

ACCOUNT = {"GET /api/users/me", "GET /api/users/me/export", "DELETE /api/users/me"}
"""The routes that are about nobody but the caller."""

BODIES: dict[str, dict[str, Any]] = {
    "POST": {"title": "Mallory was here"},
    "PUT": {"title": "Mallory was here"},
    "PATCH": {"is_completed": True},
}

# What a function may be thought to take a user, or a task, from.
HEADERS = (
    *("X-User-Id", "X-User", "X-Forwarded-User", "X-Remote-User", "X-Authenticated-User"),
    *("X-Amzn-Oidc-Identity", "X-Hasura-User-Id", "X-Original-User", "X-Owner", "X-Task-Id"),
)
QUERY = ("user_id", "user", "owner", "sub", "id", "task_id")


@dataclass(frozen=True)
class Victim:
    """A user with a task, which has a cursor that leads beyond it."""

    user: User
    task: dict[str, Any]
    etag: str
    cursor: str


@dataclass(frozen=True)
class Attempt:
    """One way to reach a task: what a request has beyond its route, its user and the task's id."""

    name: str
    headers: dict[str, str]
    query: dict[str, str]
    body: dict[str, Any]

    def status(self, usual: int) -> int:
        """What it is answered: a query with names that nobody knows is refused."""
        return 422 if self.query.keys() & set(QUERY) else usual


def make_attempts(victim: Victim) -> list[Attempt]:
    """Every way to get at a victim's task that does not depend on the route."""
    user, task = victim.user.id, victim.task["id"]
    # A header holds no other characters.
    name = user if user.isascii() else quote(user)
    pretended = {
        **dict.fromkeys(HEADERS, name),
        "Cookie": f"user_id={name}; session={name}",
        "Idempotency-Key": f"{name}-1",
        "X-HTTP-Method-Override": "DELETE",
    }
    query = {**dict.fromkeys(QUERY, user), "task_id": task}
    return [
        Attempt("plainly", {}, {}, {}),
        Attempt("by body", {}, {}, {"user_id": user, "id": task}),
        Attempt("by header", pretended, {}, {}),
        Attempt("by query", {}, query, {}),
        Attempt("by its tag", {"If-Match": victim.etag}, {}, {}),
        Attempt("by another tag", {"If-Match": '"0"'}, {}, {}),
        Attempt("by what is cached of it", {"If-None-Match": victim.etag}, {}, {}),
    ]


def task_routes() -> list[Route]:
    """The routes that are about tasks of a user: all others there are."""
    routes = [route for route in read_routes() if route.key not in PUBLIC | ACCOUNT]
    assert len(routes) >= 16
    assert all(re.fullmatch(r"/api(/\{user_id\})?/tasks(/.*)?", route.path) for route in routes)
    return routes


def users() -> list[User]:
    """Users that are easily mistaken for each other."""
    end = uuid4().hex[:8]
    ids = (f"ann{end}", f"ann{end}2", f"auth0|ü ANN{end}", f"ann%{end[:-1]}_")
    return [User(user_id) for user_id in ids]


@pytest.fixture(scope="module")
def everybody() -> list[User]:
    """The users of this module."""
    return users()


@pytest.fixture
def victims(handlers: httpx.Client, everybody: list[User]) -> dict[User, Victim]:
    """What each of them has."""
    return {user: make_victim(handlers, user) for user in everybody}


def make_victim(http: httpx.Client, user: User) -> Victim:
    """A user with two tasks."""
    for title in ("A secret of mine", "Another"):
        made = http.post("/api/tasks", headers=user.headers, json={"title": title})
        assert made.status_code == 201, made.text
    task = made.json()
    read = http.get(f"/api/tasks/{task['id']}", headers=user.headers)
    page = http.get("/api/tasks?limit=1", headers=user.headers).json()
    return Victim(user, task, read.headers["ETag"], page["next_cursor"])


class Watch:
    """Keeps the statements that the database is sent, and may make them forget the owner."""

    def __init__(self, *, careless: bool) -> None:
        self.statements: list[str] = []
        self._careless = careless
        self._run = database.run

    def run(self, requester: Requester, *queries: Query[Any]) -> tuple[Any, ...]:
        """What database.run does."""
        self.statements += [query.statement.sql for query in queries]
        if self._careless:
            queries = tuple(
                rewrite(query, without_owner) if is_on_tasks(query) else query for query in queries
            )
        return self._run(requester, *queries)


@pytest.fixture(params=[False, True], ids=["as they are", "without owner"])
def watch(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Watch:
    """Statements as they are, then without their condition on the owner."""
    watch = Watch(careless=request.param)
    monkeypatch.setattr(database, "run", watch.run)
    return watch


@pytest.fixture(autouse=True)
def unlimited(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let everybody make more attempts than they have calls a minute."""
    monkeypatch.setenv("RATE_LIMIT_PER_MINUTE", "1000000")


def send(
    http: httpx.Client, caller: User, route: Route, attempt: Attempt, user_id: str, task_id: str
) -> httpx.Response:
    """Make an attempt on a route, with what its path names."""
    path = route.path.replace("{user_id}", quote(user_id, safe="")).replace("{task_id}", task_id)
    body = {**BODIES.get(route.method, {}), **attempt.body}
    toggles = path.endswith("/toggle-status")
    return http.request(
        route.method,
        path,
        params=attempt.query,
        headers={"X-Request-Id": "same", **attempt.headers, **caller.headers},
        json=body if route.method in BODIES and not toggles else None,
    )


def look(answer: httpx.Response) -> tuple[int, bytes, dict[str, str]]:
    """All of an answer but what is the caller's own: how many calls are left."""
    own = {"ratelimit", "ratelimit-remaining", "ratelimit-reset"}
    headers = {name: value for name, value in answer.headers.items() if name not in own}
    return answer.status_code, answer.content, headers


def stored(owner: psycopg.Connection, user: User) -> list[Row]:
    """A user's tasks, as they are in the database."""
    return owner.execute("SELECT * FROM tasks WHERE user_id = %s ORDER BY id", [user.id]).fetchall()


def test_no_attempt_tells_a_task_of_another_user_from_none(
    handlers: httpx.Client,
    watch: Watch,
    everybody: list[User],
    victims: dict[User, Victim],
    owner: psycopg.Connection,
) -> None:
    before = {user: stored(owner, user) for user in everybody}
    routes = [route for route in task_routes() if "{task_id}" in route.path]
    for attacker, victim in permutations(everybody, 2):
        for route in routes:
            own_path = attacker.id
            if "%" in own_path and "{user_id}" in route.path:
                continue  # has no path of its own
            for attempt in make_attempts(victims[victim]):
                looks, statements = [], []
                for task_id in (victims[victim].task["id"], str(uuid4())):
                    watch.statements.clear()
                    looks.append(look(send(handlers, attacker, route, attempt, own_path, task_id)))
                    statements.append([*watch.statements])
                assert looks[0][0] == attempt.status(404), (route.key, attempt.name, looks[0])
                assert looks[0] == looks[1], (route.key, attempt.name)
                assert statements[0] == statements[1], (route.key, attempt.name)
    assert {user: stored(owner, user) for user in everybody} == before


def test_the_path_of_another_user_is_refused_before_the_database_is_asked(
    handlers: httpx.Client,
    watch: Watch,
    everybody: list[User],
    victims: dict[User, Victim],
    owner: psycopg.Connection,
) -> None:
    before = {user: stored(owner, user) for user in everybody}
    watch.statements.clear()
    for attacker, victim in permutations(everybody, 2):
        if "%" in victim.id:
            continue  # has no path
        task = victims[victim].task["id"]
        for route in task_routes():
            if "{user_id}" not in route.path:
                continue
            for attempt in make_attempts(victims[victim]):
                theirs = look(send(handlers, attacker, route, attempt, victim.id, task))
                nobodys = look(send(handlers, attacker, route, attempt, "nobody", str(uuid4())))
                assert theirs[0] == 403, (route.key, attempt.name)
                assert theirs == nobodys, (route.key, attempt.name)
    assert watch.statements == []
    assert {user: stored(owner, user) for user in everybody} == before


def test_a_listing_shows_nothing_of_anybody_else(
    handlers: httpx.Client,
    watch: Watch,
    everybody: list[User],
    victims: dict[User, Victim],
) -> None:
    watch.statements.clear()
    for attacker, victim in permutations(everybody, 2):
        attempts = [
            *make_attempts(victims[victim]),
            *(
                Attempt(f"by {name}", {}, {name: value}, {})
                for name, value in (
                    ("q", "secret"),
                    ("sort", "title"),
                    ("status", "pending"),
                    ("with_total", "true"),
                    ("due_before", "9999-01-01T00:00:00Z"),
                )
            ),
        ]
        for attempt in attempts:
            answer = handlers.get(
                "/api/tasks", headers={**attempt.headers, **attacker.headers}, params=attempt.query
            )
            assert answer.status_code == attempt.status(200), attempt.name
            if answer.is_error:
                continue
            page = answer.json()
            assert {task["user_id"] for task in page["tasks"]} <= {attacker.id}
            assert page.get("total", len(page["tasks"])) == len(page["tasks"])
            assert victims[victim].task["id"] not in answer.text
    assert watch.statements


def test_a_cursor_is_good_for_nobody_else(
    handlers: httpx.Client, everybody: list[User], victims: dict[User, Victim]
) -> None:
    for attacker, victim in permutations(everybody, 2):
        answers = [
            handlers.get(
                "/api/tasks",
                headers={"X-Request-Id": "same", **attacker.headers},
                params={"limit": "1", "cursor": cursor},
            )
            for cursor in (victims[victim].cursor, "nonsense")
        ]
        assert answers[0].status_code == 400
        assert look(answers[0]) == look(answers[1])


def test_what_is_made_is_always_the_callers_own(
    handlers: httpx.Client,
    everybody: list[User],
    victims: dict[User, Victim],
    owner: psycopg.Connection,
) -> None:
    before = {user: len(stored(owner, user)) for user in everybody}
    made = dict.fromkeys(everybody, 0)
    for attacker, victim in permutations(everybody, 2):
        for route in task_routes():
            if route.method != "POST" or ("%" in attacker.id and "{user_id}" in route.path):
                continue
            for attempt in make_attempts(victims[victim]):
                answer = send(handlers, attacker, route, attempt, attacker.id, "")
                assert answer.status_code == attempt.status(201), (attempt.name, answer.text)
                if answer.is_error:
                    continue
                assert answer.json()["user_id"] == attacker.id
                assert answer.json()["id"] != victims[victim].task["id"]
                made[attacker] += 1
    after = {user: len(stored(owner, user)) for user in everybody}
    assert after == {user: before[user] + made[user] for user in everybody}


def test_an_account_is_the_callers_own(
    handlers: httpx.Client,
    everybody: list[User],
    victims: dict[User, Victim],
    owner: psycopg.Connection,
) -> None:
    routes = [route for route in read_routes() if route.key in ACCOUNT]
    assert {route.key for route in routes} == ACCOUNT
    for attacker, victim in permutations(everybody, 2):
        for attempt in make_attempts(victims[victim]):
            for route in (route for route in routes if route.method == "GET"):
                answer = send(handlers, attacker, route, attempt, "", "")
                assert answer.status_code == attempt.status(200), (route.key, attempt.name)
                if answer.is_error:
                    continue
                assert f'"{attacker.id}"' in answer.text.replace("\\u00fc", "ü")
                assert victims[victim].task["id"] not in answer.text
    (delete,) = (route for route in routes if route.method == "DELETE")
    leaver, *others = everybody
    before = {user: stored(owner, user) for user in others}
    for attempt in make_attempts(victims[others[0]]):
        answer = send(handlers, leaver, delete, attempt, "", "")
        assert answer.status_code == attempt.status(204)
    assert stored(owner, leaver) == []
    assert {user: stored(owner, user) for user in others} == before


def test_ids_beside_a_known_one_lead_to_nothing(
    handlers: httpx.Client, alice: User, bob: User
) -> None:
    # Whoever knows one id of the same moment knows 76 of its bits at most.
    victim = make_victim(handlers, bob)
    known = UUID(victim.task["id"]).int
    for neighbour in (known + step for step in range(-3, 4)):
        answer = handlers.get(f"/api/tasks/{UUID(int=neighbour)}", headers=alice.headers)
        assert (answer.status_code, answer.json()["code"]) == (404, "task_not_found")


def test_an_answer_says_nothing_of_others(handlers: httpx.Client, alice: User, bob: User) -> None:
    victim = make_victim(handlers, bob)
    for path in ("/api/tasks", f"/api/tasks/{victim.task['id']}"):
        answer = handlers.get(path, headers=alice.headers)
        said = f"{answer.headers} {answer.text}"
        assert bob.id not in said
        assert victim.etag.strip('"') not in said
