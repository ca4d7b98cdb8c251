"""Settings are read once, checked, and never shown."""

from collections.abc import Iterator

import pytest
from pydantic import AliasChoices

from shared.data import database
from shared.http.app import create_app, create_caller_app
from shared.runtime import secret_store
from shared.settings import Settings, SettingsError, get_settings

_SECRET = "a secret of thirty-two bytes, no "
_DATABASE = "postgresql://someone:hunter2@db.example.com/lambdo"
_SECRET_ARN = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:auth-AbCdEf"


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """An environment in which nothing is set."""
    for name, field in Settings.model_fields.items():
        alias = field.validation_alias
        for choice in alias.choices if isinstance(alias, AliasChoices) else [name.upper()]:
            monkeypatch.delenv(str(choice), raising=False)
    get_settings.cache_clear()
    yield monkeypatch
    get_settings.cache_clear()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("BETTER_AUTH_SECRET", "hunter2"),
        ("BETTER_AUTH_SECRET", "hunter2-hunter2-hunter2-hunter2"),
        ("JWT_SECRET", "hunter2"),
        ("DATABASE_URL", "hunter2"),
        ("DATABASE_URL", "mysql://someone:hunter2@db.example.com/lambdo"),
        ("NEON_DB_URL", "https://someone:hunter2@db.example.com"),
        ("DIRECT_DATABASE_URL", "hunter2"),
        ("ENVIRONMENT", "hunter2"),
        ("USER_PROVISIONING", "hunter2"),
        ("LOG_LEVEL", "hunter2"),
        ("AUTH_JWKS_URL", "hunter2"),
        ("AUTH_JWKS_URL", "file:///etc/hunter2"),
        ("AUTH_JWKS_URL", "https:///hunter2"),
        ("AUTH_JWKS_URL", "https://someone:hunter2@app.example.com/jwks"),
        ("AUTH_JWKS_URL", "https://app.example.com/jwks#hunter2"),
        ("AUTH_JWKS_URL", "https://app.example.com:hunter2/jwks"),
        ("AUTH_JWKS_URL", "https://hunter2:/jwks"),
        ("AUTH_JWKS_URL", "https://äpp.example.com/hunter2"),
        ("AUTH_JWKS_URL", "https://app.example.com/hun ter2"),
    ],
)
def test_a_bad_setting_is_named_in_one_line_and_not_shown(
    environment: pytest.MonkeyPatch, name: str, value: str
) -> None:
    environment.setenv(name, value)
    with pytest.raises(SettingsError) as refused:
        get_settings()
    message = str(refused.value)
    named = {"JWT_SECRET": "BETTER_AUTH_SECRET", "NEON_DB_URL": "DATABASE_URL"}.get(name, name)
    assert message.startswith((f"{name}: ", f"{named}: "))
    assert "\n" not in message
    assert "hunter2" not in message
    assert refused.value.__cause__ is None
    assert refused.value.__suppress_context__


@pytest.mark.parametrize("kept_back", ["BETTER_AUTH_SECRET", "DATABASE_URL"])
@pytest.mark.parametrize("empty", [True, False])
def test_a_function_does_not_start_without_what_it_needs(
    environment: pytest.MonkeyPatch, kept_back: str, empty: bool
) -> None:
    for name, value in (("BETTER_AUTH_SECRET", _SECRET), ("DATABASE_URL", _DATABASE)):
        if name != kept_back:
            environment.setenv(name, value)
        elif empty:
            environment.setenv(name, "")
    with pytest.raises(SettingsError, match=rf"^{kept_back}: [^\n]+$"):
        create_caller_app()


def test_a_key_set_is_enough_to_check_tokens_with(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("DATABASE_URL", _DATABASE)
    environment.setenv("AUTH_JWKS_URL", "https://app.example.com/api/auth/jwks")
    assert create_caller_app()


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://app.example.com/api/auth/jwks", "https://app.example.com"),
        ("https://App.Example.com:443/jwks?all=1", "https://app.example.com"),
        ("http://localhost:3000/api/auth/jwks", "http://localhost:3000"),
        ("http://127.0.0.1:80/jwks", "http://127.0.0.1"),
        ("https://ep.neon.tech/neondb/auth/.well-known/jwks.json", "https://ep.neon.tech"),
    ],
)
def test_issuers_are_named_by_the_origin_of_their_keys(
    environment: pytest.MonkeyPatch, url: str, origin: str
) -> None:
    environment.setenv("AUTH_JWKS_URL", url)
    assert get_settings().auth_origin == origin


@pytest.mark.parametrize("host", ["app.example.com", "127.0.0.1.example.com", "localhost"])
@pytest.mark.parametrize("stage", ["local", "prod"])
def test_keys_come_over_https_from_other_machines(
    environment: pytest.MonkeyPatch, host: str, stage: str
) -> None:
    environment.setenv("ENVIRONMENT", stage)
    environment.setenv("AUTH_JWKS_URL", f"http://{host}/jwks")
    if stage == "local" or host == "localhost":
        assert get_settings().auth_jwks_url
    else:
        with pytest.raises(SettingsError, match=r"^AUTH_JWKS_URL: must be https"):
            get_settings()


