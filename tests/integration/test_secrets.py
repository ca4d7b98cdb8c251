"""Settings that are given as the ARN of a secret: read once, kept a while, read again."""

import datetime
import os
import socket
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import httpx
import pytest
from moto import mock_aws
from moto.core import enable_iam_authentication

from shared import secret_store
from shared.app import create_caller_app
from shared.settings import SettingsError, get_settings
from tests.clients import SECRET, User, make_token
from tests.counting_proxy import running_proxy
from tests.integration.conftest import LIST, make_call

NEW_SECRET = "rotated" * 5
NAMES = {"DATABASE_URL": "read_database_url", "BETTER_AUTH_SECRET": "read_auth_secret"}
VALUES = {
    "DATABASE_URL": "postgresql://owner:hunter2@db.example/tasks",
    "BETTER_AUTH_SECRET": "hunter2" * 5,
}

Store = Callable[[str], str]
"""Puts a value into a secret store, always under the same name; its ARN."""


def forget_secrets() -> None:
    secret_store.forget()
    get_settings.cache_clear()


@pytest.fixture(autouse=True)
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An account that this test alone uses."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    with mock_aws():
        forget_secrets()
        yield
    forget_secrets()


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


@pytest.fixture
def wait(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """What lets the age pass for which a secret is kept."""

    def move_clock() -> None:
        age = datetime.timedelta(seconds=secret_store.MAX_AGE + 1)

        class Later(datetime.datetime):
            @classmethod
            def now(cls, tz: datetime.tzinfo | None = None) -> Any:
                return datetime.datetime.now(tz) + age

        monkeypatch.setattr("aws_lambda_powertools.utilities.parameters.base.datetime", Later)

    return move_clock


@SETTINGS
@STORES
def test_a_secret_that_is_not_there_stops_a_function(
    monkeypatch: pytest.MonkeyPatch, store: Store, name: str
) -> None:
    give(monkeypatch, name, f"{store(VALUES[name])}-none")
    with pytest.raises(SettingsError, match=rf"^{name}_ARN: .*NotFound") as refused:
        create_caller_app()
    assert "hunter2" not in str(refused.value)


@SETTINGS
@STORES
def test_a_secret_that_may_not_be_read_stops_a_function(
    monkeypatch: pytest.MonkeyPatch, store: Store, name: str
) -> None:
    give(monkeypatch, name, store(VALUES[name]))
    iam = boto3.client("iam")
    iam.create_user(UserName="nobody")
    key = iam.create_access_key(UserName="nobody")["AccessKey"]
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", key["AccessKeyId"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", key["SecretAccessKey"])
    with (
        enable_iam_authentication(),
        pytest.raises(SettingsError, match=rf"^{name}_ARN: .*(403|AccessDenied)") as refused,
    ):
        create_caller_app()
    assert "hunter2" not in str(refused.value)


@STORES
def test_a_store_that_has_fallen_silent_is_given_up_before_the_call_is(
    monkeypatch: pytest.MonkeyPatch, store: Store
) -> None:
    read = give(monkeypatch, "BETTER_AUTH_SECRET", store(SECRET))
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{silent.getsockname()[1]}")
        with pytest.raises(SettingsError, match=r"^BETTER_AUTH_SECRET_ARN: .*timeout"):
            read()


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
