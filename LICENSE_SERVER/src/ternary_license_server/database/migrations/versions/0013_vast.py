"""
Room for sets of vast spaces, as segments of ascending numbers, and for what a difference starts from.

Entries get a second form: the numbers that were added, as gaps, where that is shorter than a bitmap of the
whole space. Nothing that is there is written anew, but that PostgreSQL widens the counts of the meters.
"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"

_COUNTS = {"meters": ("operations", "quota_operations"), "meter_losses": ("lost",)}


def upgrade() -> None:
    """Add the columns, empty, and the tables."""
    op.add_column("meter_entries", sa.Column("gaps", sa.LargeBinary(), nullable=True))
    op.add_column("meter_reports", sa.Column("base_history", sa.Text(), nullable=True))
    op.add_column("meter_reports", sa.Column("base_operations", sa.BigInteger(), nullable=True))
    op.add_column("meter_reports", sa.Column("base_sha256", sa.Text(), nullable=True))
    op.create_table(
        "segments",
        sa.Column("license", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("operations", sa.Integer(), nullable=False),
        sa.Column("gaps", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["license"], ["licenses.id"], name=op.f("fk_segments_license")),
        sa.PrimaryKeyConstraint("license", "sha256", name=op.f("pk_segments")),
    )
    op.create_table(
        "segment_uses",
        sa.Column("license", sa.Text(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("space", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["license", "sha256"],
            ["segments.license", "segments.sha256"],
            name=op.f("fk_segment_uses_license"),
        ),
        sa.PrimaryKeyConstraint("license", "holder", "role", "space", "number", name=op.f("pk_segment_uses")),
    )
    op.create_index("ix_segment_uses_segment", "segment_uses", ["license", "sha256"], unique=False)
    if op.get_bind().dialect.name == "sqlite":  # whose integers have 64 bits
        return
    for table, columns in _COUNTS.items():
        for column in columns:
            op.alter_column(table, column, type_=sa.BigInteger())
