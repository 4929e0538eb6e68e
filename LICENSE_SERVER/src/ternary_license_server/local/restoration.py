"""
Bringing a server back from a backup, and merging what was published since: revocation lists and invoices. It
takes the rights on the database alone.
"""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.engine import URL

from ternary_license_server.database.clock import ClockError
from ternary_license_server.database.engine import Database, DatabaseError
from ternary_license_server.database.migration import existing, migrate, revision
from ternary_license_server.database.schema import revocation_list
from ternary_license_server.database.transaction import Transaction
from ternary_license_server.database.whole_file import leave_whole
from ternary_license_server.keys import keyring
from ternary_license_server.keys.keyring import KeyRing
from ternary_license_server.local import backup as backups
from ternary_license_server.service import auditing, invoices, merging, restoring, timekeeping
from ternary_license_server.service.access import LOCAL
from ternary_sdk._internal.documents.canonical import Json
from ternary_sdk._internal.trust.trust import Revocations, Trust
from ternary_sdk.errors import InputError


@dataclass(frozen=True, kw_only=True)
class Restored:
    """What a restoration did."""

    facts: dict[str, Json]
    """What ``restoring.begin`` and ``merging.merge`` returned, and ``list``, the merged list's version."""
    audit_faults: tuple[str, ...]
    """What is wrong with the audit log, a sentence for each row; the database is as true as the backup."""


@dataclass(frozen=True, kw_only=True)
class Wish:
    """How to restore."""

    newest: Trust | None
    """The newest trust file that was published; None if the vendor has none newer than the backup."""
    oversell: bool = False
    """Whether machines that the backup does not know get seats at once."""
    longest: timedelta = timedelta(0)
    """The longest lease or offline term that was sold since the backup, if none in it is as long."""
    today: date | None = None
    """The present day, UTC, where the backup is too old for the clock to be believed without it."""


def restore(database: Database, directory: Path, wish: Wish, source: Path | None = None) -> Restored:
    """Put a backup in the database's place, and start the restored mode in it:

    1. the newest trust file is this vendor's, no key set in it is newer than the directory's, and its
       revocation list is no older than the backup's;
    2. a SQLite backup is copied to a file beside the database's place, read back, and given this release's
       tables; a PostgreSQL database, or one that is in its place already, is only given the tables;
    3. in one transaction: the clock is believed, the mode begins, the list's names are merged;
    4. the file takes the database's name. Whatever raises before, there is no database in its place.

    Args:
        database: Where it is to be; no server runs on it.
        directory: The vendor's keys.
        wish: How.
        source: A file that ``ternary server backup`` made; None if the database is in its place already.
    Raises:
        InputError: If something is in the way, or the clock needs the operator's word.
        DatabaseError: If the backup is damaged or not a license server's.
        FormatError, SignatureError: If the trust file cannot be believed.
        ServiceError: LIST_FULL.
    """
    ring = keyring.load(directory)
    listed = _published(wish.newest, ring)  # 1
    if source is None:
        _check_there(database)
        return _adopt(database, ring, wish, listed)
    with _drafted(database, source) as draft:
        copy = Database(URL.create("sqlite", database=str(draft)), connections=1, clock=database.clock)
        with closing(copy):
            restored = _adopt(copy, ring, wish, listed)
        leave_whole(draft)
        backups.keep(draft, _place(database))  # 4
    return restored


def merge_list(database: Database, directory: Path, offered: Trust) -> dict[str, Json]:
    """Add the names of a trust file's revocation list to the server's; a server may be running.

    Args:
        database: The server's.
        directory: The vendor's keys.
        offered: A trust file of any age whose list the vendor's own key signed.
    Returns:
        ``list`` (its version), and how many names were new: ``revoked_licenses``, ``lost_seats`` and
        ``kept_names``.
    Raises:
        InputError: If there is no list in it.
        FormatError, SignatureError: If it cannot be believed.
        DatabaseError: If there is no such database, or it cannot be used.
        ServiceError: LIST_FULL.
    """
    existing(database)
    ring = keyring.load(directory)
    listed = merging.read(offered, ring)
    if listed is None:
        raise InputError("trust file: it has no revocation list")
    with database.write() as transaction:
        merged = merging.merge(transaction, listed, ring, actor=LOCAL)
    return {"list": listed.version, **merged.facts()}


