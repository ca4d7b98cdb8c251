"""Settings that are given as the ARN of a secret: read once, kept a while, read again."""

import contextvars
import datetime
import json
import os
import socket
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import boto3
import botocore.auth
import httpx
import pytest
import snapshot_restore_py
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from moto.core import enable_iam_authentication
from moto.server import ThreadedMotoServer

from shared.http.app import create_caller_app
from shared.runtime import aws as aws_client
from shared.runtime import deadline, outbound, secret_store
from shared.runtime.secret_store import (
    MAX_AGE,
    MAX_AGE_WITHOUT_ANSWER,
    PATIENCE,
    RETRY_INTERVAL,
    SecretStoreError,
)
from shared.settings import SettingsError, get_settings
from tests.bench.secret_store import running_secret_store
from tests.clients import SECRET, User, make_token
from tests.counting_proxy import running_proxy
from tests.integration.conftest import LIST, Clock, make_call

REGION = "eu-central-1"
NEW_SECRET = "rotated" * 5
NAMES = {"DATABASE_URL": "read_database_url", "BETTER_AUTH_SECRET": "read_auth_secret"}
VALUES = {
    "DATABASE_URL": "postgresql://owner:hunter2@db.example/tasks",
    "BETTER_AUTH_SECRET": "hunter2" * 5,
}

Answer = Callable[[BaseHTTPRequestHandler], object]
"""How a server answers a request."""

Store = Callable[[str], str]
"""Puts a value into a secret store, always under the same name; its ARN."""


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """A clock that stands still."""
    clock = Clock()
    monkeypatch.setattr(secret_store, "_clock", clock)
    return clock


@pytest.fixture
def wait(clock: Clock) -> Callable[[], None]:
    """What lets the age pass for which a secret is kept."""

    def move_clock() -> None:
        clock.now += MAX_AGE + 1

    return move_clock


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """Where moto stands in for AWS."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(autouse=True)
def aws(monkeypatch: pytest.MonkeyPatch, address: str) -> Iterator[None]:
    """An account that this test alone uses."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    monkeypatch.setenv("AWS_ENDPOINT_URL", address)
    httpx.post(f"{address}/moto-api/reset")
    forget_secrets()
    yield
    forget_secrets()


def forget_secrets() -> None:
    secret_store.forget()
    get_settings.cache_clear()


def put_secret(value: str) -> str:
    client = boto3.client("secretsmanager")
    try:
        return str(client.create_secret(Name="lambdo/secret", SecretString=value)["ARN"])
    except client.exceptions.ResourceExistsException:
        return str(client.put_secret_value(SecretId="lambdo/secret", SecretString=value)["ARN"])


def put_parameter(value: str) -> str:
    client = boto3.client("ssm")
    client.put_parameter(Name="/lambdo/secret", Value=value, Type="SecureString", Overwrite=True)
    return str(client.get_parameter(Name="/lambdo/secret")["Parameter"]["ARN"])


STORES = pytest.mark.parametrize("store", [put_secret, put_parameter])
SETTINGS = pytest.mark.parametrize("name", NAMES)
DIRECT = pytest.mark.parametrize("database_url", ["direct"], indirect=True)


def give(monkeypatch: pytest.MonkeyPatch, name: str, arn: str) -> Callable[[], str]:
    """Give a setting as an ARN only, to a process that has just started; what then reads it."""
    monkeypatch.delenv(name)
    monkeypatch.setenv(f"{name}_ARN", arn)
    get_settings.cache_clear()
    read: Callable[[], str] = getattr(get_settings(), NAMES[name])
    return read


@SETTINGS
@STORES
def test_a_secret_that_is_not_there_stops_a_function(
    monkeypatch: pytest.MonkeyPatch, store: Store, name: str
) -> None:
    give(monkeypatch, name, f"{store(VALUES[name])}-none")
    with pytest.raises(SettingsError, match=rf"^{name}_ARN: .*NotFound") as refused:
        create_caller_app()
    assert "hunter2" not in str(refused.value)


def become_user(monkeypatch: pytest.MonkeyPatch, allowed: list[str]) -> None:
    """Give this process the credentials of a user who may do these actions alone."""
    iam = boto3.client("iam")
    iam.create_user(UserName="reader")
    if allowed:
        statement = {"Effect": "Allow", "Action": allowed, "Resource": "*"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        iam.put_user_policy(UserName="reader", PolicyName="read", PolicyDocument=document)
    key = iam.create_access_key(UserName="reader")["AccessKey"]
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", key["AccessKeyId"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", key["SecretAccessKey"])


