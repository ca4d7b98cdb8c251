"""What Lambda would find of each subject, as `sam build` leaves it, in a tree that is read-only."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
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
    with tempfile.TemporaryDirectory(prefix="lambdo-") as name:
        folder = Path(name)
        runtime = install_runtime_client(folder / "runtime")

        _sam_build(ROOT, folder / "lambdo", "ListTasks")
        lambdo = [folder / "lambdo" / "ListTasks", folder / "lambdo" / "SharedLayer" / "python"]

        floor = folder / "floor"
        packages = [f"{name}=={metadata.version(name)}" for name in ("psycopg", "psycopg-binary")]
        install_packages(floor, *packages)
        _compile(python, floor)
        # Lambdo's function is not compiled either.
        shutil.copy(FLOOR.folder / "floor.py", floor)

        # Away from here, where SAM would find the settings of Lambdo's own template.
        sources = shutil.copytree(TEXTBOOK.folder.parent, folder / "textbook-sources")
        _sam_build(sources, folder / "textbook")
        textbook = folder / "textbook" / "Tasks"
        compiled_textbook = shutil.copytree(textbook, folder / "compiled-textbook")
        _compile(python, compiled_textbook)

        for path in (folder, *folder.rglob("*")):
            if path.is_dir():
                path.chmod(0o555)
        try:
            yield Builds(
                python,
                floor=[floor, runtime],
                lambdo=[*lambdo, runtime],
                textbook=[textbook, runtime],
                compiled_textbook=[compiled_textbook, runtime],
            )
        finally:
            for path in (folder, *folder.rglob("*")):
                if path.is_dir():
                    path.chmod(0o755)


def _find_python() -> str:
    # Itself, and not what may stand before it on the path and start it later.
    return subprocess.run(
        ["python3.13", "-c", "import os, sys; print(os.path.realpath(sys.executable))"],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    ).stdout.strip()


def _sam_build(template: Path, folder: Path, *resources: str) -> None:
    subprocess.run(
        [
            *(str(_SAM), "build", *resources, "--build-dir", str(folder)),
            *("--parameter-overrides", f"Architecture={ARCHITECTURE}"),
        ],
        cwd=template,
        env={**os.environ, "SAM_CLI_TELEMETRY": "0"},
        capture_output=True,
        check=True,
    )


def _compile(python: str, folder: Path) -> None:
    # As infra/layer.py does it for Lambdo.
    subprocess.run(
        [python, "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash", str(folder)],
        check=True,
    )