def merge_invoice(database: Database, directory: Path, document: bytes) -> dict[str, Json]:
    """Take in an invoice that the server issued after the backup; a server may be running.

    Args:
        database: The server's.
        directory: The vendor's keys.
        document: The invoice's file.
    Returns:
        ``number``, ``customer``, ``product``, ``month``, ``issued``, ``currency``, ``total``, ``sha256``.
    Raises:
        FormatError, SignatureError: If it cannot be believed.
        DatabaseError: If there is no such database, or it cannot be used.
        ServiceError: As ``invoices.hand_in``.
    """
    existing(database)
    ring = keyring.load(directory)
    with database.write() as transaction:
        return invoices.hand_in(transaction, ring, document, actor=LOCAL)


def _published(newest: Trust | None, ring: KeyRing) -> Revocations | None:
    if newest is None:
        return None
    if newest.root == ring.trust.root and newest.version > ring.trust.version:
        raise InputError(
            f"keys: their key set has version {ring.trust.version}, the newest trust file's has "
            f"{newest.version}; put that file and its private keys into {ring.directory} first"
        )
    return merging.read(newest, ring)


def _adopt(database: Database, ring: KeyRing, wish: Wish, listed: Revocations | None) -> Restored:
    if revision(database) is None:
        raise DatabaseError(f"database {database}: not a license server's")
    migrate(database)  # 2
    with database.write() as transaction:  # 3
        if wish.newest is not None:
            _check_age(transaction, listed)
        faults = tuple(auditing.faults(transaction))
        since = restoring.newest(transaction)
        _believe_clock(transaction, wish.today)
        facts = restoring.begin(
            transaction,
            since=since or transaction.now,
            longest=wish.longest,
            oversell=wish.oversell,
            actor=LOCAL,
        )
        merged = merging.Merged()
        if listed is not None:
            merged = merging.merge(transaction, listed, ring, actor=LOCAL)
    facts |= {"list": listed.version if listed else None, **merged.facts()}
    return Restored(facts=facts, audit_faults=faults)


def _check_age(transaction: Transaction, listed: Revocations | None) -> None:
    held, offered = transaction.execute(select(revocation_list.c.version)).scalar_one(), 0
    if listed is not None:
        offered = listed.version
    if offered < held:
        raise InputError(
            f"trust file: its revocation list has version {offered}, and the backup's own {held}; give the "
            "newest that any customer has"
        )


def _believe_clock(transaction: Transaction, today: date | None) -> None:
    if today is not None:
        timekeeping.confirm(transaction, today, actor=LOCAL)
        return
    try:
        transaction.mark_clock()
    except ClockError as refusal:
        found = str(refusal).partition(";")[0]
        raise InputError(f"{found}; if the clock is right, add --today with today's date, UTC") from None


def _check_there(database: Database) -> None:
    if database.file is not None and not database.file.is_file():
        raise InputError(f"database {database}: no such file; name a backup to be put there")


def _place(database: Database) -> Path:
    if database.file is None:
        raise InputError(
            f"database {database}: not SQLite; restore it with pg_restore, then run this without a backup"
        )
    return database.file


@contextmanager
def _drafted(database: Database, source: Path) -> Iterator[Path]:
    """A checked copy of a backup, beside the place that it shall have."""
    place = _place(database)
    with backups.new_file(place) as draft:
        _check_alone(place)
        try:
            shutil.copyfile(source, draft)
            backups.read_back(draft)
        except OSError as error:
            raise InputError(f"{source}: cannot be read ({error.strerror})") from None
        except (sqlite3.Error, DatabaseError) as error:
            raise DatabaseError(f"{source}: not a whole backup ({error})") from None
        yield draft


def _check_alone(place: Path) -> None:
    """Refuse a log of another database: SQLite would play it into the restored one."""
    for ending in ("-wal", "-shm", "-journal"):
        if (left := Path(f"{place}{ending}")).exists():
            raise InputError(f"{left}: is of the database that was there; move it away, with that database")