@SETTINGS
@STORES
def test_a_secret_that_may_not_be_read_stops_a_function(
    monkeypatch: pytest.MonkeyPatch, store: Store, name: str
) -> None:
    give(monkeypatch, name, store(VALUES[name]))
    become_user(monkeypatch, [])
    with (
        enable_iam_authentication(),
        pytest.raises(SettingsError, match=rf"^{name}_ARN: .*(403|AccessDenied)") as refused,
    ):
        create_caller_app()
    assert "hunter2" not in str(refused.value)


@SETTINGS
@STORES
def test_a_secret_that_will_not_do_stops_a_function(
    monkeypatch: pytest.MonkeyPatch, store: Store, name: str
) -> None:
    give(monkeypatch, name, store("hunter2"))
    with pytest.raises(SettingsError, match=rf"^{name}_ARN: ") as refused:
        create_caller_app()
    assert "hunter2" not in str(refused.value)


@SETTINGS
@STORES
def test_a_secret_is_kept_a_while_and_read_again_after_a_rotation(
    monkeypatch: pytest.MonkeyPatch, store: Store, name: str, wait: Callable[[], None]
) -> None:
    old, new = VALUES[name], VALUES[name].replace("hunter2", "rotated")
    read = give(monkeypatch, name, store(old))
    assert read() == old
    store(new)
    assert read() == old
    wait()
    assert read() == new


@DIRECT
def test_a_rotated_secret_is_taken_without_a_redeploy(
    handlers: httpx.Client, monkeypatch: pytest.MonkeyPatch, wait: Callable[[], None]
) -> None:
    def call(secret: str) -> int:
        headers = {"Authorization": f"Bearer {make_token('alice', secret)}"}
        return handlers.get("/api/tasks", headers=headers).status_code

    give(monkeypatch, "BETTER_AUTH_SECRET", put_secret(SECRET))
    assert (call(SECRET), call(NEW_SECRET)) == (200, 401)
    put_secret(NEW_SECRET)
    assert (call(SECRET), call(NEW_SECRET)) == (200, 401)
    wait()
    assert (call(SECRET), call(NEW_SECRET)) == (401, 200)


@DIRECT
def test_a_rotated_database_url_is_taken_without_a_redeploy(
    handlers: httpx.Client,
    alice: User,
    postgres: str,
    monkeypatch: pytest.MonkeyPatch,
    wait: Callable[[], None],
) -> None:
    give(monkeypatch, "DATABASE_URL", put_parameter(postgres))
    with running_proxy(postgres) as proxy:
        for rotate, used in ((str, 0), (put_parameter, 0), (lambda _: wait(), 1)):
            rotate(proxy.url)
            assert make_call(handlers, alice, LIST).status_code == 200
            assert len(proxy.take_connections()) == used


@DIRECT
@pytest.mark.parametrize(
    ("name", "code"),
    [("BETTER_AUTH_SECRET", "keys_unavailable"), ("DATABASE_URL", "database_unavailable")],
)
def test_a_store_that_fails_later_is_told_as_such_and_asked_again(
    handlers: httpx.Client,
    alice: User,
    name: str,
    code: str,
    monkeypatch: pytest.MonkeyPatch,
    wait: Callable[[], None],
) -> None:
    value = os.environ[name]
    give(monkeypatch, name, put_parameter(value))
    assert make_call(handlers, alice, LIST).status_code == 200
    boto3.client("ssm").delete_parameter(Name="/lambdo/secret")
    wait()
    answer = make_call(handlers, alice, LIST)
    assert (answer.status_code, answer.json()["code"]) == (503, code)
    assert int(answer.headers["Retry-After"]) > 0
    assert "arn:" not in answer.text
    put_parameter(value)
    assert make_call(handlers, alice, LIST).status_code == 200


@STORES
def test_a_signature_is_what_lets_a_secret_be_read(
    monkeypatch: pytest.MonkeyPatch, store: Store
) -> None:
    arn = store("hunter2")
    become_user(monkeypatch, ["secretsmanager:GetSecretValue", "ssm:GetParameter"])
    with enable_iam_authentication():
        assert secret_store.read_secret(arn) == "hunter2"
        secret_store.forget()
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "another")
        with pytest.raises(SecretStoreError, match=r"^status 403$"):
            secret_store.read_secret(arn)


