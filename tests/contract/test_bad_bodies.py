"""Bodies that break a rule: what is refused, how, and that the stored task stays as it is."""

import json
from collections.abc import Callable

import httpx
import pytest

from tests.clients import User
from tests.conftest import ONE_WAY
from tests.contract.conftest import (
    BODIES,
    CALLS,
    Task,
    call_id,
    check_refusal,
    list_all,
)

pytestmark = ONE_WAY

MAX_BYTES = 64 * 1024

with_body = pytest.mark.parametrize("call", BODIES, ids=call_id)
needs_body = pytest.mark.parametrize("call", [*BODIES][:3], ids=call_id)

Send = Callable[..., httpx.Response]


@pytest.fixture
def send(http: httpx.Client, alice: User, task: Task, call: tuple[str, str]) -> Send:
    """Sends a body with the call of the test to Alice's task."""

    def send_body(
        body: bytes | str, content_type: str | None = "application/json"
    ) -> httpx.Response:
        headers = {**alice.headers}
        if content_type is not None:
            headers["Content-Type"] = content_type
        path = "/api/tasks" + call[1].format(id=task["id"])
        return http.request(call[0], path, headers=headers, content=body)

    return send_body


_NOT_JSON: dict[str, bytes] = {
    "cut": b'{"title": "x"',
    "form": b"title=x&is_completed=true",
    "trailing comma": b'{"title": "x",}',
    "two objects": b'{"title": "x"}{}',
    "single quotes": b"{'title': 'x'}",
    "no quotes": b"{title: 1}",
    "comment": b'{"title": "x"} // why',
    "NaN": b'{"title": NaN}',
    "NaN in an ignored field": b'{"title": "x", "id": NaN}',
    "Infinity": b'{"is_completed": Infinity}',
    "-Infinity": b'{"id": [-Infinity]}',
    "line break in text": b'{"title": "a\nb"}',
    "bad escape": b'{"title": "\\x41"}',
    "leading zero": b'{"id": 01}',
    "blank": b" \n",
    "UTF-16 without mark": '{"title": "x"}'.encode("utf-16-le"),
}
_NOT_UTF8: dict[str, bytes] = {
    "never in UTF-8": b'{"title": "\xff"}',
    "Latin-1": '{"title": "Grün"}'.encode("latin-1"),
    "surrogate": b'{"title": "\xed\xa0\x80"}',
    "UTF-16": '{"title": "x"}'.encode("utf-16"),
    "UTF-32": '{"title": "x"}'.encode("utf-32"),
}


@with_body
@pytest.mark.usefixtures("untouched")
def test_what_is_not_json_is_refused(send: Send, subtests: pytest.Subtests) -> None:
    for name, body in _NOT_JSON.items():
        with subtests.test(name):
            check_refusal(send(body), 400, "bad_request")


@with_body
@pytest.mark.usefixtures("untouched")
@pytest.mark.beyond_sam_local("passes on bodies that are not UTF-8")
def test_what_is_not_utf8_is_refused(send: Send, subtests: pytest.Subtests) -> None:
    for name, body in _NOT_UTF8.items():
        with subtests.test(name):
            check_refusal(send(body), 400, "bad_request")


@needs_body
@pytest.mark.usefixtures("untouched")
def test_an_empty_body_is_refused(send: Send) -> None:
    for content_type in ("application/json", None):
        check_refusal(send(b"", content_type), 400, "bad_request")


@with_body
@pytest.mark.usefixtures("untouched")
def test_json_that_is_no_object_is_refused(send: Send, subtests: pytest.Subtests) -> None:
    for body in ("null", "true", "0", '"title"', "[]", '[{"title": "x"}]'):
        with subtests.test(body):
            assert check_refusal(send(body), 422, "validation_failed")["details"]


_DEEP = {
    "open": "[" * 60_000,
    "lists": '{"title":' + "[" * 20_000 + "]" * 20_000 + "}",
    "objects": '{"a":' * 8_000 + "1" + "}" * 8_000,
}


