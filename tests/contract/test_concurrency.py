"""Many at once: nothing fails, nothing is lost, and nothing is done twice."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import httpx
import pytest

from tests.clients import User, make_token
from tests.contract.conftest import Task, check_refusal, create, list_all, read


def _at_once(count: int, call: Callable[[int], httpx.Response]) -> list[httpx.Response]:
    """The answers to calls that all begin at the same moment."""
    barrier = Barrier(count)

    def begin(number: int) -> httpx.Response:
        barrier.wait()
        return call(number)

    with ThreadPoolExecutor(count) as threads:
        return list(threads.map(begin, range(count)))


def test_only_one_of_many_changes_to_the_same_version_is_made(
    http: httpx.Client, alice: User, task: Task
) -> None:
    path = f"/api/tasks/{task['id']}"
    headers = {**alice.headers, "If-Match": http.get(path, headers=alice.headers).headers["ETag"]}
    answers = _at_once(
        12, lambda number: http.patch(path, headers=headers, json={"title": f"Title {number}"})
    )
    (made,) = (answer for answer in answers if answer.status_code == 200)
    for answer in answers:
        if answer is not made:
            check_refusal(answer, 412, "precondition_failed")
    assert read(http, alice, task["id"]) == made.json()


def test_only_one_of_many_deletes_finds_the_task(
    http: httpx.Client, alice: User, task: Task
) -> None:
    path = f"/api/tasks/{task['id']}"
    answers = _at_once(12, lambda _: http.delete(path, headers=alice.headers))
    assert sorted(answer.status_code for answer in answers) == [204] + [404] * 11
    assert list_all(http, alice) == []


def test_fifty_calls_of_all_kinds_are_all_answered(http: httpx.Client) -> None:
    users = [User() for _ in range(5)]

    def work(number: int) -> httpx.Response:
        user = users[number % 5]
        title = f"Task {number}"
        task = create(http, user, title=title)
        path = f"/api/{user.id}/tasks/{task['id']}"
        changed = http.put(path, headers=user.headers, json={"description": title})
        assert changed.json()["description"] == title
        assert http.patch(f"{path}/complete", headers=user.headers).json()["is_completed"]
        return http.get(path, headers=user.headers)

    answers = _at_once(50, work)
    assert [answer.status_code for answer in answers] == [200] * 50
    for number, user in enumerate(users):
        titles = {f"Task {other}" for other in range(number, 50, 5)}
        listed = list_all(http, user)
        assert {task["title"] for task in listed} == titles
        assert all(task["description"] == task["title"] for task in listed)
        assert all(task["user_id"] == user.id for task in listed)


@pytest.mark.parametrize("end", ["/complete", "/toggle-status"])
@pytest.mark.parametrize("flips", [20, 21])
def test_no_flip_of_many_is_lost(
    http: httpx.Client, alice: User, task: Task, end: str, flips: int
) -> None:
    path = f"/api/tasks/{task['id']}"
    answers = _at_once(flips, lambda _: http.patch(path + end, headers=alice.headers))
    assert [answer.status_code for answer in answers] == [200] * flips
    after = read(http, alice, task["id"])
    assert after["is_completed"] == (flips % 2 == 1)
    assert (after["completed_at"] is not None) == after["is_completed"]
    assert len({answer.json()["updated_at"] for answer in answers}) == flips
    completed = [answer.json()["is_completed"] for answer in answers]
    assert completed.count(True) == (flips + 1) // 2


def test_setting_the_same_at_once_changes_a_task_once(
    http: httpx.Client, alice: User, task: Task
) -> None:
    path = f"/api/tasks/{task['id']}/complete"
    body = {"is_completed": True}
    answers = _at_once(20, lambda _: http.patch(path, headers=alice.headers, json=body))
    assert [answer.status_code for answer in answers] == [200] * 20
    assert {answer.text for answer in answers} == {answers[0].text}


def test_changes_of_different_fields_at_once_are_all_made(
    http: httpx.Client, alice: User, task: Task
) -> None:
    path = f"/api/tasks/{task['id']}"
    changes = [{"title": "New"}, {"description": "New"}, {"priority": "low"}, {"due_at": None}]
    answers = _at_once(
        4, lambda number: http.patch(path, headers=alice.headers, json=changes[number])
    )
    assert [answer.status_code for answer in answers] == [200] * 4
    after = read(http, alice, task["id"])
    assert [after[name] for name in ("title", "description", "priority", "due_at")] == [
        *("New", "New", "low", None)
    ]


@pytest.mark.parametrize("email", [None, "one@example.org"], ids=["no e-mail", "e-mail"])
def test_the_first_tasks_of_a_new_user_are_all_made(
    http: httpx.Client, alice: User, email: str | None
) -> None:
    claims = {} if email is None else {"email": email}
    headers = {"Authorization": f"Bearer {make_token(alice.id, **claims)}"}
    answers = _at_once(
        20, lambda number: http.post("/api/tasks", headers=headers, json={"title": f"{number}"})
    )
    assert [answer.status_code for answer in answers] == [201] * 20
    assert {task["title"] for task in list_all(http, alice)} == {f"{n}" for n in range(20)}
    ids = [answer.json()["id"] for answer in answers]
    assert len({*ids}) == 20


def test_new_users_with_the_same_email_are_all_served(http: httpx.Client) -> None:
    users = [User() for _ in range(8)]
    email = f"{users[0].id}@example.org"

    def call(number: int) -> httpx.Response:
        token = make_token(users[number].id, email=email if number % 2 else email.upper())
        headers = {"Authorization": f"Bearer {token}"}
        return http.post("/api/tasks", headers=headers, json={"title": "Mine"})

    assert [answer.status_code for answer in _at_once(8, call)] == [201] * 8
    assert [len(list_all(http, user)) for user in users] == [1] * 8
