"""
Stored answers by age, so that old ones are found without reading all.
"""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Index the stored answers."""
    op.create_index("ix_answered_created", "answered", ["created"], unique=False)
