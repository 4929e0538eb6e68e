"""
Webhooks: the addresses that events are sent to, each with a secret of its own.

A webhook is active, paused by the vendor, or gone: its own server answered 410. Events for a webhook that is
not active wait for it; whoever does not want them removes the webhook.
"""

import base64
import secrets
from typing import Any, Final

from sqlalchemy import Row, delete, func, insert, select, update

from ternary_license_server.database.schema import deliveries, webhooks
from ternary_license_server.database.transaction import Transaction, locking
from ternary_license_server.keys.webhook_key import WebhookKey
from ternary_license_server.service import audit, events
from ternary_license_server.service.events import PENDING, Kind
from ternary_license_server.service.records import seconds
from ternary_license_server.service.refusals import Code, ServiceError
from ternary_sdk._internal.documents.canonical import Json

MOST: Final = 16
"""Most webhooks; each has a sender of its own, so that one that hangs holds up no other."""
ACTIVE: Final = "active"
PAUSED: Final = "paused"
GONE: Final = "gone"
_SECRET_BYTES: Final = 32
_ALL: Final = "webhooks"
"""The stream of the audit log that is locked while webhooks are counted."""


def add(
    transaction: Transaction, key: WebhookKey, *, url: str, kinds: list[str], actor: str
) -> dict[str, Json]:
    """Make a webhook.

    Args:
        transaction: A writing one.
        key: What seals its secret.
        url: Where it is; checked.
        kinds: Of the events that it takes; empty: all.
        actor: Who asks.
    Returns:
        Its facts, and ``secret``, told once.
    Raises:
        ServiceError: CONFLICT, if there are 16.
    """
    audit.lock(transaction, _ALL)
    if transaction.execute(select(func.count()).select_from(webhooks)).scalar_one() >= MOST:
        raise ServiceError(Code.CONFLICT, f"webhooks: there are {MOST}, the most there can be; remove one")
    secret = secrets.token_bytes(_SECRET_BYTES)
    row: dict[str, Any] = {
        "id": f"W-{secrets.token_hex(6)}",
        "url": url,
        "kinds": " ".join(sorted(set(kinds))),
        "secret": key.seal(secret),
        "state": ACTIVE,
        "created": seconds(transaction.now),
        "delivered": 0,
        "failed": 0,
    }
    transaction.execute(insert(webhooks), row)
    detail: dict[str, Json] = {"webhook": row["id"], "kinds": row["kinds"]}
    audit.append(transaction, _ALL, actor=actor, action="webhook.add", detail=detail)
    return _facts(find(transaction, row["id"])) | {"secret": f"whsec_{base64.b64encode(secret).decode()}"}


def known(kinds: list[str]) -> list[str]:
    """Kinds of events, each of which must be one.

    Raises:
        ServiceError: INVALID.
    """
    for kind in kinds:
        if kind not in list(Kind):
            raise ServiceError(Code.INVALID, f"kinds: {kind!r}, expected some of {', '.join(Kind)}")
    return kinds


def find(transaction: Transaction, webhook: str) -> Row[Any]:
    """A webhook's row.

    Raises:
        ServiceError: UNKNOWN.
    """
    row = transaction.execute(select(webhooks).where(webhooks.c.id == webhook)).one_or_none()
    if row is None:
        raise _unknown(webhook)
    return row


def every(transaction: Transaction) -> list[dict[str, Json]]:
    """The facts of all webhooks, by id, without their secrets."""
    return [_facts(row) for row in transaction.execute(select(webhooks).order_by(webhooks.c.id))]


def pause(transaction: Transaction, *, webhook: str, actor: str) -> dict[str, Json]:
    """Send nothing to a webhook until ``resume``; its events wait.

    Raises:
        ServiceError: UNKNOWN; CONFLICT, if it is not active.
    """
    return _to(transaction, webhook, PAUSED, (ACTIVE,), "webhook.pause", actor)


def resume(transaction: Transaction, *, webhook: str, actor: str) -> dict[str, Json]:
    """Send to a webhook again that was paused or gone, what has waited first.

    Raises:
        ServiceError: UNKNOWN; CONFLICT, if it is active.
    """
    facts = _to(transaction, webhook, ACTIVE, (PAUSED, GONE), "webhook.resume", actor)
    waiting = (deliveries.c.webhook == webhook) & (deliveries.c.state == PENDING)
    transaction.execute(update(deliveries).where(waiting).values(since=seconds(transaction.now)))
    return facts


def give_up(transaction: Transaction, webhook: str) -> None:
    """Note that a webhook's server said that it is gone for good; nothing where it is not active any more."""
    row = _locked(transaction, webhook)
    if row is not None and row.state == ACTIVE:
        _to(transaction, webhook, GONE, (ACTIVE,), "webhook.gone", "server")


def remove(transaction: Transaction, *, webhook: str, actor: str) -> dict[str, Json]:
    """Remove a webhook and all of its deliveries, those that wait too.

    Raises:
        ServiceError: UNKNOWN.
    """
    row = _locked(transaction, webhook)
    if row is None:
        raise _unknown(webhook)
    dropped = transaction.execute(delete(deliveries).where(deliveries.c.webhook == webhook)).rowcount
    transaction.execute(delete(webhooks).where(webhooks.c.id == webhook))
    detail: dict[str, Json] = {"webhook": webhook, "deliveries": dropped}
    audit.append(transaction, _ALL, actor=actor, action="webhook.remove", detail=detail)
    return _facts(row)


def test(transaction: Transaction, *, webhook: str, actor: str) -> dict[str, Json]:
    """Have an event sent to a webhook that is about nothing but this webhook.

    Returns:
        ``event``, its id.
    Raises:
        ServiceError: UNKNOWN; CONFLICT, if it is not active.
    """
    row = find(transaction, webhook)
    if row.state != ACTIVE:
        raise ServiceError(Code.CONFLICT, f"webhook {webhook}: is {row.state}; resume it first")
    audit.append(transaction, _ALL, actor=actor, action="webhook.test", detail={"webhook": webhook})
    return {"event": events.record_for(transaction, Kind.WEBHOOK_TESTED, webhook, {"webhook": webhook})}


def _to(
    transaction: Transaction, webhook: str, state: str, allowed: tuple[str, ...], action: str, actor: str
) -> dict[str, Json]:
    row = _locked(transaction, webhook)
    if row is None:
        raise _unknown(webhook)
    if row.state not in allowed:
        cannot = "already" if row.state == state else f"and cannot become {state}"
        raise ServiceError(Code.CONFLICT, f"webhook {webhook}: is {row.state} {cannot}")
    transaction.execute(update(webhooks).where(webhooks.c.id == webhook).values(state=state))
    audit.append(transaction, _ALL, actor=actor, action=action, detail={"webhook": webhook})
    return _facts(row) | {"state": state}


def _locked(transaction: Transaction, webhook: str) -> Row[Any] | None:
    return transaction.lock(locking(webhooks, *webhooks.c, where=webhooks.c.id == webhook), {})


def _facts(row: Row[Any]) -> dict[str, Json]:
    kinds: list[Json] = [*row.kinds.split()]
    return {
        "id": row.id,
        "url": row.url,
        "kinds": kinds,
        "state": row.state,
        "created": row.created,
        "delivered": row.delivered,
        "failed": row.failed,
    }


def _unknown(webhook: str) -> ServiceError:
    return ServiceError(Code.UNKNOWN, f"webhook {webhook}: there is none of this id")
