"""What a function waits for at its start: never what it does not need to serve a request."""

import os
import subprocess
import sys

import pytest

from infra.template import ROOT, read_routes
from tests.clients import SECRET

SLOW = {"alembic", "boto3", "botocore.session", "hypothesis", "sqlalchemy", "sqlmodel"}
"""Migrations, secret stores and tests import these; each would add a tenth of a second or more."""


SIGN_IN = {"argon2"}
"""What only registering and logging in wait for. (FastAPI itself imports email_validator.)"""
LAZY = {"dns", "zxcvbn"}
"""What nothing needs at its start, or at all."""


@pytest.mark.parametrize("handler", sorted({route.handler for route in read_routes()}))
def test_no_function_imports_what_serves_no_request(handler: str) -> None:
    code = f"import sys, {handler.partition('.')[0]}; print(*sys.modules)"
    printed = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={
            **os.environ,
            "PYTHONPATH": f".{os.pathsep}functions",
            "DATABASE_URL": "postgresql://127.0.0.1:1/none",
            "BETTER_AUTH_SECRET": SECRET,
        },
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    imported = {*printed.split()}
    assert (SLOW | LAZY) & imported == set()
    needed = SIGN_IN if handler in ("register.handler", "log_in.handler") else set()
    assert SIGN_IN & imported == needed
