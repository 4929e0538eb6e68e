"""
An operator's word about the clock, kept in the audit log.
"""

from datetime import date

from ternary_license_server.database import clock
from ternary_license_server.database.transaction import Transaction
from ternary_license_server.service import audit
from ternary_license_server.service.records import seconds
from ternary_sdk._internal.documents.canonical import Json


def confirm(transaction: Transaction, today: date, *, actor: str) -> dict[str, Json]:
    """Believe the clock from now on, if it says the day that the operator says.

    Returns:
        ``clock``, and ``newest``: what the database had seen before, None if nothing; both in seconds since
        1970-01-01 UTC.
    Raises:
        InputError: If it says another day.
    """
    newest = clock.seen(transaction.connection)
    facts: dict[str, Json] = {
        "clock": seconds(transaction.confirm_clock(today)),
        "newest": None if newest is None else seconds(newest),
    }
    audit.append(transaction, "clock", actor=actor, action="clock.confirm", detail=facts)
    return facts
