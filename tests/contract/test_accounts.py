"""Accounts: registering and logging in where they are built in; one's own wherever it is."""

import io
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID, uuid4

import httpx
import jwt
import psycopg
import pytest
from argon2 import PasswordHasher

from infra.template import ROOT
from shared.accounts import credentials
from shared.http.app import _logger
from shared.settings import get_settings
from shared.tasks import pages
from tests.clients import SECRET, SERVED, User
from tests.conftest import ONE_WAY
from tests.contract.conftest import TIME, check_refusal, create, list_all
from tests.openapi import connect
from tests.servers import running_gateway

Account = dict[str, Any]

REGISTER = "/api/auth/register"
LOGIN = "/api/auth/login"
ME = "/api/users/me"
EXPORT = "/api/users/me/export"
PASSWORD = "correct horse battery"
OTHER_PASSWORD = "wrong horse battery"


@pytest.fixture(autouse=True)
def _forget_attempts(request: pytest.FixtureRequest) -> None:
    """Let each test make as many attempts as it is allowed: all come from one place."""
    if SERVED is None:
        request.getfixturevalue("owner").execute("TRUNCATE rate_limits")


def new_email() -> str:
    """An address that nobody has."""
    return f"Ada.{uuid4().hex}@Example.com"


def sign_in(http: httpx.Client, path: str, email: str, password: str = PASSWORD) -> httpx.Response:
    """Register or log in."""
    return http.post(path, json={"email": email, "password": password})


def register(http: httpx.Client, email: str | None = None) -> Account:
    """A new account, with its token."""
    answer = sign_in(http, REGISTER, email or new_email())
    assert answer.status_code == 201, answer.text
    account: Account = answer.json()
    return account


def headers(account: Account) -> dict[str, str]:
    """What the front end of an account's user sends with every call."""
    return {"Authorization": f"Bearer {account['access_token']}"}


def check_session(account: Account) -> None:
    assert account.keys() == {"access_token", "token_type", "expires_in", "user"}
    assert account["token_type"] == "bearer"
    assert account["expires_in"] == 3600
    user = account["user"]
    assert user.keys() == {"id", "email", "created_at", "updated_at"}
    assert TIME.fullmatch(user["created_at"])
    assert TIME.fullmatch(user["updated_at"])
    claims = jwt.decode(account["access_token"], SECRET, ["HS256"], audience="lambdo")
    assert claims.keys() == {"iss", "aud", "iat", "exp", "sub"}
    assert (claims["iss"], claims["aud"], claims["sub"]) == ("lambdo", "lambdo", user["id"])
    assert claims["exp"] - claims["iat"] == 3600
    assert abs(claims["iat"] - time.time()) < 60


def read_hash(postgres: str, user_id: str) -> str:
    """What the database keeps of a password."""
    with psycopg.connect(postgres) as connection:
        ((hashed,),) = connection.execute(
            "SELECT hashed_password FROM users WHERE id = %s", [user_id]
        )
    return str(hashed)


# --- registering ---


def test_registering_makes_an_account_and_logs_it_in(http: httpx.Client, postgres: str) -> None:
    email = new_email()
    answer = sign_in(http, REGISTER, email)
    assert answer.status_code == 201
    assert answer.headers["Cache-Control"] == "no-store"
    account = answer.json()
    check_session(account)
    assert account["user"]["email"] == email.replace("Example", "example")
    assert UUID(account["user"]["id"]).version == 7
    assert account["user"]["created_at"] == account["user"]["updated_at"]
    hashed = read_hash(postgres, account["user"]["id"])
    assert hashed.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert hashed not in answer.text
    assert http.get(ME, headers=headers(account)).json() == account["user"]


def test_a_registered_user_has_tasks_that_nobody_else_sees(http: httpx.Client) -> None:
    ada, bob = register(http), register(http)
    task = http.post("/api/tasks", headers=headers(ada), json={"title": "Mine"}).json()
    assert task["user_id"] == ada["user"]["id"]
    answer = http.get(f"/api/tasks/{task['id']}", headers=headers(bob))
    check_refusal(answer, 404, "task_not_found")


@pytest.mark.parametrize("change", [str, str.upper, str.lower, lambda email: f" {email}\n"])
def test_an_address_has_one_account_however_it_is_spelled(
    http: httpx.Client, change: Callable[[str], str]
) -> None:
    email = new_email()
    register(http, email)
    answer = sign_in(http, REGISTER, change(email), OTHER_PASSWORD)
    check_refusal(answer, 409, "conflict")
    assert sign_in(http, LOGIN, change(email)).status_code == 200
    check_refusal(sign_in(http, LOGIN, email, OTHER_PASSWORD), 401, "credentials_invalid")


