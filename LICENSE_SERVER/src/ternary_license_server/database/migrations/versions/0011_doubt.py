"""
Whether a process doubts the clock, so that another one that starts now does not believe it.
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Add the column, empty: nobody is in doubt."""
    op.add_column("clock", sa.Column("doubt_since", sa.BigInteger(), nullable=True))
