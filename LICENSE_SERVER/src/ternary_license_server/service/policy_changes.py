"""
Policies that change or end: what each change means for licenses that are there is said with it.

A change of seats or quota is for licenses that are issued later, and for those that are there if that is
said. A price list holds from the beginning of a month on. An ended policy issues no license; those that are
there run on.
"""

from dataclasses import dataclass, replace

from sqlalchemy import func, insert, select, update

from ternary_license_server.database.schema import licenses, policies, policy_prices
from ternary_license_server.database.transaction import Transaction
from ternary_license_server.service import audit, deals, overage, placements, price_terms, records
from ternary_license_server.service import policies as templates
from ternary_license_server.service.policies import Policy
from ternary_license_server.service.records import State, seconds
from ternary_license_server.service.refusals import Code, ServiceError
from ternary_sdk._internal.documents import canonical
from ternary_sdk._internal.documents.canonical import Json
from ternary_sdk._internal.pricing.month import Month
from ternary_sdk._internal.pricing.price_list import PriceList


@dataclass(frozen=True, kw_only=True)
class NewPrices:
    """A price list that a policy gets."""

    prices: PriceList
    """The list."""
    month: Month
    """The first month that is invoiced by it."""
    existing: bool
    """Whether it is for licenses too that are there already; if not, they keep theirs."""
    bill_earlier: bool
    """Whether licenses that had no prices are billed for what they returned before that month."""


def change(
    transaction: Transaction, name: str, changes: dict[str, int | None], *, existing: bool, actor: str
) -> dict[str, Json]:
    """Give a policy other seats, another quota or other overage, from now on.

    Args:
        transaction: A writing one.
        name: Which policy.
        changes: Of ``seats``, ``unique_operations`` and their overage those that change; None for any number.
        existing: Whether licenses that are there get them too, with their next renewal; what was agreed for
            one license alone stays.
        actor: Who asks.
    Raises:
        ServiceError: UNKNOWN; INVALID; CONFLICT, if the policy has ended.
    """
    audit.lock(transaction, f"policy {name}")
    template = open_policy(transaction, name)
    changed = replace(template, **changes)  # type: ignore[arg-type]
    if changed.unique_operations is None and price_terms.every_list(transaction, name):
        raise ServiceError(
            Code.INVALID,
            f"policy {name}: has prices, which need unique_operations: machines count operations only under "
            "a quota",
        )
    if changed.overage_amount is not None:
        overage.check(changed, price_terms.every_list(transaction, name), f"policy {name}")
    transaction.execute(update(policies).where(policies.c.name == name).values(**changes))
    moved = _change_licenses(transaction, changed, changes, actor) if existing else 0
    detail: dict[str, Json] = {"to": dict[str, Json](changes), "existing": existing, "licenses": moved}
    audit.append(transaction, f"policy {name}", actor=actor, action="policy.change", detail=detail)
    return templates.facts(transaction, name) | {"licenses_changed": moved}


def add_prices(transaction: Transaction, name: str, new: NewPrices, *, actor: str) -> dict[str, Json]:
    """Give a policy a price list from a month on.

    Raises:
        ServiceError: UNKNOWN; INVALID, if it has no quota; CONFLICT, if the policy has ended, the month is
            over, the currency is another, or a license that is there has no quota.
    """
    audit.lock(transaction, f"policy {name}")
    template = open_policy(transaction, name)
    replace(template, prices=new.prices)  # refuses prices without a quota
    now = Month.of(transaction.now)
    if new.month < now:
        raise ServiceError(
            Code.CONFLICT, f"policy {name}: {new.month} is over; prices can change from {now} on"
        )
    if template.overage_amount is not None:
        overage.check(template, [new.prices], f"policy {name}")
    _check_currency(transaction, template, new.prices)
    if new.existing:
        _check_quotas(transaction, name)
        _check_overage(transaction, name, new.prices)
    known = select(func.max(policy_prices.c.number)).where(policy_prices.c.policy == name)
    row: dict[str, Json] = {
        "policy": name,
        "number": 1 + (transaction.execute(known).scalar_one() or 0),
        "month": str(new.month),
        "existing": new.existing,
        "bill_earlier": new.bill_earlier,
        "prices": canonical.encode(new.prices.to_json()).decode(),
        "created": seconds(transaction.now if new.existing else placements.after_all(transaction, name)),
    }
    transaction.execute(insert(policy_prices), row)
    audit.append(transaction, f"policy {name}", actor=actor, action="policy.prices", detail=row)
    return templates.facts(transaction, name)


