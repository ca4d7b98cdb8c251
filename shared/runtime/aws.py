"""Calls of AWS's services, signed here: boto3 would make a cold start half as long again.

Only what Lambdo needs of it: the services that take JSON, and the credentials that Lambda gives.
"""

import hashlib
import hmac
import json
import os
import re
import time
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, NamedTuple
from urllib.parse import quote, urlsplit

from shared.runtime import outbound

_MAX_BYTES = 256 * 1024
"""Of an answer. A secret has 64 KB at most, of which JSON may make six times as much; few do."""

# As botocore's partitions.json has them; all other partitions are under amazonaws.com.
_DOMAINS = {
    "aws-cn": "amazonaws.com.cn",
    "aws-eusc": "amazonaws.eu",
    "aws-iso": "c2s.ic.gov",
    "aws-iso-b": "sc2s.sgov.gov",
    "aws-iso-e": "cloud.adc-e.uk",
    "aws-iso-f": "csp.hci.ic.gov",
}

# Whom the token for credentials is given without TLS: this machine, and what stands beside it on
# ECS and EKS. AWS's SDKs have the same list.
_CREDENTIAL_HOSTS = (
    *("localhost", "127.0.0.1", "::1"),
    *("169.254.170.2", "169.254.170.23", "fd00:ec2::23"),
)

_ERROR_CODE = re.compile(r"[A-Za-z][\w.]{0,99}", re.ASCII)


class CallRefused(Exception):
    """The service says no, or there is nothing to ask it with. The message is its error code."""


class CallUnanswered(Exception):
    """The service does not say yes or no: it is out of reach, out of order or too busy."""


class Service(NamedTuple):
    """A service in a region."""

    name: str
    """As ARNs and signatures have it."""
    endpoint_setting: str
    """Where AWS's SDKs look for its address, before AWS_ENDPOINT_URL."""
    region: str
    partition: str = "aws"

    @property
    def url(self) -> str:
        """Where it is."""
        domain = _DOMAINS.get(self.partition, "amazonaws.com")
        return (
            os.environ.get(self.endpoint_setting)
            or os.environ.get("AWS_ENDPOINT_URL")
            or f"https://{self.name}.{self.region}.{domain}"
        )


class Credentials(NamedTuple):
    """What calls are signed with."""

    key_id: str
    secret_key: str
    session_token: str | None = None


def call(
    service: Service, operation: str, arguments: Mapping[str, object], seconds: float
) -> dict[str, Any]:
    """What an operation answers, within `seconds`. `operation` is its X-Amz-Target.

    Raises CallRefused, or CallUnanswered.
    """
    if not outbound.is_usable(service.url):
        raise CallRefused(f"{service.endpoint_setting} or AWS_ENDPOINT_URL is no URL")
    deadline = time.monotonic() + seconds
    credentials = read_credentials(seconds)
    body = json.dumps(arguments).encode()
    headers = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": operation}
    headers = sign(service, headers, body, credentials, time.gmtime())
    answer = _send(service.url, headers, body, deadline - time.monotonic())
    if answer.status != HTTPStatus.OK:
        raise _read_refusal(answer)
    return _read_members(answer)


def read_credentials(seconds: float) -> Credentials:
    """The credentials of this process.

    A function of SnapStart's asks for them where Lambda says, because those in a snapshot would
    expire. They are not kept, so none is used that has expired.

    Raises CallRefused where there are none, and CallUnanswered where they cannot be had.
    """
    key_id, secret_key = (
        os.environ.get(name) for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
    )
    if key_id and secret_key:
        return Credentials(key_id, secret_key, os.environ.get("AWS_SESSION_TOKEN"))
    url = os.environ.get("AWS_CONTAINER_CREDENTIALS_FULL_URI")
    if not url:
        raise CallRefused("there are no AWS credentials in the environment")
    if not outbound.is_usable(url) or (
        urlsplit(url).scheme != "https" and urlsplit(url).hostname not in _CREDENTIAL_HOSTS
    ):
        raise CallRefused("AWS_CONTAINER_CREDENTIALS_FULL_URI must be https, or on this machine")
    token = os.environ.get("AWS_CONTAINER_AUTHORIZATION_TOKEN")
    answer = _send(url, {"Authorization": token} if token else {}, None, seconds)
    if answer.status != HTTPStatus.OK:
        raise _read_refusal(answer)
    given = _read_members(answer)
    try:
        return Credentials(given["AccessKeyId"], given["SecretAccessKey"], given.get("Token"))
    except LookupError as error:
        raise CallUnanswered("there are no credentials in the answer") from error


def sign(
    service: Service,
    headers: Mapping[str, str],
    body: bytes,
    credentials: Credentials,
    now: time.struct_time,
) -> dict[str, str]:
    """The headers of a POST with its signature: AWS Signature Version 4, as IAM's guide has it."""
    parts = urlsplit(service.url)
    signed = {**headers, "Host": parts.netloc, "X-Amz-Date": time.strftime("%Y%m%dT%H%M%SZ", now)}
    if credentials.session_token:
        signed["X-Amz-Security-Token"] = credentials.session_token
    fields = sorted((name.lower(), value.strip()) for name, value in signed.items())
    names = ";".join(name for name, _ in fields)
    request = "\n".join(
        [
            *("POST", quote(parts.path or "/", safe="/~"), parts.query),
            *(f"{name}:{value}" for name, value in fields),
            *("", names, hashlib.sha256(body).hexdigest()),
        ]
    )
    scope = (time.strftime("%Y%m%d", now), service.region, service.name, "aws4_request")
    text = "\n".join(
        [
            *("AWS4-HMAC-SHA256", signed["X-Amz-Date"], "/".join(scope)),
            hashlib.sha256(request.encode()).hexdigest(),
        ]
    )
    key = f"AWS4{credentials.secret_key}".encode()
    for part in (*scope, text):
        key = hmac.digest(key, part.encode(), "sha256")
    signed["Authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={'/'.join((credentials.key_id, *scope))},"
        f" SignedHeaders={names}, Signature={key.hex()}"
    )
    return signed


def _send(
    url: str, headers: Mapping[str, str], body: bytes | None, seconds: float
) -> outbound.Answer:
    try:
        return outbound.send(url, headers, body, seconds=seconds, max_bytes=_MAX_BYTES)
    except outbound.NoAnswer as error:
        raise CallUnanswered(f"{urlsplit(url).hostname}: {error}") from error


def _read_members(answer: outbound.Answer) -> dict[str, Any]:
    try:
        members = json.loads(answer.body)
    except (ValueError, RecursionError) as error:
        raise CallUnanswered("the answer is not JSON") from error
    if not isinstance(members, dict):
        raise CallUnanswered("the answer is not an object")
    return members


def _read_refusal(answer: outbound.Answer) -> CallRefused | CallUnanswered:
    """Why it was refused: the error's code (Smithy, AWS JSON 1.1 protocol, "Operation errors")."""
    try:
        code = json.loads(answer.body)["__type"].rpartition("#")[2].partition(":")[0]
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        code = ""
    reason = code if _ERROR_CODE.fullmatch(code) else f"status {answer.status}"
    may_pass = (
        answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR
        or answer.status == HTTPStatus.TOO_MANY_REQUESTS
        or "Throttl" in code
        or code in ("TooManyRequestsException", "RequestLimitExceeded", "SlowDown")
    )
    return CallUnanswered(reason) if may_pass else CallRefused(reason)
