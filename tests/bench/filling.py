"""Fills a database with tasks like people's, in the tables and indexes that migrations made."""

import math
import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import psycopg

OWNER = "0123456789abcdef" * 2
"""Whose tasks are looked at. Ids of Better Auth have 32 characters, too."""


class Size(NamedTuple):
    """How many tasks a database has, and how many of them are OWNER's."""

    tasks: int
    own: int


Say = Callable[[str], object]

_WORDS = 2_000
_TEXTS = 20_000

# Users have from 20 to 2,000 tasks, and as many of them less than 200 as more.
_FEWEST, _MOST = 20, 2_000
_MEAN = (_MOST - _FEWEST) / math.log(_MOST / _FEWEST)

_LOADERS = 2
"""Connections that fill a database at once; each keeps a core busy."""


def _make_words() -> list[str]:
    chance = random.Random(5)  # noqa: S311 - the same in every run
    syllables = [a + b for a in "bdfgklmnprstvz" for b in ("a", "e", "i", "o", "u", "an", "er")]
    words = {"".join(chance.choices(syllables, k=chance.randint(2, 4))) for _ in range(2 * _WORDS)}
    return chance.sample(sorted(words), _WORDS)


VOCABULARY = _make_words()
"""The words of all texts, the commonest first."""


def _make_texts(fewest: int, most: int, end: str) -> Iterator[str]:
    """Texts of so many words."""
    chance = random.Random(end)  # noqa: S311 - the same in every run
    for _ in range(_TEXTS):
        words = (
            VOCABULARY[int(_WORDS * chance.random() ** 2)]
            for _ in range(chance.randint(fewest, most))
        )
        yield " ".join(words).capitalize() + end


# When users stand in the order of how many tasks they have, x being the place of one from 0 to 1,
# all those before x have (100^x - 1) / 99 of the tasks: so it is turned around to find whose a task
# is. The tasks that are listed lie among all others, in the order in which they were created, as
# they would in a database that has grown. Those of another user lie together, and in no order,
# which lets the index of words be made in a fraction of the time.
_INSERT = """
    INSERT INTO tasks (id, user_id, title, description, priority, due_at, is_completed,
                       completed_at, created_at, updated_at, search)
    SELECT uuidv7(created_at - now()), user_id, title, CASE WHEN r1 < 0.6 THEN sentence END,
           CASE WHEN r2 < 0.2 THEN 'low' WHEN r2 < 0.8 THEN 'medium' ELSE 'high' END,
           CASE WHEN r3 < 0.5 THEN timestamptz '2026-01-01' + r3 * 730 * interval '1 day' END,
           r4 < 0.7, CASE WHEN r4 < 0.7 THEN updated_at END, created_at, updated_at,
           array_to_tsvector(string_to_array(replace(
               title_words || CASE WHEN r1 < 0.6 THEN sentence_words ELSE '' END, ' ', mark
           ), '|'))
    FROM (
        SELECT *, created_at + random() * interval '30 days' AS updated_at
        FROM (
            SELECT timestamptz '2024-11-01' + interval '730 days'
                       * CASE WHEN n %% %(every)s = 0 THEN n::float8 / %(tasks)s ELSE random() END
                       AS created_at,
                   CASE WHEN n %% %(every)s = 0 THEN 0
                       ELSE ceil(%(users)s * log(1 + 99 * n::float8 / %(tasks)s) / 2)::int
                   END AS user_number,
                   floor(random() * %(texts)s)::int AS title_number,
                   floor(random() * %(texts)s)::int AS sentence_number,
                   random() AS r1, random() AS r2, random() AS r3, random() AS r4
            FROM generate_series(%(first)s::int, %(last)s::int) AS n
        ) AS numbers
    ) AS drawn
    JOIN owners USING (user_number)
    JOIN titles USING (title_number)
    JOIN sentences USING (sentence_number)
"""


def fill(postgres: str, size: Size, say: Say) -> None:
    """Make tasks like people's in the empty database at `postgres`, in its own tables and indexes.

    Raises RuntimeError where they would not be found by their words.
    """
    started = time.monotonic()

    def tell(what: str) -> None:
        say(f"{size.tasks:9,} tasks, {time.monotonic() - started:5.1f} s: {what}")

    users = math.ceil((size.tasks - size.own) / _MEAN)
    step = math.ceil(size.tasks / _LOADERS)
    values = {
        "tasks": size.tasks,
        "every": size.tasks // size.own,
        "users": users,
        "texts": _TEXTS,
    }
    ranges = [
        {**values, "first": first + 1, "last": min(first + step, size.tasks)}
        for first in range(0, size.tasks, step)
    ]
    with connect(postgres) as connection:
        _prepare(connection, users)
        indexes = _drop_indexes(connection)
        search = _drop_expression(connection)
        _run_at_once(postgres, [(_INSERT, each) for each in ranges])
        tell("loaded")
        _check_search(connection, search)
        connection.execute("VACUUM (FREEZE) tasks")
        tell("vacuumed")
        _run_at_once(postgres, [(index, {}) for index in indexes])
        connection.execute("ANALYZE")
        tell("indexed")
        sizes = connection.execute(
            "SELECT relname, pg_size_pretty(pg_relation_size(oid)) FROM pg_class"
            " WHERE oid = 'tasks'::regclass OR oid IN"
            " (SELECT indexrelid FROM pg_index WHERE indrelid = 'tasks'::regclass) ORDER BY relname"
        )
        for name, pretty in sizes:
            tell(f"{name} has {pretty}")


