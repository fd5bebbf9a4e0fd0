"""Alembic's entry: runs the migrations on the connection handed over in the configuration's attributes."""

from alembic import context

connection = context.config.attributes["connection"]
context.configure(
    connection=connection, version_table="alembic_version", version_table_schema="public", transactional_ddl=True
)
with context.begin_transaction():
    context.run_migrations()
