"""What logging in asks before it knows who somebody is.

Revision ID: 0002
Revises: 0001
"""

from alembic import op

revision = "0002"
down_revision = "0001"

# It runs as its owner, whom no policy binds. So that nobody can slip objects of his own under its
# names, it looks for none beyond those of Postgres itself.
_FIND_ACCOUNT = """
CREATE FUNCTION find_account(address text) RETURNS SETOF users
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT * FROM public.users
    WHERE lower(email) = lower(address) AND hashed_password IS NOT NULL
$$;
REVOKE EXECUTE ON FUNCTION find_account(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION find_account(text) TO lambdo_api;
"""


def upgrade() -> None:
    """Make it."""
    op.execute(_FIND_ACCOUNT)


def downgrade() -> None:
    """Drop it."""
    op.execute("DROP FUNCTION find_account(text)")
