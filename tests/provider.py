"""An identity provider, as Better Auth is one: keys, the set that it publishes, and tokens."""

import base64
import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from uuid import uuid4

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa

JWKS_PATH = "/api/auth/jwks"

Answer = Callable[[BaseHTTPRequestHandler], None]

_MAKE: dict[str, Callable[[], Any]] = {
    "EdDSA": ed25519.Ed25519PrivateKey.generate,
    "ES256": partial(ec.generate_private_key, ec.SECP256R1()),
    "ES384": partial(ec.generate_private_key, ec.SECP384R1()),
    "RS256": partial(rsa.generate_private_key, 65537, 2048),
    "PS256": partial(rsa.generate_private_key, 65537, 2048),
    "RS512": partial(rsa.generate_private_key, 65537, 2048),
}
ED25519 = ed25519.Ed25519PrivateKey.generate
P384 = partial(ec.generate_private_key, ec.SECP384R1())
ED448 = ed448.Ed448PrivateKey.generate
WEAK_RSA = partial(rsa.generate_private_key, 65537, 1024)


@dataclass(frozen=True)
class SigningKey:
    """A key pair of a provider's, for one algorithm."""

    algorithm: str
    key_id: str
    private_key: Any

    def publish(self, **changes: object) -> dict[str, Any]:
        """The entry of the key set, as Better Auth has it: with `alg` and `kid`, without `use`.

        A change to `...` leaves a member out.
        """
        write = jwt.get_algorithm_by_name(self.algorithm).to_jwk
        entry = {
            **write(self.private_key.public_key(), as_dict=True),
            "key_ops": ...,
            "alg": self.algorithm,
            "kid": self.key_id,
            **changes,
        }
        return _without_ellipses(entry)


class Provider:
    """A provider whose keys are at `url`. `answer` is what it does when it is asked for them."""

    def __init__(self, origin: str) -> None:
        self.origin = origin
        self.url = origin + JWKS_PATH
        self.fetches = 0
        self.entries: list[object] = []
        self.answer: Answer = self.publish

    def make_key(
        self, algorithm: str = "EdDSA", make: Callable[[], Any] | None = None, **changes: object
    ) -> SigningKey:
        """A new key, which is published."""
        key = SigningKey(algorithm, uuid4().hex, (make or _MAKE[algorithm])())
        self.entries.append(key.publish(**changes))
        return key

    def sign(
        self, key: SigningKey, *, headers: Mapping[str, object] | None = None, **claims: object
    ) -> str:
        """A token as Better Auth makes it; claims and headers that are `...` are left out."""
        now = int(time.time())
        payload = {
            **{"sub": "alice", "iat": now, "exp": now + 900},
            **{"iss": self.origin, "aud": self.origin},
            **claims,
        }
        header = {"alg": key.algorithm, "kid": key.key_id, **(headers or {})}
        signed = ".".join(_encode(_without_ellipses(part)) for part in (header, payload))
        sign = jwt.get_algorithm_by_name(key.algorithm).sign
        return f"{signed}.{_encode(sign(signed.encode(), key.private_key))}"

    def publish(self, request: BaseHTTPRequestHandler) -> None:
        """Answer with the key set."""
        send(request, 200, json.dumps({"keys": self.entries}).encode())


def send(request: BaseHTTPRequestHandler, status: int, body: bytes = b"", **headers: str) -> None:
    """Answer a request."""
    request.send_response(status)
    for name, value in headers.items():
        request.send_header(name, value)
    request.send_header("Content-Length", str(len(body)))
    request.end_headers()
    request.wfile.write(body)


def _without_ellipses(members: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not ...}


def _encode(part: bytes | dict[str, Any]) -> str:
    content = part if isinstance(part, bytes) else json.dumps(part).encode()
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


@contextmanager
def running_provider() -> Iterator[Provider]:
    """A provider without keys, on loopback, while the block runs."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            provider.fetches += 1
            if self.path == JWKS_PATH:
                provider.answer(self)
            else:
                send(self, 404)

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            pass  # a client that hung up

    with Server(("127.0.0.1", 0), Handler) as server:
        provider = Provider(f"http://127.0.0.1:{server.server_port}")
        Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield provider
        server.shutdown()
