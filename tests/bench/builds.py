"""What Lambda would find of each subject, as `sam build` leaves it, in a tree that is read-only."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

from infra.template import ROOT
from tests.bench.subjects import FLOOR, TEXTBOOK
from tests.runtime import ARCHITECTURE, install_packages, install_runtime_client

_SAM = ROOT / ".venv" / "sam" / "bin" / "sam"


class Builds(NamedTuple):
    """Folders that modules are found in, in the order of Lambda's own, of each subject."""

    python: str
    """The Python that runs them, which is Lambda's version of it."""
    floor: list[Path]
    lambdo: list[Path]
    textbook: list[Path]
    compiled_textbook: list[Path]
    """The same, had somebody thought of bytecode."""


@contextmanager
def built() -> Iterator[Builds]:
    """Builds of all subjects; they are made anew, and gone when the block ends.

    Raises CalledProcessError where a build fails.
    """
    python = _find_python()
    with tempfile.TemporaryDirectory(prefix="lambdo-") as name, ThreadPoolExecutor() as pool:
        folder = Path(name)
        runtime = pool.submit(install_runtime_client, folder / "runtime")
        floor = pool.submit(_build_floor, folder / "floor", python)
        lambdo = pool.submit(_sam_build, python, ROOT, folder / "lambdo", "ListTasks")
        textbook = pool.submit(_build_textbook, folder / "textbook", python)
        compiled_textbook = shutil.copytree(textbook.result(), folder / "compiled-textbook")
        _compile(python, compiled_textbook)
        layer = lambdo.result() / "SharedLayer" / "python"
        builds = Builds(
            python,
            floor=[floor.result(), runtime.result()],
            lambdo=[lambdo.result() / "ListTasks", layer, runtime.result()],
            textbook=[textbook.result(), runtime.result()],
            compiled_textbook=[compiled_textbook, runtime.result()],
        )
        _make_writable(folder, False)
        try:
            yield builds
        finally:
            _make_writable(folder, True)


def _build_floor(folder: Path, python: str) -> Path:
    packages = [f"{name}=={metadata.version(name)}" for name in ("psycopg", "psycopg-binary")]
    install_packages(folder, *packages)
    _compile(python, folder)
    # After that: Lambdo's function is not compiled either, only its layer.
    shutil.copy(FLOOR.folder / "floor.py", folder)
    return folder


def _build_textbook(folder: Path, python: str) -> Path:
    # Away from here, where SAM would find the settings of Lambdo's own template.
    sources = shutil.copytree(TEXTBOOK.folder.parent, folder / "sources")
    return _sam_build(python, sources, folder / "built") / "Tasks"


def _find_python() -> str:
    # Itself, and not what may stand before it on the path and start it later.
    return subprocess.run(
        ["python3.13", "-c", "import os, sys; print(os.path.realpath(sys.executable))"],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    ).stdout.strip()


def _sam_build(python: str, template: Path, folder: Path, *resources: str) -> Path:
    command = [
        *(str(_SAM), "build", *resources, "--build-dir", str(folder)),
        *("--parameter-overrides", f"Architecture={ARCHITECTURE}"),
    ]
    path = f"{Path(python).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "SAM_CLI_TELEMETRY": "0"}
    try:
        subprocess.run(
            command, cwd=template, env=environment, capture_output=True, text=True, check=True
        )
    except subprocess.CalledProcessError as error:
        error.add_note(error.stderr)
        raise
    return folder


def _compile(python: str, folder: Path) -> None:
    # As infra/layer.py does it for Lambdo.
    subprocess.run(
        [python, "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash", str(folder)],
        check=True,
    )


def _make_writable(folder: Path, writable: bool) -> None:
    for path in (folder, *folder.rglob("*")):
        if path.is_dir():
            path.chmod(0o755 if writable else 0o555)
