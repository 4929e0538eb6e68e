"""
Events, the webhooks that they go to, and their deliveries; how far license ends were announced.
"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    """Add the tables, empty, and an index of licenses by their ends."""
    op.create_table(
        "webhooks",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("kinds", sa.Text(), nullable=False),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("delivered", sa.BigInteger(), nullable=False),
        sa.Column("failed", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("state IN ('active', 'paused', 'gone')", name=op.f("ck_webhooks_state")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhooks")),
    )
    op.create_table(
        "events",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_events")),
    )
    op.create_index("ix_events_at", "events", ["at", "id"])
    op.create_table(
        "deliveries",
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("webhook", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("due", sa.BigInteger(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("claim", sa.Text(), nullable=True),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("ended", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("state IN ('pending', 'delivered', 'dead')", name=op.f("ck_deliveries_state")),
        sa.ForeignKeyConstraint(["event"], ["events.id"], name=op.f("fk_deliveries_event")),
        sa.PrimaryKeyConstraint("event", "webhook", name=op.f("pk_deliveries")),
    )
    op.create_index("ix_deliveries_due", "deliveries", ["webhook", "state", "due"])
    op.create_index("ix_deliveries_ended", "deliveries", ["state", "ended"])
    op.create_table(
        "announced_ends",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_announced_ends_one")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_announced_ends")),
    )
    op.create_table(
        "quota_notices",
        sa.Column("license", sa.Text(), nullable=False),
        sa.Column("customer", sa.Text(), nullable=False),
        sa.Column("quota", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("percent", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["license"], ["licenses.id"], name=op.f("fk_quota_notices_license")),
        sa.PrimaryKeyConstraint("license", "customer", "quota", "percent", name=op.f("pk_quota_notices")),
    )
    op.create_index("ix_licenses_expires", "licenses", ["expires"])
