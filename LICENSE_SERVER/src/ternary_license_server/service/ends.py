"""
Events of licenses that will end, and of those that have: 30, 7 and 1 days before, and at the end.

No request comes at these moments, so ``announce`` finds them: every license whose moment lies between the
last time and now. One row says until when; it is locked, so that of several replicas one announces. A little
of the time before is read again, for changes that were not committed yet, and what was announced is known by
its id. A server that was down announces what it missed, of each license only what is nearest to its end.
"""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Row, select, update

from ternary_license_server.database.schema import announced_ends, licenses
from ternary_license_server.database.transaction import Transaction, locking
from ternary_license_server.service import events
from ternary_license_server.service.events import Kind
from ternary_license_server.service.records import State, seconds

DAYS: Final = (30, 7, 1)
"""How many days before an end there is an event."""
_DAY: Final = 86_400
_AGAIN: Final = 3600
"""Seconds of the time before that are read again; longer than a transaction may take."""
_COLUMNS: Final = tuple(
    licenses.c[name] for name in ("id", "customer", "product", "policy", "state", "expires")
)
_LOCK: Final = locking(announced_ends, announced_ends.c.until, where=announced_ends.c.id == 1)


def announce(transaction: Transaction) -> int:
    """Write the events of all moments since the last time; how many licenses were found."""
    last = _last(transaction)
    if last is None:
        return 0
    now = seconds(transaction.now)
    told = set[str]()
    for days in (0, *sorted(DAYS)):
        for license in _crossing(transaction, days, last - _AGAIN, now):
            if license.id not in told:
                told.add(license.id)
                _record(transaction, license, days)
    transaction.execute(update(announced_ends).values(until=max(last, now)))
    return len(told)


def _last(transaction: Transaction) -> int | None:
    """Until when it was announced; None at the very first time, when nobody waits for anything."""
    found = transaction.lock(_LOCK, {})
    if found is not None:
        return int(found.until)
    first = transaction.insert(announced_ends).on_conflict_do_nothing()
    transaction.execute(first, {"id": 1, "until": seconds(transaction.now)})
    return None


def _crossing(transaction: Transaction, days: int, after: int, until: int) -> Sequence[Row[Any]]:
    """Licenses that end so many days after a moment in (``after``, ``until``]; sold before that moment."""
    row, early = licenses.c, days * _DAY
    query = select(*_COLUMNS).where(
        row.expires > after + early,
        row.expires <= until + early,
        row.starts < row.expires - early,
        row.state != State.REVOKED,
    )
    return transaction.execute(query.order_by(row.expires, row.id)).all()


def _record(transaction: Transaction, license: Row[Any], days: int) -> None:
    data = {
        "license": license.id,
        "customer": license.customer,
        "product": license.product,
        "policy": license.policy,
        "state": license.state,
        "expires": events.rfc3339(license.expires),
    }
    kind = Kind.LICENSE_ENDED if days == 0 else Kind.LICENSE_ENDING
    more = {} if days == 0 else {"days": days}
    events.record(transaction, kind, license.id, data | more, same=f"{license.expires} {days}")
