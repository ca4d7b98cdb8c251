"""Who calls: which tokens are refused, and how, and which are taken."""

import base64
import functools
import hmac
import json
import time
from collections.abc import Callable

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from shared.settings import get_settings
from tests.clients import SECRET, User, make_token
from tests.conftest import ONE_WAY
from tests.contract.conftest import CALLS, Task, call_id, check_refusal

pytestmark = ONE_WAY

INVALID_TOKEN = 'Bearer error="invalid_token"'


def _encode(part: bytes) -> str:
    return base64.urlsafe_b64encode(part).decode().rstrip("=")


def _sign(claims: object, header: object = None, secret: str = SECRET) -> str:
    """A token with an HS256 signature, whatever its header and its claims say."""
    parts = [header or {"alg": "HS256", "typ": "JWT"}, claims]
    text = ".".join(_encode(json.dumps(part).encode()) for part in parts)
    return f"{text}.{_encode(hmac.digest(secret.encode(), text.encode(), 'sha256'))}"


def _claims(**others: object) -> dict[str, object]:
    now = int(time.time())
    return {"sub": "somebody", "iat": now, "exp": now + 900, **others}


def _later(seconds: int) -> int:
    return int(time.time()) + seconds


@functools.cache
def _rsa_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


def _get(http: httpx.Client, token: str) -> httpx.Response:
    return http.get("/api/tasks", headers={"Authorization": f"Bearer {token}"})


def _altered() -> str:
    header, _, signature = make_token("somebody").split(".")
    return f"{header}.{_encode(json.dumps(_claims(sub='else')).encode())}.{signature}"


_MISSING = {
    "nothing": {},
    "empty": {"Authorization": ""},
    "scheme only": {"Authorization": "Bearer"},
    "another scheme": {"Authorization": "Basic YWxpY2U6c2VjcmV0"},
}

_FORGED: dict[str, Callable[[], str]] = {
    "another secret": lambda: make_token("somebody", secret="s" * 43),
    "empty secret": lambda: _sign(_claims(), secret=""),
    "alg none": lambda: jwt.encode(_claims(), "", "none"),
    "alg none, signed": lambda: _sign(_claims(), {"alg": "none"}),
    "alg NONE": lambda: _sign(_claims(), {"alg": "NONE"}),
    "no alg": lambda: _sign(_claims(), {"typ": "JWT"}),
    "alg is a list": lambda: _sign(_claims(), {"alg": ["HS256"]}),
    "alg hs256": lambda: _sign(_claims(), {"alg": "hs256"}),
    "HS384": lambda: jwt.encode(_claims(), SECRET.ljust(64, "x"), "HS384"),
    "HS384, own secret": lambda: _other_hmac("HS384", "sha384"),
    "HS512, own secret": lambda: _other_hmac("HS512", "sha512"),
    "RS256": lambda: jwt.encode(_claims(), _rsa_key(), "RS256"),
    "PS256": lambda: jwt.encode(_claims(), _rsa_key(), "PS256"),
    "ES256": lambda: jwt.encode(_claims(), ec.generate_private_key(ec.SECP256R1()), "ES256"),
    "EdDSA": lambda: jwt.encode(_claims(), ed25519.Ed25519PrivateKey.generate(), "EdDSA"),
    "RS256 with an HMAC": lambda: _sign(_claims(), {"alg": "RS256"}),
    "own key in the header": lambda: _sign(
        _claims(), {"alg": "HS256", "jwk": {"kty": "oct", "k": _encode(b"k" * 32)}}, "k" * 32
    ),
    "critical extension": lambda: _sign(_claims(), {"alg": "HS256", "crit": ["x"], "x": 1}),
    "altered claims": _altered,
    "altered signature": lambda: _flip_signature(make_token("somebody")),
    "no signature": lambda: make_token("somebody").rpartition(".")[0] + ".",
    "two parts": lambda: make_token("somebody").rpartition(".")[0],
    "four parts": lambda: make_token("somebody") + ".e30",
    "padded": lambda: make_token("somebody") + "=",
    "trailing word": lambda: make_token("somebody") + " x",
    "claims are a list": lambda: _sign([_claims()]),
    "claims are text": lambda: _sign("somebody"),
    "header is a list": lambda: _sign(_claims(), ["HS256"]),
    "not base64": lambda: "a.b.c",
    "not a token": lambda: "somebody",
}


