"""
Stored answers of earlier releases erased: the database alone gave them away. Indexes to count seats by.

The claims stay: a request that is repeated is refused, and nothing is done twice.
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0007"


def upgrade() -> None:
    """Erase the answers, and index the seats that are held, and offline licenses, by their ends."""
    if op.get_bind().dialect.name == "sqlite":
        op.execute("PRAGMA secure_delete = ON")  # the file keeps no old bytes of what is overwritten
    op.execute("UPDATE answered SET status = 0, body = ''")
    op.drop_index("ix_leases_live", "leases")
    _index("ix_leases_held", "ends", "released IS NULL")
    _index("ix_leases_offline", "offline_until", "offline_until IS NOT NULL")


def _index(name: str, end: str, condition: str) -> None:
    where = sa.text(condition)
    columns = ["license", end, "installation"]
    op.create_index(name, "leases", columns, unique=False, sqlite_where=where, postgresql_where=where)
