"""A TCP proxy before Postgres or PgBouncer that counts how often a client has to wait for it.

It can also put a distance between the two.
"""

import select
import socket
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import parse_qs, urlsplit

_CHUNK = 65536
_TIMEOUT = 10


@dataclass
class Connection:
    """What was counted of one connection."""

    connecting: int = 0
    """Round trips until the server was ready for a first statement."""

    statements: int = 0
    """Round trips after that."""

    sent: bytes = b""
    """What the client sent after that."""

    closed: bool = False
    """Whether the client has closed it."""


@dataclass
class Proxy:
    """Passes connections on to `upstream`, or their beginnings only where `silent` is set.

    What it passes on is under way for half of `round_trip`, in seconds.
    """

    upstream: str
    listener: socket.socket = field(default_factory=lambda: socket.create_server(("127.0.0.1", 0)))
    silent: bool = False
    losses: int = 0
    """So many of the next connections end when the server answers a statement."""
    withheld: int = 1 << 20
    """So many bytes at the end of that answer do not arrive; what is before them does."""
    delay: float = 0
    """Seconds for which statements are held back, even if the client has left by then."""
    round_trip: float = 0
    _connections: list[tuple[threading.Thread, Connection]] = field(default_factory=list)

    @property
    def url(self) -> str:
        """The database's URL for clients. Encryption would hide where a server gets ready."""
        upstream = urlsplit(self.upstream)
        port = self.listener.getsockname()[1]
        login = upstream.netloc.rpartition("@")[0]
        return f"postgresql://{login}@127.0.0.1:{port}{upstream.path}?sslmode=disable"

    def take_connections(self) -> list[Connection]:
        """All that ended since this was last asked, after waiting for the open ones to end."""
        taken, self._connections = self._connections, []
        for thread, _ in taken:
            thread.join(_TIMEOUT)
        return [connection for _, connection in taken]

    def accept(self) -> None:
        """Serve clients until the listener is shut."""
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            _send_at_once(client)
            connection = Connection()
            thread = threading.Thread(target=self._pass_on, args=(client, connection), daemon=True)
            self._connections.append((thread, connection))
            thread.start()

    def _pass_on(self, client: socket.socket, connection: Connection) -> None:
        received = answer = b""
        client_spoke_last = False
        # To connect is a round trip too, of which the client's own machine has spared it the wait.
        time.sleep(self.round_trip)
        with client, self._connect() as server, _Distance(self.round_trip / 2) as distance:
            while spoke := distance.wait(client, server):
                for source in spoke:
                    data = source.recv(_CHUNK)
                    if not data:
                        connection.closed = source is client
                        return
                    if source is client:
                        client_spoke_last = True
                        if _is_ready(received):
                            connection.sent += data
                            time.sleep(self.delay)
                        distance.send(server, data)
                        continue
                    ready = _is_ready(received)
                    if ready and self.losses:
                        answer += data
                        if not _is_ready(answer):
                            continue
                        self.losses -= 1
                        distance.send(client, answer[: max(0, len(answer) - self.withheld)])
                        return
                    if client_spoke_last and ready:
                        connection.statements += 1
                    elif client_spoke_last:
                        connection.connecting += 1
                    client_spoke_last = False
                    if not ready:
                        received += data
                    if not (ready and self.silent):
                        distance.send(client, data)

    def _connect(self) -> socket.socket:
        upstream = urlsplit(self.upstream)
        if upstream.hostname:
            server = socket.create_connection((upstream.hostname, upstream.port or 5432))
            _send_at_once(server)
            return server
        server = socket.socket(socket.AF_UNIX)
        server.connect(f"{parse_qs(upstream.query)['host'][0]}/.s.PGSQL.5432")
        return server


def _send_at_once(connection: socket.socket) -> None:
    # As libpq does: else the kernel would wait for more to send.
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


class _Distance:
    """Keeps what is sent under way for `seconds`, all in its order; leaving waits for it."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._under_way: deque[tuple[float, socket.socket, bytes]] = deque()

    def send(self, target: socket.socket, data: bytes) -> None:
        self._under_way.append((time.monotonic() + self._seconds, target, data))
        self._arrive()

    def wait(self, *sources: socket.socket) -> list[socket.socket]:
        """Those that have something to say; none when all have been silent for too long."""
        while self._under_way:
            time_left = max(0.0, self._under_way[0][0] - time.monotonic())
            if spoke := select.select(sources, [], [], time_left)[0]:
                return spoke
            self._arrive()
        return select.select(sources, [], [], _TIMEOUT)[0]

    def _arrive(self) -> None:
        while self._under_way and self._under_way[0][0] <= time.monotonic():
            _, target, data = self._under_way.popleft()
            target.sendall(data)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for due, target, data in self._under_way:
            time.sleep(max(0.0, due - time.monotonic()))
            # Who has left hears no more.
            with suppress(OSError):
                target.sendall(data)


def _is_ready(received: bytes) -> bool:
    """Whether a server's messages have a ReadyForQuery among them."""
    return "Z" in list_messages(received)


def list_messages(stream: bytes) -> str:
    """The letter of each message; what follows it is its length and the rest of it."""
    letters = ""
    while stream:
        letters += chr(stream[0])
        stream = stream[1 + int.from_bytes(stream[1:5], "big") :]
    return letters


@contextmanager
def running_proxy(upstream: str, round_trip: float = 0) -> Iterator[Proxy]:
    """A proxy before the database at `upstream`, which is `round_trip` seconds away."""
    proxy = Proxy(upstream, round_trip=round_trip)
    thread = threading.Thread(target=proxy.accept, daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        proxy.listener.shutdown(socket.SHUT_RDWR)
        thread.join(_TIMEOUT)
        proxy.listener.close()