def _other_hmac(algorithm: str, digest: str) -> str:
    text = _sign(_claims(), {"alg": algorithm}).rpartition(".")[0]
    return f"{text}.{_encode(hmac.digest(SECRET.encode(), text.encode(), digest))}"


def _flip_signature(token: str) -> str:
    text, _, signature = token.rpartition(".")
    return f"{text}.{'B' if signature[0] == 'A' else 'A'}{signature[1:]}"


# Other things that Better Auth signs or hands out.
_LOOK_ALIKES: dict[str, Callable[[], str]] = {
    "session cookie cache": lambda: _sign(
        {
            "session": {"id": "s", "userId": "somebody", "token": "t"},
            "user": {"id": "somebody", "email": "a@example.org"},
            "updatedAt": 1795262400000,
            "version": "1",
            "iat": _later(0),
            "exp": _later(300),
        },
        {"alg": "HS256"},
    ),
    "e-mail verification": lambda: _sign(
        {"email": "a@example.org", "updateTo": "b@example.org", "exp": _later(3600)},
        {"alg": "HS256"},
    ),
    "user in other claims": lambda: _sign(
        {"id": "a", "user_id": "a", "userId": "a", "email": "a@example.org", "exp": _later(900)}
    ),
    "opaque session token": lambda: "Zx81mYvPuzFRqrGXTsgKpQdBhNwLcj5e",
    "signed session token": lambda: (
        "Zx81mYvPuzFRqrGXTsgKpQ.n4bQgYhMfWWaL%2BqgxVrQFaO%2FTxsrC4Is%3D"
    ),
    "logout token": lambda: _sign(_claims(), {"alg": "HS256", "typ": "logout+jwt"}),
    "security event": lambda: _sign(_claims(), {"alg": "HS256", "typ": "secevent+jwt"}),
    "proof of possession": lambda: _sign(_claims(), {"alg": "HS256", "typ": "dpop+jwt"}),
    "typ is a number": lambda: _sign(_claims(), {"alg": "HS256", "typ": 1}),
    "typ is a list": lambda: _sign(_claims(), {"alg": "HS256", "typ": ["JWT"]}),
}

_BAD_CLAIMS: dict[str, Callable[[], dict[str, object]]] = {
    "sub missing": lambda: {name: value for name, value in _claims().items() if name != "sub"},
    "sub null": lambda: _claims(sub=None),
    "sub empty": lambda: _claims(sub=""),
    "sub of 256": lambda: _claims(sub="x" * 256),
    "sub a number": lambda: _claims(sub=42),
    "sub true": lambda: _claims(sub=True),
    "sub a list": lambda: _claims(sub=["somebody"]),
    "sub an object": lambda: _claims(sub={"id": "somebody"}),
    "sub with NUL": lambda: _claims(sub="some\0body"),
    "sub a high surrogate": lambda: _claims(sub="\ud800"),
    "sub with a low surrogate": lambda: _claims(sub="some\udfffbody"),
    "exp missing": lambda: {name: value for name, value in _claims().items() if name != "exp"},
    "exp null": lambda: _claims(exp=None),
    "exp text": lambda: _claims(exp=str(_later(900))),
    "exp a list": lambda: _claims(exp=[_later(900)]),
    "exp NaN": lambda: _claims(exp=float("nan")),
    "exp infinite": lambda: _claims(exp=float("inf")),
    "nbf ahead": lambda: _claims(nbf=_later(90)),
    "nbf text": lambda: _claims(nbf="0"),
    "nbf true": lambda: _claims(nbf=True),
    "nbf null": lambda: _claims(nbf=None),
    "nbf an object": lambda: _claims(nbf={}),
    "iat ahead": lambda: _claims(iat=_later(90)),
    "iat text": lambda: _claims(iat="0"),
    "iat true": lambda: _claims(iat=True),
    "iat a list": lambda: _claims(iat=[]),
    "iat infinite": lambda: _claims(iat=float("-inf")),
}


