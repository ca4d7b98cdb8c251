"""Builds the shared layer for Lambda: python3.13 -m infra.layer ARCHITECTURE DIRECTORY

`sam build` calls it through infra/layers. The same commit gives the same bytes on every machine:
packages are pinned by their hashes and installed as wheels for Lambda's platform.
"""

import compileall
import shutil
import subprocess
import sys
from pathlib import Path
from py_compile import PycInvalidationMode

ROOT = Path(__file__).parent.parent
PYTHON = (3, 13)
"""The runtime that template.yaml names; it reads bytecode only of its own version."""

ARCHITECTURES = {"arm64": "aarch64", "x86_64": "x86_64"}
"""Lambda's names of its processors, and what wheels call them."""

_PLATFORMS = ("manylinux_2_28", "manylinux2014")

# What no function opens.
_UNUSED = (
    "bin",
    "**/__pycache__",
    "**/*.py[ix]",
    "alembic/templates",
    "alembic/testing",
    # email_validator asks DNS for the domain of an address only if it is told to.
    "dns",
    "fastapi_offline/static/redoc.standalone.js",
    "mako/testing",
    "pycparser*",
    # Models of an old version: FastAPI imports them if they are there, and does without them.
    "pydantic/v1",
    *(f"sqlalchemy/dialects/{name}" for name in ("mssql", "mysql", "oracle", "sqlite")),
    "sqlalchemy/testing",
    # These differ from build to build, or from machine to machine.
    "*.dist-info/RECORD",
    "*.dist-info/direct_url.json",
)


def build(architecture: str, directory: Path) -> int:
    """Fill `directory` with the contents of /opt for that processor; returns its size in bytes.

    Raises CalledProcessError if a package cannot be installed.
    """
    packages = directory / "python"
    _install(ARCHITECTURES[architecture], packages)
    shutil.copytree(ROOT / "shared", packages / "shared", dirs_exist_ok=True)
    for pattern in _UNUSED:
        for path in packages.glob(pattern):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    _compile(packages)
    return sum(path.stat().st_size for path in directory.rglob("*") if path.is_file())


def _install(machine: str, packages: Path) -> None:
    subprocess.run(  # noqa: S603 - of constants
        [
            *(sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"),
            *("--requirement", str(ROOT / "requirements.txt"), "--require-hashes"),
            *("--target", str(packages), "--upgrade", "--no-compile", "--only-binary", ":all:"),
            *("--implementation", "cp", "--python-version", ".".join(map(str, PYTHON))),
            *(f"--platform={platform}_{machine}" for platform in _PLATFORMS),
        ],
        check=True,
    )


def _compile(packages: Path) -> None:
    # /opt is read-only on Lambda, so every cold start would compile every module again. Unchecked
    # bytecode stays valid whatever the times of the source files are.
    compileall.compile_dir(
        packages,
        maxlevels=100,
        quiet=1,
        stripdir=str(packages),
        prependdir="/opt/python",
        invalidation_mode=PycInvalidationMode.UNCHECKED_HASH,
    )


if __name__ == "__main__":
    if sys.version_info[:2] != PYTHON:
        sys.exit("The layer is compiled for Python 3.13; install that version and build with it.")
    _, architecture, directory = sys.argv
    size = build(architecture, Path(directory))
    print(f"Shared layer for {architecture}: {size / 1e6:.1f} MB unzipped")
