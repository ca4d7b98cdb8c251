"""Versions for the users who are there already, and an index that the tasks' key becomes.

Revision ID: 0008
Revises: 0007
"""

from alembic import op

from shared.migrations.online import create_index, outside_transaction

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Make both, while the API goes on."""
    with outside_transaction():
        op.execute(
            "INSERT INTO user_versions (user_id) SELECT id FROM users ON CONFLICT DO NOTHING"
        )
        create_index("tasks_of_user", "tasks (user_id, id)", unique=True)


def downgrade() -> None:
    """Drop the index. The versions go with their table."""
    with outside_transaction():
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS tasks_of_user")
