"""
The life of a license: issued, renewed, suspended, reinstated, revoked, transferred.

Each function changes one license, locked, and writes its audit row; what a client already holds runs out
at its lease's end, and a signed denial meets it at its next renewal.
"""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, Final

from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError

from ternary_license_server.database.schema import licenses, revocations
from ternary_license_server.database.transaction import Transaction
from ternary_license_server.service import (
    audit,
    catalog,
    deals,
    events,
    listing,
    metering,
    placements,
    policies,
    price_terms,
    quota_notices,
    records,
    seat_count,
    seats,
    succession,
)
from ternary_license_server.service.events import Kind
from ternary_license_server.service.groups import of_group
from ternary_license_server.service.lease import Lease
from ternary_license_server.service.policies import LONGEST, Policy
from ternary_license_server.service.price_terms import Priced
from ternary_license_server.service.records import LicenseRecord, State, seconds, utc
from ternary_license_server.service.refusals import Code, ServiceError
from ternary_license_server.service.terms import Terms
from ternary_sdk._internal.documents import canonical
from ternary_sdk._internal.documents.canonical import Json
from ternary_sdk._internal.online import key as online_key
from ternary_sdk._internal.pricing.month import Month

_STATED: Final = {
    State.ACTIVE: Kind.LICENSE_REINSTATED,
    State.SUSPENDED: Kind.LICENSE_SUSPENDED,
    State.REVOKED: Kind.LICENSE_REVOKED,
}
"""The event of a license's new state."""


def issue(
    transaction: Transaction,
    *,
    customer: str,
    policy: str,
    actor: str,
    expires: datetime | None = None,
    deal: Mapping[str, Any] = MappingProxyType({}),
) -> dict[str, Json]:
    """Issue a license by a policy.

    Args:
        transaction: A writing one.
        customer: Whose, an id.
        policy: By which.
        actor: Who asks.
        expires: Its end; None for the policy's term from now.
        deal: What is agreed for this license alone, and what is noted beside it: ``deals.TERMS``, ``NOTED``.
    Returns:
        The license's facts, and ``key``: what the customer types. It is told once and kept only as a
        digest; whoever lost it gets another by ``transfer`` to the same customer.
    Raises:
        ServiceError: UNKNOWN; CONFLICT, if it is a trial and this customer has had one; INVALID.
    """
    name = catalog.check_customer(transaction, customer)
    template = policies.find(transaction, policy)
    key = online_key.generate()
    policies.check_open(transaction, policy)
    record = _agreed(transaction, _record(template, customer, name, transaction.now), expires, deal)
    record = replace(record, placed=placements.placed_now(transaction, policy))
    priced, billed_from = _prices(transaction, template, record, record.created, None, bill_earlier=True)
    record = replace(record, priced=priced, billed_from=billed_from)
    if template.trial and _had_trial(transaction, record):
        raise _second_trial(record)
    columns = record.columns() | {"key_hash": online_key.digest(key)}
    try:
        transaction.execute(insert(licenses), columns)
    except IntegrityError:
        raise _second_trial(record) from None
    detail: dict[str, Json] = {"customer": customer, "policy": policy, "expires": columns["expires"]}
    if deal:
        detail["deal"] = deals.stated(deal)["to"]
    audit.append(transaction, record.id, actor=actor, action="license.issue", detail=detail)
    return record.facts() | {"key": key}


def renew(
    transaction: Transaction, license_id: str, expires: datetime | None, *, actor: str
) -> dict[str, Json]:
    """Give a license another end: the given one, or one more of its policy's terms.

    Raises:
        LicenseError: NOT_FOUND.
        ServiceError: CONFLICT, if it is revoked or never ends; INVALID, if the end is not in the future.
    """
    license = records.lock(transaction, license_id)
    _refuse_revoked(license)
    now = transaction.now
    end = expires or _next_end(transaction, license, now)
    if not now < end <= now + LONGEST:
        raise ServiceError(Code.INVALID, f"license {license_id}: {utc(end)} is no end in the next 100 years")
    detail: dict[str, Json] = {
        "from": seconds(license.expires) if license.expires else None,
        "to": seconds(end),
    }
    return _change(transaction, license, actor, "license.renew", detail, expires=seconds(end))


