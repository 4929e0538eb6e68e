"""
The meter: which operations were ever returned under each license that has a quota.

What is counted is a set, so counting twice is impossible and reports of several machines merge by union. The
set grows in the transaction that precedes the answer: a crash may count an operation that was never seen,
once, and never loses one that was. Whoever deletes the file starts anew; only a server that has seen an
earlier report can notice.

There is one set for each license, space, lease and owner, as the package and the license in force state them.
What was counted for one customer is never another's, whoever has the license later.
"""

import os
import sqlite3
import stat
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path, PurePath
from typing import Final

from ternary_sdk._internal.licensing import ledger_rows, state
from ternary_sdk._internal.licensing.appearing import appear
from ternary_sdk._internal.licensing.counted import Acknowledged, Counted
from ternary_sdk._internal.licensing.forks import ForkGuard
from ternary_sdk.errors import FormatError, LedgerError, LicenseError, Reason
from ternary_sdk.operations import OperationSet
from ternary_sdk.space import TERNARY_2, Space

_PATIENCE: Final = 10.0
_FORKS: Final = ForkGuard()


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

    def record(
        self,
        license_id: str,
        quota: int,
        operations: OperationSet,
        *,
        lease: str | None = None,
        owner: str | None = None,
    ) -> None:
        """Count operations as returned, all of them or none; on return they are on disk.

        Args:
            license_id: The license they are returned under.
            quota: How many different operations it may ever return to its owner on this machine, those of all
                spaces added up.
            operations: What is about to be returned.
            lease: The lease's number in the license; None if it has none.
            owner: The customer that the license names.
        Raises:
            LicenseError: QUOTA_EXHAUSTED, if they would exceed the quota; nothing is counted then.
            LedgerError: If the file cannot be read or written; nothing may be returned then.
        """
        with self._transaction() as connection:
            sets = ledger_rows.read(connection, license_id)
            total = sum(_totals(sets, owner).values())
            more = len(operations - _union(sets, owner, operations.space))
            if more and total + more > quota:
                _refuse(license_id, quota, total, more)
            before = ledger_rows.chosen(sets, lease, owner, operations.space)
            if len(operations - before.operations):
                ledger_rows.grow(connection, license_id, before, operations)

    def totals(self, license_id: str, *, owner: str | None = None) -> dict[Space, int]:
        """How many different operations of each space were ever returned under a license, ascending by space.

        Args:
            license_id: The license.
            owner: As ``drawn``.
        Raises:
            LedgerError: If the file cannot be read.
        """
        return _totals(self.sets(license_id), owner)

    def drawn(self, license_id: str, *, space: Space = TERNARY_2, owner: str | None = None) -> OperationSet:
        """The operations of a space ever returned under a license; read-only state is read as it lies.

        Args:
            license_id: The license.
            space: What they are operations of.
            owner: Only what was returned to this customer, or to a customer that is not known; None for all.
        Raises:
            LedgerError: If the file cannot be read.
        """
        return _union(self.sets(license_id), owner, space)

    def sets(self, license_id: str) -> list[Counted]:
        """What was counted under a license, for each space, lease and owner.

        Raises:
            LedgerError: If the file cannot be read.
        """
        if not _exists(self.path):
            return []
        uri = _uri_to_read(self.path)
        with self._unforked() as process, self._connection(uri) as connection:
            connection.execute("BEGIN")
            found = ledger_rows.read(connection, license_id)
            self._check_process(process)
        return found

    def counted(
        self, license_id: str, *, lease: str | None, owner: str | None, space: Space = TERNARY_2
    ) -> Counted:
        """The set of one lease, owner and space, empty if nothing was counted.

        Raises:
            LedgerError: If the file cannot be read.
        """
        return ledger_rows.chosen(self.sets(license_id), lease, owner, space)

    def acknowledge(self, license_id: str, reported: Counted) -> None:
        """Keep that the server has confirmed a set as it was reported; it may have grown since.

        Raises:
            LedgerError: If the file cannot be written.
        """
        confirmed = Acknowledged(operations=len(reported.operations), sha256=reported.operations.digest)
        with self._transaction() as connection:
            for counted in ledger_rows.read(connection, license_id):
                if _key(counted) == _key(reported):
                    ledger_rows.write(connection, license_id, replace(counted, acknowledged=confirmed))

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._unforked() as process:
            if not _exists(self.path):
                _create(self.path)
            with self._connection(_uri(self.path)) as connection:
                connection.execute("BEGIN IMMEDIATE")
                with connection:
                    ledger_rows.upgrade(connection)
                    yield connection
                    self._check_process(process)

    @contextmanager
    def _unforked(self) -> Iterator[int]:
        """As ``ForkGuard.unforked``; a call in the midst of one that another process began is refused, since
        it would wait for locks that nobody gives back here."""
        with _FORKS.unforked() as process:
            self._check_process(process)
            yield process

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
                ledger_rows.create(connection)
            appear(draft, path)
    except OSError as error:
        raise LedgerError(f"{path}: cannot be made ({error.strerror})") from None
    except sqlite3.Error as error:
        raise LedgerError(f"{path}: cannot be made ({error})") from None


def _key(counted: Counted) -> tuple[Space, str | None, str | None]:
    return counted.space, counted.lease, counted.owner


def _of_owner(sets: list[Counted], owner: str | None) -> list[Counted]:
    """What was returned to one owner, or to one that is not known; to all if none is given."""
    return [counted for counted in sets if owner is None or counted.owner in (owner, None)]


def _union(sets: list[Counted], owner: str | None, space: Space) -> OperationSet:
    together = OperationSet.of([], space)
    for counted in _of_owner(sets, owner):
        if counted.space == space:
            together |= counted.operations
    return together


def _totals(sets: list[Counted], owner: str | None) -> dict[Space, int]:
    spaces = sorted({counted.space for counted in _of_owner(sets, owner)})
    return {space: len(_union(sets, owner, space)) for space in spaces}


def _refuse(license_id: str, quota: int, before: int, more: int) -> None:
    raise LicenseError(
        Reason.QUOTA_EXHAUSTED,
        f"license {license_id} allows {quota} different operations; {before} are drawn and this call "
        f"would draw {more} more; ask for fewer, or ask the vendor for a larger quota",
    )
