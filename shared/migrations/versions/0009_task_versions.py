"""Tasks are unique for their user, not for all, and carry the version of their last change.

Revision ID: 0009
Revises: 0008
"""

from alembic import op

revision = "0009"
down_revision = "0008"

# A default that is a constant is not written into the rows, and the index is there already: so
# neither takes longer the more tasks there are.
_TABLE = """
ALTER TABLE tasks
    ADD COLUMN version bigint NOT NULL DEFAULT 1,
    DROP CONSTRAINT tasks_pkey,
    ADD CONSTRAINT tasks_pkey PRIMARY KEY USING INDEX tasks_of_user;
"""

_TRIGGERS = """
-- Of every change, and only of a change, updated_at and version tell.
CREATE OR REPLACE FUNCTION keep_task_times() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        NEW.updated_at := OLD.updated_at;
        NEW.completed_at := OLD.completed_at;
        NEW.version := OLD.version;
        -- What Postgres generates is not in NEW yet.
        OLD.priority_rank := NULL;
        OLD.title_key := NULL;
        OLD.search := NULL;
        IF NEW IS NOT DISTINCT FROM OLD THEN
            RETURN NEW;
        END IF;
        NEW.updated_at := greatest(clock_timestamp(), OLD.updated_at + interval '1 microsecond');
    END IF;
    NEW.version := next_version(NEW.user_id);
    IF NOT NEW.is_completed THEN
        NEW.completed_at := NULL;
    ELSIF NEW.completed_at IS NULL THEN
        NEW.completed_at := NEW.updated_at;
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION count_deletion() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM next_version(user_id) FROM (SELECT DISTINCT user_id FROM deleted) AS owners;
    RETURN NULL;
END $$;
CREATE TRIGGER count_deletion AFTER DELETE ON tasks REFERENCING OLD TABLE AS deleted
    FOR EACH STATEMENT EXECUTE FUNCTION count_deletion();
"""

_TABLE_BEFORE = """
DROP TRIGGER count_deletion ON tasks;
DROP FUNCTION count_deletion();
ALTER TABLE tasks
    DROP CONSTRAINT tasks_pkey,
    ADD CONSTRAINT tasks_pkey PRIMARY KEY (id),
    DROP COLUMN version;
"""

_TRIGGER_BEFORE = """
CREATE OR REPLACE FUNCTION keep_task_times() RETURNS trigger LANGUAGE plpgsql AS $$
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


def upgrade() -> None:
    """Make it all."""
    for statements in (_TABLE, _TRIGGERS):
        op.execute(statements)


def downgrade() -> None:
    """Put everything back as it was. It fails where two users have a task of the same id."""
    for statements in (_TABLE_BEFORE, _TRIGGER_BEFORE):
        op.execute(statements)
