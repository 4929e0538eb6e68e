"""
Of which space each set of operations is: all that came before are of two-input ternary operations.

Meters, reports and losses have the space in their keys; an entry has it beside its number. A quota counts the
operations of all spaces together and may need 64 bits.

Both databases add a column with a constant without writing a row. PostgreSQL then takes the constant back and
builds the keys anew. SQLite cannot change a key in place: there the tables with the space in their keys are
copied, each by one statement. Entries are not, so their column keeps its constant; the server never leaves
the space out.
"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"

_BEFORE = "3,2"
"""The only space there was."""
_KEYS = {
    "meters": ("license", "customer", "space"),
    "meter_reports": ("license", "installation", "lease", "space"),
    "meter_losses": ("license", "installation", "customer", "space", "received"),
}


def upgrade() -> None:
    """Name the space of every set, and widen the quota."""
    _add("meter_entries")
    if op.get_bind().dialect.name == "sqlite":  # whose integers have 64 bits
        for table in _KEYS:
            _copy(table)
        op.create_index("ix_meter_losses_received", "meter_losses", ["received"], unique=False)
        return
    op.alter_column("meter_entries", "space", server_default=None)
    for table, key in _KEYS.items():
        _add(table)
        op.alter_column(table, "space", server_default=None)
        op.drop_constraint(f"pk_{table}", table, type_="primary")
        op.create_primary_key(f"pk_{table}", table, list(key))
    for table in ("policies", "licenses"):
        op.alter_column(table, "unique_operations", type_=sa.BigInteger())


def _add(table: str) -> None:
    op.add_column(table, sa.Column("space", sa.Text(), nullable=False, server_default=_BEFORE))


def _copy(table: str) -> None:
    connection = op.get_bind()
    old = sa.Table(table, sa.MetaData(), autoload_with=connection)
    space = sa.Column("space", sa.Text(), nullable=False)
    new = op.create_table(
        f"new_{table}",
        *(sa.Column(column.name, column.type, nullable=column.nullable) for column in old.columns),
        space,
        sa.ForeignKeyConstraint(["customer"], ["customers.id"], name=op.f(f"fk_{table}_customer")),
        sa.ForeignKeyConstraint(["license"], ["licenses.id"], name=op.f(f"fk_{table}_license")),
        sa.PrimaryKeyConstraint(*_KEYS[table], name=op.f(f"pk_{table}")),
    )
    rows = sa.select(*old.columns, sa.literal(_BEFORE))
    connection.execute(sa.insert(new).from_select([*old.columns.keys(), space.name], rows))
    op.drop_table(table)
    op.rename_table(f"new_{table}", table)