def test_of_two_registrations_at_once_one_wins(http: httpx.Client) -> None:
    for _ in range(5):
        email = new_email()
        with ThreadPoolExecutor(4) as threads:
            answers = list(threads.map(lambda _: sign_in(http, REGISTER, email), range(4)))  # noqa: B023
        assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]


def test_an_international_address_is_kept_as_people_write_it(http: httpx.Client) -> None:
    name = uuid4().hex
    account = register(http, f"{name}e\u0301@xn--bcher-kva.example")
    assert account["user"]["email"] == f"{name}é@bücher.example"
    assert sign_in(http, LOGIN, f"{name}é@BÜCHER.example").status_code == 200


@pytest.mark.parametrize(
    "email",
    [
        *("", "ada", "@example.com", "ada@", "ada@example", "ada@@example.com", "a b@example.com"),
        *("Ada <ada@example.com>", "ada@localhost", "ada@mail.invalid", "ada@[127.0.0.1]"),
        *("ada@example.com, bob@example.com", "a\0@example.com", "ada@exa\u202emple.com"),
        *(f"{'a' * 65}@example.com", f"a@{'b.' * 130}com", "x" * 60_000, None, 1, ["a@b.com"]),
    ],
    ids=lambda value: repr(value)[:30],
)
@pytest.mark.parametrize("path", [REGISTER, LOGIN])
def test_what_is_no_address_is_refused(http: httpx.Client, path: str, email: object) -> None:
    answer = http.post(path, json={"email": email, "password": PASSWORD})
    (detail,) = check_refusal(answer, 422, "validation_failed")["details"]
    assert detail["field"] == "email"
    assert PASSWORD not in answer.text


@pytest.mark.parametrize(
    ("password", "message"),
    [
        ("x7#Kq9z", "at least 8"),
        ("", "at least 8"),
        ("x" * 257, "at most 256"),
        ("e\u0301e\u0301e\u0301e\u0301", "at least 8"),
        ("password", "commonest"),
        ("PassWord", "commonest"),
        ("".join(chr(ord(letter) + 0xFEE0) for letter in "password"), "commonest"),
        ("1qaz2wsx", "commonest"),
        ("12345678", "commonest"),
        (None, "string"),
        (1234567890, "string"),
        ({"a secret": "in an object"}, "string"),
    ],
)
def test_a_bad_password_is_refused_without_being_repeated(
    http: httpx.Client, password: object, message: str
) -> None:
    answer = http.post(REGISTER, json={"email": new_email(), "password": password})
    (detail,) = check_refusal(answer, 422, "validation_failed")["details"]
    assert detail["field"] == "password"
    assert message in detail["message"]
    if password and password not in ("password", "PassWord"):
        assert str(password) not in answer.text


@pytest.mark.parametrize(
    "password", ["x7#Kq9zB", "correct " * 32, "\U0001f600" * 8, "a\0b c\td\r\n"]
)
def test_any_other_password_opens_its_account(http: httpx.Client, password: str) -> None:
    email = new_email()
    assert sign_in(http, REGISTER, email, password).status_code == 201
    assert sign_in(http, LOGIN, email, password).status_code == 200
    for other in (password[:-1], f"y{password[1:]}"):
        check_refusal(sign_in(http, LOGIN, email, other), 401, "credentials_invalid")


def test_a_password_is_the_same_on_every_keyboard(http: httpx.Client) -> None:
    email = new_email()
    assert sign_in(http, REGISTER, email, "caf\u00e9 au lait").status_code == 201
    assert sign_in(http, LOGIN, email, "cafe\u0301 au lait").status_code == 200


@pytest.mark.parametrize("path", [REGISTER, LOGIN])
@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, {"email", "password"}),
        ({"email": "ada@example.com"}, {"password"}),
        ({"password": PASSWORD}, {"email"}),
        ({"email": "ada@example.com", "password": PASSWORD, "id": "admin"}, {"id"}),
        ([], {"body"}),
    ],
)
def test_a_body_that_is_not_whole_is_refused(
    http: httpx.Client, path: str, body: object, fields: set[str]
) -> None:
    answer = http.post(path, json=body)
    details = check_refusal(answer, 422, "validation_failed")["details"]
    assert {detail["field"] for detail in details} == fields
    assert PASSWORD not in answer.text


