"""
Each report that lacked operations, with its date and its customer; until now, the worst of an installation.
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Make the table; an earlier loss gets the last report's date and the license's customer of today."""
    op.create_table(
        "meter_losses",
        sa.Column("license", sa.Text(), nullable=False),
        sa.Column("installation", sa.Text(), nullable=False),
        sa.Column("customer", sa.Text(), nullable=False),
        sa.Column("received", sa.BigInteger(), nullable=False),
        sa.Column("lost", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["customer"], ["customers.id"], name=op.f("fk_meter_losses_customer")),
        sa.ForeignKeyConstraint(["license"], ["licenses.id"], name=op.f("fk_meter_losses_license")),
        sa.PrimaryKeyConstraint(
            "license", "installation", "customer", "received", name=op.f("pk_meter_losses")
        ),
    )
    op.create_index("ix_meter_losses_received", "meter_losses", ["received"], unique=False)
    op.execute(
        "INSERT INTO meter_losses (license, installation, customer, received, lost) "
        "SELECT license, installation, customer, received, lost FROM meter_reports "
        "JOIN licenses ON licenses.id = meter_reports.license WHERE lost > 0"
    )
    with op.batch_alter_table("meter_reports") as table:
        table.drop_column("lost")
