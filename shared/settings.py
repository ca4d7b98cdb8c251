"""What Lambdo is told by its environment: one Settings object, read and checked once, at start."""

import functools
import re
from collections.abc import Callable
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    AliasChoices,
    BeforeValidator,
    Field,
    SecretStr,
    ValidationError,
    model_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from shared.runtime import secret_store

MIN_SECRET_BYTES = 32


class SettingsError(Exception):
    """A setting is missing or bad. The message is one line, names it, and holds no value."""


def _postgres_url(url: SecretStr) -> SecretStr:
    """The URL as libpq spells it; SQLAlchemy's `postgresql+psycopg://` is understood too."""
    scheme, separator, rest = url.get_secret_value().strip().partition("://")
    if not separator or scheme.partition("+")[0] not in ("postgres", "postgresql"):
        raise ValueError("must be a URL such as postgresql://user:password@host/database")
    return SecretStr(f"postgresql://{rest}")


def _long_enough(secret: SecretStr) -> SecretStr:
    # RFC 7518, 3.2: a key for HS256 has 256 bits at least.
    if len(secret.get_secret_value().encode()) < MIN_SECRET_BYTES:
        raise ValueError(f"must be at least {MIN_SECRET_BYTES} bytes long")
    return secret


def _split_commas(value: object) -> object:
    if not isinstance(value, str):
        return value
    return [part.strip().rstrip("/") for part in value.split(",") if part.strip()]


def _key_set_url(url: str) -> str:
    try:
        parts = urlsplit(url)
        understood = parts.scheme in ("https", "http") and parts.hostname and parts.port != 0
        understood = understood and not parts.netloc.endswith(":")
    except ValueError:
        understood = False
    if not understood or not re.fullmatch(r"[!-~]+", url) or "@" in parts.netloc or "#" in url:
        raise ValueError("must be a URL such as https://app.example.com/api/auth/jwks")
    return url


PostgresUrl = Annotated[SecretStr, AfterValidator(_postgres_url)]
SigningSecret = Annotated[SecretStr, AfterValidator(_long_enough)]
KeySetUrl = Annotated[str, AfterValidator(_key_set_url)]
CommaSeparated = Annotated[list[str], NoDecode, BeforeValidator(_split_commas)]


class Settings(BaseSettings):
    """Every setting, under the upper-case name of its field; .env.example explains each."""

    model_config = SettingsConfigDict(
        env_ignore_empty=True, frozen=True, extra="ignore", populate_by_name=True
    )

    environment: Literal["local", "dev", "staging", "prod"] = "local"
    log_level: Annotated[
        Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"],
        BeforeValidator(lambda value: value.upper() if isinstance(value, str) else value),
    ] = "INFO"
    powertools_service_name: str = "lambdo"

    database_url: PostgresUrl | None = Field(
        default=None, validation_alias=AliasChoices("DATABASE_URL", "NEON_DB_URL")
    )
    database_url_arn: str | None = None
    direct_database_url: PostgresUrl | None = None

    better_auth_secret: SigningSecret | None = Field(
        default=None, validation_alias=AliasChoices("BETTER_AUTH_SECRET", "JWT_SECRET")
    )
    better_auth_secret_arn: str | None = None
    auth_jwks_url: KeySetUrl | None = None
    auth_issuer: str | None = None
    auth_audience: str | None = None
    user_provisioning: Literal["automatic", "required"] = "automatic"
    rate_limit_per_minute: Annotated[int, Field(ge=0, le=1_000_000)] = 600
    accounts: Literal["external", "built_in"] = "external"

    cors_origins: CommaSeparated = Field(
        default=["http://localhost:3000"],
        validation_alias=AliasChoices("CORS_ORIGINS", "FRONTEND_URL"),
    )

    @model_validator(mode="after")
    def _refuse_any_origin_outside_local(self) -> Self:
        if "*" in self.cors_origins and self.environment != "local":
            raise ValueError("CORS_ORIGINS: `*` is for ENVIRONMENT=local only; name the origins")
        return self

    @model_validator(mode="after")
    def _refuse_keys_that_anybody_may_change(self) -> Self:
        parts = urlsplit(self.auth_jwks_url or "")
        if (
            parts.scheme == "http"
            and self.environment != "local"
            and parts.hostname not in ("localhost", "127.0.0.1", "::1")
        ):
            raise ValueError("AUTH_JWKS_URL: must be https outside ENVIRONMENT=local")
        return self

    @property
    def auth_origin(self) -> str:
        """The origin of AUTH_JWKS_URL (RFC 6454, 6.1)."""
        parts = urlsplit(self.auth_jwks_url or "")
        default_port = {"http": ":80", "https": ":443"}.get(parts.scheme, "")
        return f"{parts.scheme}://{parts.netloc.lower().removesuffix(default_port)}"

    @property
    def has_auth_secret(self) -> bool:
        """Whether there is a secret that HS256 tokens may be signed with."""
        return self.better_auth_secret is not None or self.better_auth_secret_arn is not None

    @property
    def token_issuer(self) -> str:
        """The `iss` of tokens for built-in accounts."""
        return self.auth_issuer or "lambdo"

    @property
    def token_audience(self) -> str:
        """The `aud` of tokens for built-in accounts."""
        return self.auth_audience or "lambdo"

    def read_database_url(self) -> str:
        """The URL of the pooled endpoint.

        Raises SettingsError when there is none, or when the secret store does not give it.
        """
        return _given_or_fetched(
            "DATABASE_URL", self.database_url, self.database_url_arn, _postgres_url
        )

    def read_auth_secret(self) -> str:
        """The secret that HS256 tokens are signed with.

        Raises SettingsError when there is none, or when the secret store does not give it.
        """
        return _given_or_fetched(
            "BETTER_AUTH_SECRET", self.better_auth_secret, self.better_auth_secret_arn, _long_enough
        )


@functools.cache
def get_settings() -> Settings:
    """The settings of this process.

    Raises SettingsError for a bad value; the message names the setting and never shows the value.
    """
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors()[0]
        name = "".join(f"{str(part).upper()}: " for part in first["loc"][:1])
        problem = str(first.get("ctx", {}).get("error", first["msg"]))
        raise SettingsError(f"{name}{problem}") from None


def _given_or_fetched(
    name: str,
    given: SecretStr | None,
    arn: str | None,
    check: Callable[[SecretStr], SecretStr],
) -> str:
    if given is not None:
        return given.get_secret_value()
    if arn is None:
        raise SettingsError(f"{name}: is missing; set it, or {name}_ARN")
    try:
        return check(SecretStr(secret_store.read_secret(arn))).get_secret_value()
    except secret_store.SecretStoreError as error:
        raise SettingsError(f"{name}_ARN: cannot be read: {error}") from error
    except ValueError as error:
        raise SettingsError(f"{name}_ARN: what it names {error}") from None
