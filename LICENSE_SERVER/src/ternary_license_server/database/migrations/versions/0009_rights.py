"""
Whose a lease is, and whether it was disowned; to whom each lease's number was given; a meter for each
customer of a license, and reports for each lease.

Until now a transfer added one to the generation of each lease. Which leases began before the last transfer of
their license is in the audit log: those are disowned, and belong to whoever had the license then.

A customer's meter gets what was entered for that customer, and all of it counts for the quota. Reports that
came before name no lease: they are of the last lease of their installation, but for what another customer has
paid.
A report's date is from now on no later than its arrival.

Leases are changed by one statement, and once more for each license that was transferred. Reports, which hold
bitmaps, are read a batch at a time.
"""

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from alembic import op

from ternary_sdk._internal.documents import plain

revision = "0009"
down_revision = "0008"

_AT_ONCE = 200

_LEASES = sa.table(
    "leases", *map(sa.column, ("license", "installation", "seat", "customer", "disowned", "started"))
)
_LICENSES = sa.table("licenses", sa.column("id"), sa.column("customer"))
_AUDIT = sa.table("audit", *map(sa.column, ("stream", "number", "at", "action", "detail")))
_LOST = sa.table("lost_seats", *map(sa.column, ("seat", "license", "installation", "revoked")))
_REPORTS = sa.table(
    "meter_reports", *map(sa.column, ("license", "installation", "lease", "customer", "bitmap", "excluded"))
)
_ENTRIES = sa.table("meter_entries", *map(sa.column, ("license", "customer", "number", "bitmap")))
_METERS = sa.table(
    "meters",
    *map(sa.column, ("license", "customer", "bitmap", "operations", "quota_bitmap", "quota_operations")),
)
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
    _meters(op.get_bind())
    _reports(op.get_bind())
    with op.batch_alter_table("meter_losses") as table:
        table.add_column(sa.Column("restarted", sa.Boolean(), nullable=False, server_default=sa.false()))
    with op.batch_alter_table("meter_losses") as table:
        table.alter_column("restarted", server_default=None)
    with op.batch_alter_table("meter_entries") as table:
        table.add_column(sa.Column("lease", sa.Text(), nullable=True))
        table.add_column(sa.Column("late", sa.Boolean(), nullable=False, server_default=sa.false()))
    with op.batch_alter_table("meter_entries") as table:
        table.alter_column("late", server_default=None)


def _meters(connection: sa.Connection) -> None:
    """The meters anew, one for each customer: the entries say what is whose."""
    op.drop_table("meters")
    op.create_table(
        "meters",
        sa.Column("license", sa.Text(), nullable=False),
        sa.Column("customer", sa.Text(), nullable=False),
        sa.Column("bitmap", sa.LargeBinary(), nullable=False),
        sa.Column("operations", sa.Integer(), nullable=False),
        sa.Column("quota_bitmap", sa.LargeBinary(), nullable=False),
        sa.Column("quota_operations", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["customer"], ["customers.id"], name=op.f("fk_meters_customer")),
        sa.ForeignKeyConstraint(["license"], ["licenses.id"], name=op.f("fk_meters_license")),
        sa.PrimaryKeyConstraint("license", "customer", name=op.f("pk_meters")),
    )
    whose = sa.select(_ENTRIES.c.license, _ENTRIES.c.customer).distinct()
    for license, customer in connection.execute(whose).all():
        theirs = (_ENTRIES.c.license == license) & (_ENTRIES.c.customer == customer)
        bitmap = _union(connection, theirs)
        columns = {"bitmap": bitmap, "operations": _size(bitmap)}
        columns |= {"quota_bitmap": bitmap, "quota_operations": _size(bitmap)}
        connection.execute(sa.insert(_METERS), {"license": license, "customer": customer} | columns)


