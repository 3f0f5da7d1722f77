"""Runs the steps on the connection, and in the transaction, that the caller has opened."""

from alembic import context

context.configure(
    connection=context.config.attributes["connection"],
    # Both databases can take table changes back; alembic believes it of PostgreSQL alone.
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