@pytest.mark.parametrize("headers", _MISSING.values(), ids=list(_MISSING))
def test_no_token_is_challenged_without_an_error(
    http: httpx.Client, headers: dict[str, str]
) -> None:
    answer = http.get("/api/tasks", headers=headers)
    check_refusal(answer, 401, "token_missing")
    assert answer.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("call", CALLS, ids=call_id)
def test_no_call_is_answered_without_a_token(
    http: httpx.Client, untouched: Task, tasks: str, call: tuple[str, str]
) -> None:
    path = tasks + call[1].format(id=untouched["id"])
    check_refusal(http.request(call[0], path), 401, "token_missing")


@pytest.mark.parametrize("forge", _FORGED.values(), ids=list(_FORGED))
def test_a_forged_token_is_invalid(http: httpx.Client, forge: Callable[[], str]) -> None:
    answer = _get(http, forge())
    check_refusal(answer, 401, "token_invalid")
    assert answer.headers["WWW-Authenticate"] == INVALID_TOKEN


@pytest.mark.parametrize("make", _LOOK_ALIKES.values(), ids=list(_LOOK_ALIKES))
def test_a_look_alike_is_invalid(http: httpx.Client, make: Callable[[], str]) -> None:
    answer = _get(http, make())
    check_refusal(answer, 401, "token_invalid")
    assert answer.headers["WWW-Authenticate"] == INVALID_TOKEN


@pytest.mark.parametrize("claims", _BAD_CLAIMS.values(), ids=list(_BAD_CLAIMS))
def test_bad_claims_are_invalid(
    http: httpx.Client, claims: Callable[[], dict[str, object]]
) -> None:
    answer = _get(http, _sign(claims()))
    check_refusal(answer, 401, "token_invalid")
    assert answer.headers["WWW-Authenticate"] == INVALID_TOKEN


@pytest.mark.parametrize("ago", [60, 3600, 10**9])
def test_an_expired_token_is_called_that(http: httpx.Client, ago: int) -> None:
    answer = _get(http, _sign(_claims(iat=0, exp=_later(-ago))))
    check_refusal(answer, 401, "token_expired")
    assert answer.headers["WWW-Authenticate"] == INVALID_TOKEN


def test_a_forged_token_is_not_told_that_it_has_expired(http: httpx.Client) -> None:
    token = _sign(_claims(exp=_later(-60)), secret="s" * 43)
    check_refusal(_get(http, token), 401, "token_invalid")


def test_a_refusal_never_says_why_a_token_is_invalid(http: httpx.Client) -> None:
    tokens = [make() for make in (*_FORGED.values(), *_LOOK_ALIKES.values())]
    bodies = [_get(http, token).json() for token in tokens]
    assert len({json.dumps({**body, "request_id": ""}) for body in bodies}) == 1


@pytest.mark.parametrize("others", [0, 1, 2], ids=["same twice", "two users", "another scheme"])
def test_two_authorization_headers_are_refused(
    http: httpx.Client, alice: User, bob: User, others: int
) -> None:
    own = alice.headers["Authorization"]
    second = [own, bob.headers["Authorization"], "Basic YWxpY2U6c2VjcmV0"][others]
    for values in ([own, second], [second, own]):
        answer = http.get("/api/tasks", headers=[("Authorization", value) for value in values])
        code = answer.json()["code"]
        check_refusal(answer, 401, code)
        assert code in ("token_invalid", "token_missing")