def test_a_database_url_that_postgres_cannot_read_is_not_shown(
    environment: pytest.MonkeyPatch,
) -> None:
    environment.setenv("DATABASE_URL", "postgresql://someone:hunter2@db:port:5432/lambdo?x=hunter2")
    with pytest.raises(SettingsError, match=r"^DATABASE_URL: [^\n]+$") as refused:
        database.check_settings()
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize("environment_name", ["dev", "staging", "prod"])
@pytest.mark.parametrize("origins", ["*", "https://a.example,*", " * "])
def test_any_origin_is_refused_outside_local(
    environment: pytest.MonkeyPatch, environment_name: str, origins: str
) -> None:
    environment.setenv("ENVIRONMENT", environment_name)
    environment.setenv("CORS_ORIGINS", origins)
    with pytest.raises(SettingsError, match=r"^CORS_ORIGINS: [^\n]+$"):
        get_settings()


def test_any_origin_is_allowed_locally(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("CORS_ORIGINS", "*")
    assert get_settings().cors_origins == ["*"]


@pytest.mark.parametrize("name", ["CORS_ORIGINS", "FRONTEND_URL"])
@pytest.mark.parametrize(
    ("value", "origins"),
    [
        ("https://a.example", ["https://a.example"]),
        ("https://a.example/", ["https://a.example"]),
        (" https://a.example , https://b.example/,", ["https://a.example", "https://b.example"]),
    ],
)
def test_origins_are_separated_by_commas(
    environment: pytest.MonkeyPatch, name: str, value: str, origins: list[str]
) -> None:
    environment.setenv(name, value)
    assert get_settings().cors_origins == origins


@pytest.mark.parametrize(
    ("name", "value", "read"),
    [
        ("DATABASE_URL", _DATABASE, _DATABASE),
        ("NEON_DB_URL", _DATABASE, _DATABASE),
        ("DATABASE_URL", _DATABASE.replace("postgresql", "postgres"), _DATABASE),
        ("DATABASE_URL", _DATABASE.replace("postgresql", "postgresql+psycopg"), _DATABASE),
        ("DATABASE_URL", f" {_DATABASE}\n", _DATABASE),
    ],
)
def test_a_database_has_several_names(
    environment: pytest.MonkeyPatch, name: str, value: str, read: str
) -> None:
    environment.setenv(name, value)
    assert get_settings().read_database_url() == read


@pytest.mark.parametrize("name", ["BETTER_AUTH_SECRET", "JWT_SECRET"])
@pytest.mark.parametrize("secret", ["x" * 32, "é" * 16, _SECRET])
def test_a_secret_of_32_bytes_is_taken_as_it_is(
    environment: pytest.MonkeyPatch, name: str, secret: str
) -> None:
    environment.setenv(name, secret)
    assert get_settings().read_auth_secret() == secret


def test_settings_do_not_show_what_is_secret(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("BETTER_AUTH_SECRET", _SECRET)
    environment.setenv("DATABASE_URL", _DATABASE)
    shown = f"{get_settings()!r} {get_settings()} {get_settings().model_dump_json()}"
    assert _SECRET not in shown
    assert "hunter2" not in shown


@pytest.mark.parametrize(("value", "level"), [("debug", "DEBUG"), ("Info", "INFO"), ("", "INFO")])
def test_a_log_level_is_taken_in_any_case(
    environment: pytest.MonkeyPatch, value: str, level: str
) -> None:
    environment.setenv("LOG_LEVEL", value)
    assert get_settings().log_level == level


def test_what_needs_no_settings_starts_without_any() -> None:
    settings = get_settings()
    assert settings.environment == "local"
    assert settings.user_provisioning == "automatic"
    assert create_app().title == "Lambdo"


def test_a_secret_that_an_arn_leads_to_is_checked_and_not_shown(
    environment: pytest.MonkeyPatch,
) -> None:
    environment.setattr(secret_store, "read_secret", lambda _arn: "hunter2")
    environment.setenv("BETTER_AUTH_SECRET_ARN", _SECRET_ARN)
    environment.setenv("DATABASE_URL_ARN", _SECRET_ARN)
    for name, read in (
        ("BETTER_AUTH_SECRET_ARN", get_settings().read_auth_secret),
        ("DATABASE_URL_ARN", get_settings().read_database_url),
    ):
        with pytest.raises(SettingsError, match=rf"^{name}: [^\n]+$") as refused:
            read()
        assert "hunter2" not in str(refused.value)


def test_a_secret_store_that_fails_is_told_with_its_setting(
    environment: pytest.MonkeyPatch,
) -> None:
    def fail(_arn: str) -> str:
        raise secret_store.SecretStoreError("no such secret")

    environment.setattr(secret_store, "read_secret", fail)
    environment.setenv("BETTER_AUTH_SECRET_ARN", _SECRET_ARN)
    with pytest.raises(SettingsError, match=r"^BETTER_AUTH_SECRET_ARN: .*no such secret"):
        get_settings().read_auth_secret()
