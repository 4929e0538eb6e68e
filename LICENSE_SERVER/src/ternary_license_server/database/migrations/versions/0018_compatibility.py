"""
The oldest revision whose servers work on these tables, for servers that are older than the tables.
"""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
compatible_from = "0018"


def upgrade() -> None:
    """Add the table; who migrates writes its one row."""
    op.create_table(
        "compatibility",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("since", sa.Text(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_compatibility_one")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_compatibility")),
    )