@pytest.mark.parametrize("path", [REGISTER, LOGIN])
@pytest.mark.parametrize(
    ("content", "media_type", "status", "code"),
    [
        (b"", "application/json", 400, "bad_request"),
        (b"{", "application/json", 400, "bad_request"),
        pytest.param(
            *(b'{"email": "\xff"}', "application/json", 400, "bad_request"),
            marks=pytest.mark.beyond_sam_local("passes on bodies that are not UTF-8"),
        ),
        (b"email=ada", "application/x-www-form-urlencoded", 415, "unsupported_media_type"),
        (b" " * 70_000, "application/json", 413, "body_too_large"),
        (b'{"email":"a@b.com","password":"\\ud800 hunter22"}', "application/json", 422, None),
    ],
)
def test_a_body_that_is_no_json_is_refused(
    http: httpx.Client, path: str, content: bytes, media_type: str, status: int, code: str | None
) -> None:
    answer = http.post(path, content=content, headers={"Content-Type": media_type})
    check_refusal(answer, status, code or "validation_failed")
    assert "hunter22" not in answer.text


# --- logging in ---


def test_logging_in_answers_the_account(http: httpx.Client) -> None:
    email = new_email()
    registered = register(http, email)
    answer = sign_in(http, LOGIN, email)
    assert answer.status_code == 200
    check_session(answer.json())
    assert answer.json()["user"] == registered["user"]


def test_a_wrong_password_and_an_unknown_address_are_the_same_refusal(http: httpx.Client) -> None:
    email = new_email()
    register(http, email)
    wrong = sign_in(http, LOGIN, email, OTHER_PASSWORD)
    unknown = sign_in(http, LOGIN, new_email(), OTHER_PASSWORD)
    bodies = [check_refusal(answer, 401, "credentials_invalid") for answer in (wrong, unknown)]
    for body in bodies:
        del body["request_id"]
    assert bodies[0] == bodies[1]
    assert wrong.headers.keys() == unknown.headers.keys()
    assert wrong.headers["WWW-Authenticate"] == unknown.headers["WWW-Authenticate"] == "Bearer"


def test_an_account_without_a_password_cannot_be_logged_in_to(
    http: httpx.Client, postgres: str, alice: User
) -> None:
    email = new_email()
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute("INSERT INTO users (id, email) VALUES (%s, %s)", [alice.id, email])
    check_refusal(sign_in(http, LOGIN, email), 401, "credentials_invalid")
    check_refusal(sign_in(http, REGISTER, email), 409, "conflict")


class _Counted:
    """A password hasher that keeps count of what it is asked."""

    def __init__(self, hasher: Any) -> None:
        self._hasher = hasher
        self.calls: list[str] = []

    def __getattr__(self, name: str) -> Any:
        def call(*arguments: Any) -> Any:
            if name in ("hash", "verify"):
                self.calls.append(f"{name} {arguments[0][:30]}" if name == "verify" else name)
            return getattr(self._hasher, name)(*arguments)

        return call


@pytest.fixture
def hasher(monkeypatch: pytest.MonkeyPatch) -> _Counted:
    """The hasher of the handlers in this process, counted."""
    counted = _Counted(credentials._hasher)
    monkeypatch.setattr(credentials, "_hasher", counted)
    return counted


@ONE_WAY
def test_an_unknown_address_costs_what_a_wrong_password_costs(
    handlers: httpx.Client, hasher: _Counted
) -> None:
    email = new_email()
    register(handlers, email)
    hasher.calls.clear()
    for address in (email, new_email()):
        assert sign_in(handlers, LOGIN, address, OTHER_PASSWORD).status_code == 401
    assert hasher.calls == ["verify $argon2id$v=19$m=19456,t=2,p=1"] * 2


@ONE_WAY
@pytest.mark.parametrize("path", [REGISTER, LOGIN])
def test_a_password_that_is_too_long_is_never_hashed(
    handlers: httpx.Client, hasher: _Counted, path: str
) -> None:
    answer = sign_in(handlers, path, new_email(), "x" * 60_000)
    check_refusal(answer, 422, "validation_failed")
    assert hasher.calls == []


@ONE_WAY
def test_a_password_is_hashed_anew_when_the_parameters_have_changed(
    handlers: httpx.Client, postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    email = new_email()
    with monkeypatch.context() as patch:
        weaker = PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1)
        patch.setattr(credentials, "_hasher", weaker)
        account = register(handlers, email)
    user_id = account["user"]["id"]
    old = read_hash(postgres, user_id)
    check_refusal(sign_in(handlers, LOGIN, email, OTHER_PASSWORD), 401, "credentials_invalid")
    assert read_hash(postgres, user_id) == old
    for _ in range(2):
        session = sign_in(handlers, LOGIN, email).json()
        check_session(session)
        assert session["user"] == handlers.get(ME, headers=headers(session)).json()
        new = read_hash(postgres, user_id)
        assert new.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert "m=1024" in old


