"""Calls are counted before they do anything, and users are made only where there are none.

Revision ID: 0005
Revises: 0004
"""

from alembic import op

revision = "0005"
down_revision = "0004"

# The commonest case comes first: below the limit, in a minute that has begun, one row changes. A
# call over the limit changes no row, so it waits for nobody. A database that cannot be written to
# counts nothing, because it can still be read.
_COUNT_CALL = """
CREATE OR REPLACE FUNCTION count_call(
    who text, allowed integer, OUT used integer, OUT seconds_left integer
) LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp SET lock_timeout = '2s' AS $$
DECLARE
    open_since timestamptz := now() - interval '1 minute';
BEGIN
    IF current_setting('transaction_read_only')::boolean THEN
        RETURN;
    END IF;
    UPDATE rate_limits SET calls = calls + 1
    WHERE subject = who AND window_start > open_since AND calls < allowed
    RETURNING calls, ceil(extract(epoch FROM window_start - open_since)) INTO used, seconds_left;
    -- Between the two statements another call may have begun the minute.
    IF NOT FOUND AND NOT EXISTS (
        SELECT FROM rate_limits
        WHERE subject = who AND window_start > open_since AND calls >= allowed
    ) THEN
        INSERT INTO rate_limits AS r (subject) VALUES (who)
        ON CONFLICT (subject) DO UPDATE SET (window_start, calls) = (
            SELECT CASE WHEN is_open THEN r.window_start ELSE now() END,
                   CASE WHEN is_open THEN r.calls + 1 ELSE 1 END
            FROM (SELECT r.window_start > open_since AS is_open) AS last
        )
        RETURNING calls, ceil(extract(epoch FROM window_start - open_since))
        INTO used, seconds_left;
        -- Whoever does not come back leaves a row behind: a few of those go with each new window.
        DELETE FROM rate_limits WHERE subject IN (
            SELECT subject FROM rate_limits WHERE window_start < now() - interval '1 hour'
            ORDER BY window_start LIMIT 10 FOR UPDATE SKIP LOCKED
        );
    END IF;
    IF used IS NULL OR used > allowed THEN
        RAISE EXCEPTION USING
            ERRCODE = 'LR429', MESSAGE = 'too many calls',
            DETAIL = (
                SELECT concat(allowed, ' ', greatest(ceil(extract(epoch FROM
                    window_start - open_since)), 1)) FROM rate_limits WHERE subject = who
            );
    END IF;
END $$;
"""

# Each count is committed at once. Nobody waits for the row while a call does its work, and what a
# call ends in does not undo that it was counted. A function cannot commit; a procedure can, where
# it comes first in a pipeline.
_COUNT_CALLS = """
CREATE PROCEDURE count_calls(
    who text[], limits integer[],
    INOUT allowed integer, INOUT used integer, INOUT seconds_left integer
) LANGUAGE plpgsql AS $$
DECLARE
    counted record;
BEGIN
    FOR i IN 1 .. cardinality(who) LOOP
        SELECT * INTO counted FROM public.count_call(who[i], limits[i]);
        COMMIT;
        -- Of several limits, the nearest is answered.
        IF i = 1 OR limits[i] - counted.used < allowed - used THEN
            allowed := limits[i];
            used := counted.used;
            seconds_left := counted.seconds_left;
        END IF;
    END LOOP;
END $$;
REVOKE EXECUTE ON PROCEDURE count_calls FROM PUBLIC;
GRANT EXECUTE ON PROCEDURE count_calls TO lambdo_api;
"""

# A call that arrives after its caller was told of a failure must not happen any more. The answer is
# the database's clock, in seconds since 1970, of which a deadline is a time.
_CHECK_DEADLINE = """
CREATE FUNCTION check_deadline(deadline float8) RETURNS float8 LANGUAGE plpgsql AS $$
DECLARE
    clock float8 := extract(epoch FROM clock_timestamp());
BEGIN
    IF clock > deadline THEN
        RAISE EXCEPTION USING ERRCODE = 'LR503', MESSAGE = 'the call has been given up';
    END IF;
    RETURN clock;
END $$;
"""

# An address that another user holds already keeps nobody out.
_PROVISION_USER = """
CREATE FUNCTION provision_user(address text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    caller text := current_setting('app.user_id');
BEGIN
    IF NOT EXISTS (SELECT FROM users WHERE id = caller) THEN
        IF address IS NOT NULL THEN
            INSERT INTO users (id, email) VALUES (caller, address) ON CONFLICT DO NOTHING;
        END IF;
        INSERT INTO users (id) VALUES (caller) ON CONFLICT DO NOTHING;
    END IF;
END $$;
"""

_COUNT_CALL_BEFORE = """
CREATE OR REPLACE FUNCTION count_call(
    who text, allowed integer, OUT used integer, OUT seconds_left integer
) LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
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
        DELETE FROM rate_limits WHERE subject IN (
            SELECT subject FROM rate_limits WHERE window_start < now() - interval '1 hour'
            ORDER BY window_start LIMIT 10 FOR UPDATE SKIP LOCKED
        );
    END IF;
END $$;
"""


def upgrade() -> None:
    """Make it all."""
    for statements in (_COUNT_CALL, _COUNT_CALLS, _CHECK_DEADLINE, _PROVISION_USER):
        op.execute(statements)


def downgrade() -> None:
    """Put everything back as it was."""
    op.execute("DROP FUNCTION provision_user, check_deadline; DROP PROCEDURE count_calls")
    op.execute(_COUNT_CALL_BEFORE)