@pytest.mark.parametrize("service", ["secretsmanager", "ssm"])
@pytest.mark.parametrize("session_token", [None, "a/session+token=="])
@pytest.mark.parametrize(
    "url",
    ["https://ssm.eu-central-1.amazonaws.com", "http://127.0.0.1:4566/a b/", "http://[::1]:1"],
)
def test_a_request_is_signed_as_botocore_signs_it(
    monkeypatch: pytest.MonkeyPatch, service: str, session_token: str | None, url: str
) -> None:
    now = datetime.datetime.now(datetime.UTC)
    monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda: now.replace(tzinfo=None))
    monkeypatch.setenv("AWS_ENDPOINT_URL", url)
    headers = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": "a.B"}
    body = '{"Name": "ä"}'.encode()
    expected = AWSRequest("POST", url, dict(headers), body)
    credentials = Credentials("AKID", "secret", session_token)
    botocore.auth.SigV4Auth(credentials, service, REGION).add_auth(expected)
    signed = aws_client.sign(
        aws_client.Service(service, "AWS_ENDPOINT_URL_NONE", REGION),
        headers,
        body,
        aws_client.Credentials("AKID", "secret", session_token),
        now.timetuple(),
    )
    assert signed["Authorization"] == expected.headers["Authorization"]
    assert {name: signed[name] for name in expected.headers} == dict(expected.headers.items())


class StandIn:
    """A store that answers as it is told to, and keeps what it was asked."""

    def __init__(self) -> None:
        self.url = ""
        self.requests: list[tuple[str, dict[str, str], Any]] = []
        self.answer: Answer = tell("hunter2")

    @property
    def key_ids(self) -> list[str]:
        """Whose signature each request had."""
        return [
            headers["Authorization"].partition("Credential=")[2].partition("/")[0]
            for _, headers, _ in self.requests
        ]


def send(request: BaseHTTPRequestHandler, status: int, body: bytes) -> None:
    """Answer a request."""
    request.send_response(status)
    request.send_header("Content-Length", str(len(body)))
    request.end_headers()
    request.wfile.write(body)


def tell(value: object) -> Answer:
    """Answer with a value, as either store would."""
    body = json.dumps({"SecretString": value, "Parameter": {"Value": value}}).encode()
    return lambda request: send(request, 200, body)


def refuse(status: int, kind: str) -> Answer:
    """Answer with an error, as AWS words it."""
    body = json.dumps({"__type": f"com.amazon#{kind}", "message": "hunter2"}).encode()
    return lambda request: send(request, status, body)


def drip(request: BaseHTTPRequestHandler) -> None:
    """Send a byte now and then, for ever."""
    request.send_response(200)
    while True:
        request.wfile.write(b"X")
        request.wfile.flush()
        time.sleep(0.2)


