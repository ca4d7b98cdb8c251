"""A function that begins from a snapshot, under Lambda's own runtime client."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Queue
from threading import Event, Thread
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

from infra.template import ROOT
from tests.clients import SECRET, make_event, make_token

TIMEOUT = 30
NEW_SECRET = "rotated" * 5
REGION = "eu-central-1"

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="Lambda's runtime client is Linux's"
)


class Lambda:
    """The runtime API that a function of SnapStart's talks to."""

    def __init__(self) -> None:
        self.ready_for_snapshot = Event()
        self.restore = Event()
        self._events: Queue[dict[str, Any]] = Queue()
        self._answers: Queue[dict[str, Any]] = Queue()

    def call(self, secret: str) -> int:
        """The status that a call with a token signed with `secret` gets."""
        headers = {"authorization": f"Bearer {make_token('alice', secret)}"}
        self._events.put(make_event("GET", "/api/tasks", headers=headers))
        return int(self._answers.get(timeout=TIMEOUT)["statusCode"])

    def next_event(self) -> bytes:
        """What the function is to answer next; waits for it."""
        return json.dumps(self._events.get()).encode()

    def take_answer(self, body: bytes) -> None:
        """What the function answers."""
        self._answers.put(json.loads(body))


@contextmanager
def running_lambda() -> Iterator[tuple[Lambda, str]]:
    """The runtime API, and its address."""
    api = Lambda()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            if self.path.endswith("/runtime/restore/next"):
                api.ready_for_snapshot.set()
                api.restore.wait(TIMEOUT)
                self._answer(200, b"")
            else:
                self._answer(200, api.next_event())

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            api.take_answer(body if self.path.endswith("/response") else b'{"statusCode": 0}')
            self._answer(202, b"")

        def _answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Lambda-Runtime-Aws-Request-Id", "1")
            self.send_header("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:list-tasks")
            self.send_header("Lambda-Runtime-Deadline-Ms", str(int((time.time() + TIMEOUT) * 1000)))
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        Thread(target=server.serve_forever, daemon=True).start()
        yield api, f"127.0.0.1:{server.server_port}"
        server.shutdown()


def connected_ports(process: int) -> set[int]:
    """The ports that a process has connections to."""
    sockets = {os.readlink(path) for path in Path(f"/proc/{process}/fd").iterdir()}
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return {
        int(line[2].rpartition(":")[2], 16) for line in lines if f"socket:[{line[9]}]" in sockets
    }


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of an AWS account that this test alone uses."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    yield f"http://{host}:{port}"
    server.stop()


def test_a_restored_function_holds_no_connection_and_takes_a_secret_that_was_rotated_meanwhile(
    aws: str, postgres: str
) -> None:
    store = boto3.client("secretsmanager")
    arn = store.create_secret(Name="auth", SecretString=SECRET)["ARN"]
    with running_lambda() as (api, address):
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("BETTER")},
            "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "functions")]),
            "AWS_LAMBDA_RUNTIME_API": address,
            "AWS_LAMBDA_INITIALIZATION_TYPE": "snap-start",
            "AWS_ENDPOINT_URL": aws,
            "DATABASE_URL": postgres,
            "BETTER_AUTH_SECRET_ARN": arn,
        }
        command = [sys.executable, "-m", "awslambdaric", "list_tasks.handler"]
        function = subprocess.Popen(command, env=environment)
        try:
            assert api.ready_for_snapshot.wait(TIMEOUT)
            assert connected_ports(function.pid) == {int(address.rpartition(":")[2])}
            store.put_secret_value(SecretId="auth", SecretString=NEW_SECRET)
            api.restore.set()
            assert api.call(NEW_SECRET) == 200
            assert api.call(SECRET) == 401
        finally:
            function.kill()
            function.wait(TIMEOUT)
