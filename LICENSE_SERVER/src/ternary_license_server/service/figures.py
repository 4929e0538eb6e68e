"""
Figures of the whole business for an operator's gauges: licenses, seats, leases, ends, the revocation list,
the restored mode, the database's size.

Some of them are counted over whole tables. So whoever asks keeps what came, and asks again after a while.
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Final

from sqlalchemy import ColumnElement, func, select

from ternary_license_server.database import dialects
from ternary_license_server.database.schema import leases, licenses, meter_losses
from ternary_license_server.database.transaction import Transaction
from ternary_license_server.service import access, listing, restoring
from ternary_license_server.service.records import State, seconds
from ternary_license_server.service.sought import Sought

DAY: Final = 86_400
SOON: Final = 30
"""Days: what ends within them ends soon, and flags of so many days are counted."""
AHEAD: Final = (7, SOON)
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
    "ternary_licenses_without_limit": Meaning(about="Active licenses without a limit of seats."),
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


@dataclass(frozen=True, kw_only=True)
class Counted:
    """Figures, and when they were counted."""

    at: int
    """In seconds since 1970-01-01 UTC."""
    figures: Figures

    def whole(self, name: str) -> dict[str, int]:
        """A figure's values, which are whole numbers."""
        return {label: int(value) for label, value in self.figures[name].items()}

    def one(self, name: str) -> int:
        """The value of a figure without a label."""
        return self.whole(name)[""]


def count(read: Callable[[], AbstractContextManager[Transaction]]) -> dict[str, dict[str, float]]:
    """Every figure of MEANINGS, as it is now.

    Args:
        read: Begins a reading transaction. Each group of figures has one of its own, so that none lasts
            longer than one of its queries may.
    """
    found = dict[str, dict[str, float]]()
    for group in _GROUPS:
        with read() as transaction:
            found |= group(transaction, seconds(transaction.now))
    return found


def business(transaction: Transaction) -> dict[str, dict[str, float]]:
    """The figures of licenses, seats and reports."""
    now = seconds(transaction.now)
    return _licenses(transaction, now) | _leases(transaction, now) | _flags(transaction, now)


def _licenses(transaction: Transaction, now: int) -> dict[str, dict[str, float]]:
    sold, limited, every = transaction.execute(_SOLD.where(_standing(now))).one()
    return {
        "ternary_licenses": dict(_states(transaction, now)),
        "ternary_licenses_ending": {str(days): _ending(transaction, now, days) for days in AHEAD},
        "ternary_seats_sold": {"": int(sold)},
        "ternary_licenses_without_limit": {"": every - limited},
    }


def _states(transaction: Transaction, now: int) -> dict[str, int]:
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


def _standing(now: int) -> ColumnElement[bool]:
    """The condition of licenses that are active and have not ended."""
    row = licenses.c
    runs = (row.expires.is_(None)) | (row.expires > now) | row.perpetual.is_(True)
    return (row.state == State.ACTIVE) & runs


def _ending(transaction: Transaction, now: int, days: int) -> int:
    sought = Sought(state=str(State.ACTIVE), ends_from=now, ends_before=now + days * DAY)
    query = select(func.count()).select_from(licenses).where(*sought.conditions())
    return transaction.execute(query).scalar_one()


def _leases(transaction: Transaction, now: int) -> dict[str, dict[str, float]]:
    held = (leases.c.released.is_(None)) & (leases.c.ends > now)
    query = select(leases.c.offline, func.count()).where(held).group_by(leases.c.offline)
    found = {bool(offline): number for offline, number in transaction.execute(query)}
    return {"ternary_leases": {"online": found.get(False, 0), "offline": found.get(True, 0)}}


def _flags(transaction: Transaction, now: int) -> dict[str, dict[str, float]]:
    """Reports of the last days that lacked operations of earlier ones, and those of a meter begun anew."""
    loss = meter_losses.c
    recent = loss.received >= now - SOON * DAY
    number = transaction.execute(select(func.count()).select_from(meter_losses).where(recent)).scalar_one()
    anew = transaction.execute(
        select(func.count()).select_from(meter_losses).where(recent, loss.restarted)
    ).scalar_one()
    return {"ternary_usage_flags": {"lacking": number, "restarted": anew}}


def _server(transaction: Transaction, _now: int) -> dict[str, dict[str, float]]:
    names, _ = listing.count(transaction)
    return {
        "ternary_revocation_names": {"": names},
        "ternary_revocation_room": {"": max(0, listing.MOST - names)},
        "ternary_restored_mode": {"": int(restoring.current(transaction) is not None)},
        "ternary_admin_token_end_timestamp_seconds": {"": access.last_end(transaction)},
        "ternary_database_bytes": {"": dialects.size(transaction.connection)},
    }


_GROUPS: Final = (_licenses, _leases, _flags, _server)
_SOLD: Final = select(
    func.coalesce(func.sum(licenses.c.seats), 0), func.count(licenses.c.seats), func.count()
)
