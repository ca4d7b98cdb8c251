"""How bodies, entity tags and Accept-Encoding are read, by an app that says what it understood."""

import json
from collections.abc import Callable
from typing import Annotated, Any

import pytest
from fastapi import Depends, Response

from infra.local.workers import Context
from shared.http.app import create_caller_app, create_handler
from shared.http.requests import MAX_BODY_BYTES, CurrentCaller, IfMatch, IfNoneMatch
from shared.http.responses import MIN_GZIP_BYTES, JsonResponse
from tests.clients import User, make_event

Answer = dict[str, Any]
Handler = Callable[[dict[str, Any], Any], Answer]


@pytest.fixture(scope="module")
def echo() -> Handler:
    """A handler that answers what it was sent."""
    app = create_caller_app()

    @app.post("/body")
    async def read_body(body: dict[str, Any]) -> Response:
        return _show(body)

    @app.get("/if-match")
    async def read_if_match(tags: IfMatch) -> Response:
        return _show(None if tags is None else sorted(tags))

    @app.get("/if-none-match")
    async def read_if_none_match(tags: IfNoneMatch) -> Response:
        return _show(None if tags is None else sorted(tags))

    kept = JsonResponse("1" * 2 * MIN_GZIP_BYTES)

    @app.get("/kept")
    async def show_kept() -> Response:
        return kept

    @app.get("/{size}")
    async def show(size: int) -> Response:
        return JsonResponse("1" * size)

    return create_handler(app)


def _show(value: object) -> Response:
    return JsonResponse(json.dumps(value, ensure_ascii=False, separators=(",", ":")))


def _call(echo: Handler, method: str, path: str, body: bytes = b"", **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    event = make_event(method, path, headers={**User("alice").headers, **named}, body=body)
    return echo(event, Context("echo"))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"{",
        b"{}x",
        b"{'a': 1}",
        b'{"a": 1,}',
        b"// none\n{}",
        b'{"a": NaN}',
        b'{"a": -Infinity}',
        b'{"a": "\n"}',
        b'{"a": "\xff"}',
        b'\xef\xbb\xbf{"a": 1}',
        '{"a": 1}'.encode("utf-16"),
        b"\x1f\x8b\x08\x00",
        b"[" * MAX_BODY_BYTES,
    ],
    ids=range(15),
)
def test_a_body_that_is_no_json_is_malformed(echo: Handler, body: bytes) -> None:
    answer = _call(echo, "POST", "/body", body, content_type="application/json")
    assert answer["statusCode"] == 400
    assert '"code": "bad_request"' in answer["body"]


@pytest.mark.parametrize("body", [b"[]", b'[{"a": 1}]', b'"a"', b"1", b"1e999", b"true", b"null"])
def test_a_body_that_is_no_object_breaks_a_rule(echo: Handler, body: bytes) -> None:
    answer = _call(echo, "POST", "/body", body, content_type="application/json")
    assert answer["statusCode"] == 422
    assert '"field": "body"' in answer["body"]


@pytest.mark.parametrize(
    "media_type",
    [
        "",
        "json",
        "text/json",
        "text/plain",
        "application/jsonp",
        "application/json-seq",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=json",
        "text/plain; a=application/json",
        "application/json,application/json",
        "xapplication/json",
    ],
)
def test_a_body_that_does_not_say_it_is_json_is_refused(echo: Handler, media_type: str) -> None:
    answer = _call(echo, "POST", "/body", b"{}", content_type=media_type)
    assert answer["statusCode"] == 415


@pytest.mark.parametrize(
    "media_type",
    [
        "application/json",
        "Application/JSON; charset=UTF-8",
        "application/json ;charset=utf-8",
        "application/merge-patch+json",
    ],
)
def test_a_body_that_says_it_is_json_is_read(echo: Handler, media_type: str) -> None:
    answer = _call(echo, "POST", "/body", ' {"a": "é"}\n'.encode(), content_type=media_type)
    assert (answer["statusCode"], answer["body"]) == (200, '{"a":"é"}')


@pytest.mark.parametrize(("excess", "status"), [(1, 413), (0, 200)])
def test_a_body_has_64_kib_at_most(echo: Handler, excess: int, status: int) -> None:
    size = 64 * 1024 + excess
    body = b'{"a": ""}'.ljust(size)
    answer = _call(echo, "POST", "/body", body, content_type="application/json")
    assert answer["statusCode"] == status


