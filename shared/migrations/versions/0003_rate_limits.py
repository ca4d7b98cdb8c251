"""How often somebody has called within the last minute.

Revision ID: 0003
Revises: 0002
"""

from alembic import op

revision = "0003"
down_revision = "0002"

# Unlogged: a count is worth no waiting for the disk. It starts anew when the server has crashed.
_TABLE = """
CREATE UNLOGGED TABLE rate_limits (
    subject text PRIMARY KEY,
    window_start timestamptz NOT NULL DEFAULT now(),
    calls integer NOT NULL DEFAULT 1
) WITH (fillfactor = 50);
CREATE INDEX rate_limits_by_window ON rate_limits (window_start);
ALTER TABLE rate_limits ENABLE ROW LEVEL SECURITY;
"""

# A window begins with the first call in it and ends a minute later. The row's lock makes whoever
# comes at the same moment wait for the one before, so that the count is exact, whatever process or
# machine counts. It is the owner of the table who counts: nobody else reads it or changes it.
_COUNT = """
CREATE FUNCTION count_call(who text, allowed integer, OUT used integer, OUT seconds_left integer)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO rate_limits AS r (subject) VALUES (who)
    ON CONFLICT (subject) DO UPDATE SET (window_start, calls) = (
        SELECT CASE WHEN is_over THEN now() ELSE r.window_start END,
               CASE WHEN is_over THEN 1 ELSE r.calls + 1 END
        FROM (SELECT r.window_start <= now() - interval '1 minute' AS is_over) AS last
    )
    RETURNING calls, ceil(extract(epoch FROM window_start + interval '1 minute' - now()))
    INTO used, seconds_left;
    IF used > allowed THEN
        RAISE EXCEPTION USING
            ERRCODE = 'LR429', MESSAGE = 'too many calls',
            DETAIL = concat(allowed, ' ', greatest(seconds_left, 1));
    END IF;
    IF used = 1 THEN
        -- Whoever does not come back leaves a row behind: a few of those go with each new window.
        DELETE FROM rate_limits WHERE subject IN (
            SELECT subject FROM rate_limits WHERE window_start < now() - interval '1 hour'
            ORDER BY window_start LIMIT 10 FOR UPDATE SKIP LOCKED
        );
    END IF;
END $$;
REVOKE EXECUTE ON FUNCTION count_call FROM PUBLIC;
GRANT EXECUTE ON FUNCTION count_call TO lambdo_api;
"""


def upgrade() -> None:
    """Make it all."""
    for statements in (_TABLE, _COUNT):
        op.execute(statements)


def downgrade() -> None:
    """Drop it all."""
    op.execute("DROP FUNCTION count_call; DROP TABLE rate_limits")
