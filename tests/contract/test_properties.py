"""What holds for every task and every change to it that Hypothesis can think of."""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import httpx
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from tests.clients import User
from tests.conftest import ONE_WAY

# That a pooler changes nothing is for other tests to show.
pytestmark = ONE_WAY

_examples = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

Task = dict[str, Any]


def _send(
    handlers: httpx.Client, user: User, method: str, path: str, body: object
) -> httpx.Response:
    headers = {**user.headers, "Content-Type": "application/json"}
    return handlers.request(method, path, headers=headers, content=json.dumps(body))


def _create(handlers: httpx.Client, user: User, **fields: Any) -> Task:
    answer = _send(handlers, user, "POST", "/api/tasks", {"title": "A task", **fields})
    assert answer.status_code == 201, answer.text
    return _with_times(answer.json())


def _read(handlers: httpx.Client, user: User, task_id: str) -> Task:
    answer = handlers.get(f"/api/tasks/{task_id}", headers=user.headers)
    assert answer.status_code == 200
    return _with_times(answer.json())


def _with_times(task: Task) -> Task:
    return {
        name: _instant(value) if name.endswith("_at") and value is not None else value
        for name, value in task.items()
    }


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text.upper())


# --- what callers may send ---


def _text(longest: int) -> SearchStrategy[str]:
    character = st.characters(codec="utf-8", exclude_characters="\0")
    return st.text(character, max_size=40) | character.map(lambda one: one * longest)


def _is_in_range(moment: datetime) -> bool:
    try:
        moment.astimezone(UTC)
    except OverflowError:
        return False
    return True


_REFUSED: dict[str, list[object]] = {
    "title": [None, "", " \t\n", "a\0b", "\ud800", "x" * 501, 1, True, [], {}],
    "description": ["\0", "a\udfff", "x" * 5001, 0, False, [], {}],
    "priority": [None, "", "LOW", "low ", "urgent", 1, True, ["low"]],
    "due_at": ["", "2026-01-01", "2026-01-01T00:00:00", "0001-01-01T00:00:00+00:01", 1, True],
    "is_completed": [None, 0, 1, "true", "", []],
}
_READ_ONLY = ("id", "user_id", "completed_at", "created_at", "updated_at")

_titles = _text(500).filter(lambda text: bool(text.strip()))
_descriptions = st.none() | _text(5000)
# Escaped in JSON, one character may take twelve of the 65,536 bytes that a body may have.
_shorter_descriptions = st.none() | _text(4000)
_priorities = st.sampled_from(["low", "medium", "high"])
_offsets = st.integers(-1439, 1439).map(lambda minutes: timezone(timedelta(minutes=minutes)))
_instants = st.datetimes(timezones=_offsets | st.just(UTC)).filter(_is_in_range)
_rendered = st.sampled_from(
    [datetime.isoformat, lambda moment: moment.isoformat().lower().replace("+00:00", "z")]
)
_due_times = st.none() | st.builds(lambda moment, render: render(moment), _instants, _rendered)
_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
_finite_json = _json.filter(lambda value: not re.search("NaN|Infinity", json.dumps(value)))
_changes = st.fixed_dictionaries(
    {},
    optional={
        "title": _titles,
        "description": _shorter_descriptions,
        "priority": _priorities,
        "due_at": _due_times,
        "is_completed": st.booleans(),
    },
)
_ignored = st.dictionaries(st.sampled_from(_READ_ONLY), _finite_json, max_size=2)
_unknown = (
    st.sampled_from(["tilte", "Title", "title ", "", "isCompleted", "hashed_password", "\ud800"])
    | st.text()
).filter(lambda name: name not in {*_REFUSED, *_READ_ONLY})
_mistakes = st.one_of(
    *[st.fixed_dictionaries({name: st.sampled_from(bad)}) for name, bad in _REFUSED.items()],
    st.dictionaries(_unknown, _finite_json, min_size=1, max_size=1),
)


# --- updates ---


def _expected(task: Task, sent: Task) -> Task:
    """The task after the fields that were sent are stored, its times apart."""
    fields = {name: value for name, value in sent.items() if name in _REFUSED}
    if "title" in fields:
        fields["title"] = fields["title"].strip()
    if fields.get("due_at") is not None:
        fields["due_at"] = _instant(fields["due_at"])
    return {**task, **fields}


