"""SAM CLI, as a deployment runs it: in the project, with its settings."""

import os
import subprocess
from pathlib import Path

from infra.template import ROOT
from tests.runtime import ARCHITECTURE

_SAM = ROOT / ".venv" / "sam" / "bin" / "sam"


def run_sam(*arguments: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run SAM CLI in the project."""
    return subprocess.run(
        [str(_SAM), *arguments, "--config-file", str(ROOT / "samconfig.toml")],
        cwd=ROOT,
        env={**os.environ, **environment, "SAM_CLI_TELEMETRY": "0", "SAM_CLI_POLL_DELAY": "0.1"},
        capture_output=True,
        text=True,
        check=False,
    )


def build_api(folder: Path) -> Path:
    """Fill `folder` with what is deployed to a machine like this one; its template."""
    result = run_sam(
        *("build", "--config-env", "dev", "--build-dir", str(folder)),
        *("--parameter-overrides", f"Architecture={ARCHITECTURE}"),
        environment={},
    )
    assert result.returncode == 0, result.stderr
    return folder / "template.yaml"
