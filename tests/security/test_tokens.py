"""Tokens that were tampered with: none passes, none is a fault of ours, none is told why."""

import base64
import hmac
import json
import re
import time
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)
from cryptography.hazmat.primitives.hashes import SHA256
from hypothesis import given
from hypothesis import strategies as st

from shared import auth
from shared.auth import authenticate
from shared.errors import TokenExpired, TokenInvalid, TokenMissing, Unauthorized
from shared.key_set import get_key_set
from shared.settings import Settings, get_settings
from tests.clients import SECRET
from tests.provider import Provider, SigningKey, running_provider

ALGORITHMS = ["HS256", "EdDSA", "ES256", "RS256", "PS256"]
NONE = ["".join(letters) for letters in product(*zip("none", "NONE", strict=True))]

Vector = dict[str, Any]


class Issuer:
    """Whoever signs tokens that are taken, with a secret and with keys of every algorithm."""

    def __init__(self, provider: Provider) -> None:
        self.provider = provider
        self.keys = {name: provider.make_key(name) for name in ALGORITHMS if name != "HS256"}

    def sign(self, algorithm: str, header: object = None, payload: object = None) -> str:
        """A token of good signature; header and payload may be anything, such as bytes."""
        header = self.make_header(algorithm) if header is None else header
        signed = f"{encode(header)}.{encode(self.make_claims() if payload is None else payload)}"
        return f"{signed}.{encode(self.make_signature(algorithm, signed))}"

    def make_header(self, algorithm: str, **more: object) -> dict[str, Any]:
        """The header of a token that is taken, with more in it."""
        key = self.keys.get(algorithm)
        return {"alg": algorithm, **({"kid": key.key_id} if key else {}), **more}

    def make_claims(self, **more: object) -> dict[str, Any]:
        """The claims of a token that is taken, with more in them."""
        now = int(time.time())
        origin = self.provider.origin
        return {"sub": "alice", "iat": now, "exp": now + 900, "iss": origin, "aud": origin, **more}

    def make_signature(self, algorithm: str, signed: str) -> bytes:
        """What an algorithm makes of the first two parts of a token."""
        key = self.keys[algorithm].private_key if algorithm in self.keys else SECRET.encode()
        return jwt.get_algorithm_by_name(algorithm).sign(signed.encode(), key)


def encode(part: object) -> str:
    """A part of a token: base64url of the bytes, or of the JSON."""
    content = part if isinstance(part, bytes) else json.dumps(part).encode()
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def decode(part: str) -> bytes:
    """The bytes of a part of a token."""
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


@pytest.fixture(scope="module")
def issuer() -> Iterator[Issuer]:
    """Whoever signs tokens that the functions of this process take."""
    with running_provider() as provider, pytest.MonkeyPatch.context() as environment:
        environment.setenv("AUTH_JWKS_URL", provider.url)
        get_settings.cache_clear()
        get_key_set.cache_clear()
        yield Issuer(provider)
    get_settings.cache_clear()
    get_key_set.cache_clear()


