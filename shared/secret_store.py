"""Secrets that are named by ARN: Secrets Manager's, and parameters of Systems Manager.

settings.py imports this module only when a setting is given as an ARN: boto3 is slow to import.
"""

import functools

from aws_lambda_powertools.utilities.parameters import (
    GetParameterError,
    SecretsProvider,
    SSMProvider,
)
from botocore.config import Config
from snapshot_restore_py import register_before_snapshot

MAX_AGE = 60
"""Seconds for which a secret is kept, and a rotation goes unnoticed."""

# A store that has fallen silent is given up in 8 s, so that the caller is still told.
_PATIENCE = Config(connect_timeout=2, read_timeout=2, retries={"total_max_attempts": 2})


class SecretStoreError(Exception):
    """The store does not give the secret; the message is its own."""


def read_secret(arn: str) -> str:
    """The text behind `arn`, at most MAX_AGE old. Raises SecretStoreError."""
    try:
        if ":secretsmanager:" in arn:
            return str(secrets_manager().get(arn, max_age=MAX_AGE))
        return str(parameter_store().get(arn, max_age=MAX_AGE, decrypt=True))
    except GetParameterError as error:
        raise SecretStoreError(str(error)) from error


@functools.cache
def secrets_manager() -> SecretsProvider:
    """Secrets Manager, and what was read from it."""
    return SecretsProvider(boto_config=_PATIENCE)


@functools.cache
def parameter_store() -> SSMProvider:
    """The parameters of Systems Manager, and what was read from them."""
    return SSMProvider(boto_config=_PATIENCE)


def forget() -> None:
    """Drop all that was read, and the connections that it was read through."""
    for store in (secrets_manager, parameter_store):
        if store.cache_info().currsize:
            store().client.close()
            store.cache_clear()


# With SnapStart a function begins from a picture of itself that may be days old: its secrets may
# have been rotated since, and nobody listens at the other end of its connections.
register_before_snapshot(forget)
