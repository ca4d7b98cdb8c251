"""A function that is told something bad, or nothing, does not start, and says what it is."""

import os
import subprocess
import sys

import pytest

from infra.template import ROOT

URL = "postgresql://owner:hunter2@db.example/tasks"
SECRET = "hunter2" * 5
GOOD = {"DATABASE_URL": URL, "BETTER_AUTH_SECRET": SECRET}


def start_function(statement: str = "", /, **settings: str) -> subprocess.CompletedProcess[str]:
    """Import a function as Lambda does at a cold start."""
    return subprocess.run(
        [sys.executable, "-c", f"import create_task; {statement}"],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": f"{ROOT}:{ROOT / 'functions'}", **settings},
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("DATABASE_URL", {"DATABASE_URL": ""}),
        ("DATABASE_URL", {"DATABASE_URL": "hunter2"}),
        ("DATABASE_URL", {"DATABASE_URL": f"{URL}?hunter2=yes"}),
        ("DATABASE_URL", {"DATABASE_URL": "postgresql://owner:hunter2@db.example:port/tasks"}),
        ("BETTER_AUTH_SECRET", {"BETTER_AUTH_SECRET": ""}),
        ("BETTER_AUTH_SECRET", {"BETTER_AUTH_SECRET": "hunter2"}),
        ("USER_PROVISIONING", {"USER_PROVISIONING": "hunter2"}),
        ("CORS_ORIGINS", {"FRONTEND_URL": "https://a.example, *", "ENVIRONMENT": "prod"}),
    ],
)
def test_a_bad_setting_stops_a_function(name: str, settings: dict[str, str]) -> None:
    started = start_function(**{**GOOD, **settings})
    assert started.returncode == 1
    *_, last = started.stderr.splitlines()
    assert last.startswith(f"shared.settings.SettingsError: {name}: ")
    assert "hunter2" not in started.stdout + started.stderr


def test_settings_are_known_by_their_other_names() -> None:
    started = start_function(
        "from shared.settings import get_settings; settings = get_settings();"
        "print(settings.read_database_url(), settings.read_auth_secret(), settings.cors_origins)",
        NEON_DB_URL="postgres://neon.example/db",
        JWT_SECRET=SECRET,
        FRONTEND_URL="https://a.example/, https://b.example",
    )
    assert started.stderr == ""
    origins = ["https://a.example", "https://b.example"]
    assert started.stdout == f"postgresql://neon.example/db {SECRET} {origins}\n"


def test_any_origin_will_do_on_a_developers_machine() -> None:
    assert start_function(**GOOD, CORS_ORIGINS="*", ENVIRONMENT="local").returncode == 0