def passes(token: str) -> bool:
    """Whether a token is taken. One that is not must be refused without a word on why."""
    refusal: Unauthorized | None = None
    try:
        authenticate(f"Bearer {token}")
    except Unauthorized as error:
        refusal = error
    assert refusal is None or type(refusal) is (TokenInvalid if token.strip() else TokenMissing)
    return refusal is None


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_token_that_nobody_touched_passes(issuer: Issuer, algorithm: str) -> None:
    assert passes(issuer.sign(algorithm))


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_signature_with_any_bit_flipped_does_not_pass(issuer: Issuer, algorithm: str) -> None:
    signed, _, signature = issuer.sign(algorithm).rpartition(".")
    original = decode(signature)
    for bit in range(8 * len(original)):
        flipped = bytearray(original)
        flipped[bit // 8] ^= 1 << bit % 8
        assert not passes(f"{signed}.{encode(bytes(flipped))}"), bit


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_signature_that_is_cut_or_lengthened_does_not_pass(
    issuer: Issuer, algorithm: str
) -> None:
    signed, _, signature = issuer.sign(algorithm).rpartition(".")
    original = decode(signature)
    for changed in (
        *(original[:length] for length in range(len(original))),
        *(original[start:] for start in range(1, len(original))),
        *(original + b"\0", b"\0" + original, original * 2, b"\0" * len(original)),
        *(b"\xff" * len(original), original[::-1]),
    ):
        assert not passes(f"{signed}.{encode(changed)}")


@pytest.mark.parametrize("algorithm", ["RS256", "PS256"])
def test_a_signature_without_its_leading_zero_does_not_pass(issuer: Issuer, algorithm: str) -> None:
    # One of 256 begins with a zero, and without it OpenSSL would still find it right.
    for number in range(4000):
        claims = {**issuer.make_claims(), "jti": str(number)}
        token = issuer.sign(algorithm, payload=claims)
        signed, _, signature = token.rpartition(".")
        if decode(signature)[0] == 0:
            break
    assert passes(token)
    assert not passes(f"{signed}.{encode(decode(signature)[1:])}")


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_part_that_is_spelled_otherwise_does_not_pass(issuer: Issuer, algorithm: str) -> None:
    token = issuer.sign(algorithm)
    parts = token.split(".")
    spelled = [token.replace(".", separator) for separator in ("..", ". ", ".\n", "%2E", ":")]
    for index, part in enumerate(parts):
        for other in (
            *(part + "=", part + "==", part + " A", " " + part, part + "\n", part + "\0"),
            *(part[:4] + "\n" + part[4:], part + "A", part[:-1], "", part + "+", part + "/"),
            part.replace("-", "+").replace("_", "/") + "+",
        ):
            spelled.append(".".join([*parts[:index], other, *parts[index + 1 :]]))
        # The bits that base64 has left over, for another text with the same bytes.
        if len(part) % 4:
            alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
            last = alphabet[alphabet.index(part[-1]) ^ 1]
            spelled.append(".".join([*parts[:index], part[:-1] + last, *parts[index + 1 :]]))
    for other in spelled:
        assert other.strip() == token or not passes(other), other


@pytest.mark.parametrize("spelled", [*NONE, "", None, 0, [], ["none"], {}, "none "])
@pytest.mark.parametrize("signature", ["", "AA", "own"])
def test_a_token_without_an_algorithm_does_not_pass(
    issuer: Issuer, spelled: object, signature: str
) -> None:
    for algorithm in ALGORITHMS:
        signed, _, own = issuer.sign(algorithm, {"alg": spelled}).rpartition(".")
        assert not passes(f"{signed}.{own if signature == 'own' else signature}")
        assert not passes(signed)


@pytest.mark.parametrize("claimed", ALGORITHMS)
@pytest.mark.parametrize("signed_with", ALGORITHMS)
def test_an_algorithm_passes_for_no_other(issuer: Issuer, claimed: str, signed_with: str) -> None:
    for header in (
        issuer.make_header(claimed),
        {**issuer.make_header(signed_with), "alg": claimed},
        {"alg": claimed},
    ):
        is_its_own = claimed == signed_with
        assert passes(issuer.sign(signed_with, header)) == is_its_own


@pytest.mark.parametrize(
    "algorithm",
    [
        *("HS384", "HS512", "ES384", "ES512", "ES256K", "RS384", "RS512", "PS384", "PS512"),
        *("Ed25519", "EdDSA ", "eddsa", "hs256", "HS256\0", "RSA", "dir", "A256KW", "RSA-OAEP"),
    ],
)
def test_no_other_algorithm_passes(issuer: Issuer, algorithm: str) -> None:
    for own in ALGORITHMS:
        assert not passes(issuer.sign(own, {**issuer.make_header(own), "alg": algorithm}))


@pytest.mark.parametrize("algorithm", [name for name in ALGORITHMS if name != "HS256"])
def test_what_is_public_is_no_secret(issuer: Issuer, algorithm: str) -> None:
    key = issuer.keys[algorithm]
    public = key.private_key.public_key()
    spki = serialization.PublicFormat.SubjectPublicKeyInfo
    pem = public.public_bytes(serialization.Encoding.PEM, spki)
    entry = key.publish()
    secrets = [
        *(pem, pem.strip(), pem.replace(b"\n", b"\r\n"), pem + b"\0"),
        public.public_bytes(serialization.Encoding.DER, spki),
        *(json.dumps(entry).encode(), json.dumps(entry, separators=(",", ":")).encode()),
        json.dumps({"keys": [entry]}).encode(),
        *(str(value).encode() for value in entry.values()),
        *(decode(entry[name]) for name in ("n", "x", "y") if name in entry),
        *(b"", b"\0", key.key_id.encode(), issuer.provider.url.encode()),
    ]
    hs256 = jwt.get_algorithm_by_name("HS256")
    for header in ({"alg": "HS256"}, issuer.make_header(algorithm, alg="HS256")):
        signed = f"{encode(header)}.{encode(issuer.make_claims())}"
        for secret in secrets:
            assert not passes(f"{signed}.{encode(hs256.sign(signed.encode(), secret))}")


@pytest.fixture(scope="module")
def mallory() -> dict[str, SigningKey]:
    """Keys that nobody publishes."""
    with running_provider() as provider:
        return Issuer(provider).keys


@pytest.mark.parametrize("algorithm", [name for name in ALGORITHMS if name != "HS256"])
def test_a_key_that_comes_with_the_token_is_not_taken(
    issuer: Issuer, mallory: dict[str, SigningKey], algorithm: str
) -> None:
    key = mallory[algorithm]
    known = issuer.keys[algorithm].key_id
    elsewhere = "https://mallory.example/keys"
    for more in (
        {"jwk": key.publish()},
        {"jwk": key.publish(kid=known), "kid": known},
        {"jku": elsewhere, "kid": key.key_id},
        {"jku": elsewhere, "kid": known},
        {"x5u": elsewhere, "kid": known},
        {"x5c": [base64.b64encode(b"a certificate").decode()], "kid": known},
        {"x5t": "AAAA", "kid": known},
        {"kid": known},
        {},
    ):
        signed = f"{encode({'alg': algorithm, **more})}.{encode(issuer.make_claims())}"
        signature = jwt.get_algorithm_by_name(algorithm).sign(signed.encode(), key.private_key)
        assert not passes(f"{signed}.{encode(signature)}")


@pytest.mark.parametrize(
    "key_id",
    [
        *("", " ", "\0", "../../../../dev/null", "/dev/null", "file:///etc/passwd"),
        *("' OR '1'='1", "x' UNION SELECT 'secret'--", "| sleep 10", "$(id)", "${jndi:ldap://x}"),
        *("x" * 20_000, "\u202e", "\ud800", "é", "*", "%s%s%n", "__proto__", "0", "null"),
        *(0, 1.5, True, None, [], ["x"], {}, {"kid": "x"}),
    ],
    ids=lambda value: repr(value)[:20],
)
def test_a_key_id_finds_its_key_and_nothing_else(issuer: Issuer, key_id: object) -> None:
    for algorithm in issuer.keys:
        assert not passes(issuer.sign(algorithm, {"alg": algorithm, "kid": key_id}))


_CRITICAL: list[object] = [[], ["exp"], ["b64"], ["x"], "x", None, {}, [1]]
_TYPES: list[object] = ["", "JOSE", "session+jwt", "dpop+jwt", 1, [], "JWT "]


@pytest.mark.parametrize(
    "more",
    [
        *({"crit": value} for value in _CRITICAL),
        {"crit": ["b64"], "b64": False},
        {"crit": ["b64"], "b64": True},
        *({"b64": False}, {"b64": True}, {"cty": "JWT"}, {"zip": "DEF"}),
        *({"typ": value} for value in _TYPES),
    ],
    ids=str,
)
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_header_that_asks_for_what_is_not_understood_does_not_pass(
    issuer: Issuer, algorithm: str, more: dict[str, object]
) -> None:
    assert not passes(issuer.sign(algorithm, issuer.make_header(algorithm, **more)))


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_token_in_a_token_does_not_pass(issuer: Issuer, algorithm: str) -> None:
    inner = issuer.sign(algorithm)
    for header in (issuer.make_header(algorithm, cty="JWT"), None):
        for payload in (inner.encode(), json.dumps(inner).encode()):
            assert not passes(issuer.sign(algorithm, header, payload))


@pytest.mark.parametrize(
    "part",
    [
        *(b"", b"null", b"true", b"1", b'"text"', b"[]", b"[[]]", b"{", b"{}x", b"\xff\xfe"),
        *(b"\xef\xbb\xbf{}", b'{"a": \xed\xa0\x80}', b"[" * 50_000, b'{"a":' * 50_000, b"NaN"),
        *(b"1" * 10_000, b"\0", b"<xml/>"),
    ],
    ids=lambda part: repr(part)[:20],
)
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_part_that_is_no_object_does_not_pass(
    issuer: Issuer, algorithm: str, part: bytes
) -> None:
    assert not passes(issuer.sign(algorithm, part))
    assert not passes(issuer.sign(algorithm, None, part))


_TIMES: list[Any] = [
    None,
    True,
    "",
    "1",
    "soon",
    [],
    {},
    [1],
    "9999999999",
    float("nan"),
    float("inf"),
]
_TEXTS = [None, True, 0, 1, 1.5, [], {}, ["alice"], {"sub": "alice"}, float("nan")]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *product(("exp", "nbf", "iat"), [*_TIMES, -float("inf")]),
        *product(("sub",), [*_TEXTS, "", "a\0b", "\ud800", "x" * 256]),
        *product(("iss",), [*_TEXTS, "", "https://mallory.example"]),
        *product(("aud",), [*_TEXTS, "", "https://mallory.example", [1], [None], [[]], [{}]]),
    ],
    ids=lambda value: repr(value)[:20],
)
@pytest.mark.parametrize("algorithm", ["EdDSA", "HS256"])
def test_a_claim_of_the_wrong_kind_does_not_pass(
    issuer: Issuer, algorithm: str, name: str, value: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    # With the secret, issuer and audience count where they are set.
    monkeypatch.setenv("AUTH_ISSUER", issuer.provider.origin)
    monkeypatch.setenv("AUTH_AUDIENCE", issuer.provider.origin)
    get_settings.cache_clear()
    assert passes(issuer.sign(algorithm))
    assert not passes(issuer.sign(algorithm, None, issuer.make_claims(**{name: value})))


def test_an_audience_of_several_is_a_list_of_texts(issuer: Issuer) -> None:
    origin = issuer.provider.origin
    for audience, is_good in ((["a", origin], True), ([origin, 1], False), ({origin: 1}, False)):
        assert passes(issuer.sign("EdDSA", None, issuer.make_claims(aud=audience))) == is_good


@pytest.mark.parametrize("name", ["exp", "nbf", "iat"])
@pytest.mark.parametrize("value", [10**400, -(10**400), 1e308, -1e308, 0, -1])
@pytest.mark.parametrize("algorithm", ["EdDSA", "HS256"])
def test_no_number_is_a_fault(issuer: Issuer, algorithm: str, name: str, value: float) -> None:
    token = issuer.sign(algorithm, None, issuer.make_claims(**{name: value}))
    if abs(value) > 2**53:
        assert not passes(token)
    elif name == "exp":
        with pytest.raises(TokenExpired):
            authenticate(f"Bearer {token}")
    else:
        assert passes(token)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_name_that_is_there_twice_does_not_pass(issuer: Issuer, algorithm: str) -> None:
    claims = json.dumps(issuer.make_claims())
    for twice in (
        claims.replace('"sub": "alice"', '"sub": "bob", "sub": "alice"'),
        claims.replace('"sub": "alice"', '"sub": "alice", "sub": "alice"'),
        claims.replace('"sub": "alice"', '"sub": "alice", "x": {"y": 1, "y": 2}'),
        claims.replace('"exp"', '"exp": 1, "exp"'),
    ):
        assert not passes(issuer.sign(algorithm, None, twice.encode()))
    header = json.dumps(issuer.make_header(algorithm))
    for twice in (
        header.replace("{", f'{{"alg": "{algorithm}", '),
        header.replace("{", '{"alg": "none", '),
        header.replace("}", ', "alg": "none"}'),
        header.replace("}", ', "x": 1, "x": 1}'),
    ):
        assert not passes(issuer.sign(algorithm, twice.encode()))


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_huge_token_does_not_pass(issuer: Issuer, algorithm: str) -> None:
    assert passes(issuer.sign(algorithm, None, issuer.make_claims(padding="x" * 5_000)))
    assert not passes(issuer.sign(algorithm, None, issuer.make_claims(padding="x" * 10_000)))
    assert not passes("A" * 1_000_000)
    assert not passes(".".join(["A" * 100_000] * 3))


def test_an_ecdsa_signature_is_of_one_form(issuer: Issuer) -> None:
    signed, _, signature = issuer.sign("ES256").rpartition(".")
    raw = decode(signature)
    r, s = int.from_bytes(raw[:32]), int.from_bytes(raw[32:])
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    numbers = [(0, 0), (0, s), (r, 0), (order, order), (r, order), (0, 1), (1, 0), (1, 1), (s, r)]
    for one, other in numbers:
        assert not passes(f"{signed}.{encode(one.to_bytes(32) + other.to_bytes(32))}")
        assert not passes(f"{signed}.{encode(encode_dss_signature(one, other))}")
    assert not passes(f"{signed}.{encode(encode_dss_signature(r, s))}")
    another = issuer.keys["ES256"].private_key.sign(signed.encode(), ec.ECDSA(SHA256()))
    assert not passes(f"{signed}.{encode(another)}")
    raw = b"".join(number.to_bytes(32) for number in decode_dss_signature(another))
    assert passes(f"{signed}.{encode(raw)}")


def test_an_eddsa_signature_cannot_be_made_of_another(issuer: Issuer) -> None:
    signed, _, signature = issuer.sign("EdDSA").rpartition(".")
    raw = decode(signature)
    order = 2**252 + 27742317777372353535851937790883648493
    shifted = int.from_bytes(raw[32:], "little") + order
    assert not passes(f"{signed}.{encode(raw[:32] + shifted.to_bytes(32, 'little'))}")
    for point in (bytes(32), b"\x01" + bytes(31), b"\xec" + b"\xff" * 30 + b"\x7f"):
        assert not passes(f"{signed}.{encode(point + bytes(32))}")


def test_a_signature_with_another_padding_or_salt_does_not_pass(issuer: Issuer) -> None:
    key = issuer.keys["PS256"].private_key
    signed, _, _ = issuer.sign("PS256").rpartition(".")
    for salt in (0, 20, 31, 33, padding.PSS.MAX_LENGTH):
        pss = padding.PSS(padding.MGF1(SHA256()), salt)
        assert not passes(f"{signed}.{encode(key.sign(signed.encode(), pss, SHA256()))}")


@given(data=st.data())
def test_a_token_that_was_changed_anywhere_does_not_pass(
    issuer: Issuer, data: st.DataObject
) -> None:
    token = issuer.sign(data.draw(st.sampled_from(ALGORITHMS)))
    start = data.draw(st.integers(0, len(token)))
    end = data.draw(st.integers(start, min(len(token), start + 8)))
    changed = token[:start] + data.draw(st.text(max_size=8)) + token[end:]
    if changed.strip() != token:
        assert not passes(changed)


@given(st.text())
def test_no_text_is_a_fault(issuer: Issuer, text: str) -> None:
    assert issuer
    with pytest.raises(Unauthorized):
        authenticate(text)


def why(authorization: str | None) -> str:
    """What the log says of a header that names nobody."""
    with pytest.raises(Unauthorized) as refused:
        authenticate(authorization)
    assert refused.value.reason is not None
    return refused.value.reason


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"iss": "https://a"}, r'iss is "https://a", expected "http://127\.0\.0\.1:\d+"'),
        ({"iss": 1}, r'iss is 1, expected "http://127\.0\.0\.1:\d+"'),
        ({"aud": "b"}, r'aud is "b", expected "http://127\.0\.0\.1:\d+"'),
        ({"aud": ["b", "c"]}, r'aud is \["b", "c"\], expected "http://127\.0\.0\.1:\d+"'),
        ({"sub": ""}, "sub is no text of 1 to 255 characters"),
        ({"exp": "soon"}, "exp is no number"),
        ({"exp": 1}, r"expired \d{9,} s ago"),
        ({"nbf": 2**52}, r"nbf is \d{15,} s in the future"),
        ({"iat": 2**52}, r"iat is \d{15,} s in the future"),
        ({"jti": 1}, "jti is no text"),
    ],
    ids=str,
)
def test_the_log_says_which_claim_was_wrong(
    issuer: Issuer, claims: dict[str, Any], reason: str
) -> None:
    token = issuer.sign("EdDSA", None, issuer.make_claims(**claims))
    assert re.fullmatch(reason, why(f"Bearer {token}"))


