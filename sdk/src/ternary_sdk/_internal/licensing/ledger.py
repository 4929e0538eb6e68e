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
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import reduce
from pathlib import Path
from typing import Final

from ternary_sdk._internal import ascending
from ternary_sdk._internal.licensing import joining, ledger_file, ledger_rows, quotas, segments
from ternary_sdk._internal.licensing.counted import Acknowledged, Counted, Growth, nothing
from ternary_sdk._internal.licensing.forks import ForkGuard
from ternary_sdk._internal.licensing.ledger_sets import Row
from ternary_sdk._internal.licensing.segments import Segmented
from ternary_sdk.errors import FormatError, LedgerError
from ternary_sdk.operations import OperationSet
from ternary_sdk.space import TERNARY_2, Space

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
        self._read_ahead(license_id, operations.space)
        with self._transaction() as connection:
            rows = ledger_rows.read(connection, license_id)
            quotas.count(connection, license_id, rows, quota, operations, lease, owner)
        self._join_beside(rows)

    def record_new(
        self,
        license_id: str,
        quota: int,
        operations: OperationSet,
        *,
        lease: str | None = None,
        owner: str | None = None,
    ) -> OperationSet:
        """Count operations as ``record`` does if not one of them was returned before, to whomever; else none.

        Args:
            license_id, quota, operations, lease, owner: As ``record``.
        Returns:
            Those that were returned before; empty if all are counted now.
        Raises:
            LicenseError, LedgerError: As ``record``.
        """
        self._read_ahead(license_id, operations.space)
        with self._transaction() as connection:
            rows = ledger_rows.read(connection, license_id)
            known = operations - quotas.lacking(rows, operations)
            if not len(known):
                quotas.count(connection, license_id, rows, quota, operations, lease, owner)
        self._join_beside(rows)
        return known

    def lacking(self, license_id: str, operations: OperationSet) -> OperationSet:
        """Those of some operations that were never returned under a license, to whomever.

        Raises:
            LedgerError: If the file cannot be read.
        """
        with self._rows(license_id) as rows:
            return quotas.lacking(rows, operations)

    def totals(self, license_id: str, *, owner: str | None = None) -> dict[Space, int]:
        """How many different operations of each space were ever returned under a license, ascending by space.

        Args:
            license_id: The license.
            owner: As ``drawn``.
        Raises:
            LedgerError: If the file cannot be read.
        """
        with self._rows(license_id) as rows:
            return quotas.totals(quotas.of_owner(rows, owner))

    def drawn(self, license_id: str, *, space: Space = TERNARY_2, owner: str | None = None) -> OperationSet:
        """The operations of a space ever returned under a license; read-only state is read as it lies.

        Args:
            license_id: The license.
            space: What they are operations of.
            owner: Only what was returned to this customer, or to a customer that is not known; None for all.
        Raises:
            LedgerError: If the file cannot be read.
        """
        with self._rows(license_id) as rows:
            return quotas.union(quotas.of_owner(rows, owner), space)

    def sets(self, license_id: str) -> list[Counted]:
        """What was counted under a license, for each space, lease and owner.

        Raises:
            LedgerError: If the file cannot be read.
        """
        with self._rows(license_id) as rows:
            return [row.counted() for row in rows]

    def counted(
        self, license_id: str, *, lease: str | None, owner: str | None, space: Space = TERNARY_2
    ) -> Counted:
        """The set of one lease, owner and space, empty if nothing was counted.

        Raises:
            LedgerError: If the file cannot be read.
        """
        with self._rows(license_id) as rows:
            found = ledger_rows.chosen(rows, lease, owner, space)
            return nothing(lease, owner, space) if found is None else found.counted()

    def acknowledge(
        self, license_id: str, reported: Growth, confirmed: OperationSet, after: Acknowledged
    ) -> None:
        """Keep what the server has of a set, which may have grown since it was reported.

        Nothing is kept if the set began anew since, or if of a vast space another report was acknowledged.

        Args:
            license_id: The license.
            reported: The set whose report was answered; its acknowledgement was that report's base.
            confirmed: The operations that the report stated.
            after: The set that the server has now.
        Raises:
            LedgerError: If the file cannot be written.
        """
        self._read_ahead(license_id, confirmed.space)
        with self._transaction() as connection:
            for row in ledger_rows.read(connection, license_id):
                same = _key(row, row.space) == _key(reported, confirmed.space)
                if same and (row.space.listed or row.acknowledged == reported.acknowledged):
                    ledger_rows.acknowledge(connection, license_id, row, confirmed, after)

    def forget_acknowledgement(self, license_id: str, reported: Counted) -> None:
        """Keep that the server does not know a set, so that all of it is reported again.

        Raises:
            LedgerError: If the file cannot be written.
        """
        nothing_of_it = OperationSet.of([], reported.space)
        with self._transaction() as connection:
            for row in ledger_rows.read(connection, license_id):
                if _key(row, row.space) == _key(reported, reported.space):
                    ledger_rows.acknowledge(connection, license_id, row, nothing_of_it, None)

    def _read_ahead(self, license_id: str, space: Space) -> None:
        """Decode the sets of a vast space before a call locks the file, so that no other call waits for it.

        Segments never change. What comes to the file in between is decoded in the transaction.
        """
        if space.listed:
            return
        with self._rows(license_id) as rows:
            for row in rows:
                if row.space == space and isinstance(row.members, Segmented):
                    row.members.decode()

    @contextmanager
    def _rows(self, license_id: str) -> Iterator[list[Row]]:
        """Every set of a license, as long as this block lasts; read-only state is read as it lies."""
        if not ledger_file.exists(self.path):
            yield []
            return
        with self._reading() as connection:
            yield ledger_rows.read(connection, license_id)

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        uri = ledger_file.uri_to_read(self.path)
        with self._unforked() as process, self._connection(uri) as connection:
            connection.execute("BEGIN")
            yield connection
            self._check_process(process)

    def join(self, history: str) -> None:
        """Join large segments of a set until no more are to be joined; nothing is counted or lost by it.

        A joined segment is made beside other calls, which wait only while it is written.

        Raises:
            LedgerError: If the file cannot be read or written.
        """
        while self._join_some(history):
            pass

    def _join_some(self, history: str) -> bool:
        with self._reading() as connection:
            held = ledger_rows.segmented(connection, history)
            group = segments.due(held.segments, most=sys.maxsize) if held else []
            parts = [held.members(segment) for segment in group] if held else []
        if not group:
            return False
        joined = segments.Written.of(reduce(ascending.union, parts))
        with self._transaction() as connection:
            held = ledger_rows.segmented(connection, history)
            if held and set(group) <= set(held.segments):  # else another process was first
                held.join(group, joined)
        return True

    def _join_beside(self, rows: Sequence[Row]) -> None:
        for row in rows:
            if isinstance(row.members, Segmented) and segments.due(row.members.segments, most=sys.maxsize):
                joining.beside(self.join, self.path, row.history or "")

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._unforked() as process:
            if not ledger_file.exists(self.path):
                ledger_file.create(self.path)
            with self._connection(ledger_file.uri(self.path)) as connection:
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
            with ledger_file.opened(uri) as connection:
                yield connection
        except sqlite3.Error as error:
            raise LedgerError(f"{self.path}: the meter cannot be used ({error})") from None
        except FormatError as refusal:
            raise LedgerError(f"{self.path}: damaged ({refusal})") from None


def _key(growth: Growth, space: Space) -> tuple[Space, str | None, str | None, str | None]:
    return space, growth.lease, growth.owner, growth.history