@contextmanager
def running_stand_in() -> Iterator[StandIn]:
    """A store of this machine's, while the block runs."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            store.requests.append((self.path, dict(self.headers.items()), body))
            store.answer(self)

        def do_GET(self) -> None:
            store.requests.append((self.path, dict(self.headers.items()), None))
            store.answer(self)

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            pass  # a client that hung up

    store = StandIn()
    with Server(("127.0.0.1", 0), Handler) as server:
        store.url = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield store
        server.shutdown()


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch) -> Iterator[StandIn]:
    """The store that functions ask."""
    with running_stand_in() as stand_in:
        monkeypatch.setenv("AWS_ENDPOINT_URL", stand_in.url)
        yield stand_in


ARN = f"arn:aws:secretsmanager:{REGION}:123456789012:secret:lambdo/secret-AbCdEf"
PARAMETER_ARN = f"arn:aws:ssm:{REGION}:123456789012:parameter/lambdo/secret"


@pytest.mark.parametrize("service", ["secretsmanager", "ssm"])
@pytest.mark.parametrize(
    ("partition", "region"),
    [
        ("aws", "eu-central-1"),
        ("aws", "us-east-1"),
        ("aws-cn", "cn-north-1"),
        ("aws-us-gov", "us-gov-west-1"),
        ("aws-eusc", "eusc-de-east-1"),
        ("aws-iso", "us-iso-east-1"),
        ("aws-iso-b", "us-isob-east-1"),
        ("aws-iso-e", "eu-isoe-west-1"),
        ("aws-iso-f", "us-isof-south-1"),
    ],
)
def test_a_store_is_where_its_arn_says_and_botocore_looks(
    monkeypatch: pytest.MonkeyPatch, service: str, partition: str, region: str
) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    expected = boto3.client(service, region_name=region).meta
    assert expected.partition == partition
    asked = []

    def send(url: str, *_: object, **__: object) -> outbound.Answer:
        asked.append(url)
        return outbound.Answer(400, b"{}")

    monkeypatch.setattr(outbound, "send", send)
    with pytest.raises(SecretStoreError, match="400"):
        secret_store.read_secret(f"arn:{partition}:{service}:{region}:123456789012:secret:a")
    assert asked == [expected.endpoint_url]


@pytest.mark.parametrize(
    ("arn", "setting"),
    [(ARN, "AWS_ENDPOINT_URL_SECRETS_MANAGER"), (PARAMETER_ARN, "AWS_ENDPOINT_URL_SSM")],
)
def test_a_stores_own_address_counts_before_that_of_all_services(
    monkeypatch: pytest.MonkeyPatch, stand_in: StandIn, arn: str, setting: str
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setenv(setting, stand_in.url)
    assert secret_store.read_secret(arn) == "hunter2"


@pytest.mark.parametrize("url", ["127.0.0.1:1", "ftp://a", "http://", "http://a:b", "http://[::1"])
@pytest.mark.parametrize(
    "setting", ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_SSM", "AWS_CONTAINER_CREDENTIALS_FULL_URI"]
)
def test_an_address_that_is_none_is_refused(
    monkeypatch: pytest.MonkeyPatch, container: StandIn, setting: str, url: str
) -> None:
    monkeypatch.setenv(setting, url)
    with pytest.raises(SecretStoreError, match=f"^.*{setting.removesuffix('_SSM')}"):
        secret_store.read_secret(PARAMETER_ARN)
    assert container.requests == []


def test_a_parameter_is_asked_for_in_clear_text(stand_in: StandIn) -> None:
    assert secret_store.read_secret(PARAMETER_ARN) == "hunter2"
    ((_, headers, asked),) = stand_in.requests
    assert headers["X-Amz-Target"] == "AmazonSSM.GetParameter"
    assert asked == {"Name": PARAMETER_ARN, "WithDecryption": True}


def test_a_session_has_its_token_signed_too(
    monkeypatch: pytest.MonkeyPatch, stand_in: StandIn
) -> None:
    monkeypatch.setenv("AWS_SESSION_TOKEN", "session")
    secret_store.read_secret(ARN)
    ((_, headers, _),) = stand_in.requests
    assert headers["X-Amz-Security-Token"] == "session"
    assert "x-amz-security-token" in headers["Authorization"]


@pytest.mark.parametrize(
    "arn",
    [
        "lambdo/secret",
        "arn:aws:s3:::bucket",
        "arn:aws:secretsmanager::123456789012:secret:a",
        "arn:aws:ssm:evil.example/:123456789012:parameter/a",
        f"{ARN}\n",
    ],
)
def test_what_is_no_arn_of_a_secret_is_refused(arn: str, stand_in: StandIn) -> None:
    with pytest.raises(SecretStoreError, match=r"^is not the ARN"):
        secret_store.read_secret(arn)
    assert stand_in.requests == []


def test_without_credentials_a_function_says_so(
    monkeypatch: pytest.MonkeyPatch, stand_in: StandIn
) -> None:
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    read = give(monkeypatch, "BETTER_AUTH_SECRET", ARN)
    with pytest.raises(
        SettingsError, match=r"^BETTER_AUTH_SECRET_ARN: .*no AWS credentials in the environment$"
    ):
        read()
    assert stand_in.requests == []


@pytest.fixture
def container(monkeypatch: pytest.MonkeyPatch) -> Iterator[StandIn]:
    """What gives a function of SnapStart's its credentials; this one has no others."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    with running_stand_in() as container:
        monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{container.url}/credentials")
        monkeypatch.setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", "let me")
        yield container