def change_policy(
    transaction: Transaction, license_id: str, policy: str, *, bill_earlier: bool = False, actor: str
) -> dict[str, Json]:
    """Put a license under another policy of its product: its terms from now on. Its end stays.

    Terms that were agreed for this license alone are replaced too. This month is invoiced by the policy's
    prices, and those before it by the prices that they had.

    A license that had no prices and gets some is billed for what the server receives from now on; with
    ``bill_earlier`` also for what it has received.

    Clients get the new terms with their next renewal. Where there are fewer seats now than holders, who
    holds one keeps it while it is renewed.

    Raises:
        LicenseError: NOT_FOUND.
        ServiceError: UNKNOWN, if there is no such policy; CONFLICT, if the license is revoked, either is a
            trial, the policy has ended or is of another product, or it has no prices and operations are not
            invoiced.
    """
    license, template = records.lock(transaction, license_id), policies.find(transaction, policy)
    _refuse_revoked(license)
    if license.trial or template.trial:
        raise ServiceError(Code.CONFLICT, f"license {license_id}: a trial stays one; issue another license")
    if template.product != license.product:
        raise ServiceError(
            Code.CONFLICT,
            f"license {license_id}: is for {license.product}, policy {policy} for {template.product}",
        )
    policies.check_open(transaction, policy)
    before = _priced_now(transaction, license)
    now = transaction.now.replace(microsecond=0)
    priced, billed_from = _prices(transaction, template, template, now, before, bill_earlier=bill_earlier)
    if before is not None and priced is None:
        succession.check_invoiced(transaction, license_id, license.product)
    placements.keep(transaction, license, succession.holds_from(transaction, license))
    seat_count.forget(transaction, license_id)
    placed = placements.placed_now(transaction, policy)
    moved = replace(license, policy=policy, placed=placed, priced=priced, billed_from=billed_from)
    changed = replace(moved, **template.copied(), own_terms=())
    deals.check(changed)
    detail: dict[str, Json] = {"from": license.policy, "to": policy}
    if bill_earlier:
        detail["bill_earlier"] = True
    kept = ("policy", "placed", "priced", "billed_from", "own_terms")
    columns = changed.term_columns() | {name: changed.columns()[name] for name in kept}
    quota_notices.note(transaction, changed, metering.weighed(transaction, license_id, license.customer))
    return _change(transaction, changed, actor, "license.policy", detail, **columns)


def suspend(transaction: Transaction, license_id: str, *, actor: str) -> dict[str, Json]:
    """Pause a license until ``reinstate``.

    Raises:
        LicenseError: NOT_FOUND.
        ServiceError: CONFLICT, if it is not active.
    """
    return _to(transaction, license_id, State.SUSPENDED, lambda s: s is State.ACTIVE, actor)


def reinstate(transaction: Transaction, license_id: str, *, actor: str) -> dict[str, Json]:
    """End a pause.

    Raises:
        LicenseError: NOT_FOUND.
        ServiceError: CONFLICT, if it is not suspended.
    """
    return _to(transaction, license_id, State.ACTIVE, lambda s: s is State.SUSPENDED, actor)


def revoke(
    transaction: Transaction, license_id: str, *, actor: str, reason: str | None = None
) -> dict[str, Json]:
    """Withdraw a license for good; it is on the revocation list until all that was given out has ended.

    The reason, if there is one, is for the audit log.

    Raises:
        LicenseError: NOT_FOUND.
        ServiceError: CONFLICT, if it is revoked already; LIST_FULL, and then nothing has changed.
    """
    facts = _to(transaction, license_id, State.REVOKED, lambda s: s is not State.REVOKED, actor, reason)
    listing.admit(transaction, f"license {license_id}")
    _list(transaction, license_id)
    return facts


