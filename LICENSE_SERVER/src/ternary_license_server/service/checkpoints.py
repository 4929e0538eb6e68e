"""
Signed checkpoints of the audit log: what was verified once need not be read again.

A checkpoint seals each chain up to the row that was its last then. The mark is beside the chain's head, and
the vendor's answer key signs one hash over all marks. So a later verification checks the signature, that hash
against the marks, and the rows after them. The rows before may have been archived.

A checkpoint proves that the vendor's server verified these chains at that time. It proves nothing about who
wrote the rows, and not that none was left out before it: keep checkpoints where the database's
administrators cannot write.
"""

import hashlib
import re
from collections.abc import Generator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import func, insert, or_, select, update

from ternary_license_server.database.engine import Database
from ternary_license_server.database.schema import audit_checkpoints, audit_heads
from ternary_license_server.database.transaction import Transaction
from ternary_license_server.keys.keyring import KeyRing
from ternary_license_server.service import answer_signed, audit, auditing
from ternary_license_server.service.records import seconds, utc
from ternary_license_server.service.refusals import Code, ServiceError
from ternary_sdk._internal.documents import outer
from ternary_sdk._internal.documents.canonical import Json
from ternary_sdk._internal.documents.fields import Fields
from ternary_sdk._internal.trust.trust import Role, Trust

TYP: Final = "ternary-audit-checkpoint+jws"
STREAM: Final = "checkpoints"
SHA256: Final = re.compile("[0-9a-f]{64}")
LONGEST: Final = 4096
"""Most bytes of a checkpoint."""
_AT_ONCE: Final = 500
"""Chains that are verified and sealed in one transaction."""
_HEAD: Final = audit_heads.c


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """What a checkpoint states."""

    vendor: str
    """Whose server made it."""
    number: int
    """Its place among this database's checkpoints, from 1."""
    at: datetime
    """When it was made, by the server's clock."""
    rows: int
    """How many rows it covers, archived ones included."""
    head: str
    """One hash over all chains as far as it covers them, 64 hex digits."""
    previous: str | None
    """SHA-256 of the checkpoint before it; None of the first."""

    @classmethod
    def read(cls, token: bytes, trust: Trust) -> "Checkpoint":
        """Verify a checkpoint's signature: a key of role ``answer`` of the trusted vendor, valid at its date.

        Raises:
            FormatError: If it is none.
            SignatureError: If it cannot be believed.
        """
        what = "checkpoint"
        bare = outer.bare(token, what, outer.TOKEN)
        return answer_signed.read(bare, trust, typ=TYP, what=what, stated=cls._stated, longest=LONGEST)

    @classmethod
    def _stated(cls, fields: Fields) -> "Checkpoint":
        return cls(
            vendor=fields.text("iss"),
            at=fields.moment("iat"),
            number=fields.integer("number", least=1),
            rows=fields.integer("rows"),
            head=fields.sha256("head"),
            previous=fields.text_or_null("previous", pattern=SHA256),
        )

    def claims(self) -> dict[str, Json]:
        """The same, as it is signed."""
        return {
            "iss": self.vendor,
            "iat": seconds(self.at),
            "number": self.number,
            "rows": self.rows,
            "head": self.head,
            "previous": self.previous,
        }

    def __str__(self) -> str:
        return f"checkpoint {self.number} of {utc(self.at)}"