def give_credentials(container: StandIn, key_id: str) -> None:
    expiration = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=30)
    body = json.dumps(
        {
            "AccessKeyId": key_id,
            "SecretAccessKey": "testing",
            "Token": f"session of {key_id}",
            "Expiration": f"{expiration:%Y-%m-%dT%H:%M:%SZ}",
        }
    ).encode()
    container.answer = lambda request: send(request, 200, body)


def test_with_snapstart_lambda_is_asked_for_credentials_and_none_outlives_its_expiration(
    container: StandIn, stand_in: StandIn, wait: Callable[[], None]
) -> None:
    for key_id in ("FIRST", "SECOND"):
        give_credentials(container, key_id)
        assert secret_store.read_secret(ARN) == "hunter2"
        path, headers, _ = container.requests[-1]
        assert (path, headers["Authorization"]) == ("/credentials", "let me")
        assert stand_in.requests[-1][1]["X-Amz-Security-Token"] == f"session of {key_id}"
        wait()
    assert stand_in.key_ids == ["FIRST", "SECOND"]


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (lambda request: send(request, 403, b"hunter2"), "status 403"),
        (lambda request: send(request, 500, b"hunter2"), "status 500"),
        (lambda request: send(request, 200, b"hunter2"), "not JSON"),
        (lambda request: send(request, 200, b'{"Code": "hunter2"}'), "no credentials"),
        (lambda request: request.wfile.write(b"hunter2\r\n"), "not HTTP"),
    ],
)
def test_credentials_that_cannot_be_had_are_said_to_be_missing(
    container: StandIn,
    stand_in: StandIn,
    answer: Answer,
    message: str,
) -> None:
    container.answer = answer
    with pytest.raises(SecretStoreError, match=message) as failed:
        secret_store.read_secret(ARN)
    assert "hunter2" not in "".join(traceback.format_exception(failed.value))
    assert stand_in.requests == []


def test_the_token_for_credentials_is_given_to_nobody_else_in_clear_text(
    monkeypatch: pytest.MonkeyPatch, container: StandIn
) -> None:
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://evil.example/credentials")
    with pytest.raises(SecretStoreError, match="must be https"):
        secret_store.read_secret(ARN)
    assert container.requests == []


_BODY = b'{"SecretString": "", "Parameter": {"Value": ""}}'
OUT: dict[str, Answer] = {
    "500": refuse(500, "InternalServiceError"),
    "503": lambda request: send(request, 503, b"<html>"),
    "429": lambda request: send(request, 429, b""),
    "throttled": refuse(400, "ThrottlingException"),
    "no JSON": lambda request: send(request, 200, b"<html>"),
    "deep": lambda request: send(request, 200, b"[" * 100_000),
    "a list": lambda request: send(request, 200, b"[]"),
    "huge": lambda request: send(request, 200, _BODY + b" " * 300_000),
    "no HTTP": lambda request: request.wfile.write(b"hunter2\r\n"),
    "hung up": lambda request: request.connection.shutdown(socket.SHUT_RDWR),
}
"""Answers of stores that do not say whether they would give a secret."""


@pytest.mark.parametrize("answer", OUT.values(), ids=OUT)
@pytest.mark.parametrize("arn", [ARN, PARAMETER_ARN])
def test_while_a_store_is_out_the_last_value_is_used_for_an_hour(
    stand_in: StandIn, clock: Clock, arn: str, answer: Answer
) -> None:
    assert secret_store.read_secret(arn) == "hunter2"
    stand_in.answer = answer
    for age in (MAX_AGE + 1, MAX_AGE_WITHOUT_ANSWER):
        clock.now = 1000 + age
        assert secret_store.read_secret(arn) == "hunter2"
    clock.now += 1
    with pytest.raises(SecretStoreError) as failed:
        secret_store.read_secret(arn)
    assert "hunter2" not in str(failed.value)
    stand_in.answer = tell("rotated")
    clock.now += RETRY_INTERVAL + 1
    assert secret_store.read_secret(arn) == "rotated"


def test_a_store_that_is_out_is_asked_twice_and_then_left_alone_for_a_while(
    stand_in: StandIn, clock: Clock
) -> None:
    stand_in.answer = refuse(500, "InternalServiceError")
    for wait, asked in ((0, 2), (RETRY_INTERVAL, 2), (1, 4)):
        clock.now += wait
        with pytest.raises(SecretStoreError, match="InternalServiceError"):
            secret_store.read_secret(ARN)
        assert len(stand_in.requests) == asked