@pytest.mark.parametrize(
    "name", ["access_token", "token", "authorization", "Authorization", "jwt", "auth"]
)
def test_a_token_in_the_query_is_ignored(http: httpx.Client, alice: User, name: str) -> None:
    token = make_token(alice.id)
    for value in (token, f"Bearer {token}"):
        answer = http.get("/api/tasks", params={name: value})
        check_refusal(answer, 401, "token_missing")


@pytest.mark.parametrize("name", ["Cookie", "X-Authorization", "Proxy-Authorization"])
def test_a_token_in_another_header_is_ignored(http: httpx.Client, alice: User, name: str) -> None:
    token = make_token(alice.id)
    value = f"token={token}" if name == "Cookie" else f"Bearer {token}"
    check_refusal(http.get("/api/tasks", headers={name: value}), 401, "token_missing")


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "bEaReR"])
def test_the_scheme_is_taken_in_any_case(http: httpx.Client, alice: User, scheme: str) -> None:
    headers = {"Authorization": f"{scheme} {make_token(alice.id)}"}
    assert http.get("/api/tasks", headers=headers).status_code == 200


_TAKEN: dict[str, Callable[[], dict[str, object]]] = {
    "exp within leeway": lambda: _claims(exp=_later(-15)),
    "exp with a fraction": lambda: _claims(exp=time.time() + 900.5),
    "exp far ahead": lambda: _claims(exp=10**15),
    "nbf within leeway": lambda: _claims(nbf=_later(15)),
    "nbf with a fraction": lambda: _claims(nbf=time.time() - 900.5),
    "iat within leeway": lambda: _claims(iat=_later(15)),
    "sub and exp only": lambda: {"sub": "somebody", "exp": _later(900)},
    "claims of any kind": lambda: _claims(id="else", user_id=1, email=[], name={"a": None}),
}


@pytest.mark.parametrize("claims", _TAKEN.values(), ids=list(_TAKEN))
def test_good_claims_are_taken(http: httpx.Client, claims: Callable[[], dict[str, object]]) -> None:
    assert _get(http, _sign(claims())).status_code == 200


@pytest.mark.parametrize("header", [{"alg": "HS256"}, {"alg": "HS256", "typ": "jwt", "kid": "k"}])
def test_typ_and_kid_may_be_left_out_or_given(http: httpx.Client, header: dict[str, str]) -> None:
    assert _get(http, _sign(_claims(), header)).status_code == 200


_IDENTITY = {"AUTH_ISSUER": "https://id.example", "AUTH_AUDIENCE": "lambdo"}


@pytest.mark.parametrize(
    ("claims", "status"),
    [
        ({"iss": "https://id.example", "aud": "lambdo"}, 200),
        ({"iss": "https://id.example", "aud": ["else", "lambdo"]}, 200),
        ({"iss": "https://else.example", "aud": "lambdo"}, 401),
        ({"iss": "https://id.example", "aud": "else"}, 401),
        ({"iss": "https://id.example", "aud": ["else"]}, 401),
        ({"aud": "lambdo"}, 401),
        ({"iss": "https://id.example"}, 401),
    ],
    ids=lambda value: "-".join(map(str, value.values())) if isinstance(value, dict) else None,
)
def test_issuer_and_audience_are_checked_where_they_are_set(
    handlers: httpx.Client, monkeypatch: pytest.MonkeyPatch, claims: dict[str, object], status: int
) -> None:
    token = _sign(_claims(**claims))
    # Where accounts are built in, such a token is ours, and its user has registered.
    for name, value in {**_IDENTITY, "ACCOUNTS": "external"}.items():
        monkeypatch.setenv(name, value)
    get_settings.cache_clear()
    answer = _get(handlers, token)
    assert answer.status_code == status
    if status == 401:
        check_refusal(answer, 401, "token_invalid")
