"""The keys of a password: those that the standard's own example was made with."""

import hashlib
import hmac
from base64 import b64decode

import pytest
from psycopg.conninfo import conninfo_to_dict

from shared.data.scram import Challenge, derive_keys

# RFC 7677, section 3: the messages of a login with the password "pencil".
PASSWORD = "pencil"
CHALLENGE = Challenge(b64decode("W22ZaJ0SNY7soEsUEjb6gQ=="), 4096)
NONCE = "rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
MESSAGES = (
    f"n=user,r=rOprNGfwEbeRWgbNEkqO,r={NONCE},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,c=biws,r={NONCE}"
)
PROOF = "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
SIGNATURE = "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="


def sign(key: bytes) -> bytes:
    return hmac.digest(key, MESSAGES.encode(), "sha256")


def test_the_keys_make_the_proof_of_the_standard() -> None:
    keys = conninfo_to_dict(derive_keys(PASSWORD, CHALLENGE))
    client_key = b64decode(str(keys["scram_client_key"]))
    signature = sign(hashlib.sha256(client_key).digest())
    assert bytes(a ^ b for a, b in zip(client_key, signature, strict=True)) == b64decode(PROOF)
    assert sign(b64decode(str(keys["scram_server_key"]))) == b64decode(SIGNATURE)


def test_a_password_that_would_have_to_be_prepared_is_refused() -> None:
    with pytest.raises(UnicodeEncodeError):
        derive_keys("p\u00e9ncil", CHALLENGE)
