"""
A number for each seat, by which one lost machine's license is revoked.

The database draws the numbers, 96 random bits each, so that millions of leases take one statement.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


_NUMBERS = {
    "sqlite": "lower(hex(randomblob(12)))",
    # The first twelve digits of a random UUID are all random.
    "postgresql": "substr(replace(gen_random_uuid()::text, '-', ''), 1, 12)"
    " || substr(replace(gen_random_uuid()::text, '-', ''), 1, 12)",
}


def upgrade() -> None:
    """Number the seats, and make room for the lost ones."""
    op.add_column("leases", sa.Column("seat", sa.Text(), nullable=True))
    op.execute(f"UPDATE leases SET seat = 'S-' || {_NUMBERS[op.get_bind().dialect.name]}")
    with op.batch_alter_table("leases") as table:
        table.alter_column("seat", nullable=False)
        table.create_unique_constraint(op.f("uq_leases_seat"), ["seat"])
    op.create_table(
        "lost_seats",
        sa.Column("seat", sa.Text(), nullable=False),
        sa.Column("license", sa.Text(), nullable=False),
        sa.Column("installation", sa.Text(), nullable=False),
        sa.Column("revoked", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["license"], ["licenses.id"], name=op.f("fk_lost_seats_license")),
        sa.PrimaryKeyConstraint("seat", name=op.f("pk_lost_seats")),
    )