def make(database: Database, ring: KeyRing, *, actor: str) -> bytes:
    """Verify what came since the last checkpoint, a few chains at a time, seal it, and sign a new one.

    Servers go on writing meanwhile. What was sealed stays so if it is broken off, and the next one goes on.

    Raises:
        ServiceError: CONFLICT, if the log has faults; chains with faults are not sealed.
    """
    after: str | None = ""
    while after is not None:
        with database.write() as transaction:
            after = _seal_some(transaction, after)
    with database.read() as transaction:
        rows, head = auditing.digest(transaction, _HEAD.sealed, _HEAD.sealed_hash)
    with database.write() as transaction:
        audit.lock(transaction, STREAM)
        last = _newest(transaction)
        stated = Checkpoint(
            vendor=ring.vendor,
            number=last[0] + 1 if last else 1,
            at=transaction.now.replace(microsecond=0),
            rows=rows,
            head=head,
            previous=last[1] if last else None,
        )
        token = ring.signer(Role.ANSWER).sign_token(stated.claims(), typ=TYP)
        row = {"number": stated.number, "at": seconds(stated.at), "sha256": _sha256(token)}
        transaction.execute(insert(audit_checkpoints), row | {"token": token.decode()})
        detail: dict[str, Json] = {"number": stated.number, "rows": rows, "head": head}
        audit.append(transaction, STREAM, actor=actor, action="audit.checkpoint", detail=detail)
    return token


def faults(transaction: Transaction, trust: Trust, token: bytes) -> Generator[str, None, None]:
    """What is wrong with the log after a checkpoint, in this order:

    1. its signature is good, and it is the newest of this database;
    2. the marks in the database give the hash that it states;
    3. the rows after the marks continue the chains, and end at their heads.

    Raises:
        FormatError, SignatureError: If it is not a checkpoint of this vendor.
        ServiceError: CONFLICT, if it is of another database, is not the newest, or the marks were changed.
    """
    stated = Checkpoint.read(token, trust)
    _check_newest(transaction, stated, _sha256(outer.bare(token, "checkpoint", outer.TOKEN)))
    rows, head = auditing.digest(transaction, _HEAD.sealed, _HEAD.sealed_hash)
    if (rows, head) != (stated.rows, stated.head):
        raise ServiceError(
            Code.CONFLICT,
            f"{stated}: states {stated.rows} rows and head {stated.head[:12]}…, the marks in this database "
            f"give {rows} and {head[:12]}…: they were changed; verify the log without the checkpoint",
        )
    return auditing.faults(transaction, sealed=True)


def _check_newest(transaction: Transaction, stated: Checkpoint, sha256: str) -> None:
    known = transaction.execute(
        select(audit_checkpoints.c.sha256).where(audit_checkpoints.c.number == stated.number)
    ).scalar_one_or_none()
    if known != sha256:
        raise ServiceError(
            Code.CONFLICT,
            f"{stated}: was not made by this database; it is another's, or newer than the backup that this "
            "one was restored from",
        )
    newest = _newest(transaction)
    if newest is not None and newest[0] != stated.number:
        raise ServiceError(
            Code.CONFLICT,
            f"{stated}: is not the newest, which is number {newest[0]}; verify from that one, or without any",
        )


def _newest(transaction: Transaction) -> tuple[int, str] | None:
    """Number and SHA-256 of the newest checkpoint; None if there is none."""
    last = select(func.max(audit_checkpoints.c.number)).scalar_subquery()
    row = transaction.execute(
        select(audit_checkpoints.c.number, audit_checkpoints.c.sha256).where(
            audit_checkpoints.c.number == last
        )
    ).one_or_none()
    return None if row is None else (row.number, row.sha256)


def _seal_some(transaction: Transaction, after: str) -> str | None:
    """Seal chains that have new rows, by their names; the last of them, None if there is none."""
    changed = or_(_HEAD.sealed.is_(None), _HEAD.sealed != _HEAD.number)
    query = select(_HEAD.stream).where(changed, _HEAD.stream > after).order_by(_HEAD.stream).limit(_AT_ONCE)
    streams = list(transaction.execute(query.with_for_update()).scalars())
    if not streams:
        return None
    wrong = list(auditing.faults_of(transaction, streams))
    if wrong:
        raise ServiceError(
            Code.CONFLICT, f"the audit log has faults, so no checkpoint is made: {'; '.join(wrong[:20])}"
        )
    seal = update(audit_heads).where(_HEAD.stream.in_(streams))
    transaction.execute(seal.values(sealed=_HEAD.number, sealed_hash=_HEAD.hash))
    return str(streams[-1])


def _sha256(token: bytes) -> str:
    return hashlib.sha256(token).hexdigest()