def _check_change(before: Task, after: Task, expected: Task) -> None:
    """`after` is `expected`, and its times tell whether, and when, anything changed."""
    moving = {"updated_at", "completed_at"}
    assert {**after, **dict.fromkeys(moving)} == {**expected, **dict.fromkeys(moving)}
    if before == expected:
        assert after["updated_at"] == before["updated_at"]
    else:
        assert after["updated_at"] > before["updated_at"]
    if not expected["is_completed"]:
        assert after["completed_at"] is None
    elif before["is_completed"]:
        assert after["completed_at"] == before["completed_at"]
    else:
        assert before["updated_at"] < after["completed_at"] <= after["updated_at"]


@_examples
@given(
    steps=st.lists(
        st.tuples(st.sampled_from(["PUT", "PATCH"]), _changes, _ignored, st.just({}) | _mistakes),
        min_size=1,
        max_size=6,
    )
)
@example([("PATCH", {}, {}, {"\ud800": None})])
def test_a_field_that_was_not_sent_never_changes(
    handlers: httpx.Client, steps: list[tuple[str, Task, Task, Task]]
) -> None:
    user = User()
    task = _create(handlers, user, description="kept", due_at="2026-01-31T12:00:00Z")
    for method, changes, ignored, mistake in steps:
        body = {**changes, **ignored, **mistake}
        answer = _send(handlers, user, method, f"/api/tasks/{task['id']}", body)
        after = _read(handlers, user, task["id"])
        if mistake:
            assert answer.status_code == 422, answer.text
            assert after == task
        else:
            assert answer.status_code == 200, answer.text
            assert _with_times(answer.json()) == after
            _check_change(task, after, _expected(task, changes))
        task = after


_STEPS: dict[str, tuple[str, Task | None, Callable[[bool], bool]]] = {
    "flip": ("/complete", None, lambda done: not done),
    "toggle": ("/toggle-status", None, lambda done: not done),
    "complete": ("/complete", {"is_completed": True}, lambda _: True),
    "reopen": ("/complete", {"is_completed": False}, lambda _: False),
    "set nothing": ("/complete", {}, lambda done: done),
    "update": ("", {"is_completed": True}, lambda _: True),
    "undo": ("", {"is_completed": False, "due_at": None}, lambda _: False),
    "leave": ("", {"priority": "medium"}, lambda done: done),
    "rename": ("", {"title": "Another"}, lambda done: done),
    "rename again": ("", {"title": "A third"}, lambda done: done),
}


@_examples
@given(steps=st.lists(st.sampled_from(sorted(_STEPS)), min_size=1, max_size=12))
@example(["complete", "rename", "set nothing", "complete", "toggle", "rename again", "flip"])
def test_a_task_is_completed_exactly_while_it_has_a_completion_time(
    handlers: httpx.Client, steps: list[str]
) -> None:
    user = User()
    task = _create(handlers, user)
    for step in steps:
        end, body, change = _STEPS[step]
        path = f"/api/{user.id}/tasks/{task['id']}{end}"
        if body is None:
            answer = handlers.patch(path, headers=user.headers)
        else:
            answer = _send(handlers, user, "PATCH", path, body)
        assert answer.status_code == 200, answer.text
        after = _with_times(answer.json())
        is_completed = change(task["is_completed"])
        expected = _expected(task, {**(body or {}), "is_completed": is_completed})
        _check_change(task, after, expected)
        task = after
    assert _read(handlers, user, task["id"]) == task


@_examples
@given(
    fields=st.fixed_dictionaries(
        {
            "title": _titles,
            "description": _descriptions,
            "priority": _priorities,
            "due_at": _due_times,
        }
    ),
    in_create=st.booleans(),
)
def test_what_was_stored_comes_back_as_it_was_sent(
    handlers: httpx.Client, fields: Task, in_create: bool
) -> None:
    user = User()
    if in_create:
        answer = handlers.post("/api/tasks", headers=user.headers, json=fields)
    else:
        path = f"/api/tasks/{_create(handlers, user)['id']}"
        answer = handlers.put(path, headers=user.headers, json=fields)
    assert answer.status_code == (201 if in_create else 200), answer.text
    task = _with_times(answer.json())
    assert task == _expected(task, fields)
    assert answer.json()["due_at"] is None or answer.json()["due_at"].endswith("Z")
    assert _read(handlers, user, task["id"]) == task
    listed = handlers.get("/api/tasks", headers=user.headers).json()["tasks"]
    assert listed == [answer.json()]
