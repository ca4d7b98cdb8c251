"""What Neon has before Postgres: a server that speaks TLS, at once or after it has been asked."""

import select
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import parse_qs, urlsplit

from tests.certificates import make_server_context

_CHUNK = 65536
_SSL_REQUEST_BYTES = 8
_HANDSHAKE = b"\x16"  # RFC 8446, 5.1: what a record begins with that TLS begins with


@contextmanager
def running_tls_front(postgres: str) -> Iterator[str]:
    """The URL of a server that decrypts for the one behind the Unix socket of `postgres`."""
    upstream = urlsplit(postgres)
    path = f"{parse_qs(upstream.query)['host'][0]}/.s.PGSQL.5432"
    context, _ = make_server_context()
    context.set_alpn_protocols(["postgresql"])

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
