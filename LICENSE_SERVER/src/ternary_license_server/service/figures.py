"""
Figures of the whole business for an operator's gauges: licenses, seats, leases, ends, the revocation list,
the restored mode, the database's size.

Some of them are counted over whole tables. So whoever asks keeps what came, and asks again after a while.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy import func, select

from ternary_license_server.database import dialects
from ternary_license_server.database.schema import leases, licenses
from ternary_license_server.database.transaction import Transaction
from ternary_license_server.service import access, listing, overview, restoring
from ternary_license_server.service.records import State, seconds
from ternary_license_server.service.sought import Sought

DAY: Final = 86_400
AHEAD: Final = (7, 30)
"""Days for which ends are counted ahead."""

Figures = Mapping[str, Mapping[str, float]]
"""Each figure's values by its label's value; one without a label has the value of ""."""


@dataclass(frozen=True, kw_only=True)
class Meaning:
    """What a figure says."""

    about: str
    """One sentence."""
    label: str | None = None
    """Name of its label, whose values are fixed by this program; None if it has none."""


MEANINGS: Final[Mapping[str, Meaning]] = {
    "ternary_licenses": Meaning(about="Licenses by state; ended ones are active but over.", label="state"),
    "ternary_licenses_ending": Meaning(about="Active licenses that end within so many days.", label="days"),
    "ternary_seats_sold": Meaning(about="Seats of active licenses with a limit."),
    "ternary_leases": Meaning(about="Seats in use: leases that have not ended.", label="kind"),
    "ternary_usage_flags": Meaning(
        about="Reports of the last 30 days that lacked operations of earlier ones; of a new meter.",
        label="kind",
    ),
    "ternary_revocation_names": Meaning(about="Names of the database on the revocation list."),
    "ternary_revocation_room": Meaning(about="Names that the revocation list still has room for."),
    "ternary_restored_mode": Meaning(about="1 while the server is in the restored mode, else 0."),
    "ternary_admin_token_end_timestamp_seconds": Meaning(
        about="End of the admin token that ends last; 0 if none is usable."
    ),
    "ternary_database_bytes": Meaning(about="Size of the database; of SQLite without its log."),
}
"""Every figure that ``count`` gives."""


def count(transaction: Transaction) -> dict[str, dict[str, float]]:
    """Every figure of MEANINGS, as it is now."""
    now = seconds(transaction.now)
    names, _ = listing.count(transaction)
    return {
        "ternary_licenses": dict(overview.states(transaction, now)),
        "ternary_licenses_ending": {str(days): _ending(transaction, now, days) for days in AHEAD},
        "ternary_seats_sold": {"": _sold(transaction, now)},
        "ternary_leases": _leases(transaction, now),
        "ternary_usage_flags": dict(overview.flags(transaction, now)),
        "ternary_revocation_names": {"": names},
        "ternary_revocation_room": {"": max(0, listing.MOST - names)},
        "ternary_restored_mode": {"": int(restoring.current(transaction) is not None)},
        "ternary_admin_token_end_timestamp_seconds": {"": access.last_end(transaction)},
        "ternary_database_bytes": {"": dialects.size(transaction.connection)},
    }


def _ending(transaction: Transaction, now: int, days: int) -> int:
    sought = Sought(state=str(State.ACTIVE), ends_from=now, ends_before=now + days * DAY)
    query = select(func.count()).select_from(licenses).where(*sought.conditions())
    return transaction.execute(query).scalar_one()


def _sold(transaction: Transaction, now: int) -> int:
    query = select(func.coalesce(func.sum(licenses.c.seats), 0)).where(overview.standing(now))
    return int(transaction.execute(query).scalar_one())


def _leases(transaction: Transaction, now: int) -> dict[str, float]:
    held = (leases.c.released.is_(None)) & (leases.c.ends > now)
    query = select(leases.c.offline, func.count()).where(held).group_by(leases.c.offline)
    found = {bool(offline): number for offline, number in transaction.execute(query)}
    return {"online": found.get(False, 0), "offline": found.get(True, 0)}