def test_a_store_that_is_out_for_a_moment_is_not_noticed(stand_in: StandIn) -> None:
    def fail_once(request: BaseHTTPRequestHandler) -> None:
        stand_in.answer = tell("hunter2")
        request.close_connection = True

    stand_in.answer = fail_once
    assert secret_store.read_secret(ARN) == "hunter2"
    assert len(stand_in.requests) == 2


@pytest.mark.parametrize("kind", ["AccessDeniedException", "ResourceNotFoundException"])
def test_a_value_that_was_refused_later_is_not_used_any_more(
    stand_in: StandIn, wait: Callable[[], None], kind: str
) -> None:
    assert secret_store.read_secret(ARN) == "hunter2"
    wait()
    stand_in.answer = refuse(400, kind)
    with pytest.raises(SecretStoreError, match=f"^{kind}$"):
        secret_store.read_secret(ARN)
    stand_in.answer = refuse(500, "InternalServiceError")
    with pytest.raises(SecretStoreError, match="InternalServiceError"):
        secret_store.read_secret(ARN)


@pytest.mark.parametrize("code", ["hunter2 is wrong", "", None, {}, "x" * 101])
def test_of_an_error_only_its_code_is_told(stand_in: StandIn, code: object) -> None:
    stand_in.answer = lambda request: send(request, 400, json.dumps({"__type": code}).encode())
    with pytest.raises(SecretStoreError, match=r"^status 400$"):
        secret_store.read_secret(ARN)


@pytest.mark.parametrize("value", [None, 1, {"password": "hunter2"}])
def test_a_secret_that_is_no_text_is_refused(stand_in: StandIn, value: object) -> None:
    stand_in.answer = tell(value)
    for arn in (ARN, PARAMETER_ARN):
        with pytest.raises(SecretStoreError, match=r"^is not a text$"):
            secret_store.read_secret(arn)


def count_connections(url: str) -> int:
    """How many connections to a server on loopback are open at the client's end."""
    port = f":{int(url.rpartition(':')[2]):04X}"
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return sum(line[2].endswith(port) and line[9] != "0" for line in lines)


def count_requests() -> int:
    """How many requests of ours are under way."""
    return sum("(exchange)" in thread.name for thread in threading.enumerate())


def has_hung_up(url: str) -> bool:
    """Whether nothing of ours is open or under way, or ends soon."""
    until = time.monotonic() + 5
    while (count_connections(url), count_requests()) != (0, 0) and time.monotonic() < until:
        time.sleep(0.05)
    return (count_connections(url), count_requests()) == (0, 0)


@pytest.mark.skipif(sys.platform != "linux", reason="counts sockets as Linux shows them")
@pytest.mark.parametrize(
    "answer", [lambda _: time.sleep(PATIENCE + 10), drip], ids=["silence", "drip"]
)
def test_a_store_that_has_fallen_silent_is_given_up_before_the_call_is_and_hung_up_on(
    monkeypatch: pytest.MonkeyPatch,
    stand_in: StandIn,
    answer: Answer,
) -> None:
    read = give(monkeypatch, "BETTER_AUTH_SECRET", ARN)
    stand_in.answer = answer
    started = time.monotonic()
    with pytest.raises(SettingsError, match=r"^BETTER_AUTH_SECRET_ARN: .*timed out$"):
        read()
    assert time.monotonic() - started < PATIENCE + 0.5
    assert len(stand_in.requests) == 2
    assert has_hung_up(stand_in.url)


@pytest.mark.skipif(sys.platform != "linux", reason="counts sockets as Linux shows them")
def test_a_store_whose_host_cannot_be_looked_up_is_given_up_and_not_called_later(
    monkeypatch: pytest.MonkeyPatch, stand_in: StandIn
) -> None:
    look_up, found = socket.getaddrinfo, threading.Event()

    def look_up_late(*arguments: Any, **more: Any) -> Any:
        found.wait(30)
        return look_up(*arguments, **more)

    monkeypatch.setattr(secret_store, "PATIENCE", 0.4)
    monkeypatch.setattr(secret_store, "ATTEMPT_TIMEOUT", 0.2)
    monkeypatch.setattr(socket, "getaddrinfo", look_up_late)
    started = time.monotonic()
    with pytest.raises(SecretStoreError, match=r"timed out$"):
        secret_store.read_secret(ARN)
    assert time.monotonic() - started < 0.9
    assert count_requests() == 2
    found.set()
    assert has_hung_up(stand_in.url)
    assert stand_in.requests == []


