"""
The outbox: which events are still to be sent to which webhook, and what became of each.

A sender claims a delivery in a transaction of its own, sends without any transaction, and settles it in
another. A claim ends by itself: whoever dies between sending and settling leaves a delivery that is sent
again. So each event comes at least once, and in no promised order; receivers know it again by its id.
"""

import secrets
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, bindparam, delete, exists, select, update

from ternary_license_server.database.schema import deliveries, events, webhooks
from ternary_license_server.database.transaction import Transaction
from ternary_license_server.service import backoff
from ternary_license_server.service import webhooks as endpoints
from ternary_license_server.service.backoff import Limits
from ternary_license_server.service.events import PENDING
from ternary_license_server.service.records import seconds
from ternary_license_server.service.webhooks import ACTIVE

DELIVERED: Final = "delivered"
DEAD: Final = "dead"
CLAIMED: Final = 120
"""Seconds for which a claim holds; several times what one attempt may take."""
GONE: Final = 410
"""The HTTP status by which a webhook's server says that it takes nothing any more."""
_BATCH: Final = 500
"""Most rows that one call forgets."""
_EVENT: Final = select(events.c.payload, events.c.kind).where(events.c.id == bindparam("of_event"))


@dataclass(frozen=True, kw_only=True)
class Job:
    """One delivery, claimed by this sender."""

    event: str
    webhook: str
    claim: str
    """Random text; only the latest claim of a delivery may settle it."""
    url: str
    secret: str
    """Sealed."""
    payload: str
    kind: str
    attempts: int
    """This attempt included."""
    since: int
    """When it was queued."""
    at: int
    """When it was claimed."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What came of one attempt."""

    status: int | None
    """Of the answer; None if none came."""
    error: str | None
    """Why the event was not taken, in a sentence; None if it was."""
    retry_after: int | None = None
    """Seconds that the answer asks to wait."""


def due(transaction: Transaction) -> list[str]:
    """Active webhooks for which an event waits that is due; it locks nothing."""
    waits = (deliveries.c.webhook == webhooks.c.id) & _due(transaction)
    query = select(webhooks.c.id).where(webhooks.c.state == ACTIVE, exists().where(waits))
    return list(transaction.execute(query.order_by(webhooks.c.id)).scalars())


def claim(transaction: Transaction, webhook: str) -> Job | None:
    """Claim the delivery to a webhook that has been due longest; None if there is none that is free.

    On PostgreSQL rows that another sender is claiming are passed over; on SQLite a writing transaction is
    alone.
    """
    row = deliveries.c
    query = select(row.event, row.attempts, row.since).where(row.webhook == webhook, _due(transaction))
    first = query.order_by(row.due, row.event).limit(1).with_for_update(skip_locked=True)
    found = transaction.execute(first).one_or_none()
    target = transaction.execute(
        select(webhooks.c.url, webhooks.c.secret).where(webhooks.c.id == webhook, webhooks.c.state == ACTIVE)
    ).one_or_none()
    if found is None or target is None:
        return None
    event = transaction.execute(_EVENT, {"of_event": found.event}).one()
    job = Job(
        event=found.event,
        webhook=webhook,
        claim=secrets.token_hex(8),
        attempts=found.attempts + 1,
        since=found.since,
        at=seconds(transaction.now),
        **event._mapping,
        **target._mapping,
    )
    until = job.at + CLAIMED
    this = (row.event == job.event) & (row.webhook == webhook)
    values = {"claim": job.claim, "attempts": job.attempts, "due": until}
    transaction.execute(update(deliveries).where(this).values(**values))
    return job


def settle(transaction: Transaction, job: Job, outcome: Outcome, limits: Limits, chance: float) -> str:
    """Write down what came of an attempt.

    Args:
        transaction: A writing one.
        job: What was sent.
        outcome: What came of it.
        limits: When it is given up.
        chance: A random number in [0, 1), for the next attempt.
    Returns:
        The delivery's state from now on; ``lost`` if another sender claimed it meanwhile, or it was removed.
    """
    now = seconds(transaction.now)
    values: dict[str, Any] = {"claim": None, "status": outcome.status, "error": outcome.error}
    if outcome.error is None:
        values |= {"state": DELIVERED, "ended": now}
    elif outcome.status == GONE or backoff.given_up(limits, job.attempts, now - job.since):
        values |= {"state": DEAD, "ended": now}
    else:
        values |= {"due": now + backoff.wait(job.attempts, chance, outcome.retry_after)}
    counted = webhooks.c.delivered if outcome.error is None else webhooks.c.failed
    this = update(webhooks).where(webhooks.c.id == job.webhook)
    transaction.execute(this.values({counted: counted + 1}))  # locks it first, as its removal does
    row = deliveries.c
    mine = (row.event == job.event) & (row.webhook == job.webhook) & (row.claim == job.claim)
    if not transaction.execute(update(deliveries).where(mine).values(**values)).rowcount:
        return "lost"
    if outcome.status == GONE:
        endpoints.give_up(transaction, job.webhook)
    return str(values.get("state", PENDING))


def forget(transaction: Transaction, retention: int) -> int:
    """Remove what was delivered, and events without deliveries, older than so many seconds; how many rows.

    What waits and what is dead stays. Of one call at most some hundreds.
    """
    before = seconds(transaction.now) - retention
    row = deliveries.c
    known = select(webhooks.c.id)
    old = (row.state == DELIVERED) & (row.ended < before)
    found = select(row.event, row.webhook).where(old | row.webhook.not_in(known)).limit(_BATCH)
    gone = transaction.execute(found).all()
    for event, webhook in gone:
        transaction.execute(delete(deliveries).where(row.event == event, row.webhook == webhook))
    left = ~select(row.event).where(row.event == events.c.id).exists()
    ids = select(events.c.id).where(events.c.at < before, left).limit(_BATCH)
    return len(gone) + transaction.execute(delete(events).where(events.c.id.in_(ids))).rowcount


def _due(transaction: Transaction) -> ColumnElement[bool]:
    return (deliveries.c.state == PENDING) & (deliveries.c.due <= seconds(transaction.now))
