"""
A vendor's business at a glance: licenses by state, seats, what ends soon, and reports that lacked something.

Numbers are counted over whole tables. So where that takes long, those that ``figures`` counted last are shown
with their moment; only the first licenses that end are read each time, by an index.
"""

from typing import Final

from ternary_license_server.database.transaction import Transaction
from ternary_license_server.service import dead_letters, figures, records
from ternary_license_server.service.figures import Counted
from ternary_license_server.service.records import State, seconds
from ternary_license_server.service.sought import Sought
from ternary_sdk._internal.documents.canonical import Json

_SHOWN: Final = 20


def overview(transaction: Transaction, counted: Counted | None) -> dict[str, Json]:
    """How the business stands, moments in seconds since 1970-01-01 UTC.

    Args:
        transaction: Any.
        counted: Figures to show; None counts them now.
    """
    now = seconds(transaction.now)
    found = counted or Counted(at=now, figures=figures.business(transaction))
    return {
        "now": now,
        "counted": found.at,
        "licenses": dict(found.whole("ternary_licenses")),
        "seats": {
            "sold": found.one("ternary_seats_sold"),
            "held": sum(found.whole("ternary_leases").values()),
            "licenses_without_limit": found.one("ternary_licenses_without_limit"),
        },
        "ending": {
            "number": found.whole("ternary_licenses_ending")[str(figures.SOON)],
            "first": _ending_first(transaction, now),
        },
        "flags": dict(found.whole("ternary_usage_flags")),
        "events": dead_letters.standing(transaction),
    }


def _ending_first(transaction: Transaction, now: int) -> list[Json]:
    """The first active licenses that end soon, by their ends."""
    sought = Sought(state=str(State.ACTIVE), ends_from=now, ends_before=now + figures.SOON * figures.DAY)
    return [
        {"id": license.id, "customer_name": license.customer_name, "expires": seconds(license.expires)}
        for license in records.ending_first(transaction, sought, _SHOWN)
        if license.expires is not None
    ]
