"""Users: which paths are whose, which subjects there may be, and who has to be known before."""

from urllib.parse import quote, unquote, urlsplit

import httpx
import pytest

from shared.settings import get_settings
from tests.clients import User
from tests.contract.conftest import CALLS, Task, call_id, check_refusal, create, make_call


@pytest.mark.parametrize("call", CALLS, ids=call_id)
def test_another_users_path_is_forbidden(
    http: httpx.Client, alice: User, bob: User, untouched: Task, call: tuple[str, str]
) -> None:
    answer = make_call(http, bob, call, f"/api/{alice.id}/tasks", untouched["id"])
    check_refusal(answer, 403, "forbidden")


@pytest.mark.parametrize(
    ("subject", "named"),
    [("ann", "Ann"), ("ann", "ann "), ("ann", "an"), ("ann", "me"), ("é", "e\u0301"), ("1", "01")],
)
def test_a_path_that_names_the_user_inexactly_is_forbidden(
    http: httpx.Client, subject: str, named: str
) -> None:
    answer = http.get(f"/api/{quote(named)}/tasks", headers=User(subject).headers)
    check_refusal(answer, 403, "forbidden")


def test_a_forbidden_path_is_refused_before_anything_else_is_read(
    http: httpx.Client, alice: User, bob: User
) -> None:
    path = f"/api/{alice.id}/tasks/no-uuid"
    headers = {**bob.headers, "If-Match": "malformed"}
    check_refusal(http.patch(path, headers=headers, content=b"{"), 403, "forbidden")
    check_refusal(http.patch(path, content=b"{"), 401, "token_missing")


_SUBJECTS = {
    "Better Auth's": "Zx81mYvPuzFRqrGXTsgKpQdBhNwLcj5e",
    "UUID": "01a1fbd7-3487-74e1-8485-4522a070d730",
    "integer": "42",
    "255 characters": "x" * 255,
    "255 characters of 4 bytes": "\U0001f600" * 255,
    "spaces and letters": "auth0|ü x",
    "query": "a?b=c&d=e;f+g",
    "fragment": "a#b",
    "SQL": "' OR ''='",
    "format": "%s %(user_id)s {}",
    "percent": "a%20b",
    "slash": "a/b",
    "dots": "..",
    "backslash": "a\\b",
    "tab and line": "a\tb\nc",
    "comma and quote": 'a,"b"',
    "route": "tasks",
    "Japanese": "日本",
}
_FITS_NO_PATH = {"slash", "dots", "route"}


@pytest.mark.parametrize("subject", _SUBJECTS.values(), ids=list(_SUBJECTS))
def test_any_subject_owns_what_it_makes(http: httpx.Client, subject: str) -> None:
    user = User(subject)
    task = create(http, user, title="\U0001f600" * 500)
    assert task["user_id"] == subject
    answer = http.get(f"/api/tasks/{task['id']}", headers=user.headers)
    assert answer.json() == task


@pytest.mark.parametrize(
    "subject",
    [subject for name, subject in _SUBJECTS.items() if name not in _FITS_NO_PATH],
    ids=[name for name in _SUBJECTS if name not in _FITS_NO_PATH],
)
def test_a_subject_is_percent_encoded_in_a_path(http: httpx.Client, subject: str) -> None:
    user = User(subject)
    answer = http.post(
        f"/api/{quote(subject, safe='')}/tasks", headers=user.headers, json={"title": "Mine"}
    )
    assert answer.status_code == 201, answer.text
    location = answer.headers["Location"]
    assert unquote(urlsplit(location).path) == f"/api/{subject}/tasks/{answer.json()['id']}"
    assert http.get(location, headers=user.headers).json() == answer.json()


@pytest.mark.parametrize("call", CALLS, ids=call_id)
def test_an_unknown_user_is_refused_where_users_are_required(
    handlers: httpx.Client, monkeypatch: pytest.MonkeyPatch, alice: User, call: tuple[str, str]
) -> None:
    monkeypatch.setenv("USER_PROVISIONING", "required")
    get_settings.cache_clear()
    answer = make_call(handlers, alice, call)
    check_refusal(answer, 401, "user_unknown")
    assert answer.headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'


def test_a_known_user_is_served_where_users_are_required(
    handlers: httpx.Client, monkeypatch: pytest.MonkeyPatch, alice: User
) -> None:
    create(handlers, alice)
    monkeypatch.setenv("USER_PROVISIONING", "required")
    get_settings.cache_clear()
    task = create(handlers, alice)
    answer = handlers.get(f"/api/tasks/{task['id']}", headers=alice.headers)
    assert answer.json() == task
