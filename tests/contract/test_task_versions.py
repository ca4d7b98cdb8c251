"""ETag, If-Match and If-None-Match: nobody overwrites a version that they have not seen."""

import re

import httpx
import pytest

from tests.clients import User
from tests.contract.conftest import WRITES, Task, call_id, check_refusal, make_call, read

MALFORMED = [
    "unquoted",
    '"open',
    '"a" "b"',
    '"a",b',
    'w/"a"',
    'W/ "a"',
    "W/a",
    '*, "a"',
    '"a", *',
    "**",
    '"a b"',
    "'a'",
]


@pytest.fixture
def etag(http: httpx.Client, alice: User, task: Task) -> str:
    """The tag of Alice's task."""
    answer = http.get(f"/api/tasks/{task['id']}", headers=alice.headers)
    tag: str = answer.headers["ETag"]
    return tag


@pytest.mark.parametrize("call", WRITES, ids=call_id)
def test_a_malformed_if_match_is_refused(
    http: httpx.Client, alice: User, untouched: Task, call: tuple[str, str]
) -> None:
    for header in MALFORMED:
        answer = make_call(http, alice, call, task_id=untouched["id"], If_Match=header)
        check_refusal(answer, 400, "bad_request")


@pytest.mark.parametrize("header", MALFORMED)
def test_a_malformed_if_none_match_is_refused(
    http: httpx.Client, alice: User, task: Task, header: str
) -> None:
    answer = make_call(http, alice, ("GET", "/{id}"), task_id=task["id"], If_None_Match=header)
    check_refusal(answer, 400, "bad_request")


_OTHER_TAGS = ['"other"', "W/{etag}", '"other", W/{etag}', '""', '"{bare}-gzip"', '"a,{bare}"']
_OWN_TAGS = ["{etag}", '"other", {etag}', '{etag},W/"other"', '{etag}\t ,""', "*"]


@pytest.mark.parametrize("call", WRITES, ids=call_id)
def test_a_write_with_another_tag_fails(
    http: httpx.Client, alice: User, untouched: Task, etag: str, call: tuple[str, str]
) -> None:
    for header in _OTHER_TAGS:
        if_match = header.format(etag=etag, bare=etag.strip('"'))
        answer = make_call(http, alice, call, task_id=untouched["id"], If_Match=if_match)
        check_refusal(answer, 412, "precondition_failed")


@pytest.mark.parametrize("call", WRITES, ids=call_id)
def test_a_write_with_the_tag_of_an_older_version_fails(
    http: httpx.Client, alice: User, task: Task, tasks: str, etag: str, call: tuple[str, str]
) -> None:
    changed = http.patch(
        f"{tasks}/{task['id']}", headers=alice.headers, json={"priority": "medium"}
    ).json()
    answer = make_call(http, alice, call, tasks, task["id"], If_Match=etag)
    check_refusal(answer, 412, "precondition_failed")
    assert read(http, alice, task["id"]) == changed


@pytest.mark.parametrize(
    ("call", "header"),
    [(call, "{etag}") for call in WRITES] + [(WRITES[0], header) for header in _OWN_TAGS[1:]],
    ids=call_id,
)
def test_a_write_with_the_tasks_own_tag_succeeds(
    http: httpx.Client, alice: User, task: Task, etag: str, call: tuple[str, str], header: str
) -> None:
    if_match = header.format(etag=etag)
    answer = make_call(http, alice, call, task_id=task["id"], If_Match=if_match)
    assert answer.status_code == (204 if call[0] == "DELETE" else 200), answer.text


def test_two_if_match_headers_are_one_list(
    http: httpx.Client, alice: User, task: Task, etag: str
) -> None:
    headers = [*alice.headers.items(), ("If-Match", '"other"'), ("If-Match", etag)]
    path = f"/api/tasks/{task['id']}/toggle-status"
    assert http.patch(path, headers=headers).status_code == 200


