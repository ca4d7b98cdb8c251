"""Listing: what each filter lets through, what each order is, and which queries are refused."""

import operator
from collections.abc import Callable
from datetime import datetime
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

RANKS = {"low": 0, "medium": 1, "high": 2}
DUE = "2026-12-01T08:00:00Z"


def _titles(http: httpx.Client, user: User, **query: Any) -> set[str]:
    answer = http.get("/api/tasks", headers=user.headers, params=query)
    assert answer.status_code == 200, answer.text
    return {task["title"] for task in answer.json()["tasks"]}


# --- refusals ---


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("status", ["", "done", "ALL", "pending,completed", "true"]),
        ("priority", ["", "LOW", "urgent", "low,high", "0"]),
        ("due_before", ["", "2026-12-01", "2026-12-01T08:00:00", "1795262400", "now", "\0"]),
        ("due_after", ["", "tomorrow", "2026-02-30T08:00:00Z", "2026-12-01T08:00:00 01:00"]),
        ("q", ["a\0b", "x" * 501]),
        ("sort", ["", "id", "+title", "--title", "Title", "title,priority", "due_at desc", "-"]),
        ("limit", ["", "0", "-1", "1001", "1.5", "ten", "1e2", "9" * 5000, "\0"]),
        ("with_total", ["", "maybe", "2", "null"]),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
@ONE_WAY
def test_a_bad_query_is_refused_by_name(
    http: httpx.Client,
    alice: User,
    subtests: pytest.Subtests,
    name: str,
    values: list[str],
) -> None:
    for value in values:
        with subtests.test(value[:40]):
            answer = http.get("/api/tasks", headers=alice.headers, params={name: value})
            body = check_refusal(answer, 422, "validation_failed")
            assert {detail["field"].partition(".")[0] for detail in body["details"]} == {name}


@ONE_WAY
def test_one_bad_priority_of_several_is_refused(http: httpx.Client, alice: User) -> None:
    params = {"priority": ["low", "urgent"]}
    answer = http.get("/api/tasks", headers=alice.headers, params=params)
    check_refusal(answer, 422, "validation_failed")


@ONE_WAY
def test_a_priority_is_asked_for_ten_times_at_most(http: httpx.Client, alice: User) -> None:
    for times, status in ((10, 200), (11, 422)):
        params = {"priority": ["low"] * times}
        answer = http.get("/api/tasks", headers=alice.headers, params=params)
        assert answer.status_code == status


# --- filters ---


@pytest.fixture(scope="module")
def filtered(http: httpx.Client) -> User:
    """A user with tasks of all kinds; their titles say which."""
    user = User()
    kinds: dict[str, Task] = {
        "low": {"priority": "low"},
        "medium": {},
        "high": {"priority": "high"},
        "before": {"due_at": "2026-12-01T07:59:59.999999Z"},
        "at": {"due_at": "2026-12-01T09:00:00+01:00"},
        "after": {"due_at": "2026-12-01T08:00:00.000001Z"},
        "done": {"priority": "high", "due_at": "2026-12-02T08:00:00Z"},
    }
    tasks = create_all(http, user, [{"title": name, **kind} for name, kind in kinds.items()])
    http.patch(f"/api/tasks/{tasks[-1]['id']}/complete", headers=user.headers)
    create(http, User(), title="another user's", priority="low", due_at=DUE)
    return user


_ALL = {"low", "medium", "high", "before", "at", "after", "done"}