def end(transaction: Transaction, name: str, *, actor: str) -> dict[str, Json]:
    """Let a policy issue no license any more, and take none in; its licenses run on and can be renewed.

    Raises:
        ServiceError: UNKNOWN; CONFLICT, if it has ended.
    """
    audit.lock(transaction, f"policy {name}")
    open_policy(transaction, name)
    now = seconds(transaction.now)
    transaction.execute(update(policies).where(policies.c.name == name).values(ended=now))
    audit.append(transaction, f"policy {name}", actor=actor, action="policy.end", detail={})
    return templates.facts(transaction, name)


def open_policy(transaction: Transaction, name: str) -> Policy:
    """A policy that has not ended.

    Raises:
        ServiceError: UNKNOWN; CONFLICT.
    """
    template = templates.find(transaction, name)
    templates.check_open(transaction, name)
    return template


def _change_licenses(
    transaction: Transaction, changed: Policy, changes: dict[str, int | None], actor: str
) -> int:
    """Change the licenses of a policy that are not revoked; how many."""
    here = licenses.c
    query = select(here.id).where(here.policy == changed.name, here.state != State.REVOKED).order_by(here.id)
    names = [row.id for row in transaction.execute(query).all()]
    return sum(_change_license(transaction, license_id, changes, actor) for license_id in names)


def _change_license(
    transaction: Transaction, license_id: str, changes: dict[str, int | None], actor: str
) -> bool:
    """Change a license, but for its own terms; whether anything was left to change."""
    license = records.lock(transaction, license_id)
    theirs = {name: value for name, value in changes.items() if name not in license.own_terms}
    if not theirs:
        return False
    moved = replace(license, **theirs)  # type: ignore[arg-type]
    deals.check(moved)
    deals.put_under(transaction, license, moved)
    transaction.execute(update(licenses).where(licenses.c.id == license_id).values(**theirs))
    detail: dict[str, Json] = {"policy": license.policy, "to": dict[str, Json](theirs)}
    audit.append(transaction, license_id, actor=actor, action="license.terms", detail=detail)
    return True


def _check_currency(transaction: Transaction, template: Policy, prices: PriceList) -> None:
    for one in price_terms.every_list(transaction, template.name):
        if (one.currency, one.exponent) != (prices.currency, prices.exponent):
            raise ServiceError(
                Code.CONFLICT,
                f"policy {template.name}: has prices in {one.currency} with {one.exponent} decimals, not in "
                f"{prices.currency} with {prices.exponent}; make another policy",
            )


def _check_overage(transaction: Transaction, name: str, prices: PriceList) -> None:
    """Refuse a list that could not bill the overage of a license that is there."""
    here = licenses.c
    query = select(here.id).where(here.policy == name, here.overage_amount.is_not(None)).order_by(here.id)
    for row in transaction.execute(query).all():
        overage.check(records.find(transaction, row.id), [prices], f"license {row.id}")


def _check_quotas(transaction: Transaction, name: str) -> None:
    here = licenses.c
    without = (here.policy == name, here.unique_operations.is_(None), here.state != State.REVOKED)
    row = transaction.execute(select(here.id).where(*without).order_by(here.id).limit(1)).first()
    if row is not None:
        raise ServiceError(
            Code.CONFLICT,
            f"policy {name}: license {row.id} has no quota, so its machines count nothing; give the "
            "policy one for existing licenses first",
        )
