"""
A copy of a SQLite database in one file, made while servers read and write, and checked before it is kept.

The copy is an ordinary SQLite database with no log beside it. It shows the database at one moment, after
some transaction and before the next. It holds content keys, so it is mode 0600 like the database.
"""

import os
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from alembic.runtime.migration import MigrationContext
from sqlalchemy import func, select
from sqlalchemy.engine import URL

from ternary_license_server.database.engine import Database, DatabaseError
from ternary_license_server.database.migration import existing
from ternary_license_server.database.private_file import close_to_others
from ternary_license_server.database.schema import licenses
from ternary_license_server.service import auditing
from ternary_sdk.errors import InputError

_PAGES: Final = 1024
"""Pages copied at a time; between two steps a signal is noticed."""
_PATIENCE: Final = 10.0
"""Seconds to wait for a lock."""


@dataclass(frozen=True, kw_only=True)
class Backup:
    """What the copy was found to hold when it was read back."""

    bytes: int
    """Size of the file."""
    revision: str
    """Which release's tables it has."""
    licenses: int
    """How many licenses it holds."""
    audit_rows: int
    """How many rows the audit log has; each chain was checked."""
    audit_head: str
    """One hash over all chains, as ``ternary server audit verify`` prints it."""
    audit_faults: tuple[str, ...]
    """What is wrong with the audit log, a sentence for each row; the copy is as true as the database."""


def backup(database: Database, target: Path) -> Backup:
    """Copy a database into a new file:

    1. the database is SQLite, is there and has this release's tables; nothing is at ``target``;
    2. all pages are copied under one read transaction, into a file beside ``target``;
    3. the copy is read back: SQLite's own check of every page and index, each reference between tables,
       each chain of the audit log;
    4. it takes its name.

    Whatever raises, no part of a file stays behind.

    Args:
        database: What to copy.
        target: The file to make.
    Raises:
        InputError: If ``target`` exists or is no place for a file, or the database is PostgreSQL.
        DatabaseError: If the database cannot be read, the copy cannot be made, or it is not whole.
    """
    if database.file is None:
        raise InputError(f"database {database}: not SQLite; back it up with PostgreSQL's own pg_dump")
    existing(database)  # 1
    with new_file(target) as draft:
        try:
            _copy(database.file, draft)  # 2
            found = read_back(draft)  # 3
        except sqlite3.Error as error:
            raise DatabaseError(f"{target}: the database cannot be copied ({error})") from None
        keep(draft, target)  # 4
    return found


def read_back(file: Path) -> Backup:
    """Check a backup that no server uses: every page and index, reference and chain of the audit log.

    Raises:
        DatabaseError: If it is damaged.
        sqlite3.Error: If it is not a SQLite database.
    """
    with closing(sqlite3.connect(file)) as connection:
        faults = [row[0] for row in connection.execute("PRAGMA integrity_check")]
        loose = connection.execute("PRAGMA foreign_key_check").fetchone()
    if faults != ["ok"] or loose is not None:
        why = faults[0] if faults != ["ok"] else f"a row of {loose[0]} refers to none"
        raise DatabaseError(f"database: damaged ({why})")
    copy = Database(URL.create("sqlite", database=str(file)))
    try:
        with copy.read() as transaction:
            wrong = list(auditing.faults(transaction))
            rows, head = auditing.summary(transaction)
            number = transaction.execute(select(func.count()).select_from(licenses)).scalar_one()
            revision = MigrationContext.configure(transaction.connection).get_current_revision()
    finally:
        copy.close()
    return Backup(
        bytes=file.stat().st_size,
        revision=str(revision),
        licenses=number,
        audit_rows=rows,
        audit_head=head,
        audit_faults=tuple(wrong),
    )


@contextmanager
def new_file(target: Path) -> Iterator[Path]:
    """A private file beside ``target``, to be filled and kept; it is gone at the end if it was not kept.

    Raises:
        InputError: If ``target`` exists or is no place for a file.
    """
    if os.path.lexists(target):
        raise InputError(f"{target}: exists already; a backup never overwrites a file")
    if not target.parent.is_dir():
        raise InputError(f"{target}: {target.parent} is not a folder")
    draft = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    try:
        close_to_others(draft)
        yield draft
    finally:
        for ending in ("", "-journal", "-wal", "-shm"):
            Path(f"{draft}{ending}").unlink(missing_ok=True)


def _copy(source: Path, draft: Path) -> None:
    with (
        closing(sqlite3.connect(source, timeout=_PATIENCE, isolation_level=None)) as reading,
        closing(sqlite3.connect(draft, isolation_level=None)) as writing,
    ):
        # Every step copies from this transaction's moment; without it each writer would start the copy anew.
        reading.execute("BEGIN")
        reading.execute("SELECT count(*) FROM sqlite_master").fetchone()
        reading.backup(writing, pages=_PAGES)
        reading.execute("ROLLBACK")
        writing.execute("PRAGMA journal_mode = DELETE").fetchone()


def keep(draft: Path, target: Path) -> None:
    """Give a file its name, once all of it is on disk.

    Not by ``whole_file``: SQLite fills the draft, not this program, and an older backup is never replaced.

    Raises:
        InputError: If ``target`` exists or cannot be written.
    """
    try:
        with draft.open("rb") as file:
            os.fsync(file.fileno())
        if os.path.lexists(target):
            raise InputError(f"{target}: exists already; a backup never overwrites a file")
        draft.rename(target)
        _sync_folder(target.parent)
    except OSError as error:
        raise InputError(f"{target}: cannot be written ({error.strerror})") from None


def _sync_folder(folder: Path) -> None:
    """Have the new name on disk too, where the system can be asked for that."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
