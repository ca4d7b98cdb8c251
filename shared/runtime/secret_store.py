"""Secrets that are named by ARN: Secrets Manager's, and parameters of Systems Manager."""

import os
import re
import time
from contextlib import suppress
from dataclasses import dataclass
from threading import Thread

from snapshot_restore_py import register_before_snapshot

from shared.runtime import aws
from shared.runtime.deadline import time_left

MAX_AGE = 60
"""Seconds for which a secret is kept, and a rotation goes unnoticed."""

MAX_AGE_WITHOUT_ANSWER = 3600
"""Seconds for which a secret is kept where its store does not answer."""

RETRY_INTERVAL = 10
"""Seconds for which a store that does not answer is not asked again."""

PATIENCE = 4
"""Seconds to wait for a secret in all."""

ATTEMPT_TIMEOUT = 2
"""Seconds of these to wait before the store is asked once more."""

_PAUSE = 0.1
"""Seconds before it is asked once more where it has answered."""

_ARN = re.compile(r"arn:([\w-]+):(secretsmanager|ssm):([a-z\d-]+):\S+", re.ASCII)


class SecretStoreError(Exception):
    """The store does not give the secret; the message says why, and holds no value."""


@dataclass
class _Secret:
    """What is known of a secret."""

    value: str | None = None
    read_at: float = 0
    failure: str = ""
    failed_at: float = -float("inf")
    """When its store did not answer."""


_secrets: dict[str, _Secret] = {}
_early: dict[str, Thread] = {}


def read_secret(arn: str) -> str:
    """The text behind `arn`: at most MAX_AGE old, or MAX_AGE_WITHOUT_ANSWER if its store is out.

    Raises SecretStoreError where the store refuses, or where it is out and there is no such text.
    """
    if (early := _early.pop(arn, None)) is not None:
        early.join(time_left(PATIENCE))
    return _read(arn)


def fetch_early(*settings: str) -> None:
    """Begin to fetch the secrets that these settings name, to be read soon; return at once."""
    for setting in settings:
        arn = os.environ.get(f"{setting}_ARN")
        if arn and not os.environ.get(setting):
            _early[arn] = Thread(target=_try_to_read, args=(arn,), daemon=True)
            _early[arn].start()


def forget() -> None:
    """Drop all that was read, and be connected to nothing."""
    for early in _early.values():
        early.join(PATIENCE)
    _early.clear()
    _secrets.clear()


# With SnapStart a function begins from a picture of itself that may be days old: its secrets may
# have been rotated since.
register_before_snapshot(forget)


def _clock() -> float:
    # Not monotonic(), which may stand still while Lambda has the process frozen.
    return time.time()


def _is_within(seconds: float, since: float) -> bool:
    return 0 <= _clock() - since <= seconds


def _try_to_read(arn: str) -> None:
    # Who reads it is told why it cannot be read.
    with suppress(SecretStoreError):
        _read(arn)


def _read(arn: str) -> str:
    secret = _secrets.setdefault(arn, _Secret())
    if secret.value is not None and _is_within(MAX_AGE, secret.read_at):
        return secret.value
    if not _is_within(RETRY_INTERVAL, secret.failed_at):
        try:
            secret.value = _fetch(arn)
        except aws.CallUnanswered as error:
            secret.failure, secret.failed_at = str(error), _clock()
        except aws.CallRefused as error:
            # Whatever it was, it is not to be used any more.
            _secrets.pop(arn, None)
            raise SecretStoreError(str(error)) from error
        else:
            secret.read_at = _clock()
            return secret.value
    if secret.value is not None and _is_within(MAX_AGE_WITHOUT_ANSWER, secret.read_at):
        return secret.value
    raise SecretStoreError(secret.failure)


def _fetch(arn: str) -> str:
    """Ask the store; once more where it does not answer. Raises CallRefused or CallUnanswered."""
    deadline = time.monotonic() + time_left(PATIENCE)
    try:
        return _ask(arn, min(ATTEMPT_TIMEOUT, deadline - time.monotonic()))
    except aws.CallUnanswered:
        time.sleep(min(_PAUSE, max(0, deadline - time.monotonic())))
        return _ask(arn, deadline - time.monotonic())


def _ask(arn: str, seconds: float) -> str:
    parts = _ARN.fullmatch(arn)
    if parts is None:
        raise aws.CallRefused("is not the ARN of a Secrets Manager secret or of an SSM parameter")
    partition, name, region = parts.groups()
    if name == "ssm":
        store = aws.Service(name, "AWS_ENDPOINT_URL_SSM", region, partition)
        arguments = {"Name": arn, "WithDecryption": True}
        answer = aws.call(store, "AmazonSSM.GetParameter", arguments, seconds)
        value = answer.get("Parameter", {}).get("Value")
    else:
        store = aws.Service(name, "AWS_ENDPOINT_URL_SECRETS_MANAGER", region, partition)
        answer = aws.call(store, "secretsmanager.GetSecretValue", {"SecretId": arn}, seconds)
        value = answer.get("SecretString")
    if not isinstance(value, str):
        raise aws.CallRefused("is not a text")
    return value
