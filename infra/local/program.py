"""What the local servers have in common as programs: where they serve, and how they end."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import psycopg
from sqlalchemy.exc import SQLAlchemyError

from shared.migrations import NewerSchema
from shared.settings import SettingsError

MAX_PORT = 65535


def listen(default_port: str) -> socket.socket:
    """A socket that listens where HOST and PORT say; ends the program where it cannot."""
    host, port = os.environ.get("HOST") or "127.0.0.1", os.environ.get("PORT") or default_port
    if not port.isdecimal() or int(port) > MAX_PORT:
        sys.exit(f"PORT: must be a number up to {MAX_PORT}")
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listener = socket.create_server((host, int(port)), family=family, backlog=1024)
    except OSError as error:
        sys.exit(f"Cannot serve on {host}:{port}: {error.strerror or error}. Free it, or set PORT.")
    # Or each answer on a connection that is kept waits 40 ms for the other side's acknowledgement.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


@contextmanager
def ending_plainly() -> Iterator[None]:
    """Let the block end as it is told to, and with one line where it cannot go on."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _exit)
    try:
        yield
    except (SettingsError, NewerSchema) as error:
        sys.exit(str(error))
    except (psycopg.Error, SQLAlchemyError) as error:
        sys.exit(f"The database cannot be used: {_first_line(error)}")
    except subprocess.CalledProcessError as error:
        sys.exit(error.returncode)  # it has said why
    except KeyboardInterrupt:
        sys.exit()


def _first_line(error: Exception) -> str:
    return str(getattr(error, "orig", None) or error).strip().partition("\n")[0]


def _exit(_signal: int, _frame: FrameType | None) -> None:
    sys.exit()