@pytest.mark.parametrize("name", ["sub", "exp"])
def test_the_log_says_which_claim_was_missing(issuer: Issuer, name: str) -> None:
    claims = issuer.make_claims()
    del claims[name]
    assert why(f"Bearer {issuer.sign('EdDSA', None, claims)}") == f"{name} is missing"


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ({"alg": "none"}, 'alg is "none"'),
        ({"typ": "JWT"}, "alg is null"),
        ({"alg": "EdDSA", "kid": "unknown"}, 'no key "unknown" for EdDSA in the key set'),
        ({"alg": "EdDSA"}, None),
        ({"alg": "HS256"}, "signature does not match"),
        ({"alg": "EdDSA", "typ": "session+jwt"}, 'typ is "session+jwt"'),
        ({"alg": "EdDSA", "kid": [1]}, "kid is [1]"),
        ({"alg": "EdDSA", "crit": ["b64"], "b64": False}, "the header has b64, crit"),
        (b"[]", "header: not an object"),
        (b"{", "header: not JSON, or a name is there twice"),
    ],
    ids=str,
)
def test_the_log_says_what_was_wrong_with_a_header(
    issuer: Issuer, header: object, reason: str | None
) -> None:
    token = issuer.sign("EdDSA", header)
    if reason is None:
        assert passes(token)
    else:
        assert why(f"Bearer {token}") == reason


