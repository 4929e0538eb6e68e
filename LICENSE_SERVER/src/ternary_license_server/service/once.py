"""
Doing a thing once, however often it is asked for.

The request's key is claimed first, inside the transaction of the effect; the answer is stored before the
commit. So a retry finds the answer, a crash leaves neither effect nor claim, and of two retries at once
the second waits for the first.

Answers are remembered for a time, which must be longer than a signed request is accepted for: a client that
repeats its request later is refused because of the request's date, and nothing is done twice. A request of
the admin interface has no date; under a key that is forgotten it is a new request. Forgetting needs no job:
whether a key is forgotten is decided by its date when it is read, and one change in sixteen removes a few
old rows, more than have come in meanwhile.

Answers may hold what is told once, such as a license key. They are kept encrypted under a key that needs the
caller's own secret (``answer_key``): the database alone does not give them away.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from sqlalchemy import and_, bindparam, delete, select, tuple_, update

from ternary_license_server.database import dialects
from ternary_license_server.database.engine import Database
from ternary_license_server.database.schema import answered
from ternary_license_server.database.transaction import Transaction
from ternary_license_server.service.answer_key import AnswerKey
from ternary_license_server.service.refusals import Code, ServiceError
from ternary_sdk._internal.documents import canonical
from ternary_sdk._internal.documents.canonical import Json

REMEMBERED: Final = timedelta(days=31)
"""How long answers are kept if nobody chooses; no less than this, because of requests carried in files."""
FORGOTTEN: Final = 64
"""Most old rows that one change removes."""
_PENDING: Final = 0


def _claim(dialect: str) -> Any:
    """Take a key that nobody has, or whose answer is forgotten."""
    insert = dialects.insert(dialect, answered)
    fresh = {name: insert.excluded[name] for name in ("request", "status", "body", "created")}
    return insert.on_conflict_do_update(
        index_elements=[answered.c.principal, answered.c.key],
        set_=fresh,
        where=answered.c.created <= bindparam("forgotten_at"),
    ).returning(answered.c.key)


_CLAIMS: Final = {name: _claim(name) for name in dialects.NAMES}

_THIS: Final = and_(answered.c.principal == bindparam("of_principal"), answered.c.key == bindparam("of_key"))
_FIND: Final = select(answered.c.request, answered.c.status, answered.c.body).where(_THIS)
_STORE: Final = update(answered).where(_THIS)
_OLD: Final = (
    select(answered.c.principal, answered.c.key)
    .where(answered.c.created <= bindparam("forgotten_at"))
    .order_by(answered.c.created)
    .limit(FORGOTTEN)
    .with_for_update(skip_locked=True)
)
_FORGET: Final = delete(answered).where(tuple_(answered.c.principal, answered.c.key).in_(_OLD))


@dataclass(frozen=True, kw_only=True)
class Done:
    """The outcome of a mutation, the same for every retry."""

    status: int
    """HTTP status, 200 or 201."""
    body: bytes
    """Canonical JSON."""
    repeated: bool = False
    """Whether it had been done before."""


def _anybody(_: Transaction) -> None:
    """Refuse nobody: whoever signed the request may have the answer."""


def once(
    database: Database,
    *,
    principal: str,
    key: str,
    request: bytes,
    secret: bytes,
    work: Callable[[Transaction], Json],
    status: int = 200,
    remember: timedelta = REMEMBERED,
    permit: Callable[[Transaction], None] = _anybody,
) -> Done:
    """Do ``work`` in one transaction, unless this principal's key has been used before.

    Args:
        database: Where.
        principal: Who asks: a token's id, or an installation's thumbprint.
        key: The request's idempotency key.
        request: What is asked, all of it; a key stands for one request.
        secret: What only who asks has, and the database has not; the stored answer cannot be read without
            it. An admin token, or a document signed by the installation.
        work: The effect; what it returns is the answer. If it raises, nothing has happened.
        status: The answer's HTTP status.
        remember: How long the answer is given again; from then on, the key is as good as new.
        permit: Refuses who may not have the answer. It is called last, before the commit, so that nobody
            loses a right while their change waits and has it made all the same.
    Raises:
        ServiceError: IDEMPOTENCY_MISMATCH, if the key was used for another request, or with another secret;
            CONFLICT, if the answer is no longer kept.
        DatabaseError: If the database cannot be used.
        TernaryError: Whatever ``work`` refuses with.
    """
    digest, name = hashlib.sha256(request).hexdigest(), hashlib.sha256(key.encode()).hexdigest()
    answer_key = AnswerKey(principal=principal, key=key, secret=secret)
    claim = {"principal": principal, "key": name, "request": digest, "status": _PENDING, "body": ""}
    with database.write() as transaction:
        now = transaction.clock_time
        created, forgotten_at = int(now.timestamp()), int((now - remember).timestamp())
        claim |= {"created": created, "forgotten_at": forgotten_at}
        if transaction.execute(_CLAIMS[transaction.dialect], claim).first() is None:
            permit(transaction)
            return _earlier(transaction, answer_key, name, digest)
        body = canonical.encode(work(transaction))
        permit(transaction)
        outcome = {"status": status, "body": answer_key.seal(body)}
        transaction.execute(_STORE, outcome | {"of_principal": principal, "of_key": name})
        if name.startswith("0"):
            transaction.execute(_FORGET, {"forgotten_at": forgotten_at})
        return Done(status=status, body=body)


def _earlier(transaction: Transaction, answer_key: AnswerKey, name: str, digest: str) -> Done:
    asked, shown = {"of_principal": answer_key.principal, "of_key": name}, repr(answer_key.key[:60])
    found = transaction.execute(_FIND, asked).one()
    if found.status == _PENDING:
        raise ServiceError(
            Code.CONFLICT,
            f"idempotency key {shown}: its request was done by an earlier release of this server, and the "
            "answer is no longer kept; see what was done, and ask anew under another key",
        )
    if found.request != digest:
        raise _mismatch(shown)
    try:
        return Done(status=found.status, body=answer_key.unseal(found.body), repeated=True)
    except InvalidTag:
        raise _mismatch(shown) from None


def _mismatch(shown: str) -> ServiceError:
    return ServiceError(
        Code.IDEMPOTENCY_MISMATCH, f"idempotency key {shown}: it was used for another request before"
    )