def connect(postgres: str) -> psycopg.Connection[Any]:
    """A connection to load with. It takes a superuser not to check foreign keys."""
    settings = {
        "session_replication_role": "replica",  # no triggers, and no foreign keys
        "synchronous_commit": "off",
        "jit": "off",
        "work_mem": "64MB",
        "maintenance_work_mem": "2GB",
        # Indexes are made two at once, each in one process.
        "max_parallel_maintenance_workers": "0",
    }
    options = " ".join(f"-c {name}={value}" for name, value in settings.items())
    return psycopg.connect(postgres, user="postgres", autocommit=True, options=options)


def _run_at_once(postgres: str, statements: Sequence[tuple[str, Mapping[str, Any]]]) -> None:
    def run(statement: tuple[str, Mapping[str, Any]]) -> None:
        with connect(postgres) as connection:
            sql, values = statement
            # By the first number of a range, so that every run makes the same tasks.
            connection.execute(
                "SELECT setseed(%s)", [values.get("first", 0) / values.get("tasks", 1)]
            )
            connection.execute(sql, values)

    with ThreadPoolExecutor(_LOADERS) as loaders:
        list(loaders.map(run, statements))


# Words as search_words finds them, each after a place for the mark of its owner, which own_words
# puts before each; the function of a generated column, which does both for each row, takes minutes.
_MATERIALS = """
    CREATE TABLE owners AS
    SELECT n AS user_number, id AS user_id, left((own_words(id, 'x'))[1], -1) AS mark
    FROM generate_series(0, %(users)s) AS n,
         LATERAL (SELECT CASE n WHEN 0 THEN %(owner)s ELSE md5(n::text) END AS id) AS ids;
    INSERT INTO users (id) SELECT user_id FROM owners;
    ALTER TABLE titles ADD title_words text;
    ALTER TABLE sentences ADD sentence_words text;
    UPDATE titles SET title_words =
        ' ' || array_to_string(tsvector_to_array(search_words(title)), '| ');
    UPDATE sentences SET sentence_words =
        '| ' || array_to_string(tsvector_to_array(search_words(sentence)), '| ');
    ANALYZE owners, titles, sentences;
"""


def _prepare(connection: psycopg.Connection[Any], users: int) -> None:
    """Make users, and what tasks are made of."""
    for name, texts in {
        "title": _make_texts(3, 6, ""),
        "sentence": _make_texts(3, 6, "."),
    }.items():
        connection.execute(f"CREATE TABLE {name}s ({name}_number int, {name} text)")
        with connection.cursor().copy(f"COPY {name}s FROM STDIN") as copy:
            for row in enumerate(texts):
                copy.write_row(row)
    with psycopg.ClientCursor(connection) as cursor:
        cursor.execute(_MATERIALS, {"users": users, "owner": OWNER})
    # Nothing of this has to last, and Postgres plans alike for tables that do not.
    connection.execute("ALTER SYSTEM SET fsync = off")
    connection.execute("SELECT pg_reload_conf()")
    connection.execute("ALTER TABLE tasks SET UNLOGGED")
    # It would come in between while times are taken; what it does is done once, by `fill`.
    connection.execute("ALTER TABLE tasks SET (autovacuum_enabled = off)")


def _drop_indexes(connection: psycopg.Connection[Any]) -> list[str]:
    """Drop the indexes of tasks, whatever migrations made; what makes them again, longest first.

    The primary key's is made as the unique index that it is: as a key, it would wait for others.
    """
    indexes = connection.execute(
        "SELECT i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid), indisprimary"
        " FROM pg_index AS i WHERE i.indrelid = 'tasks'::regclass"
    ).fetchall()
    for name, _, is_key in indexes:
        connection.execute(
            f"ALTER TABLE tasks DROP CONSTRAINT {name}" if is_key else f"DROP INDEX {name}"
        )
    return sorted(
        (definition for _, definition, _ in indexes),
        key=lambda definition: "USING gin" not in definition,
    )


def _drop_expression(connection: psycopg.Connection[Any]) -> str:
    """Let the words of tasks be inserted; the expression that made them."""
    ((expression,),) = connection.execute(
        "SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef JOIN pg_attribute AS a"
        " ON (a.attrelid, a.attnum) = (adrelid, adnum)"
        " WHERE adrelid = 'tasks'::regclass AND attname = 'search'"
    )
    connection.execute("ALTER TABLE tasks ALTER search DROP EXPRESSION")
    return str(expression)


def _check_search(connection: psycopg.Connection[Any], expression: str) -> None:
    """Raise RuntimeError where tasks have other words than the expression makes."""
    ((wrong,),) = connection.execute(
        f"SELECT count(*) FROM (SELECT * FROM tasks LIMIT 1000) AS sample"
        f" WHERE search IS DISTINCT FROM {expression}"
    )
    if wrong:
        raise RuntimeError(f"{wrong} of 1,000 tasks would be found by other words")
