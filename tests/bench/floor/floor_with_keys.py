"""The floor, which logs in with keys that its process has worked out once, as Lambdo does.

To log in with a password (SCRAM, RFC 5802) takes longer than all else that the floor does.
"""

import hashlib
import hmac
import os
import re
import tempfile
import time
from base64 import b64decode, b64encode

from psycopg.conninfo import conninfo_to_dict
from psycopg.pq import PGconn, PollingStatus

from tests.bench.floor import floor
from tests.bench.floor.floor import (
    create_task,
    delete_task,
    list_tasks,
    read_task,
    toggle_task_status,
    update_task,
)

__all__ = [
    "create_task",
    "delete_task",
    "list_tasks",
    "read_task",
    "toggle_task_status",
    "update_task",
]


def derive_keys(url: str) -> dict[str, str]:
    """What libpq takes instead of the password in `url`; nothing where the server asks for none.

    The server's salt is in libpq's trace of a login, and stays the same for a whole benchmark.
    """
    link = PGconn.connect_start(url.encode())
    with tempfile.TemporaryFile() as trace:
        link.trace(trace.fileno())
        while link.connect_poll() in (PollingStatus.READING, PollingStatus.WRITING):
            time.sleep(0.001)
        link.finish()
        trace.seek(0)
        asked = re.search(rb"s=([^,']+),i=(\d+)'", trace.read())
    if asked is None:
        return {}
    password = str(conninfo_to_dict(url)["password"]).encode()
    salted = hashlib.pbkdf2_hmac("sha256", password, b64decode(asked[1]), int(asked[2]))
    return {
        "scram_client_key": b64encode(hmac.digest(salted, b"Client Key", "sha256")).decode(),
        "scram_server_key": b64encode(hmac.digest(salted, b"Server Key", "sha256")).decode(),
    }


floor.keys = derive_keys(os.environ["DATABASE_URL"])
