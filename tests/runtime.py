"""Lambda's runtime on this machine: its client (awslambdaric), and the emulator that SAM ships."""

import platform
import subprocess
from importlib import metadata
from pathlib import Path

from infra.template import ROOT

ARCHITECTURE = {"x86_64": "x86_64"}.get(platform.machine(), "arm64")
"""What Lambda calls a processor like that of this machine."""

INVOCATIONS = "/2015-03-31/functions/function/invocations"
"""Where the emulator takes events."""

_RUNTIME_CLIENT = ("awslambdaric", "simplejson", "snapshot-restore-py")
"""What Lambda has beside Python itself, apart from boto3."""


def install_runtime_client(folder: Path) -> Path:
    """Fill `folder` with what Lambda finds in /var/runtime."""
    pinned = [f"{name}=={metadata.version(name)}" for name in _RUNTIME_CLIENT]
    return install_packages(folder, *pinned)


def install_packages(folder: Path, *packages: str) -> Path:
    """Fill `folder` with packages for Python 3.13, and with nothing that they depend on."""
    # Not those of this environment, which may be of another Python.
    pip = ["python3.13", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "--no-deps", "--target", str(folder), *packages], check=True)
    return folder


def emulate(handler: str, address: str, client: str, python: str = "python3.13") -> list[str]:
    """The command that serves a handler as Lambda does: at `address`, its client at `client`."""
    return [
        *(str(_find_emulator()), "--log-level", "error"),
        *("--runtime-interface-emulator-address", address, "--runtime-api-address", client),
        # Neither this environment's packages nor this folder's modules.
        *(python, "-S", "-P", "-m", "awslambdaric", handler),
    ]


def _find_emulator() -> Path:
    pattern = f"lib/python*/site-packages/samcli/local/rapid/aws-lambda-rie-{ARCHITECTURE}"
    (emulator,) = (ROOT / ".venv" / "sam").glob(pattern)
    return emulator
