"""Requests that functions make themselves: bounded in time and size, whatever the other side does.

Python's own client bounds each wait for a socket. It bounds neither looking the host up, nor an
answer that comes byte by byte, nor how long an answer is.
"""

import functools
import socket
import ssl
from collections.abc import Mapping
from concurrent.futures import Future
from contextlib import closing, suppress
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from threading import Lock, Thread
from typing import NamedTuple
from urllib.parse import urlsplit

_tls_lock = Lock()


class NoAnswer(Exception):
    """There is no answer, or none in time, or it is too large. The message quotes nothing of it."""


class Answer(NamedTuple):
    """What came back; a redirect is not followed."""

    status: int
    body: bytes


def send(
    url: str,
    headers: Mapping[str, str],
    body: bytes | None = None,
    *,
    seconds: float,
    max_bytes: int,
) -> Answer:
    """GET `url`, or POST `body` to it, and wait `seconds` at most, looking the host up included.

    Raises NoAnswer, also where the answer has more than `max_bytes`.
    """
    if not is_usable(url):
        raise NoAnswer("the URL cannot be used")
    if seconds <= 0:
        raise NoAnswer("timed out")
    connection = _make_connection(url, seconds)
    parts = urlsplit(url)
    path = f"{parts.path or '/'}{'?' if parts.query else ''}{parts.query}"
    opened: Future[socket.socket] = Future()
    answer: Future[Answer] = Future()

    def exchange() -> None:
        try:
            with closing(connection):
                connection.connect()
                opened.set_result(connection.sock)  # an error where it is too late
                connection.request("GET" if body is None else "POST", path, body, {**headers})
                with connection.getresponse() as response:
                    received = Answer(response.status, response.read(max_bytes + 1))
            answer.set_result(received)
        except Exception as error:
            answer.set_exception(error)

    Thread(target=exchange, daemon=True).start()
    try:
        received = answer.result(seconds)
    except (OSError, HTTPException, ValueError) as error:
        # Without the error itself, whose message may have parts of an answer or of a header.
        raise NoAnswer(_describe(error)) from None
    finally:
        # A thread that still connects, or looks the host up, finds that it is too late. One that
        # still waits for the answer is woken.
        if not opened.cancel() and not answer.done():
            _hang_up(opened.result())
    if len(received.body) > max_bytes:
        raise NoAnswer("the answer is too large")
    return received


def is_usable(url: str) -> bool:
    """Whether there is something that a request to `url` could be sent to."""
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _make_connection(url: str, seconds: float) -> HTTPConnection:
    parts = urlsplit(url)
    if parts.scheme == "http":
        return HTTPConnection(parts.netloc, timeout=seconds)
    with _tls_lock:  # or two threads would each make one
        context = _make_tls_context()
    return HTTPSConnection(parts.netloc, timeout=seconds, context=context)


@functools.cache
def _make_tls_context() -> ssl.SSLContext:
    # Reading the machine's certificates takes 20 to 40 ms. Python does it by itself, but keeps all
    # other threads waiting meanwhile unless it is told where they are.
    paths = ssl.get_default_verify_paths()
    return ssl.create_default_context(cafile=paths.cafile, capath=paths.capath)


def _describe(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "timed out"
    return str(error) if isinstance(error, OSError) else "this is not HTTP"


def _hang_up(connection: socket.socket) -> None:
    # Unless it was closed already.
    with suppress(OSError, ValueError):
        connection.shutdown(socket.SHUT_RDWR)
