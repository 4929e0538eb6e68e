"""
The audit log: one hash chain for each license, and one for each customer, product or other matter.

A row is written in the transaction of its effect, or the effect does not happen. Each row's hash covers
the row and the hash before it, and the chain's head is kept beside it, so an edited, deleted or inserted
row is found and named. Someone who can rewrite the whole database can also rewrite every hash: keep the
head that ``ternary server audit verify`` prints somewhere else, and compare.
"""

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from typing import Any, Final

from sqlalchemy import Row, bindparam, insert, select, tuple_, update

from ternary_license_server.database.schema import audit, audit_heads
from ternary_license_server.database.transaction import Transaction, locking
from ternary_sdk._internal.documents import canonical
from ternary_sdk._internal.documents.canonical import Json
from ternary_sdk.errors import FormatError

GENESIS: Final = "0" * 64
ERASED: Final = '{"erased":true}'
"""In the place of a detail that was erased."""
ERASES: Final = "customer.anonymise"
"""The action of rows that state which rows before them were erased."""

_LOCK_HEAD: Final = locking(
    audit_heads,
    audit_heads.c.number,
    audit_heads.c.hash,
    where=audit_heads.c.stream == bindparam("of_stream"),
)
_LAST: Final = (
    select(audit.c.at)
    .where(audit.c.stream == bindparam("of_stream"))
    .order_by(audit.c.number.desc())
    .limit(1)
)
_ALL: Final = select(audit).order_by(audit.c.stream, audit.c.number)
_INSERT: Final = insert(audit)
_MOVE_HEAD: Final = update(audit_heads).where(audit_heads.c.stream == bindparam("of_stream"))


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One row: who did what to which matter, when."""

    stream: str
    """The license's id, or the matter's name, such as ``customer C-…``."""
    number: int
    """Place in the stream, from 1."""
    at: int
    """When, in seconds since 1970-01-01 UTC."""
    actor: str
    """``token T-…``, ``installation …`` or ``server``."""
    action: str
    """What was done, such as ``license.suspend``."""
    detail: str
    """Canonical JSON; never a secret."""
    previous: str
    """Hash of the row before, 64 zeros for the first."""
    hash: str
    """Hash of this row."""

    def expected_hash(self) -> str:
        """What the hash must be for the row's content."""
        return _hash(self.stream, self.number, self.at, self.actor, self.action, self.detail, self.previous)

    def remains(self) -> str:
        """A hash of all that is left of the row once its detail is erased."""
        return _hash(self.stream, self.number, self.at, self.actor, self.action, self.previous, self.hash)


def append(
    transaction: Transaction,
    stream: str,
    *,
    actor: str,
    action: str,
    detail: Mapping[str, Json],
) -> None:
    """Add a row at the end of a stream; other writers to the same stream wait until this one commits.

    It bears the moment of the transaction, which must have its other locks already, or that of the row before
    it if that is later.
    """
    number, previous = _head(transaction, stream)
    at = max(int(transaction.now.timestamp()), last(transaction, stream))
    text = canonical.encode(dict(detail)).decode()
    digest = _hash(stream, number + 1, at, actor, action, text, previous)
    row = {
        "stream": stream,
        "number": number + 1,
        "at": at,
        "actor": actor,
        "action": action,
        "detail": text,
        "previous": previous,
        "hash": digest,
    }
    transaction.execute(_INSERT, row)
    transaction.execute(_MOVE_HEAD, {"of_stream": stream, "number": number + 1, "hash": digest})


def salt() -> str:
    """What a row's detail with a name needs: once it is erased, nobody can try names against its hash."""
    return secrets.token_hex(16)


def lock(transaction: Transaction, stream: str) -> None:
    """Keep every other writer to a stream waiting until this transaction ends."""
    _head(transaction, stream)
    transaction.not_before(datetime.fromtimestamp(last(transaction, stream), UTC))


def last(transaction: Transaction, stream: str) -> int:
    """When the last row of a stream was written, in seconds since 1970-01-01 UTC; 0 if there is none."""
    return transaction.execute(_LAST, {"of_stream": stream}).scalar_one_or_none() or 0


def entries(
    transaction: Transaction,
    stream: str | None = None,
    limit: int | None = None,
    *,
    after: tuple[str, int] | None = None,
) -> list[Entry]:
    """The rows of one stream or of all, in order, at most ``limit``, after the row of a stream and number."""
    query = _ALL if stream is None else _ALL.where(audit.c.stream == stream)
    if after is not None:
        query = query.where(tuple_(audit.c.stream, audit.c.number) > tuple_(*after))
    return [Entry(**row._mapping) for row in transaction.execute(query.limit(limit))]