def _reports(connection: sa.Connection) -> None:
    """Room for reports of several leases of one installation; those that came name none."""
    with op.batch_alter_table("meter_reports") as table:
        table.add_column(sa.Column("lease", sa.Text(), nullable=False, server_default=""))
        table.add_column(sa.Column("customer", sa.Text(), nullable=True))
        table.add_column(sa.Column("history", sa.Text(), nullable=True))
        table.add_column(sa.Column("sequence", sa.BigInteger(), nullable=True))
        table.add_column(sa.Column("excluded", sa.LargeBinary(), nullable=True))
    connection.execute(sa.text("UPDATE meter_reports SET issued = received WHERE issued > received"))
    connection.execute(
        sa.text(
            "UPDATE meter_reports SET customer = COALESCE("
            "(SELECT leases.customer FROM leases WHERE leases.license = meter_reports.license"
            " AND leases.installation = meter_reports.installation),"
            "(SELECT licenses.customer FROM licenses WHERE licenses.id = meter_reports.license))"
        )
    )
    for row in _batched(connection):
        others = (_ENTRIES.c.license == row.license) & (_ENTRIES.c.customer != row.customer)
        paid = _both(_union(connection, others), bytes(row.bitmap))
        if any(paid):
            mine = (_REPORTS.c.license == row.license) & (_REPORTS.c.installation == row.installation)
            connection.execute(sa.update(_REPORTS).where(mine).values(excluded=paid))
    with op.batch_alter_table("meter_reports") as table:
        table.drop_constraint("pk_meter_reports", type_="primary")
        table.create_primary_key(op.f("pk_meter_reports"), ["license", "installation", "lease"])
        table.alter_column("lease", server_default=None)
        table.alter_column("customer", nullable=False)
        table.create_foreign_key(op.f("fk_meter_reports_customer"), "customers", ["customer"], ["id"])


def _batched(connection: sa.Connection) -> Iterator[sa.Row[Any]]:
    """Every report, a batch in memory at a time, by license and installation."""
    key, last = sa.tuple_(_REPORTS.c.license, _REPORTS.c.installation), ("", "")
    query = sa.select(_REPORTS).order_by(_REPORTS.c.license, _REPORTS.c.installation).limit(_AT_ONCE)
    while rows := connection.execute(query.where(key > sa.tuple_(*last))).all():
        yield from rows
        last = (rows[-1].license, rows[-1].installation)


def _union(connection: sa.Connection, where: sa.ColumnElement[bool]) -> bytes:
    """The union of entries' bitmaps; empty if there are none."""
    together, length = 0, 0
    for (bitmap,) in connection.execute(sa.select(_ENTRIES.c.bitmap).where(where)):
        together |= int.from_bytes(bytes(bitmap), "little")
        length = max(length, len(bitmap))
    return together.to_bytes(length, "little")


def _both(one: bytes, other: bytes) -> bytes:
    common = int.from_bytes(one, "little") & int.from_bytes(other, "little")
    return common.to_bytes(max(len(one), len(other)), "little")


def _size(bitmap: bytes) -> int:
    return int.from_bytes(bitmap, "little").bit_count()


def _own(connection: sa.Connection) -> None:
    of_today = sa.select(_LICENSES.c.customer).where(_LICENSES.c.id == _LEASES.c.license).scalar_subquery()
    connection.execute(sa.update(_LEASES).values(customer=of_today))
    transfers = _transfers(connection)
    for license, changes in transfers.items():
        for at, owner in reversed(changes):  # so that the first one after a lease's start is written last
            began = (_LEASES.c.license == license) & (_LEASES.c.started <= at)
            connection.execute(sa.update(_LEASES).where(began).values(customer=owner, disowned=at))
    given = (_LEASES.c.seat, _LEASES.c.license, _LEASES.c.installation, _LEASES.c.customer)
    connection.execute(sa.insert(_NUMBERS).from_select([column.name for column in given], sa.select(*given)))
    for row in connection.execute(sa.select(_LOST)):
        owners = [owner for at, owner in transfers.get(row.license, []) if at >= row.revoked]
        owner = owners[0] if owners else _owner(connection, row.license)
        _number(connection, row, owner)


def _owner(connection: sa.Connection, license: str) -> str:
    customer = sa.select(_LICENSES.c.customer).where(_LICENSES.c.id == license)
    return str(connection.execute(customer).scalar_one())


def _transfers(connection: sa.Connection) -> dict[str, list[tuple[int, str]]]:
    """For each license the moments of its transfers, in order, and whose it was before each."""
    query = sa.select(_AUDIT).where(_AUDIT.c.action == "license.transfer").order_by(_AUDIT.c.number)
    found: dict[str, list[tuple[int, str]]] = {}
    for row in connection.execute(query):
        found.setdefault(row.stream, []).append((row.at, plain.decode(row.detail)["from"]))
    return found


def _number(connection: sa.Connection, row: sa.Row[tuple[object, ...]], customer: str) -> None:
    given = {"seat": row.seat, "license": row.license, "installation": row.installation}
    connection.execute(sa.insert(_NUMBERS), given | {"customer": customer})
