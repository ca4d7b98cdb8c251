"""Better Auth as it is: what it signs for a front end is taken, what it signs for itself is not."""

import os
import re
import secrets
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote
from uuid import UUID

import httpx
import jwt
import psycopg
import pytest

from infra.template import ROOT
from shared.key_set import get_key_set
from shared.settings import get_settings
from tests.better_auth import (
    PASSWORD,
    Browser,
    SignedIn,
    install,
    origin_of,
    running_better_auth,
)
from tests.clients import SECRET
from tests.conftest import ONE_WAY
from tests.integration.conftest import (
    CALLS,
    LIST,
    READ,
    WRITES,
    add_user,
    create,
    make_call,
)
from tests.servers import running_gateway

pytestmark = [
    pytest.mark.skipif(
        shutil.which("npm") is None and "CI" not in os.environ,
        reason="Better Auth runs on Node.js",
    ),
    ONE_WAY,
]

JWKS = "/jwks"
HS256 = "/api/hs256-token"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the example is, with its packages."""
    folder = tmp_path_factory.mktemp("better-auth")
    install(folder)
    return folder


@pytest.fixture(scope="module")
def better_auth(installed: Path) -> Iterator[str]:
    """The URL of a Better Auth server as it comes."""
    with running_better_auth(installed) as url:
        yield url


@pytest.fixture
def ada(better_auth: str) -> Iterator[Browser]:
    """The browser of somebody who has just signed up."""
    with Browser(better_auth) as browser:
        browser.sign_up()
        yield browser


@pytest.fixture
def tell(handlers: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Starts the functions anew, with these settings and no others on who may call."""
    assert handlers
    monkeypatch.delenv("BETTER_AUTH_SECRET")

    def tell(**environment: str) -> None:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        get_settings.cache_clear()
        get_key_set.cache_clear()

    yield tell
    get_key_set.cache_clear()


Tell = Callable[..., None]


def refusal(answer: httpx.Response) -> tuple[int, str]:
    """How a call was refused."""
    return answer.status_code, answer.json()["code"]


def check_every_call(http: httpx.Client, user: SignedIn) -> None:
    """Make each call there is on tasks, by both paths, and see it served."""
    for tasks in ("/api/tasks", f"/api/{user.id}/tasks"):
        task = create(http, user)
        assert task["user_id"] == user.id
        for call in CALLS:  # the last one deletes
            path = tasks + call.path.format(id=task["id"])
            answer = http.request(call.method, path, headers=user.headers, json=call.body)
            served = {"POST": 201, "DELETE": 204}.get(call.method, 200)
            assert answer.status_code == served, answer.text


def key_of(user: SignedIn) -> str:
    """The key that a user's token is signed with."""
    key_id: str = jwt.get_unverified_header(user.token)["kid"]
    return key_id


