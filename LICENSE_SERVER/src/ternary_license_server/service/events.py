"""
Events: facts of the business that other systems hear of, by webhooks.

An event is a row that is written in the transaction of its fact: a fact that is not committed has none. The
same statement gives it a delivery for each webhook that takes its kind. Nothing is sent here.

The payload is that of the Standard Webhooks specification (https://www.standardwebhooks.com): ``type``,
``timestamp`` and ``data``. The data has ids, numbers and moments, and no names: what was sent cannot be
anonymised.
"""

import hashlib
import secrets
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import insert, select

from ternary_license_server.database.schema import deliveries, events, webhooks
from ternary_license_server.database.transaction import Transaction
from ternary_license_server.service.records import LicenseRecord, seconds
from ternary_sdk._internal.documents import canonical
from ternary_sdk._internal.documents.canonical import Json


class Kind(StrEnum):
    """What happened; the ``type`` of a payload."""

    LICENSE_ENDING = "license.ending"
    LICENSE_ENDED = "license.ended"
    LICENSE_SUSPENDED = "license.suspended"
    LICENSE_REINSTATED = "license.reinstated"
    LICENSE_REVOKED = "license.revoked"
    SEAT_FREED = "seat.freed"
    QUOTA_REACHED = "quota.reached"
    METER_LOST = "meter.lost"
    INVOICE_ISSUED = "invoice.issued"
    WEBHOOK_TESTED = "webhook.tested"


PENDING: Final = "pending"
"""State of a delivery that is still to be made."""
_WEBHOOKS: Final = select(webhooks.c.id, webhooks.c.kinds)


def record(
    transaction: Transaction, kind: Kind, subject: str, data: Mapping[str, Json], *, same: str | None = None
) -> str:
    """Write an event, and a delivery of it for each webhook that takes its kind.

    Args:
        transaction: That of the fact, with its locks.
        kind: What happened.
        subject: The id of what it happened to.
        data: What else to say; never a secret or a name.
        same: Text that is the same whenever the same fact is found again: it is then one event. None for a
            fact that happens once.
    Returns:
        The event's id.
    """
    event, fresh = _write(transaction, kind, subject, data, same)
    takers = [row.id for row in transaction.execute(_WEBHOOKS) if takes(row.kinds, kind)] if fresh else []
    _deliver(transaction, event, takers)
    return event


def record_for(transaction: Transaction, kind: Kind, webhook: str, data: Mapping[str, Json]) -> str:
    """Write an event about a webhook, for that webhook alone; its id."""
    event, _ = _write(transaction, kind, webhook, data, None)
    _deliver(transaction, event, [webhook])
    return event


def of_license(license: LicenseRecord) -> dict[str, Json]:
    """What every event about a license says of it."""
    return {
        "license": license.id,
        "customer": license.customer,
        "product": license.product,
        "policy": license.policy,
        "state": str(license.state),
        "expires": None if license.expires is None else rfc3339(seconds(license.expires)),
    }


def rfc3339(moment: int) -> str:
    """A moment in seconds since 1970-01-01 UTC, as payloads have it."""
    return f"{datetime.fromtimestamp(moment, UTC):%Y-%m-%dT%H:%M:%SZ}"


def takes(kinds: str, kind: str) -> bool:
    """Whether a webhook takes events of a kind; ``kinds`` are its own with blanks between, or empty: all."""
    return not kinds or kind in kinds.split()


def _write(
    transaction: Transaction, kind: Kind, subject: str, data: Mapping[str, Json], same: str | None
) -> tuple[str, bool]:
    """Write an event's row: its id, and whether it was not there yet."""
    event = f"E-{secrets.token_hex(12)}" if same is None else _id_of(kind, subject, same)
    at = seconds(transaction.now)
    payload: Json = {"type": str(kind), "timestamp": rfc3339(at), "data": dict(data)}
    row: dict[str, Any] = {
        "id": event,
        "kind": str(kind),
        "subject": subject,
        "at": at,
        "payload": canonical.encode(payload).decode(),
    }
    insertion = transaction.insert(events).on_conflict_do_nothing().returning(events.c.id)
    return event, transaction.execute(insertion, row).first() is not None


def _id_of(kind: Kind, subject: str, same: str) -> str:
    return f"E-{hashlib.sha256(canonical.encode([str(kind), subject, same])).hexdigest()[:24]}"


def _deliver(transaction: Transaction, event: str, takers: Iterable[str]) -> None:
    at = seconds(transaction.now)
    fresh = {"event": event, "state": PENDING, "since": at, "due": at, "attempts": 0}
    if rows := [fresh | {"webhook": taker} for taker in takers]:
        transaction.execute(insert(deliveries), rows)
