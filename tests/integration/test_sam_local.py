"""`make sam-local` up to where SAM and Docker take over; other programs stand in for those two."""

import json
import shlex
import shutil
import signal
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.local.sam import PASSED_ON, see_from_container
from infra.template import ROOT
from shared.settings import SettingsError
from tests.servers import free_port, fresh_checkout, run
from tests.templates import read_template

TIMEOUT = 60

Settings = dict[str, str]


@pytest.fixture
def checkout() -> Iterator[Path]:
    """A fresh checkout on a machine that has no program at all."""
    with fresh_checkout() as folder:
        (folder / "bin").mkdir()
        yield folder


@pytest.fixture
def settings(checkout: Path) -> Settings:
    """What it is told: a port, and where its few programs are."""
    return {"PORT": str(free_port()), "PATH": str(checkout / "bin")}


def install(checkout: Path, name: str, script: str = "exit 1") -> None:
    """Put a program there, which runs `script`."""
    shell = shutil.which("sh")
    program = checkout / "bin" / name
    program.write_text(f"#!{shell}\nPATH={Path(str(shell)).parent}\n{script}\n")
    program.chmod(0o755)


# It says what it is told, and serves until it is stopped.
SAM = f"""exec {sys.executable} -c '
import signal, sys
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
print("sam", *sys.argv[1:], flush=True)
if sys.argv[1] == "local":
    signal.sigwait([signal.SIGTERM])
    print("stopped")
' "$@"
"""


def fail(checkout: Path, settings: Settings) -> str:
    """The one line with which `make sam-local` ends."""
    process = run(checkout, "infra.local.sam", **settings)
    output, errors = process.communicate(timeout=TIMEOUT)
    assert (process.returncode, output) == (1, "")
    (line,) = errors.splitlines()
    return line


# --- what it needs ---


def test_without_sam_it_says_what_to_do(checkout: Path, settings: Settings) -> None:
    assert fail(checkout, settings).startswith("SAM is not installed")


def test_without_the_runtimes_python_it_says_what_to_do(checkout: Path, settings: Settings) -> None:
    install(checkout, "sam")
    assert fail(checkout, settings).startswith("Python 3.13, ")


def test_without_docker_it_says_what_to_do(checkout: Path, settings: Settings) -> None:
    install(checkout, "sam")
    install(checkout, "python3.13")
    assert fail(checkout, settings).startswith("Docker is not installed; `make run` ")


def test_with_a_docker_that_does_not_run_it_says_why(checkout: Path, settings: Settings) -> None:
    install(checkout, "sam")
    install(checkout, "python3.13")
    install(checkout, "docker", "echo Some trace. >&2; echo Cannot connect. >&2; exit 1")
    assert fail(checkout, settings) == "Docker cannot be used: Cannot connect."


def test_on_a_busy_port_it_says_so_before_it_builds(checkout: Path, settings: Settings) -> None:
    install(checkout, "sam")
    install(checkout, "python3.13")
    assert fail(checkout, {**settings, "PORT": "65536"}).startswith("PORT: ")


# --- the database, as containers reach it ---


@pytest.mark.parametrize(
    ("url", "seen"),
    [
        ("postgresql://localhost/app", "postgresql://host.docker.internal/app"),
        ("postgresql://127.0.0.1:5433/app", "postgresql://host.docker.internal:5433/app"),
        ("postgresql://[::1]:5433/app", "postgresql://host.docker.internal:5433/app"),
        (
            "postgresql://u:p%40@localhost/app?a=b",
            "postgresql://u:p%40@host.docker.internal/app?a=b",
        ),
        ("postgresql://u:p@db.example.com/app?a=b", "postgresql://u:p@db.example.com/app?a=b"),
    ],
)
def test_this_machine_has_another_name_in_a_container(url: str, seen: str) -> None:
    assert see_from_container(url) == seen


@pytest.mark.parametrize("url", ["postgresql:///app?host=/tmp", "postgresql://u@/app"])
def test_a_socket_cannot_be_reached_from_a_container(url: str) -> None:
    with pytest.raises(SettingsError, match="DATABASE_URL: must name a host"):
        see_from_container(url)


# --- what SAM is told ---


def test_it_builds_then_serves_and_stops_with_sam(
    checkout: Path, settings: Settings, postgres: str
) -> None:
    install(checkout, "python3.13")
    install(checkout, "sam", SAM)
    process = run(
        checkout,
        "infra.local.sam",
        "--skip-pull-image",
        **settings,
        DIRECT_DATABASE_URL=postgres,
        DATABASE_URL="postgresql://lambdo_owner:hunter2@localhost:5432/lambdo",
        LOG_LEVEL="ERROR",
        CORS_ORIGINS="http://localhost:3001,http://localhost:3002",
    )
    assert process.stdout is not None
    lines = iter(process.stdout.readline, "")
    build = next(line for line in lines if line.startswith("sam "))
    command = next(line for line in lines if line.startswith("  curl "))
    serve = next(line for line in lines if line.startswith("sam "))
    process.send_signal(signal.SIGTERM)
    rest, errors = process.communicate(timeout=TIMEOUT)
    assert (process.returncode, rest, errors) == (0, "stopped\n", "")

    overrides = build.split("--parameter-overrides ")[1].split()
    assert "CorsOrigins=http://localhost:3001,http://localhost:3002" in overrides
    _check_parameters(overrides)
    assert shlex.split(serve)[1:3] == ["local", "start-api"]
    assert f"--port {settings['PORT']} --parameter-overrides {' '.join(overrides)}" in serve
    assert serve.endswith(" --skip-pull-image\n")
    assert f"http://127.0.0.1:{settings['PORT']}/api/tasks" in command

    told = checkout / ".lambdo" / "functions.json"
    assert told.stat().st_mode & 0o777 == 0o600
    assert json.loads(told.read_text()) == {
        "Parameters": {
            "DATABASE_URL": "postgresql://lambdo_owner:hunter2@host.docker.internal:5432/lambdo",
            "BETTER_AUTH_SECRET": (checkout / ".lambdo" / "secret").read_text(),
            "LOG_LEVEL": "ERROR",
        }
    }


def test_samconfig_tells_it_what_it_takes() -> None:
    default = tomllib.loads((ROOT / "samconfig.toml").read_text())["default"]
    _check_parameters(default["global"]["parameters"]["parameter_overrides"])
    options = subprocess.run(
        [
            ROOT / ".venv" / "sam" / "bin" / "python",
            "-c",
            "from samcli.commands.local.start_api.cli import cli\n"
            "print(*(option.name for option in cli.params))",
        ],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert default["local_start_api"]["parameters"].keys() <= {*options}


def _check_parameters(overrides: list[str]) -> None:
    parameters = read_template(ROOT / "template.yaml")["Parameters"]
    for override in overrides:
        name, _, value = override.partition("=")
        assert value.strip("'") in parameters[name].get("AllowedValues", [value.strip("'")])


def test_every_function_may_be_told_what_it_tells_them() -> None:
    functions = read_template(ROOT / "template.yaml")["Globals"]["Function"]
    told = {"DATABASE_URL", "BETTER_AUTH_SECRET", *PASSED_ON}
    assert told <= functions["Environment"]["Variables"].keys()
