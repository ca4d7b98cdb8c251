"""What makes a page of a listing cost the same, however many tasks there are.

Revision ID: 0004
Revises: 0003
"""

from alembic import op

revision = "0004"
down_revision = "0003"

# Row-level security keeps Postgres from using an index of words for a user's own query, because a
# text search could leak rows. So the function runs as the owner of the table, finds tasks of the
# user of this transaction alone, and answers nothing but their ids.
#
# Each word begins with a mark of the task's owner. That makes the words of a user a part of the
# index of their own, few or many.
_FUNCTIONS = """
CREATE FUNCTION own_words(owner text, words text) RETURNS text[]
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT ARRAY(
        SELECT left(md5(owner), 8) || word
        FROM unnest(tsvector_to_array(search_words(words))) AS word
    )
$$;

-- What finds the caller's tasks in which every word of this text begins a word; null where it has
-- no word.
CREATE OR REPLACE FUNCTION search_query(words text) RETURNS tsquery
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT string_agg(quote_literal(word) || ':*', ' & ')::tsquery
    FROM unnest(own_words(current_setting('app.user_id', true), words)) AS word
$$;

-- The ids of those tasks. IS NOT DISTINCT FROM, because it keeps Postgres from looking through all
-- tasks of the user, which it takes for few.
CREATE FUNCTION find_tasks(words text) RETURNS uuid[]
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = public, pg_temp SET plan_cache_mode = force_custom_plan AS $$
DECLARE
    owner text := nullif(current_setting('app.user_id', true), '');
    query tsquery := search_query(words);
BEGIN
    IF query IS NULL THEN
        RETURN ARRAY(SELECT id FROM tasks WHERE user_id = owner);
    END IF;
    RETURN ARRAY(
        SELECT id FROM tasks WHERE search @@ query AND user_id IS NOT DISTINCT FROM owner
    );
END $$;
REVOKE EXECUTE ON FUNCTION find_tasks FROM PUBLIC;
GRANT EXECUTE ON FUNCTION find_tasks TO lambdo_api;
"""

# Words go into the index at once. Kept aside first, they would be put there by some unlucky call.
_SEARCH = """
ALTER TABLE tasks DROP COLUMN search, ADD COLUMN search tsvector GENERATED ALWAYS AS (
    array_to_tsvector(own_words(user_id, title || coalesce(' ' || description, '')))
) STORED;
CREATE INDEX tasks_by_words ON tasks USING gin (search) WITH (fastupdate = off);
"""

# One for every order but the commonest, which has tasks_by_created_at. Tasks of a status and a
# priority are together, because listings are often of some only.
_INDEXES = """
CREATE INDEX tasks_filtered_by_created_at ON tasks
    (user_id, is_completed, priority_rank, created_at, id);
CREATE INDEX tasks_filtered_by_updated_at ON tasks
    (user_id, is_completed, priority_rank, updated_at, id);
CREATE INDEX tasks_filtered_by_due_at ON tasks (user_id, is_completed, priority_rank,
    (CASE WHEN due_at IS NULL THEN 'infinity' ELSE due_at END), id);
CREATE INDEX tasks_filtered_by_due_at_desc ON tasks (user_id, is_completed, priority_rank,
    (CASE WHEN due_at IS NULL THEN '-infinity' ELSE due_at END), id);
CREATE INDEX tasks_filtered_by_title ON tasks
    (user_id, is_completed, priority_rank, title_key, id);
CREATE INDEX tasks_filtered_by_priority ON tasks (user_id, is_completed, priority_rank, id);
DROP INDEX tasks_by_updated_at, tasks_by_due_at, tasks_by_due_at_desc, tasks_by_priority,
    tasks_by_title;
"""

_INDEXES_BEFORE = """
CREATE INDEX tasks_by_updated_at ON tasks (user_id, updated_at, id);
CREATE INDEX tasks_by_due_at ON tasks
    (user_id, (CASE WHEN due_at IS NULL THEN 'infinity' ELSE due_at END), id);
CREATE INDEX tasks_by_due_at_desc ON tasks
    (user_id, (CASE WHEN due_at IS NULL THEN '-infinity' ELSE due_at END), id);
CREATE INDEX tasks_by_priority ON tasks (user_id, priority_rank, id);
CREATE INDEX tasks_by_title ON tasks (user_id, title_key, id);
DROP INDEX tasks_filtered_by_created_at, tasks_filtered_by_updated_at, tasks_filtered_by_due_at,
    tasks_filtered_by_due_at_desc, tasks_filtered_by_title, tasks_filtered_by_priority;
"""

_SEARCH_BEFORE = """
ALTER TABLE tasks DROP COLUMN search, ADD COLUMN search tsvector
    GENERATED ALWAYS AS (search_words(title) || search_words(description)) STORED;
DROP FUNCTION find_tasks(text);
CREATE OR REPLACE FUNCTION search_query(words text) RETURNS tsquery
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT string_agg(quote_literal(word) || ':*', ' & ')::tsquery
    FROM unnest(tsvector_to_array(search_words(words))) AS word
$$;
DROP FUNCTION own_words(text, text);
"""


def upgrade() -> None:
    """Make it all."""
    for statements in (_FUNCTIONS, _SEARCH, _INDEXES):
        op.execute(statements)


def downgrade() -> None:
    """Put everything back as it was."""
    for statements in (_INDEXES_BEFORE, _SEARCH_BEFORE):
        op.execute(statements)
