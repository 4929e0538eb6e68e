"""
Taking in a revocation list that the vendor's own key signed, whoever hands it in.

After a backup was restored, this is how the server learns what it had revoked since. Names are only ever
added: an old list, or one that was handed in before, changes nothing.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Column, insert, select, update

from ternary_license_server.database.schema import (
    leases,
    licenses,
    lost_seats,
    merged_names,
    revocation_list,
    revocations,
)
from ternary_license_server.database.transaction import Transaction
from ternary_license_server.keys import keyset
from ternary_license_server.keys.keyring import KeyRing
from ternary_license_server.service import lease as lease_rows
from ternary_license_server.service import life, listing, publication, records, seats
from ternary_license_server.service.records import seconds
from ternary_license_server.service.refusals import Code, ServiceError
from ternary_sdk._internal.documents.canonical import Json
from ternary_sdk._internal.trust.trust import Revocations, Trust
from ternary_sdk.errors import SignatureError

_AT_ONCE: Final = 500
"""Names in one query."""


@dataclass(frozen=True, kw_only=True)
class Merged:
    """What a list changed."""

    revoked_licenses: int = 0
    """Licenses that are revoked now and were not."""
    lost_seats: int = 0
    """Seats that are declared lost now and were not."""
    kept_names: int = 0
    """Names that this database does not know; they stay on the list for good."""

    def facts(self) -> dict[str, Json]:
        """As JSON."""
        return dict(vars(self))


def read(offered: Trust, ring: KeyRing) -> Revocations | None:
    """The revocation list of a trust file, if a key that this server trusts has signed it.

    Args:
        offered: The trust file, of any age.
        ring: The vendor's keys.
    Raises:
        SignatureError: If the file has another root, or the list's key is unknown here or revoked.
    """
    if offered.root != ring.trust.root:
        raise SignatureError(
            f"trust file: root is {offered.root.kid}, this vendor's is {ring.trust.root.kid}"
        )
    token = publication.revocation_list(offered)
    if token is None:
        return None
    return keyset.trust_file(ring.trust.root, publication.key_set(ring.trust), token).revocations


def is_known(transaction: Transaction, listed: Revocations, ring: KeyRing) -> bool:
    """Whether merging this list would change nothing."""
    version = transaction.execute(select(revocation_list.c.version)).scalar_one()
    return listed.version <= version and not _missing(transaction, listed.licenses, ring)


def merge(transaction: Transaction, listed: Revocations, ring: KeyRing, *, actor: str) -> Merged:
    """Add the names of a list to ours:

    1. a license that this database knows is revoked;
    2. a seat that it knows is declared lost;
    3. any other name is kept as it is, for good, because nobody knows when its licenses end;
    4. our list's version rises above this one's.

    Raises:
        ServiceError: LIST_FULL, if there is no room for all of them. Nothing has changed.
    """
    reason = f"named by revocation list {listed.version}"
    held, lost = _locked(transaction, _missing(transaction, listed.licenses, ring), ring)
    for license_id in sorted(held):
        life.take_back(transaction, license_id, actor=actor, reason=reason)
    for seat, license_id in sorted(lost.items()):
        _lose(transaction, license_id, seat, actor, reason)
    listing.lock(transaction)
    unknown = _missing(transaction, listed.licenses, ring)
    now = seconds(transaction.now)
    for names in _parts(unknown):
        transaction.execute(insert(merged_names), [{"name": name, "merged": now} for name in names])
    _check_room(transaction, listed)
    raised = max(listed.version, transaction.execute(select(revocation_list.c.version)).scalar_one())
    transaction.execute(update(revocation_list).values(version=raised))
    listing.note_change(transaction)
    return Merged(revoked_licenses=len(held), lost_seats=len(lost), kept_names=len(unknown))


def _locked(transaction: Transaction, names: Iterable[str], ring: KeyRing) -> tuple[set[str], dict[str, str]]:
    """Lock what these names revoke: licenses, and the licenses of seats.

    Other processes may merge the same list at once. So licenses are locked in one order, and what is still
    missing is read after the last lock.
    """
    for license_id in sorted({*_licenses_of(transaction, names), *_seats_of(transaction, names).values()}):
        records.lock(transaction, license_id)
    missing = _missing(transaction, names, ring)
    return _licenses_of(transaction, missing), _seats_of(transaction, missing)


def _missing(transaction: Transaction, names: Iterable[str], ring: KeyRing) -> set[str]:
    """Of these names those that neither revoke anything here yet nor are kept."""
    missing = set(names)
    for column in (revocations.c.license, lost_seats.c.seat, merged_names.c.name):
        missing -= {row[0] for row in _found(transaction, column, missing, column)}
    own = missing & ring.trust.revoked_licenses
    return missing - (own - _licenses_of(transaction, own))


def _check_room(transaction: Transaction, listed: Revocations) -> None:
    number, _ = listing.count(transaction)
    if number > listing.MOST:
        raise ServiceError(
            Code.LIST_FULL,
            f"revocation list {listed.version}: with its names ours would have {number}, and it has "
            f"room for {listing.MOST}",
        )


def _lose(transaction: Transaction, license_id: str, seat: str, actor: str, reason: str) -> None:
    records.lock(transaction, license_id)
    lease = lease_rows.of_seat(transaction, license_id, seat)
    if lease is not None:
        seats.declare_lost(transaction, lease, reason, transaction.now)
        life.note_loss(transaction, lease, reason, actor=actor)


def _licenses_of(transaction: Transaction, names: Iterable[str]) -> set[str]:
    return {row.id for row in _found(transaction, licenses.c.id, names, licenses.c.id)}


def _seats_of(transaction: Transaction, names: Iterable[str]) -> dict[str, str]:
    found = _found(transaction, leases.c.seat, names, leases.c.seat, leases.c.license)
    return {row.seat: row.license for row in found}


def _found(
    transaction: Transaction, column: Column[str], names: Iterable[str], *wanted: Column[str]
) -> Iterator[Any]:
    for some in _parts(names):
        yield from transaction.execute(select(*wanted).where(column.in_(some)))


def _parts(names: Iterable[str]) -> Iterator[list[str]]:
    ordered = sorted(names)
    for start in range(0, len(ordered), _AT_ONCE):
        yield ordered[start : start + _AT_ONCE]
