"""
Until when a name stands on the revocation list, the list as it was signed, and what a restored server owes.
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

_NEVER = 253_402_300_799
"""The last second of the year 9999: a name that stands on the list for good."""


def upgrade() -> None:
    """Make the columns and tables. A name that is on the list already stays there for good."""
    for table in ("revocations", "lost_seats"):
        with op.batch_alter_table(table) as changed:
            changed.add_column(
                sa.Column("until", sa.BigInteger(), nullable=False, server_default=str(_NEVER))
            )
        with op.batch_alter_table(table) as changed:
            changed.alter_column("until", server_default=None)
        op.create_index(f"ix_{table}_until", table, ["until"], unique=False)
    _add_ends_of_licenses()
    op.create_table(
        "merged_names",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("merged", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_merged_names")),
    )
    _make_list()
    op.create_table(
        "restorations",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("newest", sa.BigInteger(), nullable=False),
        sa.Column("begun", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("oversell", sa.Boolean(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_restorations_one")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_restorations")),
    )


def _add_ends_of_licenses() -> None:
    """When the last license ends that an installation got; unknown where the policy was changed."""
    with op.batch_alter_table("leases") as leases:
        leases.add_column(
            sa.Column("licensed_until", sa.BigInteger(), nullable=False, server_default=str(_NEVER))
        )
    op.execute(
        "UPDATE leases SET licensed_until = "
        "CASE WHEN offline_until > ends THEN offline_until ELSE ends END "
        "WHERE license NOT IN (SELECT stream FROM audit WHERE action = 'license.policy')"
    )
    with op.batch_alter_table("leases") as leases:
        leases.alter_column("licensed_until", server_default=None)


def _make_list() -> None:
    made = op.create_table(
        "revocation_list",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("changes", sa.BigInteger(), nullable=False),
        sa.Column("signed_changes", sa.BigInteger(), nullable=False),
        sa.Column("directory", sa.BigInteger(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("renew_at", sa.BigInteger(), nullable=False),
        sa.Column("token", sa.Text(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_revocation_list_one")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_revocation_list")),
    )
    op.execute(
        sa.insert(made).values(
            id=1, version=0, changes=0, signed_changes=0, directory=0, key="", renew_at=_NEVER, token=""
        )
    )
    op.execute(
        "UPDATE revocation_list SET changes = 1 WHERE EXISTS (SELECT 1 FROM revocations) "
        "OR EXISTS (SELECT 1 FROM lost_seats)"
    )