def test_the_log_says_what_was_wrong_with_authorization(issuer: Issuer) -> None:
    token = issuer.sign("EdDSA")
    several = "Authorization is there several times, or its token is no JWT"
    assert why(None) == "no Authorization header"
    assert why(token) == why(f"Basic {token}") == "Authorization has no bearer token"
    assert why(f"Bearer {token},Bearer {token}") == why("Bearer nonsense") == several
    assert why(f"Bearer {'A' * 10_241}") == "the token has 10241 characters, of 10240 at most"
    assert why(f"Bearer {token}AAA") == "a part of the token is not base64url"
    assert why(f"Bearer {token[:-1]}_") == "a part of the token has bits left over"


@pytest.mark.parametrize(
    ("algorithm", "unset", "reason"),
    [
        ("EdDSA", "AUTH_JWKS_URL", "alg is EdDSA, and AUTH_JWKS_URL is not set"),
        ("HS256", "BETTER_AUTH_SECRET", "alg is HS256, and BETTER_AUTH_SECRET is not set"),
    ],
)
def test_the_log_says_which_setting_is_missing(
    issuer: Issuer, monkeypatch: pytest.MonkeyPatch, algorithm: str, unset: str, reason: str
) -> None:
    token = issuer.sign(algorithm)
    monkeypatch.delenv(unset)
    get_settings.cache_clear()
    assert why(f"Bearer {token}") == reason
    monkeypatch.undo()
    get_settings.cache_clear()