def take_back(transaction: Transaction, license_id: str, *, actor: str, reason: str) -> None:
    """As ``revoke``, for a license that is on a list of ours already; there is room for it.

    Raises:
        LicenseError: NOT_FOUND.
    """
    license = records.lock(transaction, license_id)
    detail: dict[str, Json] = {"from": str(license.state), "to": str(State.REVOKED), "reason": reason}
    revoked = replace(license, state=State.REVOKED)
    _change(transaction, revoked, actor, "license.revoked", detail, state=str(State.REVOKED))
    events.record(transaction, Kind.LICENSE_REVOKED, license_id, events.of_license(revoked))
    _list(transaction, license_id)


def transfer(transaction: Transaction, license_id: str, customer: str, *, actor: str) -> dict[str, Json]:
    """Give a license to another customer, under a new key; order number, notes and claims were the former's.

    Who holds a seat cannot renew any more; the seats stay taken until those leases end.

    Returns:
        The license's facts, and ``key``, told once.
    Raises:
        LicenseError: NOT_FOUND.
        ServiceError: UNKNOWN, if there is no such customer; CONFLICT, if it is revoked or a trial.
    """
    license = records.lock(transaction, license_id)
    _refuse_revoked(license)
    name = catalog.check_customer(transaction, customer)
    if license.trial and customer != license.customer:
        raise ServiceError(Code.CONFLICT, f"license {license_id}: a trial stays with its customer")
    key = online_key.generate()
    seats.disown(transaction, license, transaction.now)
    if customer != license.customer:
        placements.keep(transaction, license, Month.of(transaction.now))
    columns: dict[str, Json] = {"customer": customer, "key_hash": online_key.digest(key), "licensee": None}
    moved = replace(license, customer=customer, customer_name=name, licensee=None)
    if customer != license.customer:  # the order was another's
        moved = replace(moved, order_number=None, notes=None, claims={})
        columns |= dict.fromkeys(deals.NOTED)
    detail: dict[str, Json] = {"from": license.customer, "to": customer}
    return _change(transaction, moved, actor, "license.transfer", detail, **columns) | {"key": key}


def free_seat(
    transaction: Transaction, license_id: str, seat: str, reason: str, *, actor: str
) -> dict[str, Json]:
    """Free the seat of a lost machine at once, and revoke the license that the machine holds.

    Raises:
        LicenseError: NOT_FOUND.
        ServiceError: UNKNOWN, if the license has no such seat; CONFLICT, if nobody holds it; LIST_FULL.
    """
    license = records.lock(transaction, license_id)
    second = transaction.now.replace(microsecond=0)
    lost = seats.free(transaction, license, seat, reason, second)
    note_loss(transaction, lost, reason, actor=actor)
    return replace(lost, released=second).facts(second)


def note_loss(transaction: Transaction, lost: Lease, reason: str, *, actor: str) -> None:
    """Write into the audit log why a seat was declared lost, and what its lease was."""
    detail = lost.facts(transaction.now.replace(microsecond=0)) | {"reason": reason}
    audit.append(transaction, lost.license, actor=actor, action="seat.free", detail=detail)
    freed: dict[str, Json] = {"license": lost.license, "customer": lost.customer, "seat": lost.seat}
    events.record(transaction, Kind.SEAT_FREED, lost.license, freed)


def _list(transaction: Transaction, license_id: str) -> None:
    until = listing.license_until(transaction, license_id)
    row = {"license": license_id, "revoked": seconds(transaction.now), "until": until}
    transaction.execute(insert(revocations), row)


def _record(template: Policy, customer: str, name: str, now: datetime) -> LicenseRecord:
    start = now.replace(microsecond=0)
    return LicenseRecord(
        id=f"L-{secrets.token_hex(12)}",
        customer=customer,
        customer_name=name,
        licensee=None,
        policy=template.name,
        state=State.ACTIVE,
        starts=start,
        expires=start + template.term if template.term else None,
        created=start,
        placed=start,
        priced=None,
        billed_from=None,
        **template.copied(),
    )


