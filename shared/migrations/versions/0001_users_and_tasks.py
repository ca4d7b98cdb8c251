"""Users and tasks, their rules, and the role that requests run as.

Revision ID: 0001
Revises:
"""

from alembic import op

revision = "0001"
down_revision = None

_FUNCTIONS = r"""
-- RFC 9562, 5.7 and 6.2 (method 3): milliseconds, then the rest of the microseconds, then chance.
-- It is made of the same clock as created_at, so both order tasks alike.
CREATE FUNCTION uuid_v7() RETURNS uuid LANGUAGE sql VOLATILE AS $$
    SELECT encode(
        substring(int8send(us / 1000) FROM 3)
        || int2send((28672 + us % 1000 * 4096 / 1000)::smallint)
        || substring(uuid_send(gen_random_uuid()) FROM 9), 'hex')::uuid
    FROM (SELECT (extract(epoch FROM now()) * 1000000)::bigint AS us) AS clock
$$;

-- The words of a text, in lower case, of which their first 255 characters count. What parts words
-- is spelled out (punctuation, symbols, emoji), because what a database takes for a letter depends
-- on its locale, and its parser takes a mail address or a path for one word.
CREATE FUNCTION search_words(words text) RETURNS tsvector LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT to_tsvector('pg_catalog.simple', regexp_replace(regexp_replace(
        translate(coalesce(words, ''), chr(962), chr(963)) COLLATE "default", '[' || -- one sigma
        '\u0001-\u002f\u003a-\u0040\u005b-\u0060\u007b-\u00a9\u00ab-\u00b1\u00b4\u00b6-\u00b8' ||
        '\u00bb\u00bf\u00d7\u00f7\u037e\u0387\u055a-\u055f\u0589\u058a\u05be\u05c0\u05c3' ||
        '\u05f3\u05f4\u060c\u061b\u061f\u066a-\u066d\u06d4\u0964\u0965\u1680\u2000-\u206f' ||
        '\u20a0-\u20cf' ||
        '\u2190-\u245f\u2500-\u2bff\u2e00-\u2e7f\u3000-\u3004\u3008-\u3020\u3030\u303d-\u303f' ||
        '\u30a0\u30fb\ufe00-\ufe1f\ufe30-\ufe6f\uff01-\uff0f\uff1a-\uff20\uff3b-\uff40' ||
        '\uff5b-\uff65\ufff9-\uffff\U0001f000-\U0001faff' ||
        ']+', ' ', 'g'), '([^ ]{255})[^ ]+', '\1', 'g'))
$$;

-- What finds the texts in which every word of this one begins a word; null where it has none.
CREATE FUNCTION search_query(words text) RETURNS tsquery LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT string_agg(quote_literal(word) || ':*', ' & ')::tsquery
    FROM unnest(tsvector_to_array(search_words(words))) AS word
$$;

CREATE FUNCTION keep_user_times() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.updated_at := OLD.updated_at;
    IF NEW IS DISTINCT FROM OLD THEN
        NEW.updated_at := greatest(clock_timestamp(), OLD.updated_at + interval '1 microsecond');
    END IF;
    RETURN NEW;
END $$;

-- updated_at moves forward on every change, also where the clock does not, and only then.
CREATE FUNCTION keep_task_times() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        NEW.updated_at := OLD.updated_at;
        NEW.completed_at := OLD.completed_at;
        IF (NEW.user_id, NEW.title, NEW.description, NEW.priority, NEW.due_at, NEW.is_completed)
            IS NOT DISTINCT FROM
            (OLD.user_id, OLD.title, OLD.description, OLD.priority, OLD.due_at, OLD.is_completed)
        THEN
            RETURN NEW;
        END IF;
        NEW.updated_at := greatest(clock_timestamp(), OLD.updated_at + interval '1 microsecond');
    END IF;
    IF NOT NEW.is_completed THEN
        NEW.completed_at := NULL;
    ELSIF NEW.completed_at IS NULL THEN
        NEW.completed_at := NEW.updated_at;
    END IF;
    RETURN NEW;
END $$;
"""

