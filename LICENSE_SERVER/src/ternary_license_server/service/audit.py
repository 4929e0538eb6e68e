"""
The audit log: one hash chain for each license, and one for each customer, product or other matter.

A row is written in the transaction of its effect, or the effect does not happen. Each row's hash covers
the row and the hash before it, and the chain's head is kept beside it (``auditing`` verifies both). A renewal
that moves only a lease's end is kept in a shorter form (``compact``); its hash is of the whole row.
"""

import hashlib
import json
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import Select, and_, bindparam, insert, select, tuple_, update

from ternary_license_server.database.schema import audit, audit_heads
from ternary_license_server.database.transaction import Transaction, locking
from ternary_license_server.service import compact
from ternary_sdk._internal.documents import canonical
from ternary_sdk._internal.documents.canonical import SAFE_INTEGER, Json

GENESIS: Final = "0" * 64
ERASED: Final = '{"erased":true}'
"""In the place of a detail that was erased."""

_ENCODER: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
"""Writes a list of text and safe integers as canonical JSON does; ten times as fast, for millions of rows."""
_AT_ONCE: Final = 1000
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
_BEFORE: Final = audit.alias("before")
_IS_COMPACT: Final = audit.c.base.is_not(None)
ROWS: Final[Select[tuple[object, ...]]] = (
    select(audit, *compact.OF_BASE, _BEFORE.c.hash.label("hash_before"), audit_heads.c.archived_hash)
    .outerjoin(compact.BASE, compact.IS_BASE)
    .outerjoin(
        _BEFORE, and_(_IS_COMPACT, _BEFORE.c.stream == audit.c.stream, _BEFORE.c.number == audit.c.number - 1)
    )
    .outerjoin(
        audit_heads,
        and_(
            _IS_COMPACT,
            audit_heads.c.stream == audit.c.stream,
            audit_heads.c.archived == audit.c.number - 1,
        ),
    )
    .order_by(audit.c.stream, audit.c.number)
)
"""Rows with what makes whole ones of compact ones: the base, and the hash before."""
_HEAD_AND_LAST: Final = select(
    audit_heads.c.number, audit_heads.c.hash, _LAST.scalar_subquery().label("last")
).where(audit_heads.c.stream == bindparam("of_stream"))
"""Where nothing else can write, in one statement; a lock may not join (``transaction.locking``)."""
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
    entry = following(transaction, stream, actor=actor, action=action, detail=detail)
    write(transaction, entry, vars(entry))


def following(
    transaction: Transaction, stream: str, *, actor: str, action: str, detail: Mapping[str, Json]
) -> Entry:
    """The next row of a stream, not written yet; the stream's head is locked."""
    number, previous, before = _head_and_last(transaction, stream)
    at = max(int(transaction.now.timestamp()), before)
    text = canonical.encode(dict(detail)).decode()
    return Entry(
        stream=stream,
        number=number + 1,
        at=at,
        actor=actor,
        action=action,
        detail=text,
        previous=previous,
        hash=_hash(stream, number + 1, at, actor, action, text, previous),
    )


def write(transaction: Transaction, entry: Entry, columns: Mapping[str, object]) -> None:
    """Write what ``following`` gave, as these columns, and move the head."""
    transaction.execute(_INSERT, {"base": None} | dict(columns))
    head = {"of_stream": entry.stream, "number": entry.number, "hash": entry.hash}
    transaction.execute(_MOVE_HEAD, head)


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
    query = ROWS if stream is None else ROWS.where(audit.c.stream == stream)
    if after is not None:
        query = query.where(tuple_(audit.c.stream, audit.c.number) > tuple_(*after))
    return list(read(transaction, query.limit(limit)))


def read(transaction: Transaction, query: Select[tuple[object, ...]]) -> Iterator[Entry]:
    """The rows that a query made of ``ROWS`` finds, whole, read as they are taken."""
    for row in transaction.stream(query, _AT_ONCE):
        yield entry(row)


def entry(row: compact.Row, previous: str | None = None) -> Entry:
    """A row of ``ROWS`` as it is hashed, compact or not.

    Args:
        row: What was found.
        previous: The hash before it, where it is known; else that which the database has.
    """
    if row.base is None:
        return Entry(
            stream=row.stream,
            number=row.number,
            at=row.at,
            actor=row.actor,
            action=row.action,
            detail=row.detail,
            previous=row.previous,
            hash=row.hash,
        )
    return Entry(
        stream=row.stream,
        number=row.number,
        at=row.at,
        actor=row.base_actor or "",
        action=row.action,
        detail=compact.whole(row.detail, row.base_detail),
        previous=previous or row.hash_before or row.archived_hash or "",
        hash=row.hash,
    )


def _head_and_last(transaction: Transaction, stream: str) -> tuple[int, str, int]:
    """A stream's head, locked, and when its last row was written."""
    if transaction.alone:
        found = transaction.execute(_HEAD_AND_LAST, {"of_stream": stream}).one_or_none()
        if found is not None:
            return found.number, found.hash, found.last or 0
    number, previous = _head(transaction, stream)
    return number, previous, last(transaction, stream)


def _head(transaction: Transaction, stream: str) -> tuple[int, str]:
    found = transaction.lock(_LOCK_HEAD, {"of_stream": stream}, decides=False)
    if found is None:
        first = transaction.insert(audit_heads).values(stream=stream, number=0, hash=GENESIS)
        transaction.execute(first.on_conflict_do_nothing())
        return _head(transaction, stream)
    return found.number, found.hash


def encoded(value: object) -> bytes:
    """Lists of text and safe integers as canonical JSON has them.

    Raises:
        UnicodeEncodeError: If a text is none that UTF-8 can carry.
    """
    return _ENCODER.encode(value).encode()


def _hash(*parts: str | int) -> str:
    try:
        if any(isinstance(part, int) and abs(part) > SAFE_INTEGER for part in parts):
            return ""
        return hashlib.sha256(encoded(parts)).hexdigest()
    except UnicodeEncodeError:
        return ""