@with_body
@pytest.mark.usefixtures("untouched")
def test_deep_json_is_refused(send: Send, subtests: pytest.Subtests) -> None:
    for name, body in _DEEP.items():
        with subtests.test(name):
            answer = send(body)
            assert answer.status_code in (400, 422)
            check_refusal(answer, answer.status_code, answer.json()["code"])


# --- values ---

_BAD_TEXT: list[object] = [0, 1.5, True, [], ["x"], {}, "a\0b", "\0", "\ud800", "a\udfff"]
_REFUSED: dict[str, list[object]] = {
    "title": [*_BAD_TEXT, None, "", " \t\u3000", "\udc00\ud800", "x" * 501, "😀" * 501],
    "description": [*_BAD_TEXT, "x" * 5001],
    "priority": [*_BAD_TEXT, None, "", "LOW", " low", "urgent", "low\0"],
    "due_at": [
        *(0, 1795262400, 1795262400.5, True, [], {}, "", "tomorrow", "now", "infinity"),
        *("2026-12-01", "2026-12-01T08:00:00", "2026-12-01 08:00:00Z", "2026-12-01T08:00Z"),
        *("2026-12-01T08:00:00+01", "2026-12-01T08:00:00+0100", "2026-12-01T08:00:00+24:00"),
        *("2026-02-29T08:00:00Z", "2026-13-01T08:00:00Z", "2026-12-01T25:00:00Z"),
        *("2026-W01-1T08:00:00Z", "20261201T080000Z", "10000-01-01T00:00:00Z"),
        *("0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59-01:00", "-001-01-01T00:00:00Z"),
        *(" 2026-12-01T08:00:00Z", "2026-12-01T08:00:00Z\0", "٢٠٢٦-12-01T08:00:00Z", "\ud800"),
    ],
    "is_completed": [None, 0, 1, 1.0, "true", "false", "", [], {}],
}
_FIELDS_OF = {
    ("POST", ""): ["title", "description", "priority", "due_at"],
    ("PUT", "/{id}"): [*_REFUSED],
    ("PATCH", "/{id}"): [*_REFUSED],
    ("PATCH", "/{id}/complete"): ["is_completed"],
}


@pytest.mark.parametrize(
    ("call", "field"),
    [(call, field) for call, fields in _FIELDS_OF.items() for field in fields],
    ids=call_id,
)
@pytest.mark.usefixtures("untouched")
def test_a_bad_value_is_refused_by_name(
    send: Send, subtests: pytest.Subtests, call: tuple[str, str], field: str
) -> None:
    for value in _REFUSED[field]:
        with subtests.test(value=ascii(value)[:40]):
            answer = send(json.dumps({**BODIES[call], field: value}))
            body = check_refusal(answer, 422, "validation_failed")
            assert {detail["field"] for detail in body["details"]} == {field}


@needs_body
@pytest.mark.usefixtures("untouched")
def test_each_bad_value_is_named(send: Send) -> None:
    body = check_refusal(send('{"title": null, "priority": 1}'), 422, "validation_failed")
    assert {detail["field"] for detail in body["details"]} == {"title", "priority"}


_ENDLESS = {
    "thousands": "1" * 5000,
    "a body full": "-" + "9" * 60_000,
    "exponent": "1e999",
    "fraction": "0." + "3" * 5000,
    "nearly one": "1" * 5000 + "e-4999",
}


@with_body
@pytest.mark.usefixtures("untouched")
def test_an_endless_number_is_no_value(
    send: Send, subtests: pytest.Subtests, call: tuple[str, str]
) -> None:
    field = next(iter(BODIES[call]))
    for name, number in _ENDLESS.items():
        with subtests.test(name):
            answer = send(f'{{"{field}": {number}}}')
            body = check_refusal(answer, 422, "validation_failed")
            assert [detail["field"] for detail in body["details"]] == [field]
            assert len(body["details"][0]["message"]) < 200


