"""
Stored answers of earlier releases erased: the database alone gave them away. Seats are counted apart.

The claims stay: a request that is repeated is refused, and nothing is done twice.
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Erase the answers; make the table of counts, empty, and the indexes that seats are counted by."""
    if op.get_bind().dialect.name == "sqlite":
        op.execute("PRAGMA secure_delete = ON")  # the file keeps no old bytes of what is overwritten
    op.execute("UPDATE answered SET status = 0, body = ''")
    op.create_table(
        "seat_counts",
        sa.Column("license", sa.Text(), nullable=False),
        sa.Column("taken", sa.Integer(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["license"], ["licenses.id"], name=op.f("fk_seat_counts_license")),
        sa.PrimaryKeyConstraint("license", name=op.f("pk_seat_counts")),
    )
    op.drop_index("ix_leases_live", "leases")
    op.create_index("ix_leases_held", "leases", ["license", "released", "ends"], unique=False)
    op.create_index("ix_leases_offline", "leases", ["license", "offline_until", "installation"], unique=False)
