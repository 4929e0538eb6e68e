"""
The order in which invoices were issued, as a number, and under what licenses were before.

Only a column that may be empty, an index and a table are added. Invoices that are there get their places by
their dates, and within one second by the order of their rows in the audit log.
"""

import sqlalchemy as sa
from alembic import op

from ternary_sdk._internal.documents import plain

revision = "0020"
down_revision = "0019"
compatible_from = "0018"

_COUNT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_INVOICES = sa.table(
    "invoices",
    sa.column("number", sa.Text()),
    sa.column("issued", sa.BigInteger()),
    sa.column("month", sa.Text()),
    sa.column("place", sa.Integer()),
)
_AUDIT = sa.table(
    "audit",
    sa.column("stream", sa.Text()),
    sa.column("number", sa.Integer()),
    sa.column("action", sa.Text()),
    sa.column("detail", sa.Text()),
)


def upgrade() -> None:
    """Add the column, the index and the table; number the invoices."""
    op.add_column("invoices", sa.Column("place", sa.Integer(), nullable=True))
    op.create_index("ix_invoices_place", "invoices", ["place"])
    op.create_table(
        "placements",
        sa.Column("license", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("until", sa.Text(), nullable=False),
        sa.Column("customer", sa.Text(), nullable=False),
        sa.Column("policy", sa.Text(), nullable=False),
        sa.Column("placed", sa.BigInteger(), nullable=True),
        sa.Column("priced", sa.BigInteger(), nullable=True),
        sa.Column("billed_from", sa.BigInteger(), nullable=True),
        sa.Column("unique_operations", _COUNT, nullable=True),
        sa.Column("overage_amount", sa.BigInteger(), nullable=True),
        sa.Column("overage_per", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["license"], ["licenses.id"], name=op.f("fk_placements_license")),
        sa.ForeignKeyConstraint(["customer"], ["customers.id"], name=op.f("fk_placements_customer")),
        sa.ForeignKeyConstraint(["policy"], ["policies.name"], name=op.f("fk_placements_policy")),
        sa.PrimaryKeyConstraint("license", "number", name=op.f("pk_placements")),
    )
    op.create_index("ix_placements_customer", "placements", ["customer", "license"])
    _number_invoices()


def _number_invoices() -> None:
    here, log = _INVOICES.c, _AUDIT.c
    issued = sa.select(log.number, log.detail).where(log.stream == "invoices", log.action == "invoice.issue")
    # Rows that were archived are not there: then month and number decide, as before this revision.
    order = {plain.decode(row.detail)["number"]: row.number for row in op.get_bind().execute(issued)}
    every = op.get_bind().execute(sa.select(here.number, here.issued, here.month)).all()
    every = sorted(every, key=lambda row: (row.issued, order.get(row.number, 0), row.month, row.number))
    for place, row in enumerate(every, 1):
        op.execute(sa.update(_INVOICES).where(here.number == row.number).values(place=place))
