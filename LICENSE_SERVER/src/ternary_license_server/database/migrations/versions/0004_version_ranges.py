"""
Ranges of versions in the terms of policies and licenses; without one, every release is meant, as before.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add both ends of the range to both tables."""
    for table in ("policies", "licenses"):
        for end in ("versions_from", "versions_below"):
            op.add_column(table, sa.Column(end, sa.Text(), nullable=True))
