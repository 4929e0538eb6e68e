"""
Verifying the audit log, in memory that does not grow with it.

Each edited, deleted or inserted row is found and named, because each hash covers the one before and the head
is kept beside the chain. Someone who can rewrite the whole database can also rewrite every hash: keep the
head that ``ternary server audit verify`` prints somewhere else and compare, or a signed checkpoint
(``checkpoints``), from which verification can begin.
"""

import hashlib
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, Select, and_, collate, exists, func, select

from ternary_license_server.database.schema import audit as rows
from ternary_license_server.database.schema import audit_heads
from ternary_license_server.database.transaction import Transaction
from ternary_license_server.service import audit, compact, erasure
from ternary_license_server.service.audit import ERASED, GENESIS

_AT_ONCE: Final = 1000
_BYTES: Final = {"sqlite": "BINARY", "postgresql": "C"}
"""The collation that sorts text by its bytes."""
_HEAD: Final = audit_heads.c


@dataclass
class _Chain:
    """A chain as far as it was read."""

    stream: str
    number: int
    """How many rows it has had, as its head says."""
    hash: str
    """Of the last, as its head says."""
    start: int
    """The row after which it is read."""
    previous: str
    """Hash of the last row that was read."""
    read: int = 0
    """How many rows were read."""
    last: int = field(init=False)
    """Its number."""
    at_head: str | None = field(init=False)
    """Hash of the row that the head was written for, once it was read."""
    erased: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Of rows that look erased and of which no row has said so yet, by their numbers: what is left of them,
    and the fault."""

    def __post_init__(self) -> None:
        self.last = self.start
        self.at_head = self.previous if self.number == self.start else None

    def follow(self, row: Row[Any]) -> Iterator[str]:
        """Read the next row; what is wrong with it."""
        name, self.read = f"audit of {self.stream}, row {row.number}", self.read + 1
        whole = audit.entry(row, self.previous)
        if row.number < 1:
            yield f"{name}: inserted before the first"
            return
        gap = row.number != self.last + 1
        if row.number <= self.start:  # archived, and kept as the base of compact rows
            gap, whole = False, audit.entry(row)
        elif gap:
            yield f"audit of {self.stream}: {_rows(self.last + 1, row.number - 1)} deleted"
        elif whole.previous != self.previous:
            yield f"{name}: does not follow the row before it; one of the two was edited or inserted"
        if whole.expected_hash() != row.hash and not (gap and row.base is not None):
            fault = f"{name}: edited ({whole.action} by {whole.actor or 'nobody'})"
            if whole.detail == ERASED:
                self.erased[str(row.number)] = whole.remains(), fault
            else:
                yield fault
        elif self.erased:
            self._settle(whole)
        if row.number > self.start:
            self.previous, self.last = row.hash, row.number
            self.at_head = row.hash if row.number == self.number else self.at_head

    def _settle(self, entry: audit.Entry) -> None:
        """Take a row's word for the rows before it that it states as erased."""
        for number, remains in erasure.stated(entry).items():
            if self.erased.get(number, ("", ""))[0] == remains:
                del self.erased[number]

    def unsettled(self) -> Iterator[str]:
        """What is wrong with rows that look erased, though no row after them states it."""
        return (fault for _, fault in self.erased.values())

    def end(self) -> str | None:
        """What is wrong between the last row and the head; None if nothing is."""
        if self.last < self.number:
            if not self.read and not self.start:
                return f"audit of {self.stream}: all {self.number} rows were deleted"
            return f"audit of {self.stream}: {_rows(self.last + 1, self.number)} deleted"
        more = f"{_rows(self.number + 1, self.last)}: inserted after the last"
        if self.at_head == self.hash:
            return f"audit of {self.stream}, {more}" if self.last > self.number else None
        if self.last > self.number:
            return (
                f"audit of {self.stream}: rows up to {self.last}, its head was written for {self.number}; "
                "some were inserted"
            )
        return f"audit of {self.stream}, row {self.number}: not the one its head was written for"


def faults(transaction: Transaction, *, sealed: bool = False) -> Generator[str, None, None]:
    """Everything that is wrong with the log, a sentence for each row, as it is found.

    Args:
        transaction: An open one.
        sealed: Verify only what came after the marks of the newest checkpoint, which the caller has verified.
    """
    yield from _faults(transaction, chains_query(sealed=sealed))
    yield from _miscounted(transaction) if sealed else _headless(transaction)