@pytest.mark.parametrize(
    ("query", "titles"),
    [
        ({}, _ALL),
        ({"status": "all"}, _ALL),
        ({"status": "pending"}, _ALL - {"done"}),
        ({"status": "completed"}, {"done"}),
        ({"priority": "low"}, {"low"}),
        ({"priority": "high"}, {"high", "done"}),
        ({"priority": ["low", "high"]}, {"low", "high", "done"}),
        ({"priority": ["low", "low"]}, {"low"}),
        ({"priority": ["low", "medium", "high"]}, _ALL),
        ({"due_before": DUE}, {"before"}),
        ({"due_before": "2026-12-01T08:00:00.000001Z"}, {"before", "at"}),
        ({"due_before": "9999-12-31T23:59:59Z"}, {"before", "at", "after", "done"}),
        ({"due_after": DUE}, {"at", "after", "done"}),
        ({"due_after": "2026-12-01T00:00:00.000001-08:00"}, {"after", "done"}),
        ({"due_after": "0001-01-01T00:00:00Z"}, {"before", "at", "after", "done"}),
        ({"due_after": DUE, "due_before": DUE}, set()),
        ({"due_after": DUE, "due_before": "2026-12-02T08:00:00Z"}, {"at", "after"}),
        ({"due_after": DUE, "status": "completed", "priority": "high", "q": "do"}, {"done"}),
        ({"due_after": DUE, "status": "pending", "priority": "high", "q": "do"}, set()),
        ({"q": "", "priority": "low"}, {"low"}),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else "",
)
def test_filters(
    http: httpx.Client, filtered: User, query: dict[str, Any], titles: set[str]
) -> None:
    assert _titles(http, filtered, **query) == titles
    named = http.get(f"/api/{filtered.id}/tasks", headers=filtered.headers, params=query)
    assert {task["title"] for task in named.json()["tasks"]} == titles


def test_the_total_is_of_all_that_match(http: httpx.Client, filtered: User) -> None:
    def page(**query: object) -> dict[str, Any]:
        answer = http.get("/api/tasks", headers=filtered.headers, params=query)  # type: ignore[arg-type]
        body: dict[str, Any] = answer.json()
        return body

    assert page(with_total="true")["total"] == len(_ALL)
    first = page(with_total="true", status="pending", limit=2)
    assert (first["total"], len(first["tasks"])) == (6, 2)
    second = page(with_total="true", status="pending", limit=2, cursor=first["next_cursor"])
    assert (second["total"], len(second["tasks"])) == (6, 2)
    assert page(with_total="true", q="nothing") == {"tasks": [], "next_cursor": None, "total": 0}
    assert page().keys() == page(with_total="false").keys() == {"tasks", "next_cursor"}


def test_a_user_without_tasks_has_an_empty_list(
    http: httpx.Client, alice: User, tasks: str
) -> None:
    answer = http.get(tasks, headers=alice.headers)
    assert answer.status_code == 200
    assert answer.json() == {"tasks": [], "next_cursor": None}


def test_a_page_has_100_tasks_unless_told_otherwise(http: httpx.Client, alice: User) -> None:
    create_all(http, alice, [{}] * 101)
    for query, length, more in [("", 100, True), ("?limit=1", 1, True), ("?limit=101", 101, False)]:
        page = http.get(f"/api/tasks{query}", headers=alice.headers).json()
        assert len(page["tasks"]) == length
        assert (page["next_cursor"] is not None) == more


# --- search ---

# Each a title, a description, words that find the task, and words that do not.
_SEARCHES: dict[str, tuple[str, str | None, list[str], list[str]]] = {
    "beginnings": ("Buy milk", None, ["buy", "MILK", "mi", "m b", "milk buy"], ["ilk", "milks"]),
    "description": ("Buy", "At the shop", ["shop", "buy sh", "the"], ["hop", "buy milk"]),
    "every word": ("Red green blue", None, ["r g b", "blue red"], ["r g x", "red redd"]),
    "umlauts": ("Über GRÜN", "ÄPFEL", ["über", "ÜB", "grün äp"], ["uber", "grun"]),
    "accents": ("École", "déjà vu", ["ÉCOLE", "éc", "DÉJÀ"], ["ecole"]),
    "Cyrillic": ("Купить МОЛОКО", None, ["молоко", "КУП"], ["локо"]),
    "Greek": ("Γάλα", None, ["γάλα", "ΓΆΛ"], ["αλα"]),
    "Japanese": ("日本語", None, ["日本", "日本語"], ["本語"]),
    "punctuation": (
        "buy-milk, (now)! e.g. foo_bar/baz",
        "don't; 'quoted' \"twice\"",
        ["buy", "milk", "buy-milk", "now", "bar", "baz", "(now", "quoted", "twice", "don't", "!?"],
        ["uy-milk", "ow"],
    ),
    "addresses": (
        "ann@example.org https://host.example/path?key=value#part",
        "C:\\folder\\file.txt <b>bold</b> &amp;",
        ["ann", "example", "org", "host", "path", "key", "value", "part", "file", "txt", "bold"],
        ["xample", "nn@example"],
    ),
    "numbers": ("Version 1.25.3 of 2026-11-21", "-7 +49 3e8 10kg", ["25", "1.25", "2026", "11",
                "7", "49", "3e8", "10", "10kg"], ["026", "kg"]),
    "stop words": ("To be or not to be", None, ["to", "be or", "not"], ["ot", "bee"]),
    "operators": ("One two", None, ["one & two", "one | ", "!one", "one:*", "(one", "'one'",
                  "one\\", "one <-> two", "%one", "one_", "*", ":", "&|!"],
                  ["one & three", "one | three", "two%three"]),
    "Unicode punctuation": ("„Milch“—Brot…", "¿Qué\u00a0tal?",
                            ["milch", "brot", "qué", "tal", "„milch“"], ["ilch"]),
    "emoji": ("🎉party☕tea", None, ["party", "tea", "🎉", "☕ pa"], ["arty"]),
    "two sigmas": ("ΟΔΟΣ", "σοφός", ["οδος", "οδοσ", "ΟΔΟς", "σοφόσ"], ["δος"]),
    "a long word": ("Word", "w" * 3000, ["w", "w" * 400], ["w" * 400 + " x"]),
}  # fmt: skip


@pytest.fixture(scope="module")
def searched(http: httpx.Client) -> dict[str, User]:
    """For each of the searches a user who has its task, and one task that nothing finds."""
    users = {name: User() for name in _SEARCHES}
    for name, (title, description, *_) in _SEARCHES.items():
        create(http, users[name], title=title, description=description)
    return users


@pytest.mark.parametrize("name", _SEARCHES)
def test_each_word_of_q_begins_a_word_of_the_task(
    http: httpx.Client, searched: dict[str, User], subtests: pytest.Subtests, name: str
) -> None:
    title, _, found_by, not_found_by = _SEARCHES[name]
    for q in found_by:
        with subtests.test(found_by=q):
            assert _titles(http, searched[name], q=q) == {title}
    for q in not_found_by:
        with subtests.test(not_found_by=q):
            assert _titles(http, searched[name], q=q) == set()


def test_what_is_searched_for_follows_a_change(http: httpx.Client, alice: User, task: Task) -> None:
    path = f"/api/tasks/{task['id']}"
    http.patch(path, headers=alice.headers, json={"title": "Feed the cat", "description": None})
    assert _titles(http, alice, q="cat") == {"Feed the cat"}
    assert _titles(http, alice, q="plants") == set()
    assert _titles(http, alice, q="fern") == set()


def test_words_of_any_length_are_kept(http: httpx.Client, alice: User) -> None:
    task = create(http, alice, title="😀" * 500, description="é" * 5000)
    assert list_all(http, alice) == [task]
    assert list_all(http, alice, q="x" * 500) == []


# --- order ---

Key = Callable[[Task], Any]
_SORTS: dict[str, tuple[Key, bool]] = {}
for _name in ("created_at", "updated_at", "title"):
    _SORTS[_name] = (operator.itemgetter(_name), False)
    _SORTS[f"-{_name}"] = (operator.itemgetter(_name), True)
_SORTS["priority"] = (lambda task: RANKS[task["priority"]], False)
_SORTS["-priority"] = (lambda task: RANKS[task["priority"]], True)


@pytest.fixture(scope="module")
def ordered(http: httpx.Client) -> User:
    """A user with tasks that tie, and tasks without a due_at."""
    user = User()
    titles = ["b", "B", "a", "é", "10", "9", "b", "z" * 500, "z" * 500]
    fields: list[Task] = [
        {
            "title": title,
            "priority": ["high", "low", "medium"][number % 3],
            "due_at": [None, "2026-12-01T08:00:00Z", "2026-12-01T08:00:00.5Z"][number % 3],
        }
        for number, title in enumerate(titles)
    ]
    tasks = create_all(http, user, fields)
    for task in (tasks[4], tasks[1]):
        http.patch(f"/api/tasks/{task['id']}/toggle-status", headers=user.headers)
    return user


def _instants(task: Task) -> Task:
    return {
        name: datetime.fromisoformat(value) if name.endswith("_at") and value else value
        for name, value in task.items()
    }


@pytest.mark.parametrize("sort", _SORTS)
def test_orders(http: httpx.Client, ordered: User, sort: str) -> None:
    listed = [_instants(task) for task in list_all(http, ordered, sort=sort)]
    key, descending = _SORTS[sort]
    assert len(listed) == 9
    assert listed == sorted(listed, key=lambda task: (key(task), task["id"]), reverse=descending)


@pytest.mark.parametrize("sort", ["due_at", "-due_at"])
def test_tasks_that_are_never_due_come_last(http: httpx.Client, ordered: User, sort: str) -> None:
    listed = [_instants(task) for task in list_all(http, ordered, sort=sort)]
    due, never = listed[:6], listed[6:]
    assert [task["due_at"] for task in never] == [None] * 3
    down = sort.startswith("-")
    assert due == sorted(due, key=lambda task: (task["due_at"], task["id"]), reverse=down)
    assert never == sorted(never, key=operator.itemgetter("id"), reverse=down)


def test_the_newest_task_comes_first_by_default(http: httpx.Client, alice: User) -> None:
    made = [create(http, alice) for _ in range(3)]
    assert list_all(http, alice) == made[::-1]
    assert list_all(http, alice, sort="-created_at") == made[::-1]
