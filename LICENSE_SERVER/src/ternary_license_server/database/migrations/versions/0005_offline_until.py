"""
Until when an installation's offline licenses run, kept apart from the lease that stands in its row now.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add the moment; an offline lease that is in its row today, given back or not, runs until its end."""
    op.add_column("leases", sa.Column("offline_until", sa.BigInteger(), nullable=True))
    leases = sa.table("leases", sa.column("offline"), sa.column("ends"), sa.column("offline_until"))
    op.execute(sa.update(leases).where(leases.c.offline == sa.true()).values(offline_until=leases.c.ends))