def wait_for_another_key(browser: Browser, before: SignedIn) -> SignedIn:
    """The same user, with a token of the next key that Better Auth makes."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        after = browser.fetch_user()
        if key_of(after) != key_of(before):
            return after
        time.sleep(0.1)
    raise TimeoutError("Better Auth keeps its key")


def test_every_call_goes_on_when_keys_rotate_and_when_they_are_out_of_reach(
    installed: Path, database_url: str, handlers: httpx.Client, tell: Tell
) -> None:
    unrelated = secrets.token_urlsafe(32)
    with ExitStack() as provider, ExitStack() as rest:
        url = provider.enter_context(running_better_auth(installed, KEY_LIFETIME="5"))
        settings = {"AUTH_JWKS_URL": url + JWKS, "BETTER_AUTH_SECRET": unrelated}
        api = rest.enter_context(running_gateway(database_url, **settings))
        http = rest.enter_context(httpx.Client(base_url=api, timeout=30))
        ada = rest.enter_context(Browser(url))
        ada.sign_up()
        before = ada.fetch_user()
        check_every_call(http, before)
        after = wait_for_another_key(ada, before)
        check_every_call(http, after)
        check_every_call(http, before)

        # In one process, which has met the keys.
        tell(AUTH_JWKS_URL=url + JWKS)
        check_every_call(handlers, after)
        provider.close()
        check_every_call(handlers, after)
        with running_gateway(database_url, **settings) as fresh:
            answer = httpx.get(f"{fresh}/api/tasks", headers=after.headers, timeout=30)
            assert refusal(answer) == (503, "keys_unavailable")
            assert "retry-after" in answer.headers


@pytest.mark.parametrize("algorithm", ["EdDSA", "ES256", "RS256", "PS256"])
def test_the_address_of_the_keys_is_all_that_has_to_be_set(
    installed: Path, handlers: httpx.Client, tell: Tell, algorithm: str
) -> None:
    with running_better_auth(installed, KEY_ALGORITHM=algorithm) as url, Browser(url) as ada:
        tell(AUTH_JWKS_URL=url + JWKS)
        ada.sign_up()
        user = ada.fetch_user()
        assert jwt.get_unverified_header(user.token)["alg"] == algorithm
        check_every_call(handlers, user)


def test_the_layout_of_neon_auth_needs_no_more(
    installed: Path, handlers: httpx.Client, tell: Tell
) -> None:
    neon = {"path": "/neondb/auth", "JWKS_PATH": "/.well-known/jwks.json", "USER_IDS": "uuid"}
    with running_better_auth(installed, **neon) as url, Browser(url) as ada:
        tell(AUTH_JWKS_URL=f"{url}/.well-known/jwks.json")
        ada.sign_up()
        user = ada.fetch_user()
        assert str(UUID(user.id)) == user.id
        check_every_call(handlers, user)


def test_a_shared_secret_is_the_other_way(
    better_auth: str, ada: Browser, handlers: httpx.Client, tell: Tell
) -> None:
    origin = origin_of(better_auth)
    tell(BETTER_AUTH_SECRET=SECRET, AUTH_ISSUER=origin, AUTH_AUDIENCE=origin)
    user = ada.fetch_user(origin + HS256)
    assert jwt.get_unverified_header(user.token) == {"alg": "HS256"}
    check_every_call(handlers, user)
    # Without a key set, what is signed with its keys is nobody's.
    answer = make_call(handlers, ada.fetch_user(), LIST)
    assert refusal(answer) == (401, "token_invalid")


def test_a_secret_does_not_make_up_for_a_key_set(
    better_auth: str, ada: Browser, handlers: httpx.Client, tell: Tell
) -> None:
    tell(AUTH_JWKS_URL=better_auth + JWKS)
    answer = make_call(handlers, ada.fetch_user(origin_of(better_auth) + HS256), LIST)
    assert refusal(answer) == (401, "token_invalid")


@pytest.mark.parametrize("signed_with", ["secret", "keys"])
def test_what_better_auth_makes_for_itself_is_refused(
    installed: Path, handlers: httpx.Client, tell: Tell, signed_with: str
) -> None:
    with (
        running_better_auth(installed, "look_alikes.mjs", SIGN_SESSIONS_WITH=signed_with) as url,
        Browser(url) as ada,
    ):
        session = ada.sign_up()
        (mailed,) = ada.get(f"{origin_of(url)}/mails").json()
        cache = ada.cookies["better-auth.session_data"]
        cookie = ada.cookies["better-auth.session_token"]
        assert signed_by(cache) == ("HS256" if signed_with == "secret" else "EdDSA")
        assert signed_by(mailed) == "HS256"
        # As open as can be: keys and secret, and no issuer or audience for what the secret signed.
        tell(AUTH_JWKS_URL=url + JWKS, BETTER_AUTH_SECRET=SECRET)
        user = ada.fetch_user()
        assert make_call(handlers, user, LIST).status_code == 200
        for other in (session, cookie, unquote(cookie), cache, mailed):
            look_alike = replace(user, token=other)
            for call in CALLS:
                answer = make_call(handlers, look_alike, call)
                assert refusal(answer) == (401, "token_invalid"), other
        # A session's token is no use as a bearer's of an API, though it is of Better Auth's own.
        bearer = httpx.get(f"{url}/token", headers={"Authorization": f"Bearer {session}"})
        assert bearer.status_code == 200


def signed_by(token: str) -> str:
    """The algorithm of a JWT."""
    algorithm: str = jwt.get_unverified_header(token)["alg"]
    return algorithm


@pytest.mark.parametrize("name", ["AUTH_ISSUER", "AUTH_AUDIENCE"])
def test_a_token_that_is_for_somebody_else_is_refused(
    better_auth: str, ada: Browser, handlers: httpx.Client, tell: Tell, name: str
) -> None:
    tell(AUTH_JWKS_URL=better_auth + JWKS, **{name: "https://else.example"})
    assert refusal(make_call(handlers, ada.fetch_user(), LIST)) == (401, "token_invalid")


def test_users_do_not_see_each_other(
    better_auth: str, ada: Browser, handlers: httpx.Client, tell: Tell
) -> None:
    tell(AUTH_JWKS_URL=better_auth + JWKS)
    with Browser(better_auth) as browser:
        browser.sign_up()
        bob = browser.fetch_user()
    user = ada.fetch_user()
    task = create(handlers, user, title="Ada's")
    for call in (READ, *WRITES):
        answer = make_call(handlers, bob, call, task["id"])
        assert refusal(answer) == (404, "task_not_found")
        named = f"/api/{user.id}/tasks" + call.path.format(id=task["id"])
        answer = handlers.request(call.method, named, headers=bob.headers, json=call.body)
        assert refusal(answer) == (403, "forbidden")
    assert make_call(handlers, bob, LIST).json()["tasks"] == []
    assert make_call(handlers, user, LIST).json()["tasks"] == [task]


def test_after_signing_out_there_are_no_new_tokens_and_the_last_one_runs_out(
    better_auth: str, ada: Browser, handlers: httpx.Client, tell: Tell
) -> None:
    tell(AUTH_JWKS_URL=better_auth + JWKS)
    user = ada.fetch_user()
    claims = jwt.decode(user.token, options={"verify_signature": False})
    assert claims["exp"] - claims["iat"] == 15 * 60
    ada.send_form("/sign-out")
    for url in ("/token", origin_of(better_auth) + HS256):
        assert ada.get(url).status_code == 401
    assert make_call(handlers, user, LIST).status_code == 200


def test_an_email_that_moves_to_a_new_user_keeps_nobody_out(
    better_auth: str,
    ada: Browser,
    handlers: httpx.Client,
    tell: Tell,
    owner: psycopg.Connection,
) -> None:
    tell(AUTH_JWKS_URL=better_auth + JWKS)
    first = ada.fetch_user()
    task = create(handlers, first)
    ada.send_form("/delete-user", password=PASSWORD)
    ada.sign_up(first.email)
    second = ada.fetch_user()
    assert second.id != first.id
    assert create(handlers, second)["user_id"] == second.id
    assert make_call(handlers, second, READ, task["id"]).status_code == 404
    rows = owner.execute(
        "SELECT id, email FROM users WHERE id = ANY(%s)", [[first.id, second.id]]
    ).fetchall()
    assert dict(rows) == {first.id: first.email, second.id: None}


def test_where_users_are_required_somebody_else_has_to_make_them(
    better_auth: str,
    ada: Browser,
    handlers: httpx.Client,
    tell: Tell,
    owner: psycopg.Connection,
) -> None:
    tell(AUTH_JWKS_URL=better_auth + JWKS, USER_PROVISIONING="required")
    user = ada.fetch_user()
    for call in CALLS:
        assert refusal(make_call(handlers, user, call)) == (401, "user_unknown")
    add_user(owner, user, user.email)
    check_every_call(handlers, user)


def test_the_commands_of_the_guide_make_a_user_and_a_task(
    better_auth: str, database_url: str, tmp_path: Path
) -> None:
    page = (ROOT / "docs" / "better-auth.md").read_text()
    commands = "".join(re.findall(r"^```sh\n(.*?)^```$", page, re.MULTILINE | re.DOTALL))
    jwks = better_auth + JWKS
    with running_gateway(database_url, AUTH_JWKS_URL=jwks) as api:
        printed = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", commands.replace("/tmp/", f"{tmp_path}/")],
            env={
                **os.environ,
                "APP": origin_of(better_auth),
                "API": api,
                "AUTH_JWKS_URL": jwks,
            },
            capture_output=True,
            text=True,
            check=True,
        ).stdout
    assert '"email":"ada@example.com"' in printed
    assert len(re.findall(r'"title" ?: ?"Buy milk"', printed)) == 2
    assert f'"aud":"{origin_of(better_auth)}"' in printed
    assert '"keys":[{' in printed
    assert '"code"' not in printed