@ONE_WAY
def test_tokens_name_the_issuer_and_the_audience_that_are_set(
    handlers: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUTH_ISSUER", "https://api.example.com")
    monkeypatch.setenv("AUTH_AUDIENCE", "tasks")
    get_settings.cache_clear()
    account = register(handlers)
    claims = jwt.decode(account["access_token"], SECRET, ["HS256"], audience="tasks")
    assert claims["iss"] == "https://api.example.com"
    assert handlers.get(ME, headers=headers(account)).json() == account["user"]
    assert handlers.delete(ME, headers=headers(account)).status_code == 204
    check_refusal(handlers.get(ME, headers=headers(account)), 401, "user_unknown")


# --- one's own account ---


@pytest.mark.parametrize(("method", "path"), [("GET", ME), ("DELETE", ME), ("GET", EXPORT)])
def test_an_account_is_nobodys_without_a_token(http: httpx.Client, method: str, path: str) -> None:
    check_refusal(http.request(method, path), 401, "token_missing")


def test_a_user_of_a_provider_is_a_user_too(http: httpx.Client, alice: User) -> None:
    answer = http.get(ME, headers=alice.headers)
    assert answer.status_code == 200
    assert answer.json().keys() == {"id", "email", "created_at", "updated_at"}
    assert (answer.json()["id"], answer.json()["email"]) == (alice.id, None)


def test_an_account_goes_with_everything_it_owns_and_nothing_else(
    http: httpx.Client, postgres: str, bob: User
) -> None:
    ada = register(http)
    for title in ("One", "Two"):
        http.post("/api/tasks", headers=headers(ada), json={"title": title})
    task = create(http, bob)
    assert http.delete(ME, headers=headers(ada)).status_code == 204
    user_id = ada["user"]["id"]
    with psycopg.connect(postgres) as connection:
        for query in ("tasks WHERE user_id = %s", "users WHERE id = %s"):
            assert connection.execute(f"SELECT FROM {query}", [user_id]).rowcount == 0
    assert list_all(http, bob) == [task]
    email = ada["user"]["email"]
    check_refusal(sign_in(http, LOGIN, email), 401, "credentials_invalid")
    assert register(http, email)["user"]["id"] != user_id


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", ME), ("DELETE", ME), ("GET", EXPORT), ("GET", "/api/tasks"), ("POST", "/api/tasks")],
)
def test_the_token_of_a_deleted_account_makes_no_other(
    http: httpx.Client, postgres: str, method: str, path: str
) -> None:
    ada = register(http)
    assert http.delete(ME, headers=headers(ada)).status_code == 204
    body = {"title": "A ghost"} if method == "POST" else None
    answer = http.request(method, path, headers=headers(ada), json=body)
    check_refusal(answer, 401, "user_unknown")
    with psycopg.connect(postgres) as connection:
        found = connection.execute("SELECT FROM users WHERE id = %s", [ada["user"]["id"]])
        assert found.rowcount == 0


def test_a_user_of_a_provider_may_be_deleted_again_and_come_back(
    http: httpx.Client, alice: User
) -> None:
    create(http, alice)
    for _ in range(2):
        assert http.delete(ME, headers=alice.headers).status_code == 204
    assert list_all(http, alice) == []
    create(http, alice)


def test_an_export_is_everything_as_it_is_answered(http: httpx.Client, bob: User) -> None:
    ada = register(http)
    create(http, bob)
    tasks = [
        http.post("/api/tasks", headers=headers(ada), json=task).json()
        for task in (
            {"title": 'Quotes " and \\ and \U0001f600'},
            {"title": "Full", "description": "Text", "due_at": "2026-12-01T08:00:00Z"},
        )
    ]
    answer = http.get(EXPORT, headers=headers(ada))
    assert answer.status_code == 200
    assert answer.headers["Content-Disposition"] == 'attachment; filename="lambdo-export.json"'
    assert answer.json() == {"user": ada["user"], "tasks": tasks, "next_cursor": None}
    assert "argon2" not in answer.text


def test_an_export_of_nothing_is_the_user(http: httpx.Client, alice: User) -> None:
    export = http.get(EXPORT, headers=alice.headers).json()
    assert (export["user"]["id"], export["tasks"], export["next_cursor"]) == (alice.id, [], None)


