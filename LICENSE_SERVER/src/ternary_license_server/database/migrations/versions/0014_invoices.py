"""
Price lists of policies, invoices as they were issued, and the sets that each of them billed.
"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Add the column, empty, and the tables."""
    op.add_column("policies", sa.Column("prices", sa.Text(), nullable=True))
    op.create_table(
        "invoices",
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("customer", sa.Text(), nullable=False),
        sa.Column("product", sa.Text(), nullable=False),
        sa.Column("month", sa.Text(), nullable=False),
        sa.Column("issued", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.Column("charged", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("prices", sa.Text(), nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["customer"], ["customers.id"], name=op.f("fk_invoices_customer")),
        sa.ForeignKeyConstraint(["product"], ["products.name"], name=op.f("fk_invoices_product")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_invoices")),
        sa.UniqueConstraint("customer", "product", "month", name=op.f("uq_invoices_customer")),
    )
    op.create_table(
        "invoice_sets",
        sa.Column("invoice", sa.Text(), nullable=False),
        sa.Column("space", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("part", sa.Integer(), nullable=False),
        sa.Column("operations", sa.Integer(), nullable=False),
        sa.Column("bitmap", sa.LargeBinary(), nullable=False),
        sa.Column("gaps", sa.LargeBinary(), nullable=True),
        sa.CheckConstraint("kind IN ('new', 'credited')", name=op.f("ck_invoice_sets_kind")),
        sa.ForeignKeyConstraint(["invoice"], ["invoices.number"], name=op.f("fk_invoice_sets_invoice")),
        sa.PrimaryKeyConstraint("invoice", "space", "kind", "part", name=op.f("pk_invoice_sets")),
    )
