"""
Moving rows of the audit log that a checkpoint covers into archives, a file at a time.

A file is whole on disk before the transaction commits that deletes its rows. So a crash loses none: it leaves
at most a file that the database has not noted, which the next run names.
"""

import hashlib
import os
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby
from pathlib import Path
from typing import Any, BinaryIO, Final

from sqlalchemy import Select, and_, bindparam, delete, func, insert, select, update

from ternary_license_server.database.engine import Database
from ternary_license_server.database.migration import existing
from ternary_license_server.database.schema import audit as rows
from ternary_license_server.database.schema import audit_archives, audit_heads, licenses
from ternary_license_server.database.transaction import Transaction
from ternary_license_server.keys.keyring import KeyRing
from ternary_license_server.local import backup
from ternary_license_server.service import archives, audit, erasure
from ternary_license_server.service.archives import Seal
from ternary_license_server.service.records import seconds
from ternary_license_server.service.refusals import Code, ServiceError
from ternary_sdk._internal.documents.canonical import Json
from ternary_sdk._internal.trust.trust import Role
from ternary_sdk.errors import InputError

STREAM: Final = "archives"
MOST: Final = 20_000
"""Rows of one file, and of one transaction."""
_AT_ONCE: Final = 500
_HEAD: Final = audit_heads.c
_LATER: Final = rows.alias("later")
_NEEDED: Final = select(_LATER.c.base).where(
    _LATER.c.stream == bindparam("of_stream"),
    _LATER.c.number > bindparam("cut"),
    _LATER.c.base.is_not(None),
)
_DELETE: Final = delete(rows).where(
    rows.c.stream == bindparam("of_stream"),
    rows.c.number <= bindparam("cut"),
    rows.c.number.not_in(_NEEDED),
)
"""Rows that are archived, but for those that compact rows after them are read by."""
_MARK: Final = (
    update(audit_heads)
    .where(_HEAD.stream == bindparam("of_stream"))
    .values(archived=bindparam("cut"), archived_hash=bindparam("cut_hash"))
)


@dataclass(frozen=True, kw_only=True)
class Archived:
    """One file that was written."""

    file: Path
    """Where."""
    seal: Seal
    """Its last line."""


def archive(
    database: Database, ring: KeyRing, folder: Path, keep: timedelta, *, actor: str, most: int = MOST
) -> Iterator[Archived]:
    """Write rows that a checkpoint covers and that are older than ``keep`` into archives, and delete them.

    Servers go on working meanwhile. A row that later rows are read by stays, too.

    Args:
        database: The server's.
        ring: Keys of role ``answer``.
        folder: Where the files are made, ``audit-000001.jsonl`` and so on; none is ever replaced.
        keep: How old rows must be.
        actor: Who asks.
        most: Rows of one file.
    Raises:
        InputError: If a file cannot be written, or is there already.
        ServiceError: CONFLICT, if a row is not what its hash says; that file is not made.
    """
    after = ""
    existing(database)
    while True:
        with database.write() as transaction:
            streams = _streams(transaction, after, keep)
            if not streams:
                return
            made = _one(transaction, ring, folder, keep, streams, actor, most)
            after = streams[-1] if made is None or made.seal.rows < most else streams[0]
        if made is not None:
            yield made


def _streams(transaction: Transaction, after: str, keep: timedelta) -> list[str]:
    """The next chains with rows to be archived; no renewal writes a row that is read by one of them now."""
    query = due_query(after, seconds(transaction.now - keep)).limit(_AT_ONCE)
    streams = list(transaction.execute(query).scalars())
    held = select(licenses.c.id).where(licenses.c.id.in_(streams)).order_by(licenses.c.id)
    transaction.execute(held.with_for_update()).all()
    return streams


def due_query(after: str, before: int) -> Select[Any]:
    """Chains from one on whose next row is sealed, is not archived, and is older than a moment."""
    following = and_(rows.c.stream == _HEAD.stream, rows.c.number == func.coalesce(_HEAD.archived, 0) + 1)
    return (
        select(_HEAD.stream)
        .join(rows, following)
        .where(_HEAD.stream >= after, rows.c.number <= _HEAD.sealed, rows.c.at < before)
        .order_by(_HEAD.stream)
    )


