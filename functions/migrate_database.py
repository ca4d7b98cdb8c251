"""Custom::Migration: the newest schema for the database, at every deployment of the stack."""

from shared.runtime.custom_resource import create_handler


def migrate_database() -> dict[str, str]:
    """Bring the database to the newest version of the schema, unless it is beyond that."""
    # Here, so that CloudFormation hears of a package that cannot be loaded, too.
    from shared import migrations  # noqa: PLC0415

    try:
        return {"SchemaVersion": migrations.upgrade()}
    except migrations.NewerSchema as newer:
        # A deployment that goes back must not fail; code copes with the next version's schema.
        return {"SchemaVersion": newer.version}


handler = create_handler(migrate_database)
