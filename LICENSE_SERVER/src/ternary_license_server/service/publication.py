"""
What the server publishes for everybody: the key set, the revocation list, and the trust file of both.

The list is signed when it has changed and is asked for, by one process, and kept in the database: all
replicas publish the same one. Its version is the time in seconds, or one more than the last, so it rises
even where the database was restored from an old backup.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import Row, select, update

from ternary_license_server.database.clock import ClockError
from ternary_license_server.database.engine import Database
from ternary_license_server.database.schema import revocation_list as rows
from ternary_license_server.database.transaction import Transaction
from ternary_license_server.keys import keyset
from ternary_license_server.keys.keyring import KeyRing
from ternary_license_server.service import listing
from ternary_license_server.service.records import seconds
from ternary_sdk._internal.documents import canonical
from ternary_sdk._internal.documents.fields import Fields
from ternary_sdk._internal.trust.trust import MAX_LIST, Role, Trust
from ternary_sdk.errors import TernaryError

NEARLY_FULL: Final = listing.MOST * 9 // 10
"""From so many names on, the list is said to be nearly full."""
TIDY: Final = timedelta(days=1)
"""How long a list that nothing is added to stays as it is, though names could come off."""

_ROW: Final = rows.c
_STATE: Final = select(*(column for column in _ROW if column.name != "token"))
_TOKEN: Final = select(_ROW.token)


@dataclass(frozen=True)
class _Built:
    version: int
    keys: Trust
    trust: Trust


class Publication:
    """What one process publishes. Safe among threads.

    Args:
        database: Where the list is kept.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._last: _Built | None = None

    def trust(self, ring: KeyRing) -> Trust:
        """The trust file of this moment: the directory's key set, and every name that the directory or the
        server has revoked and that can still be on a license in force.

        1. If nothing was ever revoked here, it is the directory's own file.
        2. A list that was signed after the last change, by a key that is trusted, is published as it is.
        3. Else it is signed anew. Where that cannot be done, as after the key set's end, the last one stays.

        Raises:
            SignatureError: If the key set has ended and there is no list of before.
            ClockError: If the clock is in doubt and there is no list of before.
        """
        with self._database.read() as transaction:
            row = transaction.execute(_STATE).one()
            if _unused(row):
                return ring.trust
            if _fresh(transaction, row, ring.trust):
                return self._built(transaction, row, ring)
        refusal = self._sign(ring)
        with self._database.read() as transaction:
            row = transaction.execute(_STATE).one()
            if refusal is not None and not _trusted(row, ring.trust):
                raise refusal
            return self._built(transaction, row, ring)

    def _sign(self, ring: KeyRing) -> TernaryError | None:
        """Sign the list, unless another process has just done so; why it cannot be, where it cannot."""
        made = None
        try:
            with self._database.write() as transaction:
                listing.lock(transaction)
                row = transaction.execute(_STATE).one()
                if not _fresh(transaction, row, ring.trust):
                    made = _sign(transaction, row, ring)
        except TernaryError as refusal:
            return refusal
        self._last = made or self._last  # committed, so no other list has its version
        return None

    def _built(self, transaction: Transaction, row: Row[Any], ring: KeyRing) -> Trust:
        last = self._last
        if last is not None and last.version == row.version and last.keys is ring.trust:
            return last.trust
        token = transaction.execute(_TOKEN).scalar_one().encode()
        built = keyset.trust_file(ring.trust.root, key_set(ring.trust), token)
        self._last = _Built(row.version, ring.trust, built)
        return built


def warnings(transaction: Transaction) -> list[str]:
    """A sentence if the list is nearly full."""
    number, _ = listing.count(transaction)
    if number < NEARLY_FULL:
        return []
    return [
        f"revocation list: {number} of at most {listing.MOST} names are taken, beyond them none is accepted; "
        "names come off when their licenses have ended; suspend licenses rather than revoke them"
    ]


def key_set(trust: Trust) -> bytes:
    """The key set token of a trust file."""
    return _token(trust, "keys")


def revocation_list(trust: Trust) -> bytes | None:
    """The revocation list token of a trust file; None if nothing was ever revoked."""
    return _token(trust, "revocations") if trust.revocations else None


def _unused(row: Row[Any]) -> bool:
    """Whether no name was ever added here, and no list of ours was ever published."""
    return bool(row.version == row.changes == 0)


def _trusted(row: Row[Any], trust: Trust) -> bool:
    return row.key in trust.keys and row.key not in trust.revoked_keys


def _fresh(transaction: Transaction, row: Row[Any], trust: Trust) -> bool:
    if row.signed_changes != row.changes or row.directory < _directory(trust) or not _trusted(row, trust):
        return False
    try:
        return bool(seconds(transaction.now) < row.renew_at)
    except ClockError:
        return True


def _sign(transaction: Transaction, row: Row[Any], ring: KeyRing) -> _Built:
    now = transaction.now
    at, key = seconds(now), ring.signer(Role.LICENSE)
    names, first = listing.live(transaction, at)
    own = ring.trust.revoked_licenses
    names |= own - listing.ended(transaction, at) if own else set()
    version = max(row.version + 1, _directory(ring.trust) + 1, at)
    token = keyset.sign_revocations(key, vendor=ring.vendor, version=version, licenses=names, now=now)
    built = keyset.trust_file(ring.trust.root, key_set(ring.trust), token)  # what clients refuse is not kept
    transaction.execute(
        update(rows).values(
            version=version,
            signed_changes=row.changes,
            directory=max(row.directory, _directory(ring.trust)),
            key=key.kid,
            renew_at=max(first, at + int(TIDY.total_seconds())) if first < listing.NEVER else listing.NEVER,
            token=token.decode(),
        )
    )
    return _Built(version, ring.trust, built)


def _directory(trust: Trust) -> int:
    return trust.revocations.version if trust.revocations else 0


def _token(trust: Trust, name: str) -> bytes:
    fields = Fields(canonical.decode(trust.data, "trust file"), "trust file")
    return fields.text(name, longest=MAX_LIST).encode()