def test_a_secret_that_is_public_checks_nothing(
    issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    pem = issuer.keys["EdDSA"].private_key.public_key()
    secret = pem.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    ).decode()
    monkeypatch.setattr(Settings, "read_auth_secret", lambda _: secret)
    signed = f"{encode({'alg': 'HS256'})}.{encode(issuer.make_claims())}"
    signature = hmac.digest(secret.encode(), signed.encode(), "sha256")
    reason = "BETTER_AUTH_SECRET is a public key, and no secret"
    assert why(f"Bearer {signed}.{encode(signature)}") == reason


@pytest.mark.parametrize(
    "issuer_claim",
    ["x" * 5_000, "\n\u2028\0\x1b[2J\ud800" * 100, [["x"] * 100] * 10, {"x": "y" * 1_000}],
    ids=["long", "control", "list", "object"],
)
def test_what_a_token_says_takes_no_more_than_a_line_of_the_log(
    issuer: Issuer, issuer_claim: object
) -> None:
    token = issuer.sign("EdDSA", None, issuer.make_claims(iss=issuer_claim))
    said, _, expected = why(f"Bearer {token}").removeprefix("iss is ").partition(", expected ")
    assert said.endswith("…")
    assert len(said) == 101
    assert said[:-1].isascii()
    assert said[:-1].isprintable()
    assert expected


