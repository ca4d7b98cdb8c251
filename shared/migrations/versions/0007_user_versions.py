"""A version for each user, which orders the changes of their tasks.

Revision ID: 0007
Revises: 0006
"""

from alembic import op

revision = "0007"
down_revision = "0006"

# Every command of a user locks this row first, so they happen one after the other.
_TABLE = """
CREATE TABLE user_versions (
    user_id text PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    version bigint NOT NULL DEFAULT 1
) WITH (fillfactor = 50);
ALTER TABLE user_versions ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_version ON user_versions TO lambdo_api
    USING (user_id = nullif(current_setting('app.user_id', true), ''));
GRANT SELECT, INSERT, UPDATE ON user_versions TO lambdo_api;

CREATE FUNCTION add_user_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO user_versions (user_id) VALUES (NEW.id);
    RETURN NULL;
END $$;
CREATE TRIGGER add_version AFTER INSERT ON users
    FOR EACH ROW EXECUTE FUNCTION add_user_version();

-- The user's next version. A transaction moves it forward once: after that the row is its own.
-- Where there is no such user, a foreign key refuses the task.
CREATE FUNCTION next_version(owner text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    reached bigint;
BEGIN
    UPDATE user_versions SET version = version + 1
    WHERE user_id = owner AND xmin <> pg_current_xact_id()::xid
    RETURNING version INTO reached;
    IF NOT FOUND THEN
        SELECT version INTO reached FROM user_versions WHERE user_id = owner;
    END IF;
    RETURN coalesce(reached, 1);
END $$;
"""

_REQUIRE_USER = """
CREATE FUNCTION require_user() RETURNS void LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM users WHERE id = current_setting('app.user_id')) THEN
        RAISE EXCEPTION USING ERRCODE = 'LR401', MESSAGE = 'there is no such user';
    END IF;
END $$;
"""


def upgrade() -> None:
    """Make it all."""
    for statements in (_TABLE, _REQUIRE_USER):
        op.execute(statements)


def downgrade() -> None:
    """Drop it all."""
    op.execute("""
        DROP FUNCTION require_user();
        DROP TRIGGER add_version ON users;
        DROP FUNCTION add_user_version(), next_version(text);
        DROP TABLE user_versions
    """)