def _priced_now(transaction: Transaction, license: LicenseRecord) -> Priced | None:
    """How a license is under prices at this moment; None if it is not."""
    found = price_terms.priced(transaction, Month.of(transaction.now), licenses.c.id == license.id)
    return found[0] if found else None


def _agreed(
    transaction: Transaction, record: LicenseRecord, expires: datetime | None, deal: Mapping[str, Any]
) -> LicenseRecord:
    """A license with an end and terms of its own."""
    if expires is not None:
        if not record.starts < expires <= record.starts + LONGEST:
            raise ServiceError(Code.INVALID, f"license: {utc(expires)} is no end in the next 100 years")
        record = replace(record, expires=expires)
    if not deal:
        return record
    if record.trial and set(deal) & set(deals.TERMS):
        raise ServiceError(Code.CONFLICT, f"policy {record.policy}: a trial keeps its policy's terms")
    record = deals.agreed(record, deal)
    deals.check_prices(transaction, record)
    return record


def _prices(
    transaction: Transaction,
    template: Policy,
    agreed: Terms,
    now: datetime,
    before: Priced | None,
    *,
    bill_earlier: bool,
) -> tuple[datetime | None, datetime | None]:
    """Since when a license that comes under a policy now is under prices, and from when on it is billed."""
    if _list_in_force(transaction, template, agreed, now) is None:
        return None, None
    if before is not None:
        return before.since, before.billed_from
    return now, price_terms.ALWAYS if bill_earlier else now


def _list_in_force(transaction: Transaction, template: Policy, agreed: Terms, now: datetime) -> str | None:
    """The list of a license that comes under a policy now, as canonical JSON."""
    first = None if template.prices is None else canonical.encode(template.prices.to_json()).decode()
    return price_terms.in_force(transaction, template.name, Month.of(now), first, agreed)


def _had_trial(transaction: Transaction, record: LicenseRecord) -> bool:
    query = select(licenses.c.id).where(
        of_group(licenses.c.customer, record.customer), licenses.c.product == record.product, licenses.c.trial
    )
    return transaction.execute(query).first() is not None


def _second_trial(record: LicenseRecord) -> ServiceError:
    return ServiceError(
        Code.CONFLICT,
        f"customer {record.customer}: had a trial of {record.product} before; issue a license",
    )


def _next_end(transaction: Transaction, license: LicenseRecord, now: datetime) -> datetime:
    term: timedelta | None = policies.find(transaction, license.policy).term
    if license.expires is None or term is None:
        raise ServiceError(Code.CONFLICT, f"license {license.id}: never ends; there is nothing to renew")
    return max(license.expires, now) + term


def _to(
    transaction: Transaction,
    license_id: str,
    state: State,
    allowed: Callable[[State], bool],
    actor: str,
    reason: str | None = None,
) -> dict[str, Json]:
    license = records.lock(transaction, license_id)
    if not allowed(license.state):
        cannot = "already" if license.state is state else f"and cannot become {state}"
        raise ServiceError(Code.CONFLICT, f"license {license_id}: is {license.state} {cannot}")
    changed = replace(license, state=state)
    detail: dict[str, Json] = {"from": str(license.state), "to": str(state)}
    if reason is not None:
        detail["reason"] = reason
    events.record(transaction, _STATED[state], license_id, events.of_license(changed))
    return _change(transaction, changed, actor, f"license.{state}", detail, state=str(state))


def _refuse_revoked(license: LicenseRecord) -> None:
    if license.state is State.REVOKED:
        raise ServiceError(Code.CONFLICT, f"license {license.id}: is revoked, for good; issue another")


def _change(
    transaction: Transaction,
    license: LicenseRecord,
    actor: str,
    action: str,
    detail: dict[str, Json],
    **columns: Json,
) -> dict[str, Json]:
    transaction.execute(update(licenses).where(licenses.c.id == license.id).values(**columns))
    audit.append(transaction, license.id, actor=actor, action=action, detail=detail)
    return license.facts() | {name: columns[name] for name in columns if name == "expires"}
