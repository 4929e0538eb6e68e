"""
What Alembic runs: the migrations, on the connection that ``migration.migrate`` has opened.
"""

from alembic import context

from ternary_license_server.database.schema import metadata

context.configure(
    connection=context.config.attributes["connection"], target_metadata=metadata, transactional_ddl=True
)
with context.begin_transaction():
    context.run_migrations()
