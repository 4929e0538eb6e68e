"""
Who may use the admin interface: tokens with a scope and an end, kept only as a hash.

A token is 256 random bits, so a plain SHA-256 of it cannot be searched; it is compared by looking the hash
up. The first token is made when there is none at all, and shown once.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Row, bindparam, func, insert, select, update

from ternary_license_server.database.schema import tokens
from ternary_license_server.database.transaction import Transaction, locking
from ternary_license_server.service import audit
from ternary_license_server.service.records import moment as to_moment
from ternary_license_server.service.records import seconds, utc
from ternary_license_server.service.refusals import Code, ServiceError
from ternary_sdk._internal.documents.canonical import Json

PREFIX: Final = "ternary_"
FIRST_LIFETIME: Final = timedelta(days=30)
LOCAL_LIFETIME: Final = timedelta(days=30)
LOCAL: Final = "local"
"""Actor of what is done on the server's machine with the rights on the database alone."""
WARN: Final = timedelta(days=14)
"""How long before nobody can administer the server its operator is warned."""
LONGEST_LIFETIME: Final = timedelta(days=366)
_FIND: Final = select(tokens).where(tokens.c.secret_hash == bindparam("of_hash"))
_THIS: Final = tokens.c.id == bindparam("of_id")
_LOCK: Final = locking(tokens, *tokens.c, where=_THIS)
_HOLD: Final = locking(tokens, *tokens.c, where=_THIS, shared=True)


class Scope(StrEnum):
    """How far a token reaches; each reaches as far as those after it."""

    ADMIN = "admin"
    """Everything, tokens included."""
    ISSUER = "issuer"
    """Customers, releases, policies, licenses."""
    AUDITOR = "auditor"
    """Reading, usage and the audit log."""


_REACH: Final = {
    Scope.ADMIN: frozenset(Scope),
    Scope.ISSUER: frozenset({Scope.ISSUER, Scope.AUDITOR}),
    Scope.AUDITOR: frozenset({Scope.AUDITOR}),
}


@dataclass(frozen=True, kw_only=True)
class Principal:
    """Who is asking."""

    id: str
    """The token's id."""
    scope: Scope
    """What it may do."""

    @property
    def actor(self) -> str:
        """As the audit log names it."""
        return f"token {self.id}"

    def demand(self, scope: Scope) -> None:
        """Refuse what this token does not reach.

        Raises:
            ServiceError: FORBIDDEN.
        """
        if scope not in _REACH[self.scope]:
            raise ServiceError(
                Code.FORBIDDEN, f"token {self.id} has scope {self.scope}; this needs scope {scope}"
            )


def add(
    transaction: Transaction, name: str, scope: Scope, *, expires: datetime, actor: str
) -> dict[str, Json]:
    """Make a token.

    Returns:
        Its facts, and ``secret``, told once.
    Raises:
        ServiceError: INVALID, if the end is not within the next 366 days.
    """
    now = transaction.now
    if not now < expires <= now + LONGEST_LIFETIME:
        raise ServiceError(
            Code.INVALID, f"token {name}: ends {utc(expires)}, expected within {LONGEST_LIFETIME.days} days"
        )
    secret = PREFIX + secrets.token_urlsafe(32)
    row: dict[str, Json] = {
        "id": f"T-{secrets.token_hex(6)}",
        "name": name,
        "scope": str(scope),
        "created": seconds(now),
        "expires": seconds(expires),
    }
    transaction.execute(insert(tokens), row | {"secret_hash": _hash(secret)})
    detail: dict[str, Json] = {"name": name, "scope": str(scope), "expires": seconds(expires)}
    audit.append(transaction, f"token {row['id']}", actor=actor, action="token.add", detail=detail)
    return row | {"secret": secret}


def add_first(transaction: Transaction) -> str | None:
    """Make the first token, of scope admin, unless there has ever been one.

    Returns:
        Its secret, to be shown once; None if there are tokens already.
    """
    audit.lock(transaction, "tokens")
    if transaction.execute(select(func.count()).select_from(tokens)).scalar_one():
        return None
    made = add(transaction, "first", Scope.ADMIN, expires=transaction.now + FIRST_LIFETIME, actor="server")
    return str(made["secret"])


def add_local(transaction: Transaction) -> dict[str, Json]:
    """Make a token of scope admin for whoever may write the database, as after the last one has ended.

    Returns:
        Its facts, and ``secret``, told once.
    """
    return add(transaction, LOCAL, Scope.ADMIN, expires=transaction.now + LOCAL_LIFETIME, actor=LOCAL)


