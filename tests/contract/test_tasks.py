"""Tasks: made, read, changed, completed and deleted, on both families of paths."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import unquote
from uuid import UUID, uuid4

import httpx
import pytest

from tests.clients import User
from tests.contract.conftest import (
    TASK_CALLS,
    TIME,
    Task,
    call_id,
    check_refusal,
    create,
    list_all,
    make_call,
    read,
)

FIELDS: dict[str, object] = {
    "title": "Feed the cat",
    "description": "Twice",
    "priority": "low",
    "due_at": "2027-01-01T00:00:00Z",
    "is_completed": True,
}
READ_ONLY: dict[str, object] = {
    "id": "01a1fbd7-3487-74e1-8485-4522a070d730",
    "user_id": "somebody else",
    "completed_at": "2020-01-01T00:00:00Z",
    "created_at": "2020-01-01T00:00:00Z",
    "updated_at": {"of": ["any", "kind"]},
}

either_method = pytest.mark.parametrize("method", ["PUT", "PATCH"])


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


# --- somebody else's, and what is not there ---


def _headers(answer: httpx.Response) -> dict[str, str]:
    # What is left of the caller's own minute is less with each call.
    varying = {"date", "ratelimit", "ratelimit-remaining", "ratelimit-reset"}
    return {name: value for name, value in answer.headers.items() if name not in varying}


@pytest.mark.parametrize("call", TASK_CALLS, ids=call_id)
@pytest.mark.parametrize("headers", [{}, {"If_Match": '"1"'}], ids=["plain", "If-Match"])
def test_another_users_task_is_not_found(
    http: httpx.Client, bob: User, untouched: Task, call: tuple[str, str], headers: dict[str, str]
) -> None:
    create(http, bob)
    for tasks in ("/api/tasks", f"/api/{bob.id}/tasks"):
        theirs, missing = (
            make_call(http, bob, call, tasks, task_id, X_Request_Id="same", **headers)
            for task_id in (untouched["id"], str(uuid4()))
        )
        check_refusal(theirs, 404, "task_not_found")
        assert theirs.content == missing.content
        assert theirs.status_code == missing.status_code
        assert _headers(theirs) == _headers(missing)


@pytest.mark.parametrize("call", TASK_CALLS, ids=call_id)
def test_a_deleted_task_is_not_found(
    http: httpx.Client, alice: User, task: Task, tasks: str, call: tuple[str, str]
) -> None:
    deleted = http.delete(f"{tasks}/{task['id']}", headers=alice.headers)
    assert deleted.status_code == 204
    assert deleted.content == b""
    check_refusal(make_call(http, alice, call, tasks, task["id"]), 404, "task_not_found")
    assert list_all(http, alice) == []


def test_another_users_tasks_are_not_listed(http: httpx.Client, bob: User, untouched: Task) -> None:
    own = create(http, bob, title=untouched["title"])
    assert list_all(http, bob) == [own]
    assert list_all(http, bob, q="water") == [own]
    page = http.get("/api/tasks?with_total=true", headers=bob.headers).json()
    assert page["total"] == 1


def test_a_body_cannot_give_a_task_to_another_user(
    http: httpx.Client, alice: User, bob: User
) -> None:
    task = create(http, alice, user_id=bob.id)
    assert task["user_id"] == alice.id
    path = f"/api/tasks/{task['id']}"
    changed = http.put(path, headers=alice.headers, json={"user_id": bob.id}).json()
    assert changed["user_id"] == alice.id
    assert list_all(http, bob) == []


# --- create ---


def test_a_title_is_enough_for_a_task(http: httpx.Client, alice: User, tasks: str) -> None:
    answer = http.post(tasks, headers=alice.headers, json={"title": "Water the plants"})
    assert answer.status_code == 201
    task = answer.json()
    assert task == {
        "id": task["id"],
        "user_id": alice.id,
        "title": "Water the plants",
        "description": None,
        "priority": "medium",
        "due_at": None,
        "is_completed": False,
        "completed_at": None,
        "created_at": task["created_at"],
        "updated_at": task["created_at"],
    }
    assert TIME.fullmatch(task["created_at"])
    assert abs(_instant(task["created_at"]) - datetime.now(UTC)) < timedelta(minutes=1)
    assert read(http, alice, task["id"]) == task


def test_location_leads_to_the_new_task(http: httpx.Client, alice: User, tasks: str) -> None:
    answer = http.post(tasks, headers=alice.headers, json=FIELDS)
    location = answer.headers["Location"]
    assert unquote(location) == f"{tasks}/{answer.json()['id']}"
    found = http.get(location, headers=alice.headers)
    assert found.status_code == 200
    assert found.json() == answer.json()


def test_a_new_task_is_open_whatever_its_body_says(http: httpx.Client, alice: User) -> None:
    task = create(http, alice, is_completed=True, completed_at="2020-01-01T00:00:00Z")
    assert (task["is_completed"], task["completed_at"]) == (False, None)


def test_read_only_fields_of_a_new_task_are_ignored(http: httpx.Client, alice: User) -> None:
    task = create(http, alice, **READ_ONLY)
    assert not {name for name, value in READ_ONLY.items() if task[name] == value}
    assert task["user_id"] == alice.id
    assert task["updated_at"] == task["created_at"]


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("  two words\t\r\n", "two words"),
        ("\u3000\u00a0wide\u2003", "wide"),
        (" " * 600 + "x" * 500 + " " * 600, "x" * 500),
        ("in  the   middle", "in  the   middle"),
    ],
    ids=["ASCII", "Unicode", "500 and more", "inner"],
)
def test_a_title_is_stripped(http: httpx.Client, alice: User, sent: str, kept: str) -> None:
    task = create(http, alice, title=sent)
    assert task["title"] == kept
    path = f"/api/tasks/{create(http, alice)['id']}"
    assert http.patch(path, headers=alice.headers, json={"title": sent}).json()["title"] == kept


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert('x')</script> & &amp; \"q\"",
        "'; DROP TABLE tasks; --",
        "%s %(id)s {} \\ \\u0041 $1",
        "a\u0001b\u007fc\u2028d\ufffee",
        "e\u0301 é ﬁ Å",
        "\u202eright to left \u200d\u200b",
        "👩\u200d👩\u200d👧 日本語",
        "null",
        "😀" * 500,
    ],
    ids=["HTML", "SQL", "formats", "controls", "forms", "bidi", "emoji", "null", "longest"],
)
def test_text_is_kept_as_it_was_sent(http: httpx.Client, alice: User, text: str) -> None:
    task = create(http, alice, title=text, description=f" {text}\n")
    assert (task["title"], task["description"]) == (text, f" {text}\n")
    assert read(http, alice, task["id"]) == task


@pytest.mark.parametrize("text", [None, "", "  ", "x" * 5000, "😀" * 5000])
def test_a_description_may_be_empty_or_long(
    http: httpx.Client, alice: User, text: str | None
) -> None:
    task = create(http, alice, description=text)
    assert read(http, alice, task["id"])["description"] == text


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("2026-12-01T08:00:00Z", "2026-12-01T08:00:00+00:00"),
        ("2026-12-01T09:00:00+01:00", "2026-12-01T08:00:00+00:00"),
        ("2026-12-31T23:30:00-05:30", "2027-01-01T05:00:00+00:00"),
        ("2026-12-01t08:00:00z", "2026-12-01T08:00:00+00:00"),
        ("2026-12-01T08:00:00.125Z", "2026-12-01T08:00:00.125+00:00"),
        ("2026-12-01T08:00:00.000001-00:00", "2026-12-01T08:00:00.000001+00:00"),
        ("2028-02-29T00:00:00Z", "2028-02-29T00:00:00+00:00"),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00+00:00"),
        ("9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999+00:00"),
    ],
)
def test_due_at_is_kept_in_utc(http: httpx.Client, alice: User, sent: str, kept: str) -> None:
    task = create(http, alice, due_at=sent)
    assert TIME.fullmatch(task["due_at"])
    assert _instant(task["due_at"]) == _instant(kept)
    path = f"/api/tasks/{create(http, alice)['id']}"
    changed = http.patch(path, headers=alice.headers, json={"due_at": sent}).json()
    assert changed["due_at"] == task["due_at"]


def test_ids_sort_by_creation(http: httpx.Client, alice: User) -> None:
    ids = [create(http, alice)["id"] for _ in range(6)]
    assert ids == sorted(ids)
    for task_id in map(UUID, ids):
        assert (task_id.version, task_id.variant) == (7, "specified in RFC 4122")
        assert abs((task_id.int >> 80) / 1000 - time.time()) < 60


# --- change ---


@either_method
@pytest.mark.parametrize("field", FIELDS)
def test_only_the_field_that_is_sent_changes(
    http: httpx.Client, alice: User, task: Task, tasks: str, method: str, field: str
) -> None:
    path = f"{tasks}/{task['id']}"
    answer = http.request(method, path, headers=alice.headers, json={field: FIELDS[field]})
    assert answer.status_code == 200
    changed = answer.json()
    moved = {"updated_at", "completed_at"} if field == "is_completed" else {"updated_at"}
    assert changed[field] == FIELDS[field]
    assert {name for name in task if changed[name] != task[name]} == {field, *moved}
    assert _instant(changed["updated_at"]) > _instant(task["updated_at"])
    assert read(http, alice, task["id"]) == changed


@either_method
def test_all_fields_may_change_at_once(
    http: httpx.Client, alice: User, task: Task, method: str
) -> None:
    path = f"/api/tasks/{task['id']}"
    changed = http.request(method, path, headers=alice.headers, json=FIELDS).json()
    assert {name: changed[name] for name in FIELDS} == FIELDS


@either_method
@pytest.mark.parametrize("field", ["description", "due_at"])
def test_null_takes_an_optional_field_away(
    http: httpx.Client, alice: User, task: Task, method: str, field: str
) -> None:
    path = f"/api/tasks/{task['id']}"
    changed = http.request(method, path, headers=alice.headers, json={field: None}).json()
    assert changed == {**task, field: None, "updated_at": changed["updated_at"]}
    assert changed["updated_at"] > task["updated_at"]


@either_method
@pytest.mark.parametrize(
    "changes",
    [
        {},
        READ_ONLY,
        {"title": " Water the plants "},
        {"due_at": "2026-12-01T09:00:00+01:00", "is_completed": False},
    ],
    ids=["empty", "read-only", "same title", "same values"],
)
def test_what_changes_nothing_answers_the_task_as_it_is(
    http: httpx.Client, alice: User, untouched: Task, tasks: str, method: str, changes: Task
) -> None:
    path = f"{tasks}/{untouched['id']}"
    answer = http.request(method, path, headers=alice.headers, json=changes)
    assert answer.status_code == 200
    assert answer.json() == untouched


@either_method
def test_a_task_may_be_sent_back_as_it_came(
    http: httpx.Client, alice: User, untouched: Task, method: str
) -> None:
    path = f"/api/tasks/{untouched['id']}"
    assert http.request(method, path, headers=alice.headers, json=untouched).json() == untouched


# --- complete ---

_COMPLETE = {"json": {"is_completed": True}}
_REOPEN = {"json": {"is_completed": False}}
# Each a path, what is sent, and what becomes of an open and of a completed task.
_CHANGES: dict[str, tuple[str, str, dict[str, Any], bool, bool]] = {
    "flip": ("PATCH", "/complete", {}, True, False),
    "toggle": ("PATCH", "/toggle-status", {}, True, False),
    "complete": ("PATCH", "/complete", _COMPLETE, True, True),
    "reopen": ("PATCH", "/complete", _REOPEN, False, False),
    "set nothing": ("PATCH", "/complete", {"json": {}}, False, True),
    "PUT complete": ("PUT", "", _COMPLETE, True, True),
    "PATCH reopen": ("PATCH", "", _REOPEN, False, False),
}


@pytest.mark.parametrize(
    ("method", "end", "options", "from_open", "from_completed"), _CHANGES.values(), ids=_CHANGES
)
@pytest.mark.parametrize("completed", [False, True], ids=["open", "completed"])
def test_completion(  # noqa: PLR0913, PLR0917
    http: httpx.Client,
    alice: User,
    task: Task,
    tasks: str,
    method: str,
    end: str,
    options: dict[str, Any],
    from_open: bool,
    from_completed: bool,
    completed: bool,
) -> None:
    path = f"{tasks}/{task['id']}"
    before = http.put(path, headers=alice.headers, json={"is_completed": completed}).json()
    answer = http.request(method, path + end, headers=alice.headers, **options)
    assert answer.status_code == 200
    after = answer.json()
    assert read(http, alice, task["id"]) == after
    expected = from_completed if completed else from_open
    if expected == completed:
        assert after == before
    else:
        times = {"updated_at": after["updated_at"], "completed_at": after["completed_at"]}
        assert after == {**before, "is_completed": expected, **times}
        assert _instant(after["updated_at"]) > _instant(before["updated_at"])
        assert (after["completed_at"] is not None) == expected


def test_completed_at_is_kept_while_a_task_stays_completed(
    http: httpx.Client, alice: User, task: Task
) -> None:
    path = f"/api/tasks/{task['id']}"
    completed = http.patch(f"{path}/complete", headers=alice.headers).json()
    assert TIME.fullmatch(completed["completed_at"])
    assert _instant(task["updated_at"]) < _instant(completed["completed_at"])
    assert _instant(completed["completed_at"]) <= _instant(completed["updated_at"])
    renamed = http.put(path, headers=alice.headers, json={"title": "x", "is_completed": True})
    assert renamed.json()["completed_at"] == completed["completed_at"]
    assert renamed.json()["updated_at"] > completed["updated_at"]


def test_completed_at_is_new_when_a_task_is_completed_again(
    http: httpx.Client, alice: User, task: Task
) -> None:
    path = f"/api/tasks/{task['id']}/toggle-status"
    first, opened, second = (http.patch(path, headers=alice.headers).json() for _ in range(3))
    assert opened["completed_at"] is None
    assert _instant(second["completed_at"]) > _instant(first["completed_at"])
