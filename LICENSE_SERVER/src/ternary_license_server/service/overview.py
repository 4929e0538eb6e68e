"""
A vendor's business at a glance: licenses by state, seats, what ends soon, and reports that lacked something.

Every figure is one query over an index or a count; no list grows with the number of licenses.
"""

from typing import Final

from sqlalchemy import ColumnElement, func, select

from ternary_license_server.database.schema import leases, licenses, meter_losses
from ternary_license_server.database.transaction import Transaction
from ternary_license_server.service import dead_letters, records
from ternary_license_server.service.records import State, seconds
from ternary_license_server.service.sought import Sought
from ternary_sdk._internal.documents.canonical import Json

SOON: Final = 30 * 86_400
"""What ends within so many seconds ends soon, and flags of so many seconds are counted."""
_SHOWN: Final = 20


def overview(transaction: Transaction) -> dict[str, Json]:
    """How the business stands now, moments in seconds since 1970-01-01 UTC."""
    now = seconds(transaction.now)
    return {
        "now": now,
        "licenses": dict(states(transaction, now)),
        "seats": _seats(transaction, now),
        "ending": _ending(transaction, now),
        "flags": dict(flags(transaction, now)),
        "events": dead_letters.standing(transaction),
    }


def states(transaction: Transaction, now: int) -> dict[str, int]:
    """How many there are; active ones that have ended are counted apart."""
    ended = (
        (licenses.c.state == State.ACTIVE) & (licenses.c.expires <= now) & licenses.c.perpetual.is_not(True)
    )
    query = (
        select(licenses.c.state, func.count()).where(~func.coalesce(ended, False)).group_by(licenses.c.state)
    )
    found = {str(row[0]): row[1] for row in transaction.execute(query)}
    over = transaction.execute(select(func.count()).select_from(licenses).where(ended)).scalar_one()
    return {str(state): found.get(str(state), 0) for state in State} | {"ended": over}


def standing(now: int) -> ColumnElement[bool]:
    """The condition of licenses that are active and have not ended."""
    row = licenses.c
    runs = (row.expires.is_(None)) | (row.expires > now) | row.perpetual.is_(True)
    return (row.state == State.ACTIVE) & runs


def _seats(transaction: Transaction, now: int) -> dict[str, Json]:
    """Seats sold by active licenses, and seats that are held."""
    sold, limited, every = transaction.execute(
        select(
            func.coalesce(func.sum(licenses.c.seats), 0), func.count(licenses.c.seats), func.count()
        ).where(standing(now))
    ).one()
    held = transaction.execute(
        select(func.count()).select_from(leases).where(leases.c.released.is_(None), leases.c.ends > now)
    ).scalar_one()
    return {"sold": int(sold), "held": held, "licenses_without_limit": every - limited}


def _ending(transaction: Transaction, now: int) -> dict[str, Json]:
    """Active licenses that end soon: how many, and the first of them by their ends."""
    sought = Sought(state=str(State.ACTIVE), ends_from=now, ends_before=now + SOON)
    conditions = sought.conditions()
    number = transaction.execute(select(func.count()).select_from(licenses).where(*conditions)).scalar_one()
    first: list[Json] = [
        {"id": license.id, "customer_name": license.customer_name, "expires": seconds(license.expires)}
        for license in records.ending_first(transaction, sought, _SHOWN)
        if license.expires is not None
    ]
    return {"number": number, "first": first}


def flags(transaction: Transaction, now: int) -> dict[str, int]:
    """Reports of the last days that lacked operations of earlier ones, and those of a meter begun anew."""
    loss = meter_losses.c
    recent = loss.received >= now - SOON
    number = transaction.execute(select(func.count()).select_from(meter_losses).where(recent)).scalar_one()
    anew = transaction.execute(
        select(func.count()).select_from(meter_losses).where(recent, loss.restarted)
    ).scalar_one()
    return {"lacking": number, "restarted": anew}
