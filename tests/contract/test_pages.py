"""Pages: cursors are good for one listing of one user, and no page skips or repeats a task."""

import base64
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.clients import User
from tests.conftest import ONE_WAY
from tests.contract.conftest import (
    Task,
    check_refusal,
    create,
    create_all,
    list_all,
)

FIELDS = ["created_at", "updated_at", "due_at", "priority", "title"]
SORTS = [direction + field for field in FIELDS for direction in ("", "-")]

each_sort = pytest.mark.parametrize("sort", SORTS)

_SEED: list[Task] = [
    {
        "title": ["Alpha", "beta", "Ärger", "Alpha", "z" * 450][number % 5] + " word",
        "priority": ["low", "high", "medium", "high"][number % 4],
        "due_at": [None, "2026-12-01T08:00:00Z", "2026-12-02T08:00:00.25Z"][number % 3],
    }
    for number in range(9)
]


def _page(http: httpx.Client, user: User, **query: Any) -> dict[str, Any]:
    answer = http.get("/api/tasks", headers=user.headers, params=query)
    assert answer.status_code == 200, answer.text
    page: dict[str, Any] = answer.json()
    return page


def _pages(http: httpx.Client, user: User, **query: Any) -> Iterator[list[Task]]:
    """Every page of a listing, each asked for only when the one before has been dealt with."""
    page = _page(http, user, **query)
    yield page["tasks"]
    while page["next_cursor"] is not None:
        page = _page(http, user, **query, cursor=page["next_cursor"])
        yield page["tasks"]


@pytest.fixture(scope="module")
def owner(http: httpx.Client) -> User:
    """A user with tasks that no test changes."""
    user = User()
    create_all(http, user, _SEED)
    return user


# --- refusals ---