@pytest.mark.parametrize("path", ["/if-match", "/if-none-match"])
@pytest.mark.parametrize(
    "tags",
    [
        "a",
        '"a',
        'a"',
        "'a'",
        '"a" "b"',
        '"a";"b"',
        '*, "a"',
        "W/*",
        'w/"a"',
        'W "a"',
        '"a b"',
        "**",
    ],
)
def test_what_is_no_list_of_tags_is_malformed(echo: Handler, path: str, tags: str) -> None:
    answer = _call(echo, "GET", path, if_match=tags, if_none_match=tags)
    assert answer["statusCode"] == 400


@pytest.mark.parametrize(
    ("tags", "strong", "weak"),
    [
        ("*", "null", "null"),
        (" * ", "null", "null"),
        ('"a"', '["a"]', '["a"]'),
        ('""', '[""]', '[""]'),
        ('W/"a"', "[]", '["a"]'),
        ('"a","b"', '["a","b"]', '["a","b"]'),
        ('"a" ,\tW/"b",  "c"', '["a","c"]', '["a","b","c"]'),
        ('"a,b"', '["a,b"]', '["a,b"]'),
        ('"W/"', '["W/"]', '["W/"]'),
    ],
)
def test_only_if_none_match_compares_weakly(
    echo: Handler, tags: str, strong: str, weak: str
) -> None:
    assert _call(echo, "GET", "/if-match", if_match=tags)["body"] == strong
    assert _call(echo, "GET", "/if-none-match", if_none_match=tags)["body"] == weak


def test_without_a_precondition_any_version_may_be_changed_and_none_is_known(echo: Handler) -> None:
    assert _call(echo, "GET", "/if-match")["body"] == "null"
    assert _call(echo, "GET", "/if-none-match")["body"] == "[]"


def test_an_endpoint_has_no_dependency_but_its_caller() -> None:
    async def other() -> None: ...

    async def endpoint(caller: CurrentCaller, more: Annotated[None, Depends(other)]) -> Response:
        raise NotImplementedError

    with pytest.raises(TypeError, match="endpoint"):
        create_caller_app().get("/")(endpoint)


def test_a_response_that_is_kept_stays_as_it_is(echo: Handler) -> None:
    plain = _call(echo, "GET", "/kept", x_request_id="1")
    _call(echo, "GET", "/kept", x_request_id="1", accept_encoding="gzip")
    assert _call(echo, "GET", "/kept", x_request_id="1") == plain


@pytest.mark.parametrize(
    "accepted",
    [
        "",
        "identity",
        "br, deflate",
        "gzipped",
        "not-gzip",
        "gzip;q=0",
        "gzip;q=0.0",
        "gzip;q=0.000",
        "GZIP ; Q=0 , br",
        "br, gzip; q=0",
        "gzip;q=0, *",
    ],
)
def test_a_body_is_not_gzipped_for_those_who_do_not_accept_it(echo: Handler, accepted: str) -> None:
    answer = _call(echo, "GET", f"/{MIN_GZIP_BYTES + 1}", accept_encoding=accepted)
    assert "content-encoding" not in answer["headers"]
    assert answer["headers"]["vary"] == "Accept-Encoding"
    assert answer["body"] == "1" * (MIN_GZIP_BYTES + 1)


@pytest.mark.parametrize(
    "accepted",
    [
        "gzip",
        "GZip",
        "gzip, deflate, br, zstd",
        "deflate,gzip",
        "br;q=1.0, gzip;q=0.8, *;q=0.1",
        "gzip;q=1",
        "gzip ; q=0.001",
        "identity;q=0, gzip;q=0.5",
    ],
)
def test_a_body_is_gzipped_for_those_who_accept_it(echo: Handler, accepted: str) -> None:
    answer = _call(echo, "GET", f"/{MIN_GZIP_BYTES + 1}", accept_encoding=accepted)
    assert answer["headers"]["content-encoding"] == "gzip"
    assert answer["isBase64Encoded"] is True


def test_a_body_of_one_kib_is_not_gzipped(echo: Handler) -> None:
    answer = _call(echo, "GET", "/1024", accept_encoding="gzip")
    assert "content-encoding" not in answer["headers"]
    assert answer["isBase64Encoded"] is False
