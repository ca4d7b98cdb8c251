"""From a field of a pydantic model to the column that Postgres keeps it in."""

from datetime import date, datetime
from types import NoneType
from typing import Annotated, Any, ClassVar, Literal, get_args, get_origin
from uuid import UUID

from annotated_types import Ge, Le, MaxLen, MinLen
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined
from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Double,
    Table,
    Text,
    TextClause,
    Uuid,
    text,
)
from sqlalchemy.types import TypeEngine
from sqlmodel import Field, SQLModel

_TYPES: dict[Any, TypeEngine[Any]] = {
    bool: Boolean(),
    date: Date(),
    datetime: DateTime(timezone=True),
    float: Double(),
    int: BigInteger(),
    str: Text(),
    UUID: Uuid(),
}


class Columns(SQLModel):
    """A table whose fields become columns as this schema has them.

    A text has no length, a time has a zone. What a field allows is a constraint of its column,
    and its default is the column's: so a column can be added to a table that has rows.
    """

    __table__: ClassVar[Table]

    @classmethod
    def __pydantic_init_subclass__(cls, **_: Any) -> None:
        """Give each field its column, before SQLModel makes one of its own."""
        for name, field in cls.__pydantic_fields__.items():
            if not hasattr(field, "sa_column"):
                column: Any = Field(sa_column=_column(name, field))
                column.annotation = field.annotation
                cls.__pydantic_fields__[name] = column


def _column(name: str, field: FieldInfo) -> Column[Any]:
    kind, rules, nullable = _unwrap(field.rebuild_annotation())
    check = _check(name, kind, rules)
    return Column(
        name,
        _type_of(kind),
        *([] if check is None else [CheckConstraint(check)]),
        nullable=nullable,
        server_default=_server_default(field.default),
    )


def _unwrap(annotation: Any) -> tuple[Any, list[Any], bool]:
    """The type of a field's values, the rules for them, and whether null is one of them."""
    if get_origin(annotation) is Annotated:
        inner, *metadata = get_args(annotation)
        kind, rules, nullable = _unwrap(inner)
        for each in metadata:
            rules += each.metadata if isinstance(each, FieldInfo) else [each]
        return kind, rules, nullable
    members = get_args(annotation)
    if NoneType in members:
        (member,) = (each for each in members if each is not NoneType)
        kind, rules, _ = _unwrap(member)
        return kind, rules, True
    return annotation, [], False


def _type_of(kind: Any) -> TypeEngine[Any]:
    """The column type for values of `kind`. Raises TypeError where none is known."""
    if get_origin(kind) is Literal:
        return Text()
    if get_origin(kind) is list:
        return ARRAY(_type_of(_unwrap(get_args(kind)[0])[0]))
    if kind not in _TYPES:
        raise TypeError(f"{kind} has no column type; add it to _TYPES in {__name__}")
    return _TYPES[kind]


def _check(name: str, kind: Any, rules: list[Any]) -> str | None:
    """The condition that Postgres holds values to; None where every value is allowed."""
    if get_origin(kind) is Literal:
        values = ", ".join(f"'{value}'" for value in get_args(kind))
        return f"{name} IN ({values})"
    size = f"cardinality({name})" if get_origin(kind) is list else f"char_length({name})"
    limits = [
        f"{subject} {operator} {getattr(rule, attribute)}"
        for rule in rules
        for rule_type, subject, operator, attribute in (
            (MinLen, size, ">=", "min_length"),
            (MaxLen, size, "<=", "max_length"),
            (Ge, name, ">=", "ge"),
            (Le, name, "<=", "le"),
        )
        if isinstance(rule, rule_type)
    ]
    return " AND ".join(limits) or None


def _server_default(default: Any) -> str | TextClause | None:
    if default is None or default is PydanticUndefined:
        return None
    if isinstance(default, str):
        return default
    return "{}" if default == [] else text(str(default).lower())