@pytest.mark.parametrize(
    "header",
    ["{etag}", "W/{etag}", '"other", {etag}', '"other",W/{etag}', "*"],
    ids=["same", "weak", "list", "weak in a list", "any"],
)
def test_a_version_that_the_caller_has_is_not_sent_again(
    http: httpx.Client, alice: User, task: Task, tasks: str, etag: str, header: str
) -> None:
    known = header.format(etag=etag)
    call = ("GET", "/{id}")
    answer = make_call(http, alice, call, tasks, task["id"], If_None_Match=known)
    assert answer.status_code == 304
    assert answer.content == b""
    assert answer.headers["ETag"] == etag
    assert answer.headers["Cache-Control"] == "private, no-cache"
    assert answer.headers["X-Request-Id"]


@pytest.mark.parametrize("header", ['"other"', '"", W/"other"', '"a,b"'])
def test_a_version_that_the_caller_has_not_is_sent(
    http: httpx.Client, alice: User, task: Task, etag: str, header: str
) -> None:
    call = ("GET", "/{id}")
    answer = make_call(http, alice, call, task_id=task["id"], If_None_Match=header)
    assert answer.status_code == 200
    assert answer.json() == task
    assert answer.headers["ETag"] == etag


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_each_change_has_a_tag_of_its_own(
    http: httpx.Client, alice: User, task: Task, tasks: str, etag: str, method: str
) -> None:
    path = f"{tasks}/{task['id']}"
    tags = [etag]
    for title in ("One", "Two", "One"):
        answer = http.request(method, path, headers=alice.headers, json={"title": title})
        tags.append(answer.headers["ETag"])
        assert http.get(path, headers=alice.headers).headers["ETag"] == tags[-1]
    assert len({*tags}) == len(tags)
    assert all(re.fullmatch(r'"[\x21\x23-\x7e]+"', tag) for tag in tags)


@pytest.mark.parametrize("end", ["/complete", "/toggle-status"])
def test_a_flip_makes_another_version(
    http: httpx.Client, alice: User, task: Task, etag: str, end: str
) -> None:
    path = f"/api/tasks/{task['id']}"
    http.patch(path + end, headers=alice.headers)
    assert http.get(path, headers=alice.headers).headers["ETag"] != etag


def test_what_changes_nothing_leaves_the_version(
    http: httpx.Client, alice: User, task: Task, etag: str
) -> None:
    path = f"/api/tasks/{task['id']}"
    headers = {**alice.headers, "If-Match": etag}
    for body in ({}, {"title": task["title"]}, task):
        answer = http.put(path, headers=headers, json=body)
        assert answer.status_code == 200
        assert answer.headers["ETag"] == etag


ANSWERED_WITH_A_TASK = [
    ("PUT", "/{id}", {"priority": "high"}),
    ("PATCH", "/{id}", {"priority": "high"}),
    ("PATCH", "/{id}", {}),
    ("PATCH", "/{id}/complete", {"is_completed": True}),
    ("PATCH", "/{id}/complete", {"is_completed": False}),
    ("PATCH", "/{id}/complete", None),
    ("PATCH", "/{id}/toggle-status", None),
]


@pytest.mark.parametrize(("method", "path", "body"), ANSWERED_WITH_A_TASK)
def test_every_answer_with_a_task_has_its_tag(
    http: httpx.Client, alice: User, tasks: str, method: str, path: str, body: object
) -> None:
    created = http.post(tasks, headers=alice.headers, json={"title": "A task"})
    where = f"{tasks}/{created.json()['id']}"
    assert created.headers["ETag"] == http.get(where, headers=alice.headers).headers["ETag"]

    url = tasks + path.format(id=created.json()["id"])
    headers = {**alice.headers, "If-Match": created.headers["ETag"]}
    answer = http.request(method, url, headers=headers, json=body)
    read = http.get(where, headers=alice.headers)
    assert answer.json() == read.json()
    assert answer.headers["ETag"] == read.headers["ETag"]
    assert answer.headers["Cache-Control"] == "private, no-cache"
    has_changed = answer.json() != created.json()
    assert (answer.headers["ETag"] != created.headers["ETag"]) == has_changed
