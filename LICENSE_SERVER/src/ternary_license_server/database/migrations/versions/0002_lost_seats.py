"""
A number for each seat, by which one lost machine's license is revoked.
"""

import secrets

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Number the seats, and make room for the lost ones."""
    op.add_column("leases", sa.Column("seat", sa.Text(), nullable=True))
    leases = sa.table("leases", sa.column("license"), sa.column("installation"), sa.column("seat"))
    connection = op.get_bind()
    for row in connection.execute(sa.select(leases.c.license, leases.c.installation)).all():
        mine = (leases.c.license == row.license) & (leases.c.installation == row.installation)
        connection.execute(sa.update(leases).where(mine).values(seat=f"S-{secrets.token_hex(12)}"))
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
