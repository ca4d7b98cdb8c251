"""What contract tests share: every call there is, a user's usual calls, the look of a refusal."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.clients import User

Task = dict[str, Any]

COLLECTION_CALLS = [("GET", ""), ("POST", "")]
WRITES = [
    ("PUT", "/{id}"),
    ("PATCH", "/{id}"),
    ("PATCH", "/{id}/complete"),
    ("PATCH", "/{id}/toggle-status"),
    ("DELETE", "/{id}"),
]
TASK_CALLS = [("GET", "/{id}"), *WRITES]
CALLS = [*COLLECTION_CALLS, *TASK_CALLS]
BODIES: dict[tuple[str, str], Task] = {
    ("POST", ""): {"title": "Sent"},
    ("PUT", "/{id}"): {"title": "Sent"},
    ("PATCH", "/{id}"): {"title": "Sent"},
    ("PATCH", "/{id}/complete"): {"is_completed": True},
}
"""What the calls that take a body are usually sent."""

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


def call_id(call: object) -> str:
    """A call, or any other parameter, as the name of a test shows it."""
    return f"{call[0]} {call[1] or '/'}" if isinstance(call, tuple) else str(call)


def make_call(
    http: httpx.Client,
    user: User,
    call: tuple[str, str],
    tasks: str = "/api/tasks",
    task_id: str | None = None,
    **headers: str,
) -> httpx.Response:
    """Send one of CALLS, complete with its usual body."""
    method, path = call
    return http.request(
        method,
        tasks + path.format(id=task_id or uuid4()),
        headers={**user.headers, **{name.replace("_", "-"): headers[name] for name in headers}},
        json=BODIES.get(call),
    )


def create(http: httpx.Client, user: User, **fields: object) -> Task:
    """A new task of a user's."""
    answer = http.post("/api/tasks", headers=user.headers, json={"title": "A task", **fields})
    assert answer.status_code == 201, answer.text
    task: Task = answer.json()
    return task


def create_all(http: httpx.Client, user: User, fields: list[Task]) -> list[Task]:
    """New tasks of a user's, made at once; in the order of `fields`, not of their creation."""
    with ThreadPoolExecutor(8) as threads:
        return list(threads.map(lambda some: create(http, user, **some), fields))


def read(http: httpx.Client, user: User, task_id: str) -> Task:
    """A task as it is now."""
    answer = http.get(f"/api/tasks/{task_id}", headers=user.headers)
    assert answer.status_code == 200, answer.text
    task: Task = answer.json()
    return task


def list_all(http: httpx.Client, user: User, **query: str) -> list[Task]:
    """A user's tasks, as one page."""
    answer = http.get("/api/tasks", headers=user.headers, params={"limit": "1000", **query})
    assert answer.status_code == 200, answer.text
    tasks: list[Task] = answer.json()["tasks"]
    return tasks


def check_refusal(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """The body of a refusal, which is the right one and looks as all of them do."""
    assert answer.status_code == status, answer.text[:500]
    body: dict[str, Any] = answer.json()
    assert body["code"] == code
    assert body.keys() == {"code", "message", "details", "request_id"}
    assert isinstance(body["message"], str)
    assert body["message"]
    assert body["request_id"] == answer.headers["X-Request-Id"]
    if body["details"] is not None:
        assert body["details"]
        for detail in body["details"]:
            assert detail.keys() == {"field", "message", "type", "params"}
            assert isinstance(detail["field"], str)
            assert isinstance(detail["message"], str)
            assert re.fullmatch("[a-z0-9_]+", detail["type"])
            assert isinstance(detail["params"], dict)
            assert "items" not in detail["message"] or detail["params"]["field_type"] == "List"
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "no-store"
    return body


@pytest.fixture(params=["own", "named"])
def tasks(request: pytest.FixtureRequest, alice: User) -> str:
    """Where Alice's tasks are: the path that names nobody, then the one that names her."""
    return "/api/tasks" if request.param == "own" else f"/api/{alice.id}/tasks"


@pytest.fixture
def task(http: httpx.Client, alice: User) -> Task:
    """A task of Alice's with a value in every field."""
    return create(
        http,
        alice,
        title="Water the plants",
        description="The fern, too",
        priority="high",
        due_at="2026-12-01T08:00:00Z",
    )


@pytest.fixture
def untouched(http: httpx.Client, alice: User, task: Task) -> Iterator[Task]:
    """That task, which is all that Alice has, before and after the test."""
    yield task
    assert list_all(http, alice) == [task]
