"""What Neon has before Postgres: a server that speaks TLS, at once or after it has been asked."""

import select
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import parse_qs, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_CHUNK = 65536
_SSL_REQUEST_BYTES = 8
_HANDSHAKE = b"\x16"  # RFC 8446, 5.1: what a record begins with that TLS begins with


@contextmanager
def running_tls_front(postgres: str) -> Iterator[str]:
    """The URL of a server that decrypts for the one behind the Unix socket of `postgres`."""
    upstream = urlsplit(postgres)
    path = f"{parse_qs(upstream.query)['host'][0]}/.s.PGSQL.5432"
    context = _create_context()

    def serve(client: socket.socket) -> None:
        with client, socket.socket(socket.AF_UNIX) as server:
            server.connect(path)
            if client.recv(1, socket.MSG_PEEK) != _HANDSHAKE:
                client.recv(_SSL_REQUEST_BYTES, socket.MSG_WAITALL)
                client.sendall(b"S")
            with context.wrap_socket(client, server_side=True) as secured:
                _pass_on(secured, server)

    def accept() -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=serve, args=(client,), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=accept, daemon=True).start()
        port = listener.getsockname()[1]
        yield f"postgresql://{upstream.username}@127.0.0.1:{port}{upstream.path}"
        listener.shutdown(socket.SHUT_RDWR)


def _pass_on(client: ssl.SSLSocket, server: socket.socket) -> None:
    while True:
        # What TLS has decrypted already, select does not see.
        ready = [client] if client.pending() else select.select([client, server], [], [])[0]
        for source in ready:
            data = source.recv(_CHUNK)
            if not data:
                return
            (server if source is client else client).sendall(data)


def _create_context() -> ssl.SSLContext:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_alpn_protocols(["postgresql"])
    # A ticket for the next session would be one more message that nobody asked for.
    context.num_tickets = 0
    with TemporaryDirectory() as folder:
        file = Path(folder) / "both.pem"
        file.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
            + certificate.public_bytes(serialization.Encoding.PEM)
        )
        context.load_cert_chain(file)
    return context
