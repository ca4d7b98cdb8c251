"""Tasks as they are answered, so that Postgres need not read their JSON's definition at each call.

Revision ID: 0006
Revises: 0005
"""

from alembic import op

revision = "0006"
down_revision = "0005"

# Tasks are written through it, too, because it is a view of one table. Policies hold for whoever
# uses it, as they do for the table. A change moves updated_at, so that tells versions apart.
_VIEW = """
CREATE VIEW task_answers WITH (security_invoker = true) AS
SELECT id, user_id, title, description, priority, due_at, is_completed, completed_at, created_at,
    updated_at,
    concat(
        '{"id":"', id,
        '","user_id":', to_json(user_id),
        ',"title":', to_json(title),
        ',"description":', coalesce(to_json(description)::text, 'null'),
        ',"priority":"', priority,
        '","due_at":', coalesce(
            '"' || replace((due_at AT TIME ZONE INTERVAL '0')::text, ' ', 'T') || 'Z"', 'null'
        ),
        ',"is_completed":', is_completed::text,
        ',"completed_at":', coalesce(
            '"' || replace((completed_at AT TIME ZONE INTERVAL '0')::text, ' ', 'T') || 'Z"', 'null'
        ),
        ',"created_at":"', replace((created_at AT TIME ZONE INTERVAL '0')::text, ' ', 'T'),
        'Z","updated_at":"', replace((updated_at AT TIME ZONE INTERVAL '0')::text, ' ', 'T'),
        'Z"}'
    ) AS json,
    to_hex((extract(epoch FROM updated_at) * 1000000)::bigint) AS etag
FROM tasks;
GRANT SELECT, INSERT, UPDATE, DELETE ON task_answers TO lambdo_api;
"""


def upgrade() -> None:
    """Make it."""
    op.execute(_VIEW)


def downgrade() -> None:
    """Drop it."""
    op.execute("DROP VIEW task_answers")
