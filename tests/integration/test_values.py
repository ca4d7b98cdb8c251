"""What travels beside SQL and what comes back: the same, whatever characters it has."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from shared.data.connection import Connection, Row, Statement, connect

TIMEOUT = 30


@pytest.fixture
def connection(database_url: str) -> Iterator[Connection]:
    """A connection, for one question."""
    with closing(connect(database_url, TIMEOUT)) as connection:
        yield connection


def ask(connection: Connection, *statements: Statement) -> list[list[Row]]:
    """The rows of statements, none of which fails."""
    rows, failure = connection.ask(statements, TIMEOUT)
    assert failure is None
    return rows


@pytest.mark.parametrize(
    ("value", "kind", "answer"),
    [
        (None, "text", None),
        ("", "text", ""),
        (
            'it\'s 100 %(id)s \\ {"a"} \U0001f600 $1',
            "text",
            'it\'s 100 %(id)s \\ {"a"} \U0001f600 $1',
        ),
        (7, "integer", "7"),
        (0.5, "float8", "0.5"),
        (True, "boolean", "t"),
        (False, "boolean", "f"),
        (datetime(2026, 2, 1, 12, tzinfo=UTC), "timestamptz = '2026-02-01T13:00:00+01:00'", "t"),
        ("2026-02-01", "date = '2026-02-01'", "t"),
    ],
)
def test_a_value_arrives_as_it_was_sent(
    connection: Connection, value: object, kind: str, answer: str | None
) -> None:
    assert ask(connection, Statement(f"SELECT %(value)s::{kind}", {"value": value})) == [
        [(answer,)]
    ]


def test_a_uuid_arrives_as_it_was_sent(connection: Connection) -> None:
    value = uuid4()
    assert ask(connection, Statement("SELECT %(value)s::uuid", {"value": value})) == [
        [(str(value),)]
    ]


def test_texts_of_a_list_arrive_as_they_were_sent(connection: Connection) -> None:
    texts = [
        "",
        "NULL",
        "a,b",
        "{c}",
        'say "d"',
        "back\\slash",
        "\\",
        '\\"',
        " e ",
        "f\ng",
        "\u00e4",
    ]
    sql = "SELECT text FROM unnest(%(texts)s::text[]) WITH ORDINALITY AS t (text, n) ORDER BY n"
    assert ask(connection, Statement(sql, {"texts": texts})) == [[(text,) for text in texts]]


def test_a_name_may_be_there_several_times_or_not_be_needed(connection: Connection) -> None:
    statement = Statement("SELECT %(a)s || %(b)s || %(a)s", {"a": "1", "b": "2", "c": "3"})
    assert ask(connection, statement) == [[("121",)]]


def test_rows_of_several_statements_are_told_apart(connection: Connection) -> None:
    statements = [
        Statement("SELECT FROM generate_series(1, 2)"),
        Statement("SELECT 1 WHERE false"),
        Statement("SELECT n, n + 1 FROM generate_series(1, 2) AS n"),
        Statement("SET LOCAL datestyle = 'ISO'"),
    ]
    assert ask(connection, *statements) == [[(), ()], [], [("1", "2"), ("2", "3")], []]


def test_what_does_not_fit_a_socket_arrives_in_both_directions(connection: Connection) -> None:
    text = "0123456789" * 500_000
    statements = [Statement("SELECT %(text)s::text", {"text": text})] * 3
    assert ask(connection, *statements) == [[(text,)]] * 3


def test_a_value_that_would_be_cut_off_is_not_sent(connection: Connection) -> None:
    with pytest.raises(ValueError, match="NUL"):
        connection.ask([Statement("SELECT %(a)s::text", {"a": "alice\0bob"})], TIMEOUT)
