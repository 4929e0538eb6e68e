"""
The meter: which operations were ever returned under each license that has a quota.

What is counted is a set, so counting twice is impossible and reports of several machines merge by union.
The set grows in the transaction that precedes the answer: a crash may count an operation that was never
seen, once, and never loses one that was. Whoever deletes the file starts anew; only a server that has
seen an earlier report can notice.
"""

import os
import sqlite3
import stat
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path, PurePath
from typing import Final

from ternary_sdk.errors import FormatError, LedgerError, LicenseError, Reason
from ternary_sdk.licensing import state
from ternary_sdk.licensing.appearing import appear
from ternary_sdk.licensing.forks import ForkGuard
from ternary_sdk.operations import BITMAP_BYTES, OperationSet

_APPLICATION: Final = 0x7E52_A417
_VERSION: Final = 1
_PATIENCE: Final = 10.0
_FORKS: Final = ForkGuard()
_SCHEMA: Final = f"""
CREATE TABLE drawn (
    license TEXT PRIMARY KEY NOT NULL,
    bitmap BLOB NOT NULL CHECK (length(bitmap) = {BITMAP_BYTES})
) STRICT, WITHOUT ROWID
"""


class Ledger:
    """The meter of one vendor's licenses, a SQLite file.

    Every call opens the file anew, so an object may be shared among threads and survives fork and spawn;
    several processes may use one file, on a local file system. Nothing is opened before the first call.
    A fork waits for the calls of other threads, so a child always begins without any of SQLite's locks.

    Args:
        path: The file; its directory is made, mode 0700, and the file too, mode 0600, when first needed.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def record(self, license_id: str, quota: int, operations: OperationSet) -> None:
        """Count operations as returned, all of them or none; on return they are on disk.

        Args:
            license_id: The license they are returned under.
            quota: How many different operations it may ever return.
            operations: What is about to be returned.
        Raises:
            LicenseError: QUOTA_EXHAUSTED, if they would exceed the quota; nothing is counted then.
            LedgerError: If the file cannot be read or written; nothing may be returned then.
        """
        with self._transaction() as connection:
            before = _drawn(connection, license_id)
            after = before | operations
            if after == before:
                return
            if len(after) > quota:
                _refuse(license_id, quota, before, len(after) - len(before))
            connection.execute(
                "INSERT INTO drawn VALUES (?, ?) ON CONFLICT DO UPDATE SET bitmap = excluded.bitmap",
                (license_id, after.to_bytes()),
            )

    def drawn(self, license_id: str) -> OperationSet:
        """The operations ever returned under a license; read-only state is read as it lies.

        Raises:
            LedgerError: If the file cannot be read.
        """
        if not _exists(self.path):
            return OperationSet.of([])
        with _FORKS.unforked() as process, self._connection(_uri_to_read(self.path)) as connection:
            found = _drawn(connection, license_id)
            self._check_process(process)
        return found

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with _FORKS.unforked() as process:
            if not _exists(self.path):
                _create(self.path)
            with self._connection(_uri(self.path)) as connection:
                connection.execute("BEGIN IMMEDIATE")
                with connection:
                    yield connection
                    self._check_process(process)

    def _check_process(self, process: int) -> None:
        """Only the process that began a call holds the locks that it needs."""
        if os.getpid() != process:
            raise LedgerError(
                f"{self.path}: this process was forked in the middle of a call, which counts nothing here; "
                "call again"
            )

    @contextmanager
    def _connection(self, uri: str) -> Iterator[sqlite3.Connection]:
        try:
            with _open(uri) as connection:
                _check_format(connection)
                yield connection
        except sqlite3.Error as error:
            raise LedgerError(f"{self.path}: the meter cannot be used ({error})") from None
        except FormatError as refusal:
            raise LedgerError(f"{self.path}: damaged ({refusal})") from None


@contextmanager
def _open(uri: str) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(uri, uri=True, timeout=_PATIENCE, isolation_level=None)) as connection:
        for setting in ("synchronous = FULL", "foreign_keys = ON", "trusted_schema = OFF"):
            connection.execute(f"PRAGMA {setting}")
        yield connection


def _uri(path: Path) -> str:
    return f"{_location(path.absolute())}?mode=rw"


def _location(path: PurePath) -> str:
    """The file's URI in SQLite's spelling: it knows no hosts, so a UNC path begins with four slashes."""
    uri = path.as_uri()
    return uri if uri.startswith("file:///") else uri.replace("file://", "file:////", 1)


def _uri_to_read(path: Path) -> str:
    """SQLite reads a write-ahead log only with files that it may make beside it.

    Where it may not, a meter without a log is complete and nobody here can change it, so it is read as it is.
    """
    if os.access(path, os.W_OK) and os.access(path.parent, os.W_OK | os.X_OK):
        return _uri(path)
    log = path.with_name(f"{path.name}-wal")
    return f"{_location(path.absolute())}?mode=ro{'' if log.exists() else '&immutable=1'}"


def _exists(path: Path) -> bool:
    try:
        found = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise LedgerError(f"{path}: cannot be read ({error.strerror})") from None
    if not stat.S_ISREG(found.st_mode):
        raise LedgerError(f"{path}: is not a regular file")
    return True


def _create(path: Path) -> None:
    """Make a complete, empty meter, mode 0600, appear at once under its name.

    Two processes that both switched a new file to write-ahead logging would find it locked, and opening
    and closing a file that SQLite holds open in another thread would drop its locks (POSIX fcntl).
    """
    state.prepare(path)
    try:
        with tempfile.TemporaryDirectory(prefix=f".{path.name}.", dir=path.parent) as workshop:
            draft = Path(workshop) / path.name
            os.close(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
            with _open(_uri(draft)) as connection:
                connection.execute("PRAGMA journal_mode = WAL")
                connection.execute(_SCHEMA)
                connection.execute(f"PRAGMA application_id = {_APPLICATION}")
                connection.execute(f"PRAGMA user_version = {_VERSION}")
            appear(draft, path)
    except OSError as error:
        raise LedgerError(f"{path}: cannot be made ({error.strerror})") from None
    except sqlite3.Error as error:
        raise LedgerError(f"{path}: cannot be made ({error})") from None


def _check_format(connection: sqlite3.Connection) -> None:
    application, version = (
        connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("application_id", "user_version")
    )
    if (application, version) != (_APPLICATION, _VERSION):
        raise FormatError(
            f"application {application:#x}, version {version}; expected {_APPLICATION:#x}, version {_VERSION}"
        )


def _drawn(connection: sqlite3.Connection, license_id: str) -> OperationSet:
    row = connection.execute(
        "SELECT bitmap, typeof(bitmap) FROM drawn WHERE license = ?", (license_id,)
    ).fetchone()
    if row is None:
        return OperationSet.of([])
    bitmap, kind = row
    if kind != "blob":  # what another program made need not be STRICT
        raise FormatError(f"bitmap: its SQLite type is {kind}, expected blob")
    return OperationSet.from_bytes(bitmap)


def _refuse(license_id: str, quota: int, before: OperationSet, more: int) -> None:
    raise LicenseError(
        Reason.QUOTA_EXHAUSTED,
        f"license {license_id} allows {quota} different operations; {len(before)} are drawn and this call "
        f"would draw {more} more; ask for fewer, or ask the vendor for a larger quota",
    )
