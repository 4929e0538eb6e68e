"""
Events and what became of them, for people: listed, counted, and sent again.
"""

from typing import Any, Final

from sqlalchemy import func, select, tuple_, update

from ternary_license_server.database.schema import deliveries, events, webhooks
from ternary_license_server.database.transaction import Transaction
from ternary_license_server.service import audit
from ternary_license_server.service.events import PENDING, Kind, takes
from ternary_license_server.service.outbox import DEAD
from ternary_license_server.service.records import seconds
from ternary_license_server.service.refusals import Code, ServiceError
from ternary_license_server.service.webhooks import ACTIVE
from ternary_sdk._internal.documents.canonical import Json

_NOBODY: Final = ""
"""In the place of a webhook, for an event that no webhook took."""
_STREAM: Final = "webhooks"
_WEBHOOK: Final = func.coalesce(deliveries.c.webhook, _NOBODY)
_ROWS: Final = (
    select(
        events.c.at,
        events.c.id.label("event"),
        _WEBHOOK.label("webhook"),
        events.c.kind,
        events.c.subject,
        deliveries.c.state,
        deliveries.c.attempts,
        deliveries.c.status,
        deliveries.c.error,
        deliveries.c.due,
    )
    .select_from(events.outerjoin(deliveries, deliveries.c.event == events.c.id))
    .order_by(events.c.at, events.c.id, _WEBHOOK)
)


def page(
    transaction: Transaction,
    *,
    after: tuple[int, str, str] | None,
    limit: int,
    state: str | None = None,
    event: str | None = None,
) -> list[dict[str, Json]]:
    """Deliveries by the moments of their events, after one; an event that no webhook took has one row.

    Args:
        transaction: Any.
        after: Moment, event and webhook of the row before.
        limit: Most rows.
        state: Only those in this state.
        event: Only those of this event.
    """
    query = _ROWS
    if after is not None:
        query = query.where(tuple_(events.c.at, events.c.id, _WEBHOOK) > tuple_(*after))
    if state is not None:
        query = query.where(deliveries.c.state == state)
    if event is not None:
        query = query.where(events.c.id == event)
    return [dict(row._mapping) for row in transaction.execute(query.limit(limit))]


def replay(transaction: Transaction, *, chosen: list[str], actor: str) -> dict[str, Json]:
    """Send events again, whatever became of them, to each webhook that takes their kind.

    Returns:
        ``deliveries``: how many are sent.
    Raises:
        ServiceError: UNKNOWN, if there is no such event; nothing is sent then. CONFLICT, if no webhook takes
            any of them.
    """
    number = sum(_queue(transaction, event) for event in chosen)
    if not number:
        raise ServiceError(Code.CONFLICT, "events: there is no webhook that takes their kind")
    return _noted(transaction, number, chosen, actor)


def replay_dead(transaction: Transaction, *, actor: str) -> dict[str, Json]:
    """Send every dead event again to the webhook that did not take it; ``deliveries``: how many."""
    now = seconds(transaction.now)
    dead = update(deliveries).where(deliveries.c.state == DEAD).values(**_afresh(now))
    return _noted(transaction, transaction.execute(dead).rowcount, [], actor)


def standing(transaction: Transaction) -> dict[str, Json]:
    """How deliveries stand.

    Returns:
        ``waiting`` (for active webhooks), ``held`` (for others), ``dead``, ``oldest`` (for how many seconds
        the oldest one waits for an active webhook; 0 if none does), ``inactive`` (webhooks that are paused or
        gone).
    """
    row, now = deliveries.c, seconds(transaction.now)
    active = webhooks.c.state == ACTIVE
    query = (
        select(active, row.state, func.count(), func.min(row.since))
        .join(webhooks, webhooks.c.id == row.webhook)
        .where(row.state.in_((PENDING, DEAD)))
        .group_by(active, row.state)
    )
    found = {(bool(one[0]), one[1]): (one[2], one[3]) for one in transaction.execute(query)}
    waiting, since = found.get((True, PENDING), (0, now))
    inactive = select(func.count()).select_from(webhooks).where(~active)
    return {
        "waiting": waiting,
        "held": found.get((False, PENDING), (0, now))[0],
        "dead": sum(found.get((which, DEAD), (0, now))[0] for which in (True, False)),
        "oldest": max(0, now - since),
        "inactive": transaction.execute(inactive).scalar_one(),
    }


def _queue(transaction: Transaction, event: str) -> int:
    """Queue an event for each webhook that takes its kind or had it queued before; for how many."""
    kind = transaction.execute(select(events.c.kind).where(events.c.id == event)).scalar_one_or_none()
    if kind is None:
        raise ServiceError(Code.UNKNOWN, f"event {event}: there is none of this id, or it was forgotten")
    had = set(transaction.execute(select(deliveries.c.webhook).where(deliveries.c.event == event)).scalars())
    every = transaction.execute(select(webhooks.c.id, webhooks.c.kinds)).all()
    others = kind != Kind.WEBHOOK_TESTED  # that is for one alone
    wanted = [row.id for row in every if row.id in had or (others and takes(row.kinds, kind))]
    fresh: dict[str, Any] = _afresh(seconds(transaction.now))
    for webhook in wanted:
        insertion = transaction.insert(deliveries).values(event=event, webhook=webhook, **fresh)
        known = [deliveries.c.event, deliveries.c.webhook]
        transaction.execute(insertion.on_conflict_do_update(index_elements=known, set_=fresh))
    return len(wanted)


def _afresh(now: int) -> dict[str, Any]:
    return {
        "state": PENDING,
        "since": now,
        "due": now,
        "attempts": 0,
        "claim": None,
        "status": None,
        "error": None,
        "ended": None,
    }


def _noted(transaction: Transaction, number: int, chosen: list[str], actor: str) -> dict[str, Json]:
    detail: dict[str, Json] = {"deliveries": number, "events": [*chosen]}
    audit.append(transaction, _STREAM, actor=actor, action="events.replay", detail=detail)
    return {"deliveries": number}
