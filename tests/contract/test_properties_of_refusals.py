"""Whatever is sent, the answer is never a fault, and every error has the one shape."""

import hmac
import json
import re
from base64 import urlsafe_b64encode
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import httpx
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.clients import SECRET, User
from tests.conftest import ONE_WAY

# That a pooler changes nothing is for other tests to show.
pytestmark = ONE_WAY

_examples = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

_MISSING_TASK = uuid4()
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")
_CODES = {
    400: {"bad_request", "cursor_invalid"},
    401: {"token_missing", "token_expired", "token_invalid"},
    403: {"forbidden"},
    404: {"task_not_found", "not_found"},
    405: {"method_not_allowed"},
    412: {"precondition_failed"},
    413: {"body_too_large"},
    415: {"unsupported_media_type"},
    422: {"validation_failed"},
}

_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
_task_like = st.dictionaries(
    st.sampled_from(["title", "description", "priority", "due_at", "is_completed", "id"]), _json
)
_json_bytes = (_json | _task_like).map(lambda value: json.dumps(value).encode())
_media_types = st.sampled_from(
    ["application/json", "application/json; charset=utf-8", "text/plain", "application/x+json", ""]
) | st.text(max_size=20)


def _encoded(headers: dict[str, str]) -> dict[bytes, bytes]:
    return {name.encode(): value.encode() for name, value in headers.items()}


def _signed(header: dict[str, Any], claims: object) -> str:
    """A token with a good signature, whatever it says, which no library would make."""
    parts = [{**header, "alg": "HS256"}, claims]
    text = b".".join(urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in parts)
    signature = urlsafe_b64encode(hmac.digest(SECRET.encode(), text, "sha256")).rstrip(b"=")
    return f"{text.decode()}.{signature.decode()}"


def _check_shape(answer: httpx.Response) -> None:
    """Answers are no fault of ours, and errors look as all errors do."""
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] in ("no-store", "private, no-cache")
    if answer.status_code < 400:
        return
    assert answer.headers["content-type"] == "application/json"
    error: dict[str, Any] = answer.json()
    assert list(error) == ["code", "message", "details", "request_id"]
    assert error["code"] in _CODES[answer.status_code]
    assert error["message"]
    assert error["request_id"] == answer.headers["x-request-id"]
    if error["code"] == "validation_failed":
        assert error["details"]
        members = ["field", "message", "type", "params"]
        assert all([*detail] == members for detail in error["details"])
    else:
        assert error["details"] is None


@_examples
@given(
    call=st.sampled_from(
        [
            ("POST", "/api/tasks"),
            ("PUT", f"/api/tasks/{_MISSING_TASK}"),
            ("PATCH", f"/api/tasks/{_MISSING_TASK}"),
            ("PATCH", f"/api/tasks/{_MISSING_TASK}/complete"),
        ]
    ),
    body=st.binary(max_size=200) | _json_bytes,
    media_type=_media_types,
)
@example(("POST", "/api/tasks"), b"[" * 60_000, "application/json")
@example(("POST", "/api/tasks"), b'{"title":' * 7_000, "application/json")
@example(("POST", "/api/tasks"), b'{"title":' + b"[" * 900 + b"]" * 900 + b"}", "application/json")
@example(("POST", "/api/tasks"), b'{"title": ' + b"1" * 60_000 + b"}", "application/json")
@example(("POST", "/api/tasks"), b'{"title": 1e999}', "application/json")
@example(("POST", "/api/tasks"), b'{"title": "\\ud800", "\\udc00": 1}', "application/json")
@example(("POST", "/api/tasks"), b'\xef\xbb\xbf{"title": "a"}', "application/json")
@example(("PATCH", f"/api/tasks/{_MISSING_TASK}/complete"), b"null", "application/json")
def test_any_body_is_taken_or_refused(
    handlers: httpx.Client, call: tuple[str, str], body: bytes, media_type: str
) -> None:
    headers = _encoded({**User().headers, "Content-Type": media_type})
    answer = handlers.request(*call, headers=headers, content=body)
    _check_shape(answer)
    created = call[0] == "POST"
    assert answer.status_code in ({201, 400, 415, 422} if created else {400, 404, 415, 422})


@_examples
@given(text=st.text(min_size=1), end=st.sampled_from(["", "/complete", "/toggle-status"]))
@example("%", "")
@example("%2F", "")
@example("..", "")
@example("\0", "")
@example(f"{{{_MISSING_TASK}}}", "")
@example(f"urn:uuid:{_MISSING_TASK}", "")
def test_any_text_may_stand_for_an_id(handlers: httpx.Client, text: str, end: str) -> None:
    headers = User().headers
    for method in ("GET", "PUT", "PATCH", "DELETE"):
        path = f"/api/tasks/{quote(text, safe='')}{end}"
        answer = handlers.request(method, path, headers=headers)
        _check_shape(answer)
        assert answer.status_code in {400, 404, 405, 422}


@_examples
# RFC 3986, 5.2.4: a client takes dots out of a path before it sends it.
@given(text=st.text(min_size=1).filter(lambda text: text not in {".", ".."}))
@example("%00")
@example("\0")
def test_any_text_may_stand_for_a_user(handlers: httpx.Client, text: str) -> None:
    answer = handlers.get(f"/api/{quote(text, safe='')}/tasks", headers=User().headers)
    _check_shape(answer)
    assert answer.status_code in {403, 404}


