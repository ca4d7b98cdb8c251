"""What is used of other packages beyond their documentation may change with any minor version.

After an upgrade do what the message says, and then change the version here.
"""

from importlib.metadata import version

import pytest


@pytest.mark.parametrize(
    ("package", "known", "check"),
    [
        (
            "fastapi",
            "0.165",
            "Compare JsonRoute (shared/http/requests.py) with fastapi.routing.get_request_handler"
            " and fastapi.dependencies.utils.solve_dependencies: do they still call"
            " request_params_to_args and request_body_to_args with the same arguments, and does"
            " Dependant still have path_params, query_params, header_params, body_params,"
            " dependencies and request_param_name? Run `make bench PARTS=warm`.",
        ),
        (
            "psycopg",
            "3.3",
            "Compare shared/data/connection.py with psycopg.generators (connect, execute, fetch)"
            " and psycopg._pipeline: are PGconn's methods still called in the same order, and does"
            " psycopg.errors.error_from_result still give the class of a SQLSTATE? Read"
            " PGconn.trace in psycopg/pq for scram.py: Linux only, 4 KB a login. Run"
            " tests/integration/test_connecting.py and test_logins.py.",
        ),
    ],
)
def test_a_package_whose_undocumented_parts_are_used_is_the_version_that_was_read(
    package: str, known: str, check: str
) -> None:
    installed = version(package)
    assert installed.startswith(f"{known}."), f"{package} is {installed} now. {check}"
