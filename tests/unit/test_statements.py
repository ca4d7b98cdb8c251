"""The SQL that functions send is what shared/queries says."""

from infra.statements import STATEMENTS, compile_modules


def test_the_statements_are_those_of_the_queries() -> None:
    made = {f"{name}.py": text for name, text in compile_modules().items()}
    kept = {path.name: path.read_text() for path in STATEMENTS.glob("*.py")}
    del kept["__init__.py"]
    assert kept == made, "run `make statements`"


def test_no_statement_has_a_value_for_a_parameter_that_is_the_requesters() -> None:
    for text in compile_modules().values():
        for statement in text.split('"""')[3::2]:
            named = "tasks.user_id" in statement or "users.id =" in statement
            assert not named or "%(user_id)s::VARCHAR" in statement, statement