@pytest.mark.parametrize("call", [("POST", "")], ids=call_id)
def test_an_endless_number_in_an_ignored_field_is_ignored(send: Send) -> None:
    body = '{"title": "x", "id": ' + "1" * 5000 + ', "created_at": 1e999, "user_id": -0}'
    assert send(body).status_code == 201


@with_body
@pytest.mark.usefixtures("untouched")
def test_an_unknown_field_is_refused_by_name(
    send: Send, subtests: pytest.Subtests, call: tuple[str, str]
) -> None:
    names = ["tilte", "Title", "title ", "isCompleted", "hashed_password", "日本", "a.b", "x\0"]
    if call[1].endswith("complete"):
        names += ["title", "due_at"]
    for name in names:
        with subtests.test(name):
            answer = send(json.dumps({**BODIES[call], name: None}))
            body = check_refusal(answer, 422, "validation_failed")
            assert [detail["field"] for detail in body["details"]] == [name]


@with_body
@pytest.mark.parametrize("name", ["", "\ud800", "a\udfffb"], ids=["empty", "high", "low"])
@pytest.mark.usefixtures("untouched")
def test_an_unknown_field_whose_name_is_no_text_is_refused(
    send: Send, call: tuple[str, str], name: str
) -> None:
    answer = send(json.dumps({**BODIES[call], name: 1}))
    assert len(check_refusal(answer, 422, "validation_failed")["details"]) == 1


@with_body
@pytest.mark.usefixtures("untouched")
def test_a_refusal_is_not_many_times_as_long_as_the_body(send: Send, call: tuple[str, str]) -> None:
    answer = send(json.dumps({**BODIES[call], **{f"{number:x}": 0 for number in range(5000)}}))
    assert len(check_refusal(answer, 422, "validation_failed")["details"]) == 100


# --- size and type ---


def _sized(call: tuple[str, str], size: int) -> bytes:
    return json.dumps(BODIES.get(call, {})).encode().ljust(size)


@pytest.mark.parametrize("call", CALLS, ids=call_id)
@pytest.mark.usefixtures("untouched")
def test_a_body_over_64_kib_is_refused(send: Send, call: tuple[str, str]) -> None:
    check_refusal(send(_sized(call, MAX_BYTES + 1)), 413, "body_too_large")
    check_refusal(send(b"[" * 1_000_000), 413, "body_too_large")


@with_body
def test_a_body_of_64_kib_is_taken(send: Send, call: tuple[str, str]) -> None:
    assert send(_sized(call, MAX_BYTES)).status_code in (200, 201)


_OTHER_TYPES = [
    None,
    "text/plain",
    "text/json",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "application/jsonp",
    "application/xml",
    "json",
    ";application/json",
]
_JSON_TYPES = [
    "application/json; charset=utf-8",
    "application/json;charset=UTF-8",
    "Application/JSON",
    "application/json ;x=y",
]


@with_body
@pytest.mark.usefixtures("untouched")
def test_a_body_that_is_not_called_json_is_refused(
    send: Send, subtests: pytest.Subtests, call: tuple[str, str]
) -> None:
    for content_type in _OTHER_TYPES:
        with subtests.test(content_type):
            answer = send(json.dumps(BODIES[call]), content_type)
            check_refusal(answer, 415, "unsupported_media_type")


@with_body
def test_json_may_be_called_so_in_any_way(
    send: Send, subtests: pytest.Subtests, call: tuple[str, str]
) -> None:
    for content_type in _JSON_TYPES:
        with subtests.test(content_type):
            assert send(json.dumps(BODIES[call]), content_type).status_code in (200, 201)


@pytest.mark.parametrize("content_type", [None, "application/json", "text/plain"])
@pytest.mark.parametrize("end", ["/complete", "/toggle-status"])
def test_a_flip_needs_no_body_of_any_type(
    http: httpx.Client, alice: User, task: Task, end: str, content_type: str | None
) -> None:
    headers = {**alice.headers, **({"Content-Type": content_type} if content_type else {})}
    answer = http.patch(f"/api/tasks/{task['id']}{end}", headers=headers)
    assert answer.status_code == 200
    assert list_all(http, alice) == [answer.json()]
