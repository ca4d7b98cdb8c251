"""Times as RFC 3339 writes them, and the bodies that callers send."""

from datetime import UTC, datetime

import pytest
from pydantic import ValidationError
from pydantic_core import PydanticCustomError

from shared.models import TaskChanges, TaskCompletion, TaskCreate, TaskQuery, parse_instant


@pytest.mark.parametrize(
    "text",
    [
        None,
        True,
        0,
        1767225600,
        1767225600.5,
        b"2026-01-31T12:00:00Z",
        datetime(2026, 1, 31, tzinfo=UTC),
        "",
        "now",
        "infinity",
        "1767225600",
        "2026-01-31",
        "12:00:00Z",
        "2026-01-31T12:00:00",
        "2026-01-31T12:00Z",
        "2026-01-31T12Z",
        "2026-01-31 12:00:00Z",
        "2026-01-31T12:00:00 Z",
        " 2026-01-31T12:00:00Z",
        "2026-01-31T12:00:00Z\n",
        "2026-01-31T12:00:00.Z",
        "2026-01-31T12:00:00,5Z",
        "2026-01-31T12:00:00+0100",
        "2026-01-31T12:00:00+01",
        "2026-01-31T12:00:00+1:00",
        "2026-01-31T12:00:00+01:00:30",
        "2026-01-31T12:00:00Z+01:00",
        "2026-01-31T12:00:00UTC",
        "2026-01-31T12:00:00[Europe/Berlin]",
        "20260131T120000Z",
        "2026-W05-6T12:00:00Z",
        "2026-031T12:00:00Z",
        "+002026-01-31T12:00:00Z",
        "-0001-01-31T12:00:00Z",
        "٢٠٢٦-01-31T12:00:00Z",
        "2026\u221201\u221231T12:00:00Z",
    ],
)
def test_what_is_no_time_with_an_offset_is_refused(text: object) -> None:
    with pytest.raises(PydanticCustomError):
        parse_instant(text)


@pytest.mark.parametrize(
    "text",
    [
        "0000-12-31T23:59:59Z",
        "2026-00-31T12:00:00Z",
        "2026-13-31T12:00:00Z",
        "2026-02-29T12:00:00Z",
        "2026-01-00T12:00:00Z",
        "2026-01-31T24:00:00Z",
        "2026-01-31T25:00:00Z",
        "2026-01-31T12:60:00Z",
        "2026-01-31T12:00:61Z",
        "2016-12-31T23:59:60Z",
        "2026-01-31T12:00:00+24:00",
        "2026-01-31T12:00:00-24:00",
        "2026-01-31T12:00:00+00:60",
        "2026-01-31T12:00:00-01:99",
        "2026-01-31T12:00:00+99:99",
    ],
)
def test_what_no_calendar_or_clock_shows_is_refused(text: str) -> None:
    with pytest.raises(PydanticCustomError):
        parse_instant(text)


@pytest.mark.parametrize(
    "text",
    [
        "0001-01-01T00:00:00+00:01",
        "0001-01-01T23:58:59.999999+23:59",
        "9999-12-31T23:59:59-00:01",
        "9999-12-31T00:01:00-23:59",
    ],
)
def test_a_time_that_has_no_year_of_four_digits_in_utc_is_refused(text: str) -> None:
    with pytest.raises(PydanticCustomError):
        parse_instant(text)


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-01-31T12:00:00Z", datetime(2026, 1, 31, 12, tzinfo=UTC)),
        ("2026-01-31t12:00:00z", datetime(2026, 1, 31, 12, tzinfo=UTC)),
        ("2026-01-31T12:00:00+00:00", datetime(2026, 1, 31, 12, tzinfo=UTC)),
        ("2026-01-31T12:00:00-00:00", datetime(2026, 1, 31, 12, tzinfo=UTC)),
        ("2026-01-31T12:00:00+05:45", datetime(2026, 1, 31, 6, 15, tzinfo=UTC)),
        ("2026-01-31T12:00:00-09:30", datetime(2026, 1, 31, 21, 30, tzinfo=UTC)),
        ("2026-01-31T12:00:00+23:59", datetime(2026, 1, 30, 12, 1, tzinfo=UTC)),
        ("2024-02-29T00:00:00Z", datetime(2024, 2, 29, tzinfo=UTC)),
        ("2026-01-31T12:00:00.5Z", datetime(2026, 1, 31, 12, 0, 0, 500000, UTC)),
        ("2026-01-31T12:00:00.000001Z", datetime(2026, 1, 31, 12, 0, 0, 1, UTC)),
        ("2026-01-31T12:00:00.1234567Z", datetime(2026, 1, 31, 12, 0, 0, 123456, UTC)),
        ("2026-01-31T12:00:00.999999999999Z", datetime(2026, 1, 31, 12, 0, 0, 999999, UTC)),
        (f"2026-01-31T12:00:00.{'0' * 5000}Z", datetime(2026, 1, 31, 12, tzinfo=UTC)),
        ("0001-01-01T00:00:00Z", datetime(1, 1, 1, tzinfo=UTC)),
        ("0001-01-01T23:59:00+23:59", datetime(1, 1, 1, tzinfo=UTC)),
        ("9999-12-31T23:59:59.999999Z", datetime(9999, 12, 31, 23, 59, 59, 999999, UTC)),
        ("9999-12-31T00:00:59-23:59", datetime(9999, 12, 31, 23, 59, 59, 0, UTC)),
    ],
)
def test_a_time_is_read_in_utc_to_the_microsecond(text: str, instant: datetime) -> None:
    assert parse_instant(text) == instant
    assert parse_instant(text).tzinfo is UTC


