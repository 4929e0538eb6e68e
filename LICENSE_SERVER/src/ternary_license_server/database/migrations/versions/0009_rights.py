"""
Whose a lease is, and whether it was disowned; to whom each lease's number was given.

Until now a transfer added one to the generation of each lease. Which leases began before the last transfer of
their license is in the audit log: those are disowned, and belong to whoever had the license then.
"""

import json

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0007"

_LEASES = sa.table(
    "leases", *map(sa.column, ("license", "installation", "seat", "customer", "disowned", "started"))
)
_LICENSES = sa.table("licenses", sa.column("id"), sa.column("customer"))
_AUDIT = sa.table("audit", *map(sa.column, ("stream", "number", "at", "action", "detail")))
_LOST = sa.table("lost_seats", *map(sa.column, ("seat", "license", "installation", "revoked")))
_NUMBERS = sa.table("lease_numbers", *map(sa.column, ("seat", "license", "installation", "customer")))


def upgrade() -> None:
    """Write down the owners, as far as the audit log has them."""
    op.add_column("leases", sa.Column("customer", sa.Text(), nullable=True))
    op.add_column("leases", sa.Column("disowned", sa.BigInteger(), nullable=True))
    op.create_table(
        "lease_numbers",
        sa.Column("seat", sa.Text(), nullable=False),
        sa.Column("license", sa.Text(), nullable=False),
        sa.Column("installation", sa.Text(), nullable=False),
        sa.Column("customer", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["customer"], ["customers.id"], name=op.f("fk_lease_numbers_customer")),
        sa.ForeignKeyConstraint(["license"], ["licenses.id"], name=op.f("fk_lease_numbers_license")),
        sa.PrimaryKeyConstraint("seat", name=op.f("pk_lease_numbers")),
    )
    op.create_index("ix_lease_numbers_holder", "lease_numbers", ["license", "installation"], unique=False)
    _own(op.get_bind())
    with op.batch_alter_table("leases") as table:
        table.alter_column("customer", nullable=False)
        table.create_foreign_key(op.f("fk_leases_customer"), "customers", ["customer"], ["id"])


def _own(connection: sa.Connection) -> None:
    of_today = {row.id: row.customer for row in connection.execute(sa.select(_LICENSES)).all()}
    transfers = _transfers(connection)
    for row in connection.execute(sa.select(_LEASES)).all():
        later = [(at, owner) for at, owner in transfers.get(row.license, []) if at >= row.started]
        disowned, customer = later[0] if later else (None, of_today[row.license])
        mine = (_LEASES.c.license == row.license) & (_LEASES.c.installation == row.installation)
        connection.execute(sa.update(_LEASES).where(mine).values(customer=customer, disowned=disowned))
        _number(connection, row, customer)
    for row in connection.execute(sa.select(_LOST)).all():
        later = [owner for at, owner in transfers.get(row.license, []) if at >= row.revoked]
        _number(connection, row, later[0] if later else of_today[row.license])


def _transfers(connection: sa.Connection) -> dict[str, list[tuple[int, str]]]:
    """For each license the moments of its transfers, in order, and whose it was before each."""
    query = sa.select(_AUDIT).where(_AUDIT.c.action == "license.transfer").order_by(_AUDIT.c.number)
    found: dict[str, list[tuple[int, str]]] = {}
    for row in connection.execute(query).all():
        found.setdefault(row.stream, []).append((row.at, json.loads(row.detail)["from"]))
    return found


def _number(connection: sa.Connection, row: sa.Row[tuple[object, ...]], customer: str) -> None:
    given = {"seat": row.seat, "license": row.license, "installation": row.installation}
    connection.execute(sa.insert(_NUMBERS), given | {"customer": customer})
