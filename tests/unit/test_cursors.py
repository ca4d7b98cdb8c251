"""A cursor is good for the listing that gave it out, and nothing else is a cursor."""

import base64
import json
from typing import Any, get_args
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.callers import Caller
from shared.errors import CursorInvalid
from shared.models import Sort, TaskQuery, parse_instant
from shared.tasks.cursors import Position, decode_cursor, encode_cursor

_ALICE = Caller("alice")
_SORTS = get_args(Sort)
_TASK = {
    "id": "01a1fbd7-3487-74e1-8485-4522a070d730",
    "title": "Grüße 𝄞",
    "priority": "high",
    "due_at": "2026-12-01T08:00:00Z",
    "created_at": "2026-11-21T02:02:27.335305Z",
    "updated_at": "2026-11-21T02:02:29.182471Z",
}


def _query(sort: str, **filters: Any) -> TaskQuery:
    return TaskQuery.model_validate({"sort": sort, **filters})


def _decode(cursor: str, sort: str, caller: Caller = _ALICE, **filters: Any) -> Position:
    position = decode_cursor(caller, _query(sort, cursor=cursor, **filters))
    assert position is not None
    return position


def _payload(cursor: str) -> list[Any]:
    payload: list[Any] = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    return payload


def _forge(sort: str, key: object, task_id: object) -> str:
    """A cursor of the right listing for a position that somebody made up."""
    fingerprint = _payload(encode_cursor(_ALICE, _query(sort), _TASK))[0]
    payload = json.dumps([fingerprint, key, task_id]).encode()
    return base64.urlsafe_b64encode(payload).rstrip(b"=").decode()


def _check_position(position: Position, sort: str) -> None:
    """Postgres would take the position for one of this order."""
    assert str(UUID(position.id)) == position.id
    column = sort.removeprefix("-")
    if column == "priority":
        assert type(position.key) is int
        assert position.key in (0, 1, 2)
    elif column == "title":
        assert type(position.key) is str
        assert "\0" not in position.key
        position.key.encode()
    else:
        assert position.key in ("infinity", "-infinity") or parse_instant(position.key)


@pytest.mark.parametrize(
    ("cursor_of", "used_for"),
    [
        ({}, {"status": "pending"}),
        ({"status": "pending"}, {"status": "completed"}),
        ({"q": "milk"}, {"q": "bread"}),
        ({"priority": ["low"]}, {"priority": ["low", "high"]}),
        ({"due_before": "2026-01-01T00:00:00Z"}, {"due_after": "2026-01-01T00:00:00Z"}),
        ({"due_before": "2026-01-01T00:00:00Z"}, {"due_before": "2026-01-01T00:00:01Z"}),
        ({"sort": "title"}, {"sort": "-title"}),
        ({"sort": "created_at"}, {"sort": "updated_at"}),
    ],
)
def test_a_cursor_of_another_listing_is_refused(
    cursor_of: dict[str, Any], used_for: dict[str, Any]
) -> None:
    cursor = encode_cursor(_ALICE, TaskQuery.model_validate(cursor_of), _TASK)
    with pytest.raises(CursorInvalid):
        decode_cursor(_ALICE, TaskQuery.model_validate({**used_for, "cursor": cursor}))


def test_a_cursor_of_another_user_is_refused() -> None:
    cursor = encode_cursor(_ALICE, _query("title"), _TASK)
    with pytest.raises(CursorInvalid):
        _decode(cursor, "title", Caller("bob"))


@pytest.mark.parametrize("sort", ["-created_at", "priority", "title"])
def test_a_cursor_that_is_changed_in_one_byte_is_refused_or_harmless(sort: str) -> None:
    cursor = encode_cursor(_ALICE, _query(sort), _TASK)
    refused = 0
    for index in range(len(cursor)):
        for byte in range(256):
            changed = f"{cursor[:index]}{chr(byte)}{cursor[index + 1 :]}"
            try:
                position = _decode(changed, sort)
            except CursorInvalid:
                refused += 1
            else:
                _check_position(position, sort)
    assert refused > 200 * len(cursor)