def faults_of(transaction: Transaction, streams: Sequence[str]) -> Iterator[str]:
    """As ``faults``, of what came after the marks of a few streams."""
    yield from _faults(transaction, chains_query(sealed=True).where(_HEAD.stream.in_(streams)))


def chains_query(*, sealed: bool) -> Select[Any]:
    """Every head with its rows in order: all, or those after its mark."""
    mark, hash = (_HEAD.sealed, _HEAD.sealed_hash) if sealed else (_HEAD.archived, _HEAD.archived_hash)
    mine = rows.c.stream == _HEAD.stream
    before = and_(mine, rows.c.number > func.coalesce(mark, 0)) if sealed else mine
    head = (
        _HEAD.stream.label("of_stream"),
        _HEAD.number.label("of_number"),
        _HEAD.hash.label("of_hash"),
        func.coalesce(mark, 0).label("start"),
        func.coalesce(hash, GENESIS).label("start_hash"),
    )
    return (
        select(*head, rows, *compact.OF_BASE)
        .select_from(audit_heads)
        .outerjoin(rows, before)
        .outerjoin(compact.BASE, compact.IS_BASE)
        .order_by(_HEAD.stream, rows.c.number)
    )


def summary(transaction: Transaction) -> tuple[int, str]:
    """How many rows were ever written, and one hash over the heads of all streams, to be kept elsewhere.

    The heads are in the order of their names' bytes, which no database's collation changes.
    """
    return digest(transaction, _HEAD.number, _HEAD.hash)


def digest(transaction: Transaction, number: ColumnElement[int], hash: ColumnElement[str]) -> tuple[int, str]:
    """The sum of a mark of each stream, and one hash over all: of JSON lists of stream, number and hash."""
    by_bytes = collate(_HEAD.stream, _BYTES[transaction.dialect])
    query = select(_HEAD.stream, number, hash).where(number.is_not(None)).order_by(by_bytes)
    total, running, between = 0, hashlib.sha256(b"["), b""
    for part in transaction.execute(query.execution_options(yield_per=_AT_ONCE)).partitions():
        running.update(between + audit.encoded([tuple(row) for row in part])[1:-1])
        total, between = total + sum(row[1] for row in part), b","
    running.update(b"]")
    return total, running.hexdigest()


def _faults(transaction: Transaction, query: Select[Any]) -> Iterator[str]:
    for _, found in groupby(transaction.stream(query, _AT_ONCE), key=lambda row: row.of_stream):
        yield from _chain_faults(found)


def _chain_faults(found: Iterator[Row[Any]]) -> Iterator[str]:
    chain = None
    for row in found:
        if chain is None:
            chain = _Chain(row.of_stream, row.of_number, row.of_hash, row.start, row.start_hash)
        if row.number is not None:
            yield from chain.follow(row)
    if chain is None:
        return
    yield from chain.unsettled()
    if wrong := chain.end():
        yield wrong


def _headless(transaction: Transaction) -> Iterator[str]:
    """Rows of streams that have no head."""
    has_one = exists().where(_HEAD.stream == rows.c.stream)
    query = (
        select(
            rows.c.stream,
            func.min(rows.c.number).label("first"),
            func.max(rows.c.number).label("last"),
        )
        .where(~has_one)
        .group_by(rows.c.stream)
        .order_by(rows.c.stream)
    )
    for row in transaction.stream(query, _AT_ONCE):
        name = f"audit of {row.stream}: {_rows(row.first, row.last)}"
        yield f"{name} without a head; the head was deleted or the rows inserted"


def _miscounted(transaction: Transaction) -> Iterator[str]:
    """Whether rows are missing or too many among those that are not read."""
    kept = transaction.execute(select(func.count()).select_from(rows)).scalar_one()
    after = transaction.execute(
        select(func.coalesce(func.sum(_HEAD.number - func.coalesce(_HEAD.archived, 0)), 0))
    ).scalar_one()
    bases = transaction.execute(
        select(func.count())
        .select_from(audit_heads)
        .join(rows, and_(rows.c.stream == _HEAD.stream, rows.c.number <= _HEAD.archived))
        .where(_HEAD.archived.is_not(None))
    ).scalar_one()
    if kept != int(after) + bases:
        yield (
            f"audit: has {kept} rows, its heads and marks say {int(after) + bases}; verify it without the "
            "checkpoint, which names them"
        )


def _rows(first: int, last: int) -> str:
    return f"row {first}" if first == last else f"rows {first} to {last}"