@pytest.mark.parametrize("tasks", [0, 1, 2, 3, 7])
def test_an_export_that_does_not_fit_goes_on(
    handlers: httpx.Client, monkeypatch: pytest.MonkeyPatch, alice: User, tasks: int
) -> None:
    made = [create(handlers, alice, title="x" * 100) for _ in range(tasks)]
    # Of so short a task, three times its bytes are counted.
    monkeypatch.setattr(pages, "PAGE_BYTES", 3600)
    query: dict[str, str] = {}
    found, count = [], 0
    while True:
        page = handlers.get(EXPORT, headers=alice.headers, params=query).json()
        assert page["user"]["id"] == alice.id
        found += page["tasks"]
        count += 1
        if page["next_cursor"] is None:
            break
        query = {"cursor": page["next_cursor"]}
    assert found == made
    assert count == max(1, -(-tasks // 3))


@pytest.mark.parametrize("cursor", ["", "x", "1"])
def test_a_malformed_cursor_of_an_export_is_refused(
    http: httpx.Client, alice: User, cursor: str
) -> None:
    answer = http.get(EXPORT, headers=alice.headers, params={"cursor": cursor})
    (detail,) = check_refusal(answer, 422, "validation_failed")["details"]
    assert detail["field"] == "cursor"


def test_the_cursor_of_another_user_shows_nothing_of_theirs(
    http: httpx.Client, alice: User, bob: User
) -> None:
    theirs = create(http, alice)
    mine = create(http, bob)
    answer = http.get(EXPORT, headers=bob.headers, params={"cursor": theirs["id"]})
    assert answer.json()["tasks"] == [mine]


# --- where accounts are external ---


@pytest.fixture
def external(database_url: str) -> Iterator[httpx.Client]:
    """A client of a gateway where a provider owns the accounts."""
    with (
        running_gateway(database_url, ACCOUNTS="external") as url,
        connect(url, built_in_accounts=False) as client,
    ):
        yield client


@ONE_WAY
def test_nobody_registers_or_logs_in_where_accounts_are_external(
    external: httpx.Client, alice: User
) -> None:
    for path in (REGISTER, LOGIN):
        check_refusal(sign_in(external, path, new_email()), 404, "not_found")
        check_refusal(external.get(path), 404, "not_found")
    document = external.get("/openapi.json").json()
    assert not [path for path in document["paths"] if path.startswith("/api/auth/")]
    assert ME in document["paths"]
    assert external.get(ME, headers=alice.headers).status_code == 200
    assert external.delete(ME, headers=alice.headers).status_code == 204


@pytest.mark.parametrize("function", ["register", "log_in"])
def test_a_function_that_signs_tokens_stops_where_it_should_not_be(function: str) -> None:
    for wrong in ({"ACCOUNTS": "external"}, {"BETTER_AUTH_SECRET": ""}):
        environment = {**os.environ, "PYTHONPATH": f".{os.pathsep}functions", **wrong}
        process = subprocess.run(
            [sys.executable, "-c", f"import {function}"],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert process.returncode != 0
        assert f"SettingsError: {next(iter(wrong))}: " in process.stderr


# --- nothing secret leaves ---


@ONE_WAY
def test_nothing_secret_is_logged(handlers: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    written = io.StringIO()
    for handler in _logger.handlers:
        monkeypatch.setattr(handler, "stream", written)
    email = new_email()
    account = register(handlers, email)
    sign_in(handlers, LOGIN, email)
    sign_in(handlers, LOGIN, email, OTHER_PASSWORD)
    monkeypatch.setattr(credentials, "_hasher", None)
    for path in (REGISTER, LOGIN):
        check_refusal(sign_in(handlers, path, new_email()), 500, "internal_error")
    assert "answered" in written.getvalue()
    assert "unhandled exception" in written.getvalue()
    for secret in (PASSWORD, OTHER_PASSWORD, "argon2id", account["access_token"], email):
        assert secret not in written.getvalue()


@ONE_WAY
@pytest.mark.parametrize(("stage", "status"), [("local", 201), ("dev", 422)])
def test_an_address_for_tests_is_taken_where_things_are_tried(
    handlers: httpx.Client, monkeypatch: pytest.MonkeyPatch, stage: str, status: int
) -> None:
    monkeypatch.setenv("ENVIRONMENT", stage)
    get_settings.cache_clear()
    answer = sign_in(handlers, REGISTER, f"{uuid4().hex}@lambdo.test")
    assert answer.status_code == status
