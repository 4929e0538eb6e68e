"""
The newest moment that the database has seen, which a clock is compared with.
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Make the table, empty: the first reading is believed."""
    op.create_table(
        "clock",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("seen", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_clock_one")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clock")),
    )
