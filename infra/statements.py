"""Compiles shared/queries to the SQL text of shared/statements: python -m infra.statements"""

import importlib
from collections.abc import Iterator
from types import ModuleType
from typing import Any

from sqlalchemy import BindParameter, ClauseElement, SelectBase, UpdateBase
from sqlalchemy.dialects.postgresql.psycopg import PGCompiler_psycopg, PGDialect_psycopg

from infra.template import ROOT

QUERIES = ROOT / "shared" / "queries"
STATEMENTS = ROOT / "shared" / "statements"


class _Compiler(PGCompiler_psycopg):
    """Leaves parameters to those who send a statement, and writes constants into it."""

    def visit_bindparam(self, bindparam: BindParameter[Any], *args: Any, **options: Any) -> str:
        """SQL for a parameter: its placeholder, or its value where it has one."""
        options["literal_binds"] = not bindparam.required
        return super().visit_bindparam(bindparam, *args, **options)  # type: ignore[no-any-return, no-untyped-call]


class _Dialect(PGDialect_psycopg):
    statement_compiler = _Compiler
    supports_statement_cache = True


_DIALECT = _Dialect()  # type: ignore[no-untyped-call]


def compile_statement(statement: ClauseElement) -> str:
    """The SQL text of a statement, with %(name)s::TYPE for each of its parameters."""
    text = str(statement.compile(dialect=_DIALECT))
    # psycopg would take %% for %; ours looks for nothing but placeholders.
    return "\n".join(line.rstrip() for line in text.replace("%%", "%").splitlines())


def compile_modules() -> dict[str, str]:
    """The modules of shared/statements by name: one for each of shared/queries with statements."""
    modules = {}
    for path in sorted(QUERIES.glob("*.py")):
        module = importlib.import_module(f"shared.queries.{path.stem}")
        if constants := "".join(_render_constants(module)):
            about = f"Made of {module.__name__} by `make statements`."
            modules[path.stem] = f'"""{about}"""\n{constants}'
    return modules


def _render_constants(module: ModuleType) -> Iterator[str]:
    """A line of Python for each statement, and each dict of statements, of a module's own."""
    for name, value in vars(module).items():
        if not name.isupper() or name.startswith("_"):
            continue
        if isinstance(value, SelectBase | UpdateBase):
            yield f"\n{name} = {_render(value)}\n"
        elif isinstance(value, dict):
            entries = (f"    {_quote(key)}: {_render(each)},\n" for key, each in value.items())
            key_type = _name_type(next(iter(value)))
            yield f"\n{name}: dict[{key_type}, str] = {{\n{''.join(entries)}}}\n"


def _quote(key: object) -> str:
    return repr(key).replace("'", '"')


def _name_type(key: object) -> str:
    if isinstance(key, tuple):
        return f"tuple[{', '.join(map(_name_type, key))}]"
    return type(key).__name__


def _render(statement: ClauseElement) -> str:
    return f'"""\\\n{compile_statement(statement)}\n"""'


if __name__ == "__main__":
    for name, text in compile_modules().items():
        (STATEMENTS / f"{name}.py").write_text(text)