def warnings(transaction: Transaction) -> list[str]:
    """A sentence if soon nobody can administer the server, or nobody can now."""
    usable = _usable(transaction)
    remedy = "run 'ternary serve --new-token' on the server's machine"
    if not usable:
        return [f"admin tokens: none is usable; {remedy}"]
    last = max(usable, key=usable.__getitem__)
    if to_moment(usable[last]) - transaction.now > WARN:
        return []
    return [
        f"admin tokens: the last usable one, {last}, ends on {utc(to_moment(usable[last]))}; make another "
        f"with 'ternary server token', or {remedy}"
    ]


def last_end(transaction: Transaction) -> int:
    """When the last usable token of scope admin ends, in seconds since 1970-01-01 UTC; 0 if there is none."""
    return max(_usable(transaction).values(), default=0)


def identify(transaction: Transaction, secret: str) -> Principal:
    """Whose token this is.

    Raises:
        ServiceError: UNAUTHENTICATED; the sentence does not say whether the token ever existed.
    """
    return _standing(transaction, transaction.execute(_FIND, {"of_hash": _hash(secret)}).one_or_none())


def permit(transaction: Transaction, principal: Principal) -> None:
    """Refuse who was identified before and has lost the token since; a revocation of it now waits.

    Called last in a transaction: a change that waited for a lock is not made once its token's revocation
    was answered, and the revocation waits for no more than the commit.

    Raises:
        ServiceError: UNAUTHENTICATED.
    """
    _standing(transaction, transaction.lock(_HOLD, {"of_id": principal.id}))


def _standing(transaction: Transaction, row: Row[Any] | None) -> Principal:
    if row is None or row.revoked is not None or seconds(transaction.now) >= row.expires:
        raise ServiceError(Code.UNAUTHENTICATED, "token: unknown, expired or revoked")
    return Principal(id=row.id, scope=Scope(row.scope))


def revoke(transaction: Transaction, token_id: str, *, actor: str, last: bool = False) -> dict[str, Json]:
    """End a token at once.

    Args:
        transaction: An open transaction that may write.
        token_id: Which token.
        actor: Who asks.
        last: Whether it may be the last usable one of scope admin, after which nobody gets in.
    Raises:
        ServiceError: UNKNOWN; CONFLICT, if it is revoked already, or the last and ``last`` is false.
    """
    audit.lock(transaction, "tokens")  # two tokens that revoke each other at once would both be gone
    row = transaction.lock(_LOCK, {"of_id": token_id})
    if row is None:
        raise ServiceError(Code.UNKNOWN, f"token {token_id}: there is none of this id")
    if row.revoked is not None:
        raise ServiceError(
            Code.CONFLICT, f"token {token_id}: revoked already, on {utc(to_moment(row.revoked))}"
        )
    if not last and _usable(transaction).keys() == {token_id}:
        raise ServiceError(
            Code.CONFLICT,
            f"token {token_id}: the last usable one of scope admin; make another first, or say that it is "
            "the last: {\"last\": true}, 'ternary server revoke-token --last'",
        )
    now = seconds(transaction.now)
    transaction.execute(update(tokens).where(tokens.c.id == token_id).values(revoked=now))
    audit.append(transaction, f"token {token_id}", actor=actor, action="token.revoke", detail={})
    return _facts(row._mapping) | {"revoked": now}


def page(transaction: Transaction, *, after: str, limit: int) -> list[Json]:
    """Tokens in the order of their ids, without their secrets."""
    query = select(tokens).where(tokens.c.id > after).order_by(tokens.c.id).limit(limit)
    return [_facts(row._mapping) for row in transaction.execute(query)]


def _usable(transaction: Transaction) -> dict[str, int]:
    """Ends of the tokens of scope admin that are accepted now, by id, in seconds since 1970-01-01 UTC."""
    now = seconds(transaction.now)
    query = select(tokens.c.id, tokens.c.expires).where(
        tokens.c.scope == str(Scope.ADMIN), tokens.c.revoked.is_(None), tokens.c.expires > now
    )
    return {row.id: row.expires for row in transaction.execute(query)}


def _facts(row: object) -> dict[str, Json]:
    columns = dict(row)  # type: ignore[call-overload]
    return {name: columns[name] for name in ("id", "name", "scope", "created", "expires", "revoked")}


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()
