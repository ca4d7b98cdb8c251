"""Tokens that an identity provider has signed, checked by the keys that it publishes."""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler
from typing import Any

import httpx
import jwt
import pytest
import snapshot_restore_py
from cryptography.hazmat.primitives import serialization

from shared import key_set
from shared.key_set import MAX_AGE, MAX_AGE_WITHOUT_ANSWER, RETRY_INTERVAL, get_key_set
from shared.settings import get_settings
from tests.clients import make_token
from tests.conftest import ONE_WAY
from tests.integration.conftest import Clock
from tests.provider import (
    ED448,
    ED25519,
    P384,
    WEAK_RSA,
    Provider,
    SigningKey,
    running_provider,
    send,
)

pytestmark = ONE_WAY

ALGORITHMS = ["EdDSA", "ES256", "RS256", "PS256"]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """A clock that stands still."""
    clock = Clock()
    monkeypatch.setattr(key_set, "_clock", clock)
    return clock


@pytest.fixture
def provider(handlers: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider]:
    """The provider whose tokens the functions take, beside those of their own secret."""
    assert handlers
    with running_provider() as provider:
        monkeypatch.setenv("AUTH_JWKS_URL", provider.url)
        get_settings.cache_clear()
        get_key_set.cache_clear()
        yield provider
    get_key_set.cache_clear()


@pytest.fixture
def call(handlers: httpx.Client, provider: Provider) -> Callable[[str], httpx.Response]:
    """Makes a call with a token."""
    assert provider

    def call(token: str) -> httpx.Response:
        return handlers.get("/api/tasks", headers={"Authorization": f"Bearer {token}"})

    return call


Call = Callable[[str], httpx.Response]


def is_refused(answer: httpx.Response) -> bool:
    """Whether an answer says that a token is no good, and nothing else."""
    return (answer.status_code, answer.json()["code"], answer.headers["www-authenticate"]) == (
        *(401, "token_invalid"),
        'Bearer error="invalid_token"',
    )


def are_unavailable(answer: httpx.Response) -> bool:
    """Whether an answer says that tokens cannot be checked."""
    return (answer.status_code, answer.json()["code"], "retry-after" in answer.headers) == (
        *(503, "keys_unavailable"),
        True,
    )


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("changes", [{}, {"alg": ...}, {"use": "sig"}, {"key_ops": ["verify"]}])
def test_a_token_of_every_algorithm_is_taken(
    provider: Provider, call: Call, algorithm: str, changes: dict[str, Any]
) -> None:
    token = provider.sign(provider.make_key(algorithm, **changes))
    assert [call(token).status_code, call(token).status_code] == [200, 200]
    assert provider.fetches == 1


@pytest.mark.parametrize("headers", [{"typ": "JWT"}, {"typ": "at+jwt"}, {"kid": ...}])
def test_a_token_may_say_what_it_is_and_leave_out_the_only_key(
    provider: Provider, call: Call, headers: Mapping[str, object]
) -> None:
    key = provider.make_key()
    provider.make_key("ES256")
    assert call(provider.sign(key, headers=headers)).status_code == 200


def test_a_token_without_kid_is_refused_where_it_could_be_for_two_keys(
    provider: Provider, call: Call
) -> None:
    keys = [provider.make_key(), provider.make_key()]
    assert all(is_refused(call(provider.sign(key, headers={"kid": ...}))) for key in keys)


@pytest.mark.parametrize("algorithm", ["ES384", "RS512"])
def test_a_token_of_another_algorithm_is_refused(
    provider: Provider, call: Call, algorithm: str
) -> None:
    assert is_refused(call(provider.sign(provider.make_key(algorithm))))
    assert provider.fetches == 0


def test_secret_and_key_set_are_used_beside_each_other(provider: Provider, call: Call) -> None:
    assert call(make_token("alice")).status_code == 200
    assert provider.fetches == 0
    assert call(provider.sign(provider.make_key())).status_code == 200