@pytest.mark.parametrize("name", ["title", "priority", "is_completed"])
def test_null_is_no_value_of_a_field_that_must_have_one(name: str) -> None:
    with pytest.raises(ValidationError) as refused:
        TaskChanges.model_validate({name: None})
    assert [error["loc"] for error in refused.value.errors()] == [(name,)]


@pytest.mark.parametrize("name", ["description", "due_at"])
def test_null_and_absent_are_different_things(name: str) -> None:
    assert TaskChanges.model_validate({name: None}).sent() == {name: None}
    assert TaskChanges.model_validate({}).sent() == {}


@pytest.mark.parametrize(
    "name", ["colour", "Title", "completed", "hashed_password", "is_completed "]
)
@pytest.mark.parametrize("body", [TaskCreate, TaskChanges, TaskCompletion])
def test_a_field_that_nobody_knows_is_refused(
    body: type[TaskCreate | TaskChanges | TaskCompletion], name: str
) -> None:
    with pytest.raises(ValidationError) as refused:
        body.model_validate({"title": "A", "is_completed": True, name: "red"})
    assert (name,) in [error["loc"] for error in refused.value.errors()]


def test_a_task_may_be_sent_back_as_it_was_read() -> None:
    read = {
        "id": "01a1fbd7-3487-74e1-8485-4522a070d730",
        "user_id": "alice",
        "title": "A",
        "description": None,
        "priority": "low",
        "due_at": "2026-01-31T12:00:00Z",
        "is_completed": True,
        "completed_at": "2026-01-31T12:00:00Z",
        "created_at": "2026-01-31T12:00:00Z",
        "updated_at": "2026-01-31T12:00:00Z",
    }
    writable = {"title", "description", "priority", "due_at", "is_completed"}
    sent = TaskChanges.model_validate(read).sent()
    assert sent == {name: read[name] for name in writable}
    created = TaskCreate.model_validate(read).model_dump(mode="json")
    assert created == {name: read[name] for name in writable - {"is_completed"}}


@pytest.mark.parametrize("value", [0, 1, 1.0, "true", "false", "on", [], None])
def test_only_a_boolean_completes_a_task(value: object) -> None:
    for body in (TaskChanges, TaskCompletion):
        with pytest.raises(ValidationError):
            body.model_validate({"is_completed": value})


@pytest.mark.parametrize(
    ("title", "stored"),
    [("x" * 500, "x" * 500), (" \t x \n", "x"), ("𝄞" * 500, "𝄞" * 500), (f"{' ' * 600}x", "x")],
)
def test_a_title_is_measured_in_characters_once_it_is_stripped(title: str, stored: str) -> None:
    assert TaskCreate.model_validate({"title": title}).model_dump()["title"] == stored


@pytest.mark.parametrize("limit", ["0", "-1", "1001", "1.5", "", "ten", "9" * 5000])
def test_a_page_of_no_sensible_size_is_refused(limit: str) -> None:
    with pytest.raises(ValidationError):
        TaskQuery.model_validate({"limit": limit})
