"""A stand-in for Secrets Manager: it says what it was given, over TLS, and checks no signature."""

import json
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread

from tests.certificates import make_server_context

_ARN = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:{name}-AbCdEf"


@contextmanager
def running_secret_store(secrets: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """The environment of a function that reads these settings of this machine's store, by ARN."""
    values = {_ARN.format(name=name): value for name, value in secrets.items()}

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # head and body in one piece

        def do_POST(self) -> None:
            question = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            assert self.headers["X-Amz-Target"] == "secretsmanager.GetSecretValue"
            assert self.headers["Authorization"].startswith("AWS4-HMAC-SHA256 ")
            answer = json.dumps({"SecretString": values[question["SecretId"]]}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/x-amz-json-1.1")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            pass  # a client that does not trust us

    context, certificate = make_server_context()
    with TemporaryDirectory() as folder, Server(("127.0.0.1", 0), Handler) as server:
        server.socket = context.wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
        Thread(target=server.serve_forever, daemon=True).start()
        # One certificate more beside all of the machine's, whose reading is part of a cold start.
        trusted = Path(folder) / "certificates.pem"
        known = ssl.get_default_verify_paths().cafile
        trusted.write_text(certificate + (Path(known).read_text() if known else ""))
        yield {
            **{f"{name}_ARN": _ARN.format(name=name) for name in secrets},
            "AWS_ENDPOINT_URL": f"https://localhost:{server.server_port}",
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "SSL_CERT_FILE": str(trusted),
        }
        server.shutdown()