@pytest.mark.parametrize("sort", ["-created_at", "due_at", "priority", "title"])
@pytest.mark.parametrize("change", ["shorter", "longer"])
def test_a_cursor_that_lost_or_won_characters_is_refused(sort: str, change: str) -> None:
    cursor = encode_cursor(_ALICE, _query(sort), _TASK)
    others = (
        [cursor[:length] for length in range(len(cursor) - 1)]
        if change == "shorter"
        else [f"{cursor}AAAA", f"AAAA{cursor}", f"{cursor}{cursor}", f"{cursor} ", f" {cursor}"]
    )
    for other in others:
        with pytest.raises(CursorInvalid):
            _decode(other, sort)


@pytest.mark.parametrize(
    ("sort", "key"),
    [
        ("priority", -1),
        ("priority", 3),
        ("priority", 0.5),
        ("priority", "low"),
        ("priority", None),
        ("priority", []),
        ("priority", {}),
        ("title", None),
        ("title", 1),
        ("title", ["a"]),
        ("title", {"a": 1}),
        ("title", "a\0"),
        ("title", "a\ud800"),
        ("created_at", None),
        ("created_at", 0),
        ("created_at", "now"),
        ("created_at", "2026-01-01"),
        ("created_at", "2026-01-01T00:00:00"),
        ("created_at", "9999-12-31T23:59:59-00:01"),
        ("-due_at", "'; DROP TABLE tasks"),
        ("-due_at", "epoch"),
        ("-due_at", ["infinity"]),
    ],
)
def test_a_key_that_no_task_can_have_is_refused(sort: str, key: object) -> None:
    with pytest.raises(CursorInvalid):
        _decode(_forge(sort, key, _TASK["id"]), sort)


@pytest.mark.parametrize("task_id", [None, 1, "", "1", "x" * 32, ["a"], {}, f"{_TASK['id']}0"])
def test_an_id_that_no_task_can_have_is_refused(task_id: object) -> None:
    with pytest.raises(CursorInvalid):
        _decode(_forge("title", "a", task_id), "title")


@given(
    sort=st.sampled_from(_SORTS),
    key=st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    task_id=st.uuids().map(str) | st.text() | st.integers() | st.none(),
)
def test_a_position_that_is_made_up_is_refused_or_harmless(
    sort: str, key: object, task_id: object
) -> None:
    try:
        position = _decode(_forge(sort, key, task_id), sort)
    except CursorInvalid:
        return
    _check_position(position, sort)


@pytest.mark.parametrize(
    "text", ["null", "1", '"abc"', "{}", "[]", "[1, 2]", "[1, 2, 3, 4]", '{"a":1,"b":2,"c":3}', ""]
)
def test_what_is_no_position_is_refused(text: str) -> None:
    cursor = base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()
    with pytest.raises(CursorInvalid):
        _decode(cursor, "title")


@pytest.mark.parametrize("text", ["[" * 100_000, f"[{'9' * 5000},1,2]"], ids=["deep", "large"])
def test_what_json_cannot_be_read_from_is_refused(text: str) -> None:
    with pytest.raises(CursorInvalid):
        _decode(base64.urlsafe_b64encode(text.encode()).decode(), "title")


@pytest.mark.parametrize("sort", _SORTS)
def test_a_listing_goes_on_after_the_task_that_a_page_ended_with(sort: str) -> None:
    position = _decode(encode_cursor(_ALICE, _query(sort), _TASK), sort)
    assert position.id == _TASK["id"]
    column = sort.removeprefix("-")
    if column == "priority":
        assert position.key == 2
    elif column == "title":
        assert position.key == _TASK["title"]
    else:
        assert parse_instant(position.key) == parse_instant(_TASK[column])


@pytest.mark.parametrize(("sort", "key"), [("due_at", "infinity"), ("-due_at", "-infinity")])
def test_a_listing_goes_on_among_tasks_that_are_never_due(sort: str, key: str) -> None:
    cursor = encode_cursor(_ALICE, _query(sort), {**_TASK, "due_at": None})
    assert _decode(cursor, sort) == Position(key, _TASK["id"])


def test_a_cursor_is_good_for_pages_of_any_size() -> None:
    cursor = encode_cursor(_ALICE, _query("title", limit=10), _TASK)
    assert _decode(cursor, "title", limit=500, with_total=True).id == _TASK["id"]


def test_a_listing_without_a_cursor_starts_at_the_beginning() -> None:
    assert decode_cursor(_ALICE, _query("title")) is None