def test_without_a_secret_hs256_is_refused(
    provider: Provider, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    token, key = make_token("alice"), provider.make_key()
    monkeypatch.delenv("BETTER_AUTH_SECRET")
    get_settings.cache_clear()
    assert is_refused(call(token))
    assert call(provider.sign(key)).status_code == 200


def test_without_a_key_set_what_it_signs_is_refused(
    provider: Provider, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = provider.sign(provider.make_key())
    monkeypatch.delenv("AUTH_JWKS_URL")
    get_settings.cache_clear()
    assert is_refused(call(token))


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_public_key_does_not_serve_as_a_secret(
    provider: Provider, call: Call, algorithm: str
) -> None:
    key = provider.make_key(algorithm)
    public = key.private_key.public_key()
    forms = [
        json.dumps(provider.entries[0]).encode(),
        *(
            public.public_bytes(encoding, serialization.PublicFormat.SubjectPublicKeyInfo)
            for encoding in (serialization.Encoding.PEM, serialization.Encoding.DER)
        ),
    ]
    hmac = jwt.get_algorithm_by_name("HS256")
    for form in forms:
        signed, _, _ = provider.sign(key, headers={"alg": "HS256"}).rpartition(".")
        signature = jwt.utils.base64url_encode(hmac.sign(signed.encode(), form)).decode()
        assert is_refused(call(f"{signed}.{signature}"))


@pytest.mark.parametrize(
    ("algorithm", "changes"),
    [
        ("EdDSA", {"alg": "ES256"}),
        ("RS256", {"alg": "PS256"}),
        ("PS256", {"alg": "RS256"}),
        ("ES256", {"use": "enc"}),
        ("ES256", {"key_ops": ["sign"]}),
        ("ES256", {"key_ops": 7}),
        ("EdDSA", {"kty": "EC"}),
        ("EdDSA", {"crv": "Ed448"}),
        ("ES256", {"crv": "P-384"}),
        ("EdDSA", {"kid": "another"}),
        ("EdDSA", {"kid": ...}),
        ("EdDSA", {"kid": 1}),
        ("EdDSA", {"x": ...}),
        ("EdDSA", {"x": 1}),
        ("EdDSA", {"x": "AAAA"}),
        ("RS256", {"n": None}),
        ("ES256", {"y": "AA"}),
    ],
)
def test_a_key_that_is_not_for_it_checks_no_token(
    provider: Provider, call: Call, algorithm: str, changes: dict[str, Any]
) -> None:
    token = provider.sign(provider.make_key(algorithm, **changes))
    assert is_refused(call(token))


@pytest.mark.parametrize(
    ("algorithm", "make"),
    [("RS256", WEAK_RSA), ("PS256", WEAK_RSA), ("EdDSA", ED448), ("ES256", P384)],
)
def test_a_weak_or_strange_key_checks_no_token(
    provider: Provider, call: Call, algorithm: str, make: Callable[[], Any]
) -> None:
    assert is_refused(call(provider.sign(provider.make_key(algorithm, make))))


def test_a_private_key_that_is_published_checks_no_token(provider: Provider, call: Call) -> None:
    key = provider.make_key()
    private = jwt.get_algorithm_by_name("EdDSA").to_jwk(key.private_key, as_dict=True)
    provider.entries = [{**private, "alg": "EdDSA", "kid": key.key_id, "key_ops": ["verify"]}]
    assert is_refused(call(provider.sign(key)))


def test_an_entry_that_is_not_understood_keeps_no_other_from_its_work(
    provider: Provider, call: Call
) -> None:
    provider.entries += [
        None,
        1,
        [],
        {},
        {"kty": "oct", "k": "AAAA"},
        {"kty": "EC", "crv": "P-256"},
    ]
    key = provider.make_key()
    assert call(provider.sign(key)).status_code == 200


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://else.example"},
        {"aud": "https://else.example"},
        {"iss": ...},
        {"aud": ...},
        {"iss": None},
        {"aud": []},
        {"aud": ["https://else.example"]},
        {"sub": ...},
        {"exp": ...},
    ],
)
def test_issuer_and_audience_have_to_be_the_origin_of_the_key_set(
    provider: Provider, call: Call, claims: dict[str, Any]
) -> None:
    key = provider.make_key()
    assert is_refused(call(provider.sign(key, **claims)))
    assert (
        call(provider.sign(key, aud=["https://else.example", provider.origin])).status_code == 200
    )


