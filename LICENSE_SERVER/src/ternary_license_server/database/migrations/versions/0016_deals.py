"""
Customers that are renamed, merged and anonymised; policies that change and end; products with a guarantee.

What was billed so far stays billed: licenses under policies with prices are billed from their beginning.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"

_COLUMNS: dict[str, dict[str, sa.types.TypeEngine[Any]]] = {
    "customers": {
        "contact": sa.Text(),
        "merged_into": sa.Text(),
        "merged": sa.BigInteger(),
        "anonymised": sa.BigInteger(),
    },
    "products": {"guarantee": sa.Text()},
    "policies": {"ended": sa.BigInteger()},
    "licenses": {
        "licensee": sa.Text(),
        "placed": sa.BigInteger(),
        "priced": sa.BigInteger(),
        "billed_from": sa.BigInteger(),
    },
    "lease_numbers": {"licensee": sa.Text()},
}


def upgrade() -> None:
    """Add the columns, empty, an index and the tables; say of priced licenses since when they are."""
    for table, columns in _COLUMNS.items():
        for name, kind in columns.items():
            op.add_column(table, sa.Column(name, kind, nullable=True))
    merged = sa.text("merged_into IS NOT NULL")
    op.create_index(
        "ix_customers_merged_into",
        "customers",
        ["merged_into"],
        sqlite_where=merged,
        postgresql_where=merged,
    )
    op.create_table(
        "policy_prices",
        sa.Column("policy", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("month", sa.Text(), nullable=False),
        sa.Column("existing", sa.Boolean(), nullable=False),
        sa.Column("bill_earlier", sa.Boolean(), nullable=False),
        sa.Column("prices", sa.Text(), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["policy"], ["policies.name"], name=op.f("fk_policy_prices_policy")),
        sa.PrimaryKeyConstraint("policy", "number", name=op.f("pk_policy_prices")),
    )
    op.create_table(
        "invoice_merges",
        sa.Column("invoice", sa.Text(), nullable=False),
        sa.Column("customer", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["customer"], ["customers.id"], name=op.f("fk_invoice_merges_customer")),
        sa.ForeignKeyConstraint(["invoice"], ["invoices.number"], name=op.f("fk_invoice_merges_invoice")),
        sa.PrimaryKeyConstraint("invoice", "customer", name=op.f("pk_invoice_merges")),
    )
    op.execute(
        "UPDATE licenses SET billed_from = 0, priced = (SELECT CASE WHEN policies.created > licenses.created"
        " THEN policies.created ELSE licenses.created END FROM policies WHERE name = licenses.policy)"
        " WHERE policy IN (SELECT name FROM policies WHERE prices IS NOT NULL)"
    )
