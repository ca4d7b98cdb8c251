"""What built-in accounts are opened with: e-mail addresses and passwords, and how they are kept.

Only the functions that register and log in import this module: no other needs to wait for Argon2.
"""

import functools
import secrets
import unicodedata
from typing import Annotated, Any

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError
from email_validator import EmailNotValidError, validate_email
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr
from pydantic_core import PydanticCustomError, PydanticKnownError

from shared.models import storable, stripped
from shared.settings import get_settings

PASSWORD_LENGTH = 8
MAX_PASSWORD_LENGTH = 256

# OWASP's Password Storage Cheat Sheet: Argon2id with 19 MiB, two passes and one lane.
_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)

_NO_ADDRESS = PydanticCustomError(
    "email", "Input should be an e-mail address that mail can be sent to"
)


def _normalized_email(text: str) -> str:
    # RFC 5321, 4.5.3.1.3; and no more than that is ever parsed.
    if len(text) > 254:  # noqa: PLR2004
        raise _NO_ADDRESS
    try:
        # Whether there is such a domain is not asked: a caller would wait for strangers' servers.
        return validate_email(
            text,
            check_deliverability=False,
            strict=True,
            # RFC 6761, 6.2: .test is for those who try things.
            test_environment=get_settings().environment == "local",
        ).normalized
    except EmailNotValidError as error:
        raise _NO_ADDRESS from error


def _normalized_password(password: SecretStr) -> SecretStr:
    # NIST SP 800-63B, 5.1.1.2: so that a password is the same one on every keyboard.
    text = unicodedata.normalize("NFKC", password.get_secret_value())
    # What pydantic refuses in a text, it takes in a secret.
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise PydanticCustomError("string_unicode", "Password should be valid Unicode")
    return SecretStr(text)


def _long_enough(password: SecretStr) -> SecretStr:
    if len(password.get_secret_value()) < PASSWORD_LENGTH:
        raise PydanticKnownError("string_too_short", {"min_length": PASSWORD_LENGTH})
    return password


def _short_enough(password: SecretStr) -> SecretStr:
    if len(password.get_secret_value()) > MAX_PASSWORD_LENGTH:
        raise PydanticKnownError("string_too_long", {"max_length": MAX_PASSWORD_LENGTH})
    return password


def _hard_to_guess(password: SecretStr) -> SecretStr:
    text = password.get_secret_value()
    if text.lower() in _common_passwords():
        raise PydanticCustomError("password_common", "Password is one of the commonest")
    return password


@functools.cache
def _common_passwords() -> frozenset[str]:
    """The commonest passwords that are long enough, in lower case: those that zxcvbn ranks."""
    # Only registering needs it, and logging in is the more frequent.
    from zxcvbn.frequency_lists import FREQUENCY_LISTS  # noqa: PLC0415

    passwords: list[str] = FREQUENCY_LISTS["passwords"]
    return frozenset(text for text in passwords if len(text) >= PASSWORD_LENGTH)


def _document_email(schema: dict[str, Any]) -> None:
    schema["format"] = "email"
    schema["maxLength"] = 254


Email = Annotated[
    str,
    Field(json_schema_extra=_document_email),
    AfterValidator(_normalized_email),
    AfterValidator(storable),
    BeforeValidator(stripped),
]

# Pydantic's own limits would speak of the items of a secret, not of its characters.
_Password = Annotated[
    SecretStr,
    Field(json_schema_extra={"maxLength": MAX_PASSWORD_LENGTH}),
    AfterValidator(_short_enough),
    AfterValidator(_normalized_password),
]


class Login(BaseModel):
    """What an account is opened with."""

    model_config = ConfigDict(extra="forbid")

    email: Email
    # Not held to the rules for new ones: they may have been others when it was chosen.
    password: _Password


class Registration(BaseModel):
    """What an account is to be opened with."""

    model_config = ConfigDict(extra="forbid")

    email: Email
    password: Annotated[_Password, AfterValidator(_long_enough), AfterValidator(_hard_to_guess)] = (
        Field(
            description="The commonest passwords are refused",
            json_schema_extra={"minLength": PASSWORD_LENGTH, "maxLength": MAX_PASSWORD_LENGTH},
        )
    )


def hash_password(password: SecretStr) -> str:
    """What is kept of a password."""
    return _hasher.hash(password.get_secret_value())


# What the password of an unknown account is compared with, so that it takes as long.
_OF_NOBODY = _hasher.hash(secrets.token_urlsafe())


def verify_password(password: SecretStr, hashed: str | None) -> bool:
    """Whether `hashed` is of this password. None is nobody's, and takes as long to say so."""
    try:
        _hasher.verify(hashed or _OF_NOBODY, password.get_secret_value())
    except VerifyMismatchError:
        return False
    return hashed is not None


def is_outdated(hashed: str) -> bool:
    """Whether a password is hashed otherwise than a new one would be."""
    return _hasher.check_needs_rehash(hashed)