def test_issuer_and_audience_may_be_others(
    provider: Provider, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = provider.make_key()
    monkeypatch.setenv("AUTH_ISSUER", "https://id.example")
    monkeypatch.setenv("AUTH_AUDIENCE", "lambdo")
    get_settings.cache_clear()
    assert is_refused(call(provider.sign(key)))
    assert call(provider.sign(key, iss="https://id.example", aud="lambdo")).status_code == 200


def test_a_token_that_is_over_says_so(provider: Provider, call: Call) -> None:
    key = provider.make_key()
    answer = call(provider.sign(key, exp=int(time.time()) - 60))
    assert answer.json()["code"] == "token_expired"


def test_what_better_auth_signs_for_other_purposes_is_refused(
    provider: Provider, call: Call
) -> None:
    key = provider.make_key()
    others: list[dict[str, Any]] = [
        {"sub": ..., "session": {"id": "1"}, "user": {"id": "alice"}},  # the session's cookie cache
        {"sub": ..., "email": "alice@example.com"},  # the verification of an address
    ]
    for claims in others:
        assert is_refused(call(provider.sign(key, **claims)))
    assert is_refused(call(provider.sign(key, headers={"typ": "logout+jwt"})))


def test_what_a_token_says_of_its_key_is_not_followed(provider: Provider, call: Call) -> None:
    mallory = SigningKey("EdDSA", "mallory", provider.make_key().private_key)
    provider.entries.clear()
    provider.make_key()
    asked = provider.fetches
    for header in (
        {"jwk": mallory.publish(), "kid": ...},
        {"jku": f"{provider.origin}/else", "kid": "mallory"},
        {"x5u": f"{provider.origin}/else", "kid": "mallory"},
    ):
        assert is_refused(call(provider.sign(mallory, headers=header)))
    assert provider.fetches <= asked + 2


def test_a_new_key_is_fetched_once_and_an_old_one_goes_on(
    provider: Provider, call: Call, clock: Clock
) -> None:
    old = provider.make_key()
    assert call(provider.sign(old)).status_code == 200
    new = provider.make_key()
    assert call(provider.sign(new)).status_code == 200
    assert provider.fetches == 2
    clock.now += RETRY_INTERVAL - 1
    assert call(provider.sign(old)).status_code == call(provider.sign(new)).status_code == 200
    assert provider.fetches == 2


def test_unknown_keys_are_asked_for_no_more_often_than_every_half_minute(
    provider: Provider, call: Call, clock: Clock
) -> None:
    provider.make_key()
    stranger = SigningKey("EdDSA", "stranger", ED25519())
    for _ in range(20):
        assert is_refused(call(provider.sign(stranger)))
    assert provider.fetches == 2
    clock.now += RETRY_INTERVAL
    for _ in range(20):
        assert is_refused(call(provider.sign(stranger, headers={"kid": str(clock.now)})))
    assert provider.fetches == 3


def test_a_key_that_is_not_in_the_set_just_fetched_is_not_asked_for_again(
    provider: Provider, call: Call
) -> None:
    provider.make_key()
    assert is_refused(call(provider.sign(SigningKey("EdDSA", "stranger", ED25519()))))
    assert provider.fetches == 1


def test_keys_are_asked_for_anew_where_the_clock_went_back(
    provider: Provider, call: Call, clock: Clock
) -> None:
    token = provider.sign(provider.make_key())
    assert call(token).status_code == 200
    clock.now -= 10_000
    assert call(token).status_code == 200
    assert provider.fetches == 2


def test_a_snapshot_holds_no_keys(provider: Provider, call: Call) -> None:
    token = provider.sign(provider.make_key())
    assert call(token).status_code == 200
    for hook, args, kwargs in snapshot_restore_py.get_before_snapshot():
        hook(*args, **kwargs)
    assert call(token).status_code == 200
    assert provider.fetches == 2


def test_a_key_that_was_withdrawn_is_soon_refused(
    provider: Provider, call: Call, clock: Clock
) -> None:
    withdrawn = provider.make_key()
    token = provider.sign(withdrawn)
    assert call(token).status_code == 200
    provider.entries.clear()
    provider.make_key()
    clock.now += MAX_AGE
    assert call(token).status_code == 200
    clock.now += 1
    assert is_refused(call(token))


def redirect(request: BaseHTTPRequestHandler) -> None:
    """Send the caller to where there are no keys of the provider's."""
    send(request, 302, b'{"keys": []}', Location="/else")


def drip(request: BaseHTTPRequestHandler) -> None:
    """Send a byte now and then, for ever."""
    request.send_response(200)
    while True:
        request.wfile.write(b"X")
        request.wfile.flush()
        time.sleep(0.5)


@pytest.mark.parametrize(
    "answer",
    [
        lambda request: send(request, 500),
        lambda request: send(request, 404, b'{"keys": []}'),
        redirect,
        lambda request: send(request, 200),
        lambda request: send(request, 200, b"<html>"),
        lambda request: send(request, 200, b"\xff\xfe"),
        lambda request: send(request, 200, b"[]"),
        lambda request: send(request, 200, b"{}"),
        lambda request: send(request, 200, b'{"keys": 1}'),
        lambda request: send(request, 200, b'{"keys": {}}'),
        lambda request: send(request, 200, b'{"keys": "none"}'),
        lambda request: send(request, 200, b"[" * 100_000),
        lambda request: send(request, 200, b'{"keys": []}' + b" " * key_set.MAX_BYTES),
        lambda request: request.wfile.write(b"nothing of HTTP\r\n"),
        drip,
        lambda _: time.sleep(60),
    ],
    ids=[
        *("500", "404", "redirect", "empty", "html", "binary", "list", "object", "number"),
        *("keys are an object", "keys are a text"),
        *("deep", "huge", "no http", "drip", "silence"),
    ],
)
def test_without_a_key_set_it_is_not_the_token_that_is_blamed(
    provider: Provider, call: Call, answer: Callable[[BaseHTTPRequestHandler], None]
) -> None:
    token = provider.sign(provider.make_key())
    provider.answer = answer
    assert are_unavailable(call(token))
    provider.answer = provider.publish
    assert call(token).status_code == 200


def test_a_provider_that_nothing_listens_for_is_unavailable(
    handlers: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running_provider() as provider:
        token = provider.sign(provider.make_key())
    monkeypatch.setenv("AUTH_JWKS_URL", provider.url)
    get_settings.cache_clear()
    answer = handlers.get("/api/tasks", headers={"Authorization": f"Bearer {token}"})
    assert are_unavailable(answer)


def test_keys_that_are_known_outlast_their_provider_for_an_hour(
    provider: Provider, call: Call, clock: Clock
) -> None:
    token = provider.sign(provider.make_key())
    unknown = provider.sign(SigningKey("EdDSA", "unknown", ED25519()))
    assert call(token).status_code == 200
    provider.answer = lambda request: send(request, 500)
    assert are_unavailable(call(unknown))
    assert are_unavailable(call(unknown))
    assert provider.fetches == 2
    for age in (MAX_AGE + 1, MAX_AGE_WITHOUT_ANSWER):
        clock.now = 1000 + age
        assert call(token).status_code == 200
    clock.now += 1
    assert are_unavailable(call(token))
    provider.answer = provider.publish
    clock.now += RETRY_INTERVAL
    assert call(token).status_code == 200


def test_a_token_of_the_key_set_makes_its_user(provider: Provider, handlers: httpx.Client) -> None:
    token = provider.sign(provider.make_key(), sub=f"neon-{time.time_ns()}", email=...)
    headers = {"Authorization": f"Bearer {token}"}
    assert handlers.post("/api/tasks", headers=headers, json={"title": "Mine"}).status_code == 201
    assert [
        task["title"] for task in handlers.get("/api/tasks", headers=headers).json()["tasks"]
    ] == ["Mine"]