def test_what_is_nested_deep_is_no_fault(issuer: Issuer) -> None:
    claims = json.dumps(issuer.make_claims(iss=0)).replace(
        '"iss": 0', f'"iss": {"[" * 3000}{"]" * 3000}'
    )
    assert why(f"Bearer {issuer.sign('EdDSA', None, claims.encode())}")


def test_refusals_are_all_the_same_answer(issuer: Issuer, handlers: httpx.Client) -> None:
    get_settings.cache_clear()
    token = issuer.sign("EdDSA")
    signed, _, signature = token.rpartition(".")
    refused = [
        *(f"{signed}.", f"{signed}.{signature[::-1]}", "a.b.c", "nonsense", "é", token + "x"),
        issuer.sign("EdDSA", {"alg": "none"}),
        issuer.sign("EdDSA", {"alg": "EdDSA", "kid": "unknown"}),
        issuer.sign("EdDSA", None, b"[]"),
        *(
            issuer.sign("EdDSA", None, issuer.make_claims(**{name: 1}))
            for name in ("sub", "iss", "aud")
        ),
    ]
    assert len({why(f"Bearer {text}") for text in refused}) > 6
    answers = []
    for text in refused:
        headers = {"Authorization": f"Bearer {text}".encode(), b"X-Request-Id": b"same"}
        answer = handlers.get("/api/tasks", headers=headers)  # type: ignore[arg-type]
        answers.append((answer.status_code, answer.content, answer.headers.multi_items()))
    assert answers[0][0] == 401
    assert all(answer == answers[0] for answer in answers)