@_examples
@given(
    query=st.dictionaries(
        st.sampled_from(
            ["status", "priority", "due_before", "due_after", "sort", "limit", "with_total", "x"]
        )
        | st.text(max_size=5),
        st.text() | st.integers().map(str) | st.datetimes().map(lambda moment: f"{moment}Z"),
        max_size=3,
    ),
    q=st.text(),
)
@example({"limit": "9" * 5000}, "")
@example({"limit": "1_0"}, "'a' & !b:* | <->")
@example({"due_before": "0001-01-01T00:00:00+00:01"}, "\\")
@example({"due_after": "9999-12-31T23:59:59-00:01"}, "%_")
@example({}, "\0")
def test_any_text_may_stand_in_a_query(
    handlers: httpx.Client, query: dict[str, str], q: str
) -> None:
    headers = User().headers
    for params in (query, {"q": q}, {**query, "q": q}):
        answer = handlers.get("/api/tasks", headers=headers, params=params)
        _check_shape(answer)
        assert answer.status_code in {200, 400, 422}


@_examples
@given(query=st.binary(max_size=60).map(lambda raw: quote(raw, safe="&=+;")))
def test_any_bytes_may_stand_in_a_query(handlers: httpx.Client, query: str) -> None:
    answer = handlers.get(f"/api/tasks?q={query}", headers=User().headers)
    _check_shape(answer)
    assert answer.status_code in {200, 400, 422}


@_examples
@given(cursor=st.text() | st.from_regex(r"\A[\w-]*={0,2}\Z"))
@example("")
@example("bnVsbA")
@example("W10")
@example("=")
def test_any_text_that_is_no_cursor_is_refused(handlers: httpx.Client, cursor: str) -> None:
    answer = handlers.get("/api/tasks", headers=User().headers, params={"cursor": cursor})
    _check_shape(answer)
    assert answer.status_code == 400
    assert answer.json()["code"] == "cursor_invalid"


@_examples
@given(
    name=st.sampled_from(["If-Match", "If-None-Match"]),
    value=st.text() | st.from_regex(r'\A(W/)?"[^"]*"( *, *"[^"]*")*\Z'),
)
@example("If-Match", '"\xff"')
@example("If-None-Match", "W/*")
def test_any_text_may_stand_in_a_precondition(
    handlers: httpx.Client, name: str, value: str
) -> None:
    user = User()
    task = handlers.post("/api/tasks", headers=user.headers, json={"title": "A task"}).json()
    headers = _encoded({**user.headers, name: value})
    path = f"/api/tasks/{task['id']}"
    read = handlers.get(path, headers=headers)
    _check_shape(read)
    assert read.status_code in ({200, 304, 400} if name == "If-None-Match" else {200})
    changed = handlers.patch(path, headers=headers, json={"title": "Another"})
    _check_shape(changed)
    assert changed.status_code in ({200, 400, 412} if name == "If-Match" else {200})
    if changed.status_code != 200:
        assert handlers.get(path, headers=user.headers).json() == task


@_examples
@given(sent=st.text() | st.from_regex(_REQUEST_ID, fullmatch=True))
@example("a" * 128)
@example("a" * 129)
@example("a\n")
@example("٣")
def test_a_request_id_is_kept_if_it_is_harmless(handlers: httpx.Client, sent: str) -> None:
    answer = handlers.get("/api/tasks", headers=_encoded({"X-Request-Id": sent}))
    _check_shape(answer)
    assert answer.status_code == 401
    kept = answer.headers["x-request-id"]
    assert kept == sent if _REQUEST_ID.fullmatch(sent) else kept.startswith("Req")


@_examples
@given(
    scheme=st.sampled_from(["", "Bearer ", "bearer  ", "Basic "]),
    text=st.text() | st.from_regex(r"\A[\w-]*\.[\w-]*\.[\w-]*\Z"),
)
@example("Bearer ", "e30.e30.")
@example("Bearer ", "bnVsbA.bnVsbA.bnVsbA")
def test_any_text_that_is_no_token_is_refused(
    handlers: httpx.Client, scheme: str, text: str
) -> None:
    headers = _encoded({"Authorization": f"{scheme}{text}"})
    answer = handlers.get("/api/tasks", headers=headers)
    _check_shape(answer)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")


_claims = st.fixed_dictionaries(
    {"sub": _json | st.just("a"), "exp": _json | st.just(4102444800)},
    optional=dict.fromkeys(["nbf", "iat", "iss", "aud", "jti", "email"], _json),
)


@_examples
@given(
    claims=_claims | _json,
    header=st.dictionaries(st.sampled_from(["typ", "kid", "crit", "cty", "b64"]), _json),
)
@example({"sub": "a\ud800", "exp": 4102444800}, {})
@example({"sub": "a", "exp": float("inf")}, {})
@example({"sub": "a", "exp": 10**400}, {})
@example({"sub": "a", "exp": 4102444800, "email": "\0"}, {})
@example({"sub": "a", "exp": 4102444800, "email": "e" * 300}, {})
@example({"sub": "a", "exp": 4102444800}, {"b64": False, "crit": ["b64"]})
def test_no_claims_of_a_signed_token_are_a_fault(
    handlers: httpx.Client, claims: object, header: dict[str, Any]
) -> None:
    headers = {"Authorization": f"Bearer {_signed(header, claims)}"}
    for answer in (
        handlers.get("/api/tasks", headers=headers),
        handlers.post("/api/tasks", headers=headers, json={"title": "A task"}),
    ):
        _check_shape(answer)
        assert answer.status_code in {200, 201, 401}
