"""
A lease as it stands in its row: who holds which seat of a license until when.

Only ``seats`` decides what becomes of one; here it is read and written.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import and_, bindparam, insert, select, update

from ternary_license_server.database.schema import lease_numbers, leases
from ternary_license_server.database.transaction import Transaction
from ternary_license_server.service.records import moment, seconds
from ternary_sdk.documents.canonical import Json

_MINE: Final = and_(
    leases.c.license == bindparam("of_license"), leases.c.installation == bindparam("of_installation")
)
_FIND: Final = select(leases).where(_MINE)
_UPDATE: Final = update(leases).where(_MINE)
_INSERT: Final = insert(leases)
_ALL: Final = select(leases).where(leases.c.license == bindparam("of_license")).order_by(leases.c.started)

_HOLDER: Final = select(lease_numbers.c.installation, lease_numbers.c.customer).where(
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


def every(transaction: Transaction, license_id: str) -> list[Lease]:
    """Every lease of a license, the oldest first."""
    return [_lease(dict(row._mapping)) for row in transaction.execute(_ALL, {"of_license": license_id})]


def of_seat(transaction: Transaction, license_id: str, seat: str) -> Lease | None:
    """The lease of a seat by the seat's number."""
    this = (leases.c.license == license_id) & (leases.c.seat == seat)
    row = transaction.execute(select(leases).where(this)).one_or_none()
    return None if row is None else _lease(dict(row._mapping))


def write(transaction: Transaction, lease: Lease, *, new: bool) -> None:
    """Keep a lease that begins: an installation's first, or in the place of its last one."""
    values = vars(lease) | {
        "ends": seconds(lease.ends),
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
    transaction.execute(insert.on_conflict_do_nothing(), given)


def holder(transaction: Transaction, license_id: str, seat: str) -> tuple[str, str] | None:
    """The installation to which a number was given, and the customer of that lease; None if nobody had it."""
    row = transaction.execute(_HOLDER, {"of_license": license_id, "of_seat": seat}).one_or_none()
    return None if row is None else (row.installation, row.customer)


def owner(transaction: Transaction, license_id: str, installation: str, seat: str) -> str | None:
    """The customer to whose lease a number was given; None if this installation never had it."""
    found = holder(transaction, license_id, seat)
    return found[1] if found is not None and found[0] == installation else None


def number() -> str:
    """A new number for a seat."""
    return f"S-{secrets.token_hex(12)}"


def _lease(row: dict[str, object]) -> Lease:
    names = ("ends", "started", "offline_until", "released", "disowned")
    times = {name: None if row[name] is None else moment(int(str(row[name]))) for name in names}
    return Lease(**{**row, **times})  # type: ignore[arg-type]