def _one(
    transaction: Transaction,
    ring: KeyRing,
    folder: Path,
    keep: timedelta,
    streams: list[str],
    actor: str,
    most: int,
) -> Archived | None:
    last = _last(transaction)
    number = last[0] + 1 if last else 1
    file = folder / f"audit-{number:06d}.jsonl"
    now = transaction.now.replace(microsecond=0)
    if os.path.lexists(file):
        raise InputError(f"{file}: is there, and this database has not written it; move it away")
    with backup.new_file(file) as draft:
        with draft.open("wb") as opened:
            cuts, count, sha256 = _write(
                transaction,
                opened,
                archives.head_line(ring.vendor, number),
                streams,
                before=seconds(now - keep),
                most=most,
            )
            seal = Seal(
                vendor=ring.vendor,
                number=number,
                at=now,
                rows=count,
                sha256=sha256,
                previous=last[1] if last else None,
            )
            token = ring.signer(Role.ANSWER).sign_token(seal.claims(), typ=archives.TYP)
            opened.write(archives.seal_line(token))
        if not count:
            return None
        transaction.execute(_DELETE, [{"of_stream": one["of_stream"], "cut": one["cut"]} for one in cuts])
        transaction.execute(_MARK, cuts)
        row = {"number": number, "at": seconds(now), "rows": count, "sha256": sha256}
        transaction.execute(insert(audit_archives), row)
        detail: dict[str, Json] = {"number": number, "rows": count, "sha256": sha256}
        audit.append(transaction, STREAM, actor=actor, action="audit.archive", detail=detail)
        backup.keep(draft, file)
    return Archived(file=file, seal=seal)


def _write(
    transaction: Transaction, opened: BinaryIO, head: bytes, streams: list[str], *, before: int, most: int
) -> tuple[list[dict[str, Any]], int, str]:
    """Write the rows; how far each chain was written, how many rows that are, and their digest."""
    opened.write(head)
    running, count, cuts = hashlib.sha256(head), 0, list[dict[str, Any]]()
    with closing(transaction.stream(rows_query(streams, before).limit(most), _AT_ONCE)) as every:
        for stream, found in groupby(every, key=lambda row: str(row.stream)):
            previous = None
            for row in found:
                entry = audit.entry(row, previous)
                _check(transaction, entry)
                line = archives.row_line(entry)
                opened.write(line)
                running.update(line)
                count += 1
                number, previous = entry.number, entry.hash
            cuts.append({"of_stream": stream, "cut": number, "cut_hash": previous})
    return cuts, count, running.hexdigest()


def rows_query(streams: list[str], before: int) -> Select[Any]:
    """Rows of chains that are sealed, not archived yet and older than a moment, in order."""
    heads = audit_heads.alias("of")
    mine = and_(
        heads.c.stream == rows.c.stream,
        rows.c.number > func.coalesce(heads.c.archived, 0),
        rows.c.number <= heads.c.sealed,
    )
    return audit.ROWS.join(heads, mine).where(rows.c.stream.in_(streams), rows.c.at < before)


def _check(transaction: Transaction, entry: audit.Entry) -> None:
    """Refuse a row that is not what its hash says, unless a later row states it as erased."""
    if entry.expected_hash() == entry.hash:
        return
    if entry.detail != audit.ERASED or not erasure.is_stated(transaction, entry):
        raise ServiceError(
            Code.CONFLICT,
            f"audit of {entry.stream}, row {entry.number}: was edited, so it is not archived; run "
            "'ternary server audit verify'",
        )


def _last(transaction: Transaction) -> tuple[int, str] | None:
    """Number and digest of the last archive; None if there is none."""
    query = select(audit_archives.c.number, audit_archives.c.sha256).order_by(audit_archives.c.number.desc())
    row = transaction.execute(query.limit(1)).one_or_none()
    return None if row is None else (row.number, row.sha256)
