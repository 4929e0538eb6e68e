"""
Renewals as compact audit rows, marks of what is sealed and archived, and indexes that large databases need.

Only columns that may be empty, tables and indexes are added, so no row is written anew.
"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"

_INDEXES = {
    "ix_customers_merged_into": ("customers", ["merged_into"]),
    "ix_licenses_customer": ("licenses", ["customer", "id"]),
    "ix_licenses_state": ("licenses", ["state", "id"]),
    "ix_licenses_standing": ("licenses", ["state", "expires", "seats"]),
    "ix_leases_installation": ("leases", ["installation"]),
    "ix_meters_customer": ("meters", ["customer", "space", "license"]),
    "ix_meter_entries_received": (
        "meter_entries",
        ["received", "license", "customer", "space", "operations", "late"],
    ),
    "ix_meter_entries_since": ("meter_entries", ["license", "customer", "received", "space", "operations"]),
}
_BEFORE = {"ix_licenses_customer": "licenses", "ix_meter_entries_received": "meter_entries"}


def upgrade() -> None:
    """Add the columns, empty, the tables, and the indexes; two indexes get further columns."""
    op.add_column("leases", sa.Column("noted", sa.Integer(), nullable=True))
    op.add_column("audit", sa.Column("base", sa.Integer(), nullable=True))
    for mark in ("sealed", "archived"):
        op.add_column("audit_heads", sa.Column(mark, sa.Integer(), nullable=True))
        op.add_column("audit_heads", sa.Column(f"{mark}_hash", sa.Text(), nullable=True))
    op.create_table(
        "audit_checkpoints",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("token", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_audit_checkpoints")),
    )
    op.create_table(
        "audit_archives",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_audit_archives")),
    )
    for name, table in _BEFORE.items():
        op.drop_index(name, table)
    for name, (table, columns) in _INDEXES.items():
        op.create_index(name, table, columns, unique=False)
    named = sa.text("machine IS NOT NULL")
    op.create_index("ix_leases_machine", "leases", ["machine"], sqlite_where=named, postgresql_where=named)
