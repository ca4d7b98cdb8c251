"""A CloudFormation stack, as a custom resource sees it: an event, and an address for the answer."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Queue
from threading import Thread
from typing import Any

ANSWER_TIMEOUT = 30


class Context:
    """What Lambda tells a function about its invocation."""

    log_group_name = "/aws/lambda/lambdo-MigrateDatabase"

    def get_remaining_time_in_millis(self) -> int:
        """As much as the template gives the function."""
        return 300_000


class Stack:
    """Makes events and takes their answers. The next `refusals` of them it does not take."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._answers: Queue[dict[str, Any]] = Queue()
        self.bodies: list[bytes] = []
        self.content_types: list[str | None] = []
        self.refusals = 0

    def make_event(self, request_type: str, **properties: object) -> dict[str, Any]:
        """What CloudFormation sends for a resource that has these properties."""
        stack_id = "arn:aws:cloudformation:eu-central-1:123456789012:stack/lambdo/1"
        return {
            "RequestType": request_type,
            "ResponseURL": f"{self._url}/answer?Signature=abc%2Fdef",
            "StackId": stack_id,
            "RequestId": "unique id for this request",
            "ResourceType": "Custom::Migration",
            "LogicalResourceId": "Migration",
            "ResourceProperties": {"ServiceToken": "arn:aws:lambda:…", **properties},
        }

    def take(self, path: str, content_type: str | None, body: bytes) -> int:
        """Take an answer, or do not; the status for it."""
        self.bodies.append(body)
        self.content_types.append(content_type)
        if self.refusals:
            self.refusals -= 1
            return 503
        if path != "/answer?Signature=abc%2Fdef":
            return 403
        self._answers.put(json.loads(body))
        return 200

    def read_answer(self) -> dict[str, Any]:
        """The next answer that was taken; waits for one."""
        return self._answers.get(timeout=ANSWER_TIMEOUT)


@contextmanager
def running_stack() -> Iterator[Stack]:
    """A stack that listens for answers while the block runs."""

    class Handler(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(stack.take(self.path, self.headers["Content-Type"], body))
            self.end_headers()

        def log_message(self, *_args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        stack = Stack(f"http://127.0.0.1:{server.server_port}")
        Thread(target=server.serve_forever, daemon=True).start()
        yield stack
        server.shutdown()
