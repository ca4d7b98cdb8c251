"""How often anybody may try to register or to log in: counted before anything is worked out."""

import base64
import json
from typing import Any, NamedTuple
from uuid import uuid4

import psycopg
import pytest

from shared.accounts import credentials
from shared.data import limits
from shared.settings import get_settings
from tests.clients import invoke, make_event
from tests.conftest import ONE_WAY

pytestmark = [
    pytest.mark.usefixtures("handlers"),
    ONE_WAY,
]

HERE = "192.0.2.1"
PASSWORD = "correct horse battery"
WRONG = "wrong horse battery"


class Answer(NamedTuple):
    """What an attempt is answered."""

    status: int
    code: str | None
    headers: dict[str, str]


@pytest.fixture(autouse=True)
def _forget_attempts(owner: psycopg.Connection) -> None:
    owner.execute("TRUNCATE rate_limits")


def attempt(path: str, email: str, password: str = WRONG, address: str = HERE) -> Answer:
    """Register or log in from an address."""
    body = json.dumps({"email": email, "password": password}).encode()
    headers = {"content-type": "application/json"}
    event = make_event("POST", f"/api/auth/{path}", headers=headers, body=body)
    event["requestContext"]["http"]["sourceIp"] = address
    answer: dict[str, Any] = invoke(event)
    text = answer["body"]
    told = json.loads(base64.b64decode(text) if answer["isBase64Encoded"] else text)
    return Answer(answer["statusCode"], told.get("code"), answer["headers"])


def new_email() -> str:
    """An address that nobody has."""
    return f"ada.{uuid4().hex}@example.com"


def add_attempts(owner: psycopg.Connection, email: str, attempts: int, subject: str) -> None:
    """Let attempts have been made within this minute."""
    hashed = "encode(sha256(convert_to(lower(%s), 'UTF8')), 'hex')"
    sql = f"INSERT INTO rate_limits (subject, calls) VALUES (%s || {hashed}, %s)"
    owner.execute(sql, [subject, email, attempts])


def test_one_address_has_ten_attempts_at_an_email(owner: psycopg.Connection) -> None:
    email = new_email()
    assert attempt("register", email, PASSWORD).status == 201
    spelled = [email, email.upper()] * 5
    answers = [attempt("login", each) for each in spelled]
    # Registering counted as well.
    assert [answer.status for answer in answers] == [401] * 9 + [429]
    assert [answer.headers["ratelimit-remaining"] for answer in answers[:3]] == ["8", "7", "6"]
    assert answers[-1].code == "rate_limited"
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 60
    assert attempt("login", email, PASSWORD).status == 429
    assert attempt("register", new_email(), PASSWORD).status == 201
    owner.execute("UPDATE rate_limits SET window_start = now() - interval '1 minute'")
    assert attempt("login", email, PASSWORD).status == 200


def test_strangers_do_not_lock_the_owner_of_an_email_out() -> None:
    email = new_email()
    assert attempt("register", email, PASSWORD).status == 201
    statuses = {attempt("login", email, address="198.51.100.7").status for _ in range(12)}
    assert statuses == {401, 429}
    assert attempt("login", email, PASSWORD).status == 200


def test_an_email_has_a_hundred_attempts_from_everywhere(owner: psycopg.Connection) -> None:
    email = new_email()
    add_attempts(owner, email, 99, "email ")
    assert attempt("login", email, address="198.51.100.7").status == 401
    assert attempt("login", email, address="198.51.100.8").code == "rate_limited"
    assert attempt("login", new_email(), address="198.51.100.8").status == 401


def test_an_address_has_sixty_attempts(owner: psycopg.Connection) -> None:
    owner.execute(
        "INSERT INTO rate_limits (subject, calls) VALUES (%s, %s)",
        [f"address {HERE}", limits.ATTEMPTS_PER_ADDRESS - 1],
    )
    assert attempt("login", new_email()).status == 401
    email = new_email()
    assert attempt("login", new_email()).code == "rate_limited"
    assert attempt("register", email, PASSWORD).code == "rate_limited"
    count = owner.execute("SELECT count(*) FROM users WHERE lower(email) = lower(%s)", [email])
    assert count.fetchone() == (0,)


@pytest.mark.parametrize(
    ("one", "other", "together"),
    [
        ("192.0.2.1", "192.0.2.2", False),
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::1", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("", "", True),
    ],
)
def test_a_network_of_ipv6_is_one_address(
    owner: psycopg.Connection, one: str, other: str, *, together: bool
) -> None:
    assert attempt("login", new_email(), address=one).status == 401
    owner.execute(
        "UPDATE rate_limits SET calls = %s WHERE subject !~ 'email'", [limits.ATTEMPTS_PER_ADDRESS]
    )
    assert attempt("login", new_email(), address=one).status == 429
    assert attempt("login", new_email(), address=other).status == (429 if together else 401)


def test_letters_that_are_one_to_the_database_are_one_to_the_limit(
    owner: psycopg.Connection,
) -> None:
    # U+0130, which Python folds to two characters.
    local = uuid4().hex
    plain, dotted = (f"{letter}da{local}@example.com" for letter in ("i", "\u0130"))
    assert owner.execute("SELECT lower(%s) = lower(%s)", [plain, dotted]).fetchone() == (True,)
    for email in [plain, dotted] * 5:
        assert attempt("login", email).status == 401
    assert attempt("login", dotted).code == attempt("login", plain).code == "rate_limited"


def test_attempts_are_limited_where_calls_of_users_are_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("RATE_LIMIT_PER_MINUTE", "0")
    get_settings.cache_clear()
    email = new_email()
    assert [attempt("login", email).status for _ in range(11)] == [401] * 10 + [429]


def test_a_refused_attempt_hashes_no_password(
    owner: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken, tried = new_email(), new_email()
    assert attempt("register", taken, PASSWORD).status == 201

    class Hasher:
        def __getattr__(self, name: str) -> None:
            raise AssertionError(f"a password is hashed: {name}")

    monkeypatch.setattr(credentials, "_hasher", Hasher())
    add_attempts(owner, tried, 10, f"address {HERE} email ")
    assert attempt("login", tried).status == 429
    assert attempt("register", tried, PASSWORD).status == 429
    assert attempt("register", taken, PASSWORD).status == 409
    with pytest.raises(AssertionError, match="is hashed"):
        credentials.hash_password(credentials.Login(email=tried, password=PASSWORD).password)


def test_an_attempt_that_fails_is_counted(
    owner: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    email = new_email()
    with monkeypatch.context() as broken:
        broken.setattr("shared.statements.users.FIND_ACCOUNT", "SELECT 1 / 0")
        assert attempt("login", email).status == 500
    assert attempt("login", email).headers["ratelimit-remaining"] == "8"
    assert owner.execute("SELECT max(calls) FROM rate_limits").fetchone() == (2,)


def test_who_attempts_is_not_written_down(owner: psycopg.Connection) -> None:
    email = new_email()
    attempt("login", email)
    subjects = [subject for (subject,) in owner.execute("SELECT subject FROM rate_limits")]
    assert len(subjects) == 3
    assert not [subject for subject in subjects if "@" in subject or email in subject]


def test_the_nearest_limit_is_told(owner: psycopg.Connection) -> None:
    email = new_email()
    add_attempts(owner, email, 97, "email ")
    answers = [attempt("login", email) for _ in range(2)]
    assert [answer.headers["ratelimit-limit"] for answer in answers] == ["100", "100"]
    assert [answer.headers["ratelimit-remaining"] for answer in answers] == ["2", "1"]
