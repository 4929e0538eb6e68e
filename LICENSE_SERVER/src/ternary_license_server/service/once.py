"""
Doing a thing once, however often it is asked for.

The request's key is claimed first, inside the transaction of the effect; the answer is stored before the
commit. So a retry finds the answer, a crash leaves neither effect nor claim, and of two retries at once
the second waits for the first.

Answers may hold what is told once, such as a license key. They are kept encrypted under a key that is
derived from the request's own, of which only a hash is kept: the database alone does not give them away.
"""

import base64
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy import Connection, and_, bindparam, select, update
from sqlalchemy.dialects import postgresql, sqlite

from ternary_license_server.database.engine import Database
from ternary_license_server.database.schema import answered
from ternary_license_server.service.refusals import Code, ServiceError
from ternary_sdk.documents import canonical
from ternary_sdk.documents.canonical import Json

_PENDING: Final = 0
_ONCE: Final = bytes(12)
"""The nonce: each derived key encrypts one answer."""
_CLAIMS: Final = {
    name: dialect.insert(answered).on_conflict_do_nothing().returning(answered.c.key)
    for name, dialect in (("sqlite", sqlite), ("postgresql", postgresql))
}
_THIS: Final = and_(answered.c.principal == bindparam("of_principal"), answered.c.key == bindparam("of_key"))
_FIND: Final = select(answered.c.request, answered.c.status, answered.c.body).where(_THIS)
_STORE: Final = update(answered).where(_THIS)


@dataclass(frozen=True, kw_only=True)
class Done:
    """The outcome of a mutation, the same for every retry."""

    status: int
    """HTTP status, 200 or 201."""
    body: bytes
    """Canonical JSON."""
    repeated: bool = False
    """Whether it had been done before."""


def once(
    database: Database,
    *,
    principal: str,
    key: str,
    request: bytes,
    now: datetime,
    work: Callable[[Connection], Json],
    status: int = 200,
) -> Done:
    """Do ``work`` in one transaction, unless this principal's key has been used before.

    Args:
        database: Where.
        principal: Who asks: a token's id, or an installation's thumbprint.
        key: The request's idempotency key.
        request: What is asked, all of it; a key stands for one request.
        now: The present moment, timezone-aware.
        work: The effect; what it returns is the answer. If it raises, nothing has happened.
        status: The answer's HTTP status.
    Raises:
        ServiceError: IDEMPOTENCY_MISMATCH, if the key was used for another request.
        DatabaseError: If the database cannot be used.
        TernaryError: Whatever ``work`` refuses with.
    """
    digest = hashlib.sha256(request).hexdigest()
    name = hashlib.sha256(key.encode()).hexdigest()
    claim = {
        "principal": principal,
        "key": name,
        "request": digest,
        "status": _PENDING,
        "body": "",
        "created": int(now.timestamp()),
    }
    with database.write() as transaction:
        if transaction.execute(_CLAIMS[transaction.dialect.name], claim).first() is None:
            return _earlier(transaction, principal, key, digest)
        body = canonical.encode(work(transaction))
        sealed = base64.b64encode(_cipher(principal, key).encrypt(_ONCE, body, None)).decode()
        outcome = {"of_principal": principal, "of_key": name, "status": status, "body": sealed}
        transaction.execute(_STORE, outcome)
        return Done(status=status, body=body)


def _earlier(transaction: Connection, principal: str, key: str, digest: str) -> Done:
    name = hashlib.sha256(key.encode()).hexdigest()
    found = transaction.execute(_FIND, {"of_principal": principal, "of_key": name}).one()
    if found.request != digest:
        raise ServiceError(
            Code.IDEMPOTENCY_MISMATCH, f"idempotency key {key[:60]!r}: it was used for another request before"
        )
    body = _cipher(principal, key).decrypt(_ONCE, base64.b64decode(found.body), None)
    return Done(status=found.status, body=body, repeated=True)


def _cipher(principal: str, key: str) -> AESGCM:
    derived = HKDF(hashes.SHA256(), 32, salt=principal.encode(), info=b"ternary-answered-v1")
    return AESGCM(derived.derive(key.encode()))
