"""
The terms of one deal: order numbers, notes and claims, terms of a license's own, overage, perpetual versions.

All columns may be empty. A server of the release before passes over them: it grants a license the agreed
seats and quota without overage, and denies one whose paid time is over.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
compatible_from = "0018"

_COUNT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TERMS: dict[str, sa.types.TypeEngine[Any]] = {
    "perpetual": sa.Boolean(),
    "overage_seats": sa.Integer(),
    "overage_operations": _COUNT,
    "overage_amount": sa.BigInteger(),
    "overage_per": sa.BigInteger(),
}
_COLUMNS: dict[str, dict[str, sa.types.TypeEngine[Any]]] = {
    "releases": {"released": sa.BigInteger()},
    "policies": _TERMS,
    "licenses": _TERMS
    | {"own_terms": sa.Text(), "order_number": sa.Text(), "notes": sa.Text(), "claims": sa.Text()},
}


def upgrade() -> None:
    """Add the columns, empty; let the index by which licenses are counted have all that the count needs."""
    for table, columns in _COLUMNS.items():
        for name, kind in columns.items():
            op.add_column(table, sa.Column(name, kind, nullable=True))
    op.drop_index("ix_licenses_standing", table_name="licenses")
    op.create_index("ix_licenses_standing", "licenses", ["state", "expires", "seats", "perpetual"])
