"""Which Authorization headers name a caller."""

import base64
import hashlib
import hmac
import json
import time
from typing import Any

import pytest

from shared.auth import authenticate, authorize
from shared.callers import Caller
from shared.errors import Forbidden, TokenExpired, TokenInvalid, TokenMissing
from tests.clients import SECRET, make_token


def _encode(part: bytes) -> str:
    return base64.urlsafe_b64encode(part).rstrip(b"=").decode()


def _sign(claims: object, header: object = None, secret: str = SECRET, how: str = "sha256") -> str:
    """A token as no library would let itself be talked into making it."""
    header = {"alg": "HS256", "typ": "JWT"} if header is None else header
    text = f"{_encode(json.dumps(header).encode())}.{_encode(json.dumps(claims).encode())}"
    return f"{text}.{_encode(hmac.digest(secret.encode(), text.encode(), how))}"


def _claims(**changes: object) -> dict[str, Any]:
    claims = {"sub": "alice", "exp": int(time.time()) + 900, **changes}
    return {name: value for name, value in claims.items() if value is not ...}


@pytest.mark.parametrize(
    "header",
    [None, "", " ", "Bearer", "Bearer ", "Basic YWxpY2U6c2VjcmV0", "Token {}", "{}", "Bearer{}"],
)
def test_a_header_without_a_bearer_token_names_nobody(header: str | None) -> None:
    with pytest.raises(TokenMissing):
        authenticate(header and header.format(make_token("alice")))


@pytest.mark.parametrize(
    "header",
    [
        "Bearer {},Bearer {}",
        "Bearer {}, {}",
        "Bearer {} {}",
        'Bearer "{}"',
        "Bearer {}=",
        "Bearer {}.",
        "Bearer .{}",
        "Bearer token={}",
        "Bearer é",
        "Bearer ..",
        "Bearer a.b",
        "Bearer a.b.c",
        "Bearer Bearer {}",
    ],
)
def test_a_header_with_anything_but_one_token_is_refused(header: str) -> None:
    with pytest.raises(TokenInvalid):
        authenticate(header.replace("{}", make_token("alice")))


@pytest.mark.parametrize("header", ["Bearer {}", "bearer {}", "BEARER {}", " bEaReR   {} "])
def test_a_token_names_its_subject(header: str) -> None:
    token = _sign(_claims(email="alice@example.com", id="bob", user_id="carol"))
    assert authenticate(header.format(token)) == Caller("alice", "alice@example.com")


def test_a_token_that_is_changed_in_any_character_is_refused() -> None:
    token = make_token("alice")
    for index, character in enumerate(token[:-1]):
        changed = f"{token[:index]}{'B' if character == 'A' else 'A'}{token[index + 1 :]}"
        with pytest.raises(TokenInvalid):
            authenticate(f"Bearer {changed}")


@pytest.mark.parametrize(
    "header",
    [
        {"alg": "none"},
        {"alg": "None"},
        {"alg": "hs256"},
        {"alg": "HS384"},
        {"alg": "HS512"},
        {"alg": "RS256"},
        {"alg": "EdDSA"},
        {"alg": ""},
        {"alg": None},
        {"alg": ["HS256"]},
        {"typ": "JWT"},
        {},
        [],
        "HS256",
        {"alg": "HS256", "typ": "refresh"},
        {"alg": "HS256", "typ": 1},
        {"alg": "HS256", "crit": ["exp"]},
        {"alg": "HS256", "b64": False, "crit": ["b64"]},
    ],
)
def test_a_token_with_another_header_is_refused(header: object) -> None:
    with pytest.raises(TokenInvalid):
        authenticate(f"Bearer {_sign(_claims(), header)}")


@pytest.mark.parametrize("typ", ["JWT", "jwt", "at+jwt", None])
def test_a_token_may_say_that_it_is_one(typ: str | None) -> None:
    header = {"alg": "HS256", "typ": typ} if typ else {"alg": "HS256"}
    assert authenticate(f"Bearer {_sign(_claims(), header)}").user_id == "alice"


def test_an_unsigned_or_otherwise_signed_token_is_refused() -> None:
    text, _, signature = _sign(_claims()).rpartition(".")
    none = _encode(b'{"alg":"none"}') + "." + _encode(json.dumps(_claims()).encode())
    for token in (
        f"{none}.",
        f"{none}.{signature}",
        f"{text}.",
        f"{text}.{_encode(hashlib.sha256(text.encode()).digest())}",
        _sign(_claims(), secret="another secret of thirty-two bytes"),
        _sign(_claims(), secret=""),
        _sign(_claims(), how="sha512"),
    ):
        with pytest.raises(TokenInvalid):
            authenticate(f"Bearer {token}")


@pytest.mark.parametrize(
    "changes",
    [
        {"sub": ...},
        {"sub": None},
        {"sub": ""},
        {"sub": 1},
        {"sub": ["alice"]},
        {"sub": "a" * 256},
        {"sub": "a\0"},
        {"sub": "a\ud800"},
        {"exp": ...},
        {"exp": None},
        {"exp": "4102444800"},
        {"exp": float("inf")},
        {"exp": float("nan")},
        {"exp": [4102444800]},
        {"nbf": 4102444800},
        {"nbf": "0"},
        {"nbf": True},
        {"nbf": None},
        {"iat": 4102444800},
        {"iat": "0"},
        {"iat": False},
        {"iat": None},
    ],
)
def test_a_token_with_claims_that_break_a_rule_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(TokenInvalid):
        authenticate(f"Bearer {_sign(_claims(**changes))}")


@pytest.mark.parametrize("claims", [None, [], "alice", 1, True])
def test_a_token_without_claims_is_refused(claims: object) -> None:
    with pytest.raises(TokenInvalid):
        authenticate(f"Bearer {_sign(claims)}")


@pytest.mark.parametrize("age", [31, 3600, 10**12])
def test_a_token_that_has_expired_is_told_apart(age: int) -> None:
    with pytest.raises(TokenExpired):
        authenticate(f"Bearer {_sign(_claims(exp=int(time.time()) - age))}")


@pytest.mark.parametrize("name", ["exp", "nbf", "iat"])
def test_clocks_may_differ_a_little(name: str) -> None:
    moment = int(time.time()) + (-20 if name == "exp" else 20)
    assert authenticate(f"Bearer {_sign(_claims(**{name: moment}))}").user_id == "alice"


@pytest.mark.parametrize("user_id", ["a", "a" * 255, "𝄞" * 255, " ", "42", "../bob", "Ålice"])
def test_a_subject_is_taken_as_it_is(user_id: str) -> None:
    assert authenticate(f"Bearer {_sign(_claims(sub=user_id))}").user_id == user_id


@pytest.mark.parametrize("email", [..., None, "", 1, ["a@b"], "a\0", "\udc00", "e" * 255])
def test_an_address_that_cannot_be_stored_is_left_out(email: object) -> None:
    assert authenticate(f"Bearer {_sign(_claims(email=email))}") == Caller("alice", None)


@pytest.mark.parametrize("user_id", ["bob", "Alice", "alice ", "", "alic", "\u0430lice"])
def test_a_path_of_another_user_is_forbidden(user_id: str) -> None:
    with pytest.raises(Forbidden):
        authorize(Caller("alice"), user_id)


@pytest.mark.parametrize("user_id", ["alice", None])
def test_a_path_of_ones_own_is_allowed(user_id: str | None) -> None:
    authorize(Caller("alice"), user_id)