def _encoded(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


_GARBAGE = {
    "empty": "",
    "word": "x",
    "padding": "====",
    "NUL": "\0",
    "not ASCII": "é日本",
    "half a surrogate": "%ED%A0%80",
    "number": "42",
    "long": "A" * 6000,
    "null": _encoded(None),
    "text": _encoded("x"),
    "endless number": base64.urlsafe_b64encode(b'["0", %s, "0"]' % (b"1" * 5000)).decode(),
    "object": _encoded({}),
    "short list": _encoded([1, 2]),
    "nulls": _encoded([None, None, None]),
    "nested": base64.urlsafe_b64encode(b"[" * 3000).decode(),
    "not UTF-8": base64.urlsafe_b64encode(b"\xff\xfe\xfd").decode(),
    "guessed": _encoded(["0" * 16, "2026-12-01T08:00:00Z", "01a1fbd7-3487-74e1-8485-4522a070d730"]),
}


@pytest.mark.parametrize("cursor", _GARBAGE.values(), ids=list(_GARBAGE))
@ONE_WAY
def test_garbage_is_no_cursor(http: httpx.Client, alice: User, cursor: str) -> None:
    for sort in ("-created_at", "priority", "title"):
        params = {"cursor": cursor, "sort": sort}
        answer = http.get("/api/tasks", headers=alice.headers, params=params)
        check_refusal(answer, 400, "cursor_invalid")


_PUT_IN: list[object] = [
    *(None, [], {}, {"a": 1}, [0], -1, 3, 1.5, 10**99, "x\0", "\ud800", "not a time"),
    *("2026-12-01T08:00:00", "10000-01-01T00:00:00Z", "'; SELECT 1; --"),
]


@each_sort
@ONE_WAY
def test_a_cursor_that_was_tampered_with_is_refused(
    http: httpx.Client, owner: User, subtests: pytest.Subtests, sort: str
) -> None:
    cursor = _page(http, owner, sort=sort, limit=2)["next_cursor"]
    parts: list[object] = json.loads(base64.urlsafe_b64decode(cursor + "=="))
    # Where the listing and the id are named is the same for all.
    for place in range(len(parts)) if sort == "-created_at" else [1]:
        for value in _PUT_IN:
            # Any text may be where a title ends.
            if (place, sort.strip("-")) == (1, "title") and str(value).isprintable():
                continue
            tampered = _encoded([*parts[:place], value, *parts[place + 1 :]])
            with subtests.test(place=place, value=ascii(value)):
                params = {"sort": sort, "limit": "2", "cursor": tampered}
                answer = http.get("/api/tasks", headers=owner.headers, params=params)
                check_refusal(answer, 400, "cursor_invalid")


@each_sort
@ONE_WAY
def test_a_cursor_with_one_other_character_is_no_fault_of_ours(
    http: httpx.Client, owner: User, sort: str
) -> None:
    cursor = _page(http, owner, sort=sort, limit=2)["next_cursor"]
    for place in range(0, len(cursor), 7):
        other = cursor[:place] + ("A" if cursor[place] != "A" else "B") + cursor[place + 1 :]
        params = {"sort": sort, "limit": "2", "cursor": other}
        answer = http.get("/api/tasks", headers=owner.headers, params=params)
        if answer.status_code != 200:
            check_refusal(answer, 400, "cursor_invalid")


_OTHER_LISTINGS: list[dict[str, str]] = [
    {"sort": "created_at"},
    {"sort": "title"},
    {"status": "pending"},
    {"priority": "low"},
    {"due_before": "2027-01-01T00:00:00Z"},
    {"due_after": "2020-01-01T00:00:00Z"},
    {"q": "word"},
]


@pytest.mark.parametrize("other", _OTHER_LISTINGS, ids=str)
def test_the_cursor_of_another_listing_is_refused(
    http: httpx.Client, owner: User, other: dict[str, str]
) -> None:
    of_this = _page(http, owner, limit=1)["next_cursor"]
    params = {**other, "cursor": of_this}
    answer = http.get("/api/tasks", headers=owner.headers, params=params)
    check_refusal(answer, 400, "cursor_invalid")
    of_other = _page(http, owner, limit=1, **other)["next_cursor"]
    answer = http.get("/api/tasks", headers=owner.headers, params={"cursor": of_other})
    check_refusal(answer, 400, "cursor_invalid")


def test_the_cursor_of_another_user_is_refused(
    http: httpx.Client, owner: User, alice: User
) -> None:
    create_all(http, alice, _SEED[:3])
    cursor = _page(http, owner, limit=1)["next_cursor"]
    answer = http.get("/api/tasks", headers=alice.headers, params={"cursor": cursor})
    check_refusal(answer, 400, "cursor_invalid")


@pytest.mark.parametrize("sort", ["priority", "-priority"])
def test_a_cursor_at_a_priority_that_is_filtered_out_is_refused(
    http: httpx.Client, owner: User, sort: str
) -> None:
    query = {"sort": sort, "priority": "medium"}
    cursor = _page(http, owner, limit=1, **query)["next_cursor"]
    fingerprint, rank, task_id = json.loads(base64.urlsafe_b64decode(cursor + "=" * 3))
    assert rank == 1
    for forged in (0, 2):
        text = json.dumps([fingerprint, forged, task_id]).encode()
        params = {**query, "cursor": base64.urlsafe_b64encode(text).decode().rstrip("=")}
        answer = http.get("/api/tasks", headers=owner.headers, params=params)
        check_refusal(answer, 400, "cursor_invalid")


# --- pages ---


@each_sort
@pytest.mark.parametrize("limit", [1, 4, 9])
def test_pages_together_are_the_whole_list(
    http: httpx.Client, owner: User, sort: str, limit: int
) -> None:
    pages = list(_pages(http, owner, sort=sort, limit=limit))
    assert [task for page in pages for task in page] == list_all(http, owner, sort=sort)
    assert {len(page) for page in pages[:-1]} <= {limit}
    assert 1 <= len(pages[-1]) <= limit


@pytest.mark.parametrize(
    "query",
    [
        {"status": "pending"},
        {"priority": ["high", "low"]},
        {"due_before": "2026-12-02T08:00:00Z"},
        {"due_after": "2026-12-01T09:00:00+01:00"},
        {"q": "alph wo"},
    ],
    ids=str,
)
def test_pages_keep_to_the_filters(http: httpx.Client, owner: User, query: dict[str, Any]) -> None:
    whole = _page(http, owner, **query)["tasks"]
    assert len(whole) > 1
    assert [task for page in _pages(http, owner, **query, limit=2) for task in page] == whole


def test_a_cursor_is_good_for_another_page_size_and_path(http: httpx.Client, owner: User) -> None:
    whole = list_all(http, owner)
    cursor = _page(http, owner, limit=2)["next_cursor"]
    query = {"limit": "5", "cursor": cursor, "with_total": "true"}
    page = http.get(f"/api/{owner.id}/tasks", headers=owner.headers, params=query).json()
    assert page["tasks"] == whole[2:7]
    assert page["total"] == len(whole)


def test_a_cursor_may_be_followed_twice(http: httpx.Client, owner: User) -> None:
    cursor = _page(http, owner, limit=3)["next_cursor"]
    assert _page(http, owner, limit=3, cursor=cursor) == _page(http, owner, limit=3, cursor=cursor)


@each_sort
def test_no_page_skips_or_repeats_while_tasks_come_and_go(
    http: httpx.Client, alice: User, sort: str
) -> None:
    ids = {task["id"] for task in create_all(http, alice, _SEED)}
    seen: list[str] = []
    deleted: set[str] = set()
    for number, page in enumerate(_pages(http, alice, sort=sort, limit=2)):
        seen += [task["id"] for task in page]
        # The last one seen, where the next page begins, and one that is still to come.
        for gone in (seen[-1], min(ids - {*seen} - deleted, default=None)):
            if gone is not None:
                http.delete(f"/api/tasks/{gone}", headers=alice.headers)
                deleted.add(gone)
        create(http, alice, **_SEED[number % len(_SEED)])
        assert number < 30
    assert len({*seen}) == len(seen)
    assert {*seen} >= ids - deleted
    assert [task["id"] for task in list_all(http, alice, sort=sort) if task["id"] in seen] == [
        task_id for task_id in seen if task_id not in deleted
    ]


def test_a_page_after_everything_is_gone_is_empty(http: httpx.Client, alice: User) -> None:
    tasks = create_all(http, alice, _SEED[:3])
    cursor = _page(http, alice, limit=1)["next_cursor"]
    for task in tasks:
        http.delete(f"/api/tasks/{task['id']}", headers=alice.headers)
    assert _page(http, alice, limit=1, cursor=cursor) == {"tasks": [], "next_cursor": None}


@pytest.mark.parametrize(
    ("character", "length"),
    [("x", 650), ("\u00e9", 1200), ("\u65e5", 1700), ("\U0001f600", 2250), ("\x01", 3300)],
    ids=ascii,
)
def test_a_cursor_leaves_room_for_the_rest_of_a_request(
    http: httpx.Client, alice: User, character: str, length: int
) -> None:
    # API Gateway takes 10,240 bytes of headers and URL together.
    titles = {f"{character * 499}{end}" for end in "ab"}
    create_all(http, alice, [{"title": title} for title in titles])
    first = _page(http, alice, sort="title", limit=1)
    assert len(first["next_cursor"]) < length
    second = _page(http, alice, sort="title", limit=1, cursor=first["next_cursor"])
    assert {task["title"] for page in (first, second) for task in page["tasks"]} == titles
    assert second["next_cursor"] is None


def test_titles_that_differ_late_are_all_listed(http: httpx.Client, alice: User) -> None:
    titles = [{"title": "x" * 499 + end} for end in "badc"]
    create_all(http, alice, titles)
    seen = [task["title"] for page in _pages(http, alice, sort="title", limit=1) for task in page]
    assert sorted(seen) == sorted(title["title"] for title in titles)