def read_vectors() -> list[tuple[Vector, Vector]]:
    """Wycheproof's keys and tokens, as pairs."""
    file = Path(__file__).parent / "wycheproof" / "json_web_signature.json"
    return [
        (group["key"], test) for group in json.loads(file.read_text()) for test in group["tests"]
    ]


def test_wycheproofs_signatures_are_told_apart(
    issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    claims = issuer.make_claims()

    # What is signed there are texts, and not claims.
    read = auth._read_object
    monkeypatch.setattr(
        auth, "_read_object", lambda name, part: claims if name == "claims" else read(name, part)
    )
    wrong = []
    for key, test in read_vectors():
        get_key_set.cache_clear()
        issuer.provider.entries, published = [key], issuer.provider.entries
        secret = decode(key["k"]) if key["kty"] == "oct" else SECRET
        monkeypatch.setattr(Settings, "read_auth_secret", lambda _, secret=secret: secret)
        # What is empty holds no claims.
        is_valid = test["result"] == "valid" and all(test["jws"])
        if passes(".".join(test["jws"])) != is_valid:
            wrong.append(
                (test["tcId"], test["comment"], test["result"], key.get("alg"), test["jws"][:60])
            )
        issuer.provider.entries = published
    get_key_set.cache_clear()
    assert wrong == []