@pytest.mark.parametrize("header", ["", "hunter2\n"])
def test_what_fails_a_request_is_not_quoted(stand_in: StandIn, header: str) -> None:
    stand_in.answer = OUT["no HTTP"]
    with pytest.raises(outbound.NoAnswer, match=r"^this is not HTTP$") as failed:
        outbound.send(stand_in.url, {"Authorization": header}, seconds=PATIENCE, max_bytes=1)
    assert "hunter2" not in "".join(traceback.format_exception(failed.value))


def test_a_secret_is_waited_for_no_longer_than_the_call_may_take(
    stand_in: StandIn, clock: Clock
) -> None:
    def read_within(seconds: float) -> str:
        deadline.start_call(seconds)
        return secret_store.read_secret(ARN)

    def read(seconds: float) -> str:
        return contextvars.copy_context().run(read_within, seconds)

    stand_in.answer = lambda _: time.sleep(PATIENCE)
    for seconds in (0.3, 0):
        started = time.monotonic()
        with pytest.raises(SecretStoreError, match=r"timed out$"):
            read(seconds)
        assert time.monotonic() - started < seconds + 0.4
        clock.now += RETRY_INTERVAL + 1


@pytest.fixture
def early(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """What a function does as it begins to start."""
    monkeypatch.delenv("BETTER_AUTH_SECRET")
    monkeypatch.setenv("BETTER_AUTH_SECRET_ARN", ARN)
    monkeypatch.setenv("DATABASE_URL_ARN", PARAMETER_ARN)  # beside DATABASE_URL, which counts
    return lambda: secret_store.fetch_early("DATABASE_URL", "BETTER_AUTH_SECRET", "NONE")


def restore() -> None:
    """What Lambda does after it has restored a snapshot."""
    for hook, args, kwargs in snapshot_restore_py.get_after_restore():
        hook(*args, **kwargs)


@pytest.mark.parametrize("restored", [False, True])
def test_a_function_fetches_its_secrets_while_it_starts(
    early: Callable[[], None], stand_in: StandIn, restored: bool
) -> None:
    asked = threading.Event()

    def answer(request: BaseHTTPRequestHandler) -> None:
        asked.set()
        tell("hunter2")(request)

    stand_in.answer = answer
    (restore if restored else early)()
    assert asked.wait(PATIENCE)
    assert secret_store.read_secret(ARN) == "hunter2"
    assert len(stand_in.requests) == 1


def test_a_secret_that_is_fetched_in_vain_is_only_missed_by_who_reads_it(
    early: Callable[[], None], stand_in: StandIn
) -> None:
    for kind in ("AccessDeniedException", "InternalServiceError"):
        stand_in.answer = refuse(400 if kind == "AccessDeniedException" else 500, kind)
        early()
        with pytest.raises(SecretStoreError, match=f"^.*{kind}$"):
            secret_store.read_secret(ARN)


def test_a_snapshot_holds_no_secret_and_no_connection(
    early: Callable[[], None], stand_in: StandIn
) -> None:
    def answer_late(request: BaseHTTPRequestHandler) -> None:
        time.sleep(0.3)
        tell("hunter2")(request)

    stand_in.answer = answer_late
    early()
    for hook, args, kwargs in snapshot_restore_py.get_before_snapshot():
        hook(*args, **kwargs)
    assert count_connections(stand_in.url) == 0
    stand_in.answer = tell("rotated")
    assert secret_store.read_secret(ARN) == "rotated"


def test_a_store_has_to_prove_who_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    try:
        with running_secret_store({"BETTER_AUTH_SECRET": "hunter2"}) as environment:
            arn = environment["BETTER_AUTH_SECRET_ARN"]
            monkeypatch.setenv("AWS_ENDPOINT_URL", environment["AWS_ENDPOINT_URL"])
            with pytest.raises(SecretStoreError, match="certificate verify failed"):
                secret_store.read_secret(arn)
            forget_secrets()
            outbound._make_tls_context.cache_clear()
            monkeypatch.setenv("SSL_CERT_FILE", environment["SSL_CERT_FILE"])
            assert secret_store.read_secret(arn) == "hunter2"
    finally:
        outbound._make_tls_context.cache_clear()
