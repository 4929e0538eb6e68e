"""
The short form of an audit row: a renewal that moves nothing but the end of its lease.

Such a row differs from an earlier one of the same lease, its base, in three things: the end, the request's
number and the time. So it names the base and has these. The rest is read from the base, and the hash before
from the row before. The hash is that of the whole row, so the form proves as much as the long one.

The lease's row has the number of its last renewal, and each compact row that of the one before it. So the
renewal of a request that is repeated is found without an index of its own.
"""

import re
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Row as SqlRow
from sqlalchemy import and_, bindparam, select

from ternary_license_server.database.schema import audit
from ternary_license_server.database.transaction import Transaction

Row = SqlRow[Any]
ACTION: Final = "lease.renew"
"""The one action that has a short form."""
BASE: Final = audit.alias("base_row")
IS_BASE: Final = and_(BASE.c.stream == audit.c.stream, BASE.c.number == audit.c.base)
OF_BASE: Final = (BASE.c.actor.label("base_actor"), BASE.c.detail.label("base_detail"))

_LONG: Final = re.compile(r'\{"ends":([0-9]{1,12})(,.*,"request":)"([A-Za-z0-9_-]{1,64})"\}', re.DOTALL)
"""A whole detail: canonical JSON, so its members stand in this order."""
_SHORT: Final = re.compile(r"([0-9]{1,9}) ([0-9]{1,12}) ([A-Za-z0-9_-]{1,64})")
"""Number of the lease's renewal before, 0 if that is the base; the end; the request's number."""
_FIND: Final = (
    select(audit, *OF_BASE)
    .outerjoin(BASE, IS_BASE)
    .where(audit.c.stream == bindparam("of_stream"), audit.c.number == bindparam("of_number"))
)


@dataclass(frozen=True, kw_only=True)
class Renewal:
    """A renewal as the audit log has it."""

    stream: str
    """The license's id."""
    number: int
    """Of its row."""
    at: int
    """When, in seconds since 1970-01-01 UTC."""
    base: int
    """The number of the whole row that it differs from; its own if it is whole."""
    before: int
    """Number of the lease's renewal before it; 0 if that is the base, or not known."""
    actor: str
    """Whose."""
    detail: str
    """Canonical JSON, whole."""
    ends: int
    """Until when the seat was held then."""
    request: str
    """The request's number."""


def find(transaction: Transaction, stream: str, number: int | None) -> Renewal | None:
    """A renewal by its row's number; None if there is none by it, as after it was archived."""
    if number is None:
        return None
    row = transaction.execute(_FIND, {"of_stream": stream, "of_number": number}).one_or_none()
    if row is None or row.action != ACTION:
        return None
    detail = row.detail if row.base is None else whole(row.detail, row.base_detail)
    long, short = _LONG.fullmatch(detail), _SHORT.fullmatch(row.detail)
    if long is None:
        return None
    return Renewal(
        stream=stream,
        number=number,
        at=row.at,
        base=number if row.base is None else row.base,
        before=0 if row.base is None or short is None else int(short[1]),
        actor=row.actor if row.base is None else row.base_actor,
        detail=detail,
        ends=int(long[1]),
        request=long[3],
    )


def columns(last: Renewal | None, row: dict[str, Any]) -> dict[str, Any]:
    """The columns of a renewal's row: short ones if all else is as in the lease's last renewal.

    Args:
        last: That renewal; None if there is none.
        row: The whole row.
    """
    new = _LONG.fullmatch(row["detail"])
    old = None if last is None else _LONG.fullmatch(last.detail)
    if last is None or new is None or old is None or (last.actor, old[2]) != (row["actor"], new[2]):
        return row
    before = 0 if last.number == last.base else last.number
    short = {"actor": "", "previous": "", "base": last.base, "detail": f"{before} {new[1]} {new[3]}"}
    return row | short


def whole(detail: str, base: str | None) -> str:
    """The whole detail of a compact row; what it has of its own if it, or its base, is damaged."""
    short, long = _SHORT.fullmatch(detail), _LONG.fullmatch(base or "")
    if short is None or long is None:
        return detail
    return f'{{"ends":{short[2]}{long[2]}"{short[3]}"}}'