_TABLES = """
CREATE TABLE users (
    id text PRIMARY KEY,
    email text,
    hashed_password text,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT users_id_length CHECK (char_length(id) BETWEEN 1 AND 255)
);
CREATE UNIQUE INDEX users_email_key ON users (lower(email));
CREATE TRIGGER keep_times BEFORE UPDATE ON users
    FOR EACH ROW EXECUTE FUNCTION keep_user_times();

CREATE TABLE tasks (
    id uuid PRIMARY KEY DEFAULT uuid_v7(),
    user_id text NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    title text COLLATE "C" NOT NULL,
    description text,
    priority text NOT NULL DEFAULT 'medium',
    due_at timestamptz,
    is_completed boolean NOT NULL DEFAULT false,
    completed_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    priority_rank smallint
        GENERATED ALWAYS AS (array_position('{low,medium,high}', priority) - 1) STORED,
    title_key text COLLATE "C" GENERATED ALWAYS AS (left(title, 400)) STORED,
    search tsvector
        GENERATED ALWAYS AS (search_words(title) || search_words(description)) STORED,
    CONSTRAINT tasks_title_length CHECK (char_length(title) BETWEEN 1 AND 500),
    CONSTRAINT tasks_description_length CHECK (char_length(description) <= 5000),
    CONSTRAINT tasks_priority CHECK (priority IN ('low', 'medium', 'high')),
    CONSTRAINT tasks_completed_at CHECK (is_completed = (completed_at IS NOT NULL))
);
CREATE TRIGGER keep_times BEFORE INSERT OR UPDATE ON tasks
    FOR EACH ROW EXECUTE FUNCTION keep_task_times();

-- One for every order of a listing; each is read in both directions. A task without due_at comes
-- last in both, which takes two.
CREATE INDEX tasks_by_created_at ON tasks (user_id, created_at, id);
CREATE INDEX tasks_by_updated_at ON tasks (user_id, updated_at, id);
CREATE INDEX tasks_by_due_at ON tasks
    (user_id, (CASE WHEN due_at IS NULL THEN 'infinity' ELSE due_at END), id);
CREATE INDEX tasks_by_due_at_desc ON tasks
    (user_id, (CASE WHEN due_at IS NULL THEN '-infinity' ELSE due_at END), id);
CREATE INDEX tasks_by_priority ON tasks (user_id, priority_rank, id);
CREATE INDEX tasks_by_title ON tasks (user_id, title_key, id);
"""

# Roles belong to all databases of a server, so another one may have made this role already.
_ROLE = """
DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'lambdo_api') THEN
        CREATE ROLE lambdo_api NOLOGIN;
    END IF;
END $$;
GRANT lambdo_api TO CURRENT_USER;
GRANT USAGE ON SCHEMA public TO lambdo_api;
GRANT SELECT, INSERT, UPDATE, DELETE ON users, tasks TO lambdo_api;

-- The setting is empty, not null, on a pooled connection that another request has used before.
ALTER TABLE users ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_user ON users TO lambdo_api
    USING (id = nullif(current_setting('app.user_id', true), ''));
ALTER TABLE tasks ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_tasks ON tasks TO lambdo_api
    USING (user_id = nullif(current_setting('app.user_id', true), ''));
"""

_DROP = """
DROP TABLE tasks;
DROP TABLE users;
DROP FUNCTION keep_task_times();
DROP FUNCTION keep_user_times();
DROP FUNCTION search_query(text);
DROP FUNCTION search_words(text);
DROP FUNCTION uuid_v7();
REVOKE USAGE ON SCHEMA public FROM lambdo_api;
DO $$ BEGIN
    DROP ROLE lambdo_api;
EXCEPTION WHEN dependent_objects_still_exist THEN
    NULL; -- another database of this server still uses it
END $$;
"""


def upgrade() -> None:
    """Make it all."""
    for statements in (_FUNCTIONS, _TABLES, _ROLE):
        op.execute(statements)


def downgrade() -> None:
    """Drop it all, with every task in it."""
    op.execute(_DROP)