def faults(transaction: Transaction) -> list[str]:
    """Everything that is wrong with the log, a sentence for each row; an empty list if nothing is."""
    heads = {row.stream: (row.number, row.hash) for row in _heads(transaction)}
    found: list[str] = []
    every = transaction.execute(_ALL.execution_options(yield_per=1000))
    for stream, rows in groupby((Entry(**row._mapping) for row in every), key=lambda entry: entry.stream):
        found += _stream_faults(stream, list(rows), heads.pop(stream, None))
    return found + [
        f"audit of {stream}: all {number} rows were deleted"
        for stream, (number, _) in heads.items()
        if number
    ]


def summary(transaction: Transaction) -> tuple[int, str]:
    """How many rows there are, and one hash over the heads of all streams, to be kept elsewhere."""
    heads = _heads(transaction)
    text = canonical.encode([[row.stream, row.number, row.hash] for row in heads])
    return sum(row.number for row in heads), hashlib.sha256(text).hexdigest()


def _heads(transaction: Transaction) -> list[Row[Any]]:
    """The heads of all streams in the order of their names' bytes, which no database's collation changes."""
    return sorted(transaction.execute(select(audit_heads)), key=lambda row: row.stream.encode())


def _stream_faults(stream: str, rows: list[Entry], head: tuple[int, str] | None) -> list[str]:
    found, previous, expected = [], GENESIS, 1
    erased = _erased(rows)
    for row in rows:
        name = f"audit of {stream}, row {row.number}"
        if row.number < 1:
            found.append(f"{name}: inserted before the first")
            continue
        if row.number != expected:
            found.append(f"audit of {stream}: {_rows(expected, row.number - 1)} deleted")
        elif row.previous != previous:
            found.append(f"{name}: does not follow the row before it; one of the two was edited or inserted")
        if row.expected_hash() != row.hash and not _is_erased(row, erased):
            found.append(f"{name}: edited ({row.action} by {row.actor})")
        previous, expected = row.hash, row.number + 1
    end = _end_fault({row.number: row.hash for row in rows}, head)
    return found + ([f"audit of {stream}{end}"] if end else [])


def _erased(rows: list[Entry]) -> dict[int, str]:
    """What rows of a stream state about rows before them that were erased: by number, what is left of
    those."""
    stated: dict[int, str] = {}
    for row in rows:
        if row.action == ERASES and row.expected_hash() == row.hash:
            detail: Any = canonical.decode(row.detail.encode(), "audit")
            numbers = {int(number): str(remains) for number, remains in detail["erased"].items()}
            stated |= {number: remains for number, remains in numbers.items() if number < row.number}
    return stated


def _is_erased(row: Entry, erased: Mapping[int, str]) -> bool:
    return row.detail == ERASED and erased.get(row.number) == row.remains()


def _end_fault(hashes: Mapping[int, str], head: tuple[int, str] | None) -> str | None:
    """What is wrong between a stream's last row and the head that is kept beside it; None if nothing is."""
    last = max(0, *hashes)
    if head is None:
        return f": {_rows(min(hashes), last)} without a head; the head was deleted or the rows inserted"
    number, digest = head
    if last < number:
        return f": {_rows(last + 1, number)} deleted"
    if hashes.get(number, GENESIS) == digest:
        return f", {_rows(number + 1, last)}: inserted after the last" if last > number else None
    if last > number:
        return f": rows up to {last}, its head was written for {number}; some were inserted"
    return f", row {number}: not the one its head was written for"


def _rows(first: int, last: int) -> str:
    return f"row {first}" if first == last else f"rows {first} to {last}"


def _head(transaction: Transaction, stream: str) -> tuple[int, str]:
    found = transaction.lock(_LOCK_HEAD, {"of_stream": stream}, decides=False)
    if found is None:
        first = transaction.insert(audit_heads).values(stream=stream, number=0, hash=GENESIS)
        transaction.execute(first.on_conflict_do_nothing())
        return _head(transaction, stream)
    return found.number, found.hash


def _hash(*parts: str | int) -> str:
    try:
        return hashlib.sha256(canonical.encode(list(parts))).hexdigest()
    except FormatError:
        return ""
