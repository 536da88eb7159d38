"""Run by Alembic inside `acequia.ledger.database`, which hands over the connection; there is no alembic.ini."""

from alembic import context

from acequia.ledger.database import VERSION_TABLE

context.configure(
    connection=context.config.attributes["connection"],
    version_table=VERSION_TABLE,
    transactional_ddl=True,  # SQLite can, and a migration that is killed must leave nothing behind
)
with context.begin_transaction():
    context.run_migrations()
