"""
A lease as it stands in its row: who holds which seat of a license until when.

Only ``seats`` decides what becomes of one; here it is read and written.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import and_, bindparam, func, insert, select, update

from ternary_license_server.database.schema import lease_numbers, leases, licenses
from ternary_license_server.database.transaction import Transaction
from ternary_license_server.service.records import moment, seconds
from ternary_sdk._internal.documents.canonical import Json

_MINE: Final = and_(
    leases.c.license == bindparam("of_license"), leases.c.installation == bindparam("of_installation")
)
_FIND: Final = select(leases).where(_MINE)
_UPDATE: Final = update(leases).where(_MINE)
_INSERT: Final = insert(leases)
_OF_LICENSE: Final = leases.c.license == bindparam("of_license")
_PAGE: Final = (
    select(leases)
    .where(_OF_LICENSE, leases.c.installation > bindparam("after"))
    .order_by(leases.c.installation)
    .limit(bindparam("most"))
)
_HELD: Final = select(func.count()).where(
    _OF_LICENSE, leases.c.ends > bindparam("at"), leases.c.released.is_(None)
)

_HOLDER: Final = select(lease_numbers).where(
    lease_numbers.c.license == bindparam("of_license"), lease_numbers.c.seat == bindparam("of_seat")
)


@dataclass(frozen=True, kw_only=True)
class Lease:
    """An installation's hold on a seat."""

    license: str
    """The license's id."""
    installation: str
    """Thumbprint of the installation key."""
    seat: str
    """The lease's number, 96 random bits, in every license that is issued for it; another one after it was
    declared lost or disowned. Who asks for anything about the seat must know it."""
    customer: str
    """Whose license it was when the lease was given."""
    disowned: datetime | None
    """When the license was given to another customer or got another key: from then on this lease can only be
    given back."""
    generation: int
    """Counts the activations of this installation; an older one's holder has lost the lease. It orders them
    and proves nothing."""
    ends: datetime
    """The seat is free from this moment on."""
    licensed_until: datetime
    """No license that this installation ever got ends later; it is only ever raised."""
    offline: bool
    """Whether it was given to a machine that cannot renew."""
    offline_until: datetime | None
    """When the last of the offline licenses ends that this installation ever got; it is only ever raised,
    because a file that was given back, freed or followed by an online lease may have been copied."""
    released: datetime | None
    """When it was given back."""
    machine: str | None
    """The machine's id, where it gave one."""
    started: datetime
    """When this generation began."""
    noted: int | None
    """Number of its last renewal in the license's audit chain; None before the first of this generation."""

    def holds(self, now: datetime) -> bool:
        """Whether the seat is taken."""
        return self.released is None and now < self.ends

    def facts(self, now: datetime) -> dict[str, Json]:
        """The lease as JSON."""
        return {
            "installation": self.installation,
            "seat": self.seat,
            "generation": self.generation,
            "ends": seconds(self.ends),
            "offline": self.offline,
            "released": seconds(self.released) if self.released else None,
            "customer": self.customer,
            "disowned": seconds(self.disowned) if self.disowned else None,
            "machine": self.machine,
            "started": seconds(self.started),
            "live": self.holds(now),
        }


def find(transaction: Transaction, license_id: str, installation: str) -> Lease | None:
    """An installation's lease, live or not; None if it never had one."""
    mine = {"of_license": license_id, "of_installation": installation}
    row = transaction.execute(_FIND, mine).one_or_none()
    return None if row is None else _lease(dict(row._mapping))


def page(transaction: Transaction, license_id: str, *, after: str = "", limit: int) -> list[Lease]:
    """Leases of a license in the order of their installations, live or not."""
    asked = {"of_license": license_id, "after": after, "most": limit}
    return [_lease(dict(row._mapping)) for row in transaction.execute(_PAGE, asked)]


def held(transaction: Transaction, license_id: str, now: datetime) -> int:
    """How many seats of a license are taken."""
    asked = {"of_license": license_id, "at": seconds(now)}
    return transaction.execute(_HELD, asked).scalar_one()


def of_seat(transaction: Transaction, license_id: str, seat: str) -> Lease | None:
    """The lease of a seat by the seat's number."""
    this = (leases.c.license == license_id) & (leases.c.seat == seat)
    row = transaction.execute(select(leases).where(this)).one_or_none()
    return None if row is None else _lease(dict(row._mapping))


def write(transaction: Transaction, lease: Lease, *, new: bool) -> None:
    """Keep a lease that begins: an installation's first, or in the place of its last one."""
    values = vars(lease) | {
        "ends": seconds(lease.ends),
        "licensed_until": seconds(lease.licensed_until),
        "started": seconds(lease.started),
        "offline_until": seconds(lease.offline_until) if lease.offline_until else None,
        "released": None,
        "disowned": None,
    }
    if new:
        transaction.execute(_INSERT, values)
    else:
        change(transaction, lease, **values)
    remember(transaction, lease)


def change(transaction: Transaction, lease: Lease, **values: object) -> None:
    """Give columns of a lease's row other values."""
    mine = {"of_license": lease.license, "of_installation": lease.installation}
    transaction.execute(_UPDATE, mine | values)


def remember(transaction: Transaction, lease: Lease) -> None:
    """Keep to whom a number was given, for good: reports of ended leases name it."""
    insert = transaction.insert(lease_numbers)
    given = {name: getattr(lease, name) for name in ("seat", "license", "installation", "customer")}
    its_owner = (licenses.c.id == lease.license) & (licenses.c.customer == lease.customer)
    licensee = select(licenses.c.licensee).where(its_owner).scalar_subquery()
    transaction.execute(insert.values(**given, licensee=licensee).on_conflict_do_nothing())


def holder(transaction: Transaction, license_id: str, seat: str) -> tuple[str, str] | None:
    """The installation to which a number was given, and the customer of that lease; None if nobody had it."""
    row = transaction.execute(_HOLDER, {"of_license": license_id, "of_seat": seat}).one_or_none()
    return None if row is None else (row.installation, row.customer)


def owner(transaction: Transaction, license_id: str, installation: str, seat: str) -> str | None:
    """The customer to whose lease a number was given; None if this installation never had it."""
    found = holder(transaction, license_id, seat)
    return found[1] if found is not None and found[0] == installation else None


def licensee(transaction: Transaction, license_id: str, seat: str) -> str | None:
    """The name under which a number was given, where that is not its customer's present one; empty: any."""
    row = transaction.execute(_HOLDER, {"of_license": license_id, "of_seat": seat}).one_or_none()
    return None if row is None else row.licensee


def number() -> str:
    """A new number for a seat."""
    return f"S-{secrets.token_hex(12)}"


def _lease(row: dict[str, object]) -> Lease:
    names = ("ends", "licensed_until", "started", "offline_until", "released", "disowned")
    times = {name: None if row[name] is None else moment(int(str(row[name]))) for name in names}
    return Lease(**{**row, **times})  # type: ignore[arg-type]
