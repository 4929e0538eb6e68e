"""
What the server publishes for everybody: the key set, the revocation list, and the trust file of both.

The list is a function of the key directory and the database, date and version included, so all replicas
publish the same one and it only ever goes forward.
"""

from typing import Final

from sqlalchemy import func, select, union_all

from ternary_license_server import keyset
from ternary_license_server.database.schema import lost_seats, revocations
from ternary_license_server.database.transaction import Transaction
from ternary_license_server.keys import KeyRing
from ternary_license_server.service.records import moment
from ternary_sdk.documents import canonical
from ternary_sdk.documents.fields import Fields
from ternary_sdk.licensing.trust import MAX_REVOKED, Role, Trust
from ternary_sdk.signing.jws import MAX_TOKEN

NEARLY_FULL: Final = MAX_REVOKED * 9 // 10
"""From so many names on, the list is said to be nearly full."""
_EVERY: Final = union_all(
    select(revocations.c.license.label("name"), revocations.c.revoked),
    select(lost_seats.c.seat.label("name"), lost_seats.c.revoked),
).subquery()


def warnings(transaction: Transaction, ring: KeyRing) -> list[str]:
    """A sentence if the list is nearly full: clients refuse a longer one, and no name is taken off it."""
    count = transaction.execute(select(func.count()).select_from(_EVERY)).scalar_one()
    number = count + len(ring.trust.revoked_licenses)
    if number < NEARLY_FULL:
        return []
    return [
        f"revocation list: {number} of at most {MAX_REVOKED} names are taken; beyond them nothing can be "
        "published; suspend licenses, or let them end, rather than revoke them"
    ]


def trust(transaction: Transaction, ring: KeyRing) -> Trust:
    """The trust file of this moment: the directory's, and every license and every lost seat that the
    server has revoked.

    Raises:
        SignatureError: If the key set has ended, so that no new list may be signed under it.
    """
    number, newest = transaction.execute(
        select(func.count(), func.max(_EVERY.c.revoked)).select_from(_EVERY)
    ).one()
    if not number:
        return ring.trust
    listed = ring.trust.revocations
    withdrawn = {row.name for row in transaction.execute(select(_EVERY.c.name))}
    issued = moment(newest) if listed is None else max(moment(newest), listed.issued)
    token = keyset.sign_revocations(
        ring.signer(Role.LICENSE),
        vendor=ring.vendor,
        version=number + (listed.version if listed else 0),
        licenses=withdrawn | ring.trust.revoked_licenses,
        now=issued,
    )
    return keyset.trust_file(ring.trust.root, key_set(ring.trust), token)


def key_set(trust: Trust) -> bytes:
    """The key set token of a trust file."""
    return _token(trust, "keys")


def revocation_list(trust: Trust) -> bytes | None:
    """The revocation list token of a trust file; None if nothing was ever revoked."""
    return _token(trust, "revocations") if trust.revocations else None


def _token(trust: Trust, name: str) -> bytes:
    fields = Fields(canonical.decode(trust.data, "trust file"), "trust file")
    return fields.text(name, longest=MAX_TOKEN).encode()
