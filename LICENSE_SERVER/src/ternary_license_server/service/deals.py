"""
The terms of one deal: what a license has that its policy does not, and what the vendor notes beside it.

A term that was agreed for one license is *its own*: a change of the policy leaves it. The order number and
the claims are in the audit log; of notes only that they changed, because people write names into them.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from sqlalchemy import update

from ternary_license_server.database.schema import licenses
from ternary_license_server.database.transaction import Transaction
from ternary_license_server.service import (
    audit,
    metering,
    overage,
    placements,
    price_terms,
    quota_notices,
    records,
    seat_count,
    succession,
    terms,
)
from ternary_license_server.service.records import LicenseRecord, State
from ternary_license_server.service.refusals import Code, ServiceError
from ternary_sdk._internal.documents.canonical import Json
from ternary_sdk._internal.licensing import own_claims
from ternary_sdk._internal.pricing.month import Month
from ternary_sdk.errors import InputError

TERMS: Final = (
    "seats",
    "unique_operations",
    "entitlements",
    "perpetual",
    "overage_seats",
    "overage_operations",
    "overage_amount",
    "overage_per",
)
"""What may be agreed for one license."""
NOTED: Final = ("order_number", "notes", "claims")
"""What stands beside a license and decides nothing."""


def agreed(license: LicenseRecord, changes: Mapping[str, Any]) -> LicenseRecord:
    """A license with what was agreed for it alone.

    Args:
        license: As it is.
        changes: Of ``TERMS`` and ``NOTED`` those that change.
    Raises:
        ServiceError: INVALID, if it cannot have them.
    """
    own = tuple(name for name in TERMS if name in license.own_terms or name in changes)
    changed = replace(license, **changes, own_terms=own)
    check(changed)
    try:
        own_claims.check(dict(changed.claims))
    except InputError as refusal:
        raise ServiceError(Code.INVALID, f"license {license.id}: {refusal}") from None
    return changed


def check(license: LicenseRecord) -> None:
    """Refuse terms that a license cannot have.

    Raises:
        ServiceError: INVALID.
    """
    what = f"license {license.id}"
    terms.check(license, what)
    if license.perpetual and license.expires is None:
        raise terms.invalid(what, "perpetual", "never ends, so every version stays usable anyway")


def check_prices(transaction: Transaction, license: LicenseRecord) -> None:
    """Refuse terms that do not go with the price lists of a license's policy.

    Raises:
        ServiceError: INVALID, if it has prices and no quota, or overage at a price that no list can have.
    """
    lists = price_terms.every_list(transaction, license.policy)
    if lists and license.unique_operations is None:
        raise terms.invalid(
            f"license {license.id}",
            "unique_operations",
            f"policy {license.policy} has prices, which need a quota: machines count only under one",
        )
    if license.overage_amount is not None:
        overage.check(license, lists, f"license {license.id}")


def edit(
    transaction: Transaction, license_id: str, changes: Mapping[str, Any], *, actor: str
) -> dict[str, Json]:
    """Agree on other terms for one license, or note something else beside it.

    Clients get terms and claims with their next renewal.

    Args:
        transaction: A writing one.
        license_id: Which.
        changes: Of ``TERMS`` and ``NOTED`` those that change.
        actor: Who asks.
    Raises:
        LicenseError: NOT_FOUND.
        ServiceError: INVALID; CONFLICT, if the license is revoked or a trial.
    """
    license = records.lock(transaction, license_id)
    mine = {name: value for name, value in changes.items() if name in TERMS}
    if mine and license.state is State.REVOKED:
        raise ServiceError(Code.CONFLICT, f"license {license_id}: is revoked, for good; issue another")
    if mine and license.trial:
        raise ServiceError(Code.CONFLICT, f"license {license_id}: a trial keeps its policy's terms")
    changed = agreed(license, changes)
    if mine:
        put_under(transaction, license, changed)
    names = ("own_terms", *changes)
    columns = {name: value for name, value in changed.columns().items() if name in names}
    transaction.execute(update(licenses).where(licenses.c.id == license_id).values(**columns))
    audit.append(transaction, license_id, actor=actor, action="license.edit", detail=stated(changes))
    return changed.facts()


def put_under(transaction: Transaction, license: LicenseRecord, changed: LicenseRecord) -> None:
    """Do what other terms bring with them; the caller writes the row.

    Raises:
        ServiceError: INVALID, as ``edit``.
    """
    check_prices(transaction, changed)
    first, month = price_terms.first_list(transaction, license.policy), Month.of(transaction.now)
    listed = price_terms.of_policy(transaction, license.policy, month, first)
    if overage.effective(listed, license) != overage.effective(listed, changed):
        placements.keep(transaction, license, succession.holds_from(transaction, license))
    quota_notices.note(transaction, changed, metering.weighed(transaction, license.id, license.customer))
    seat_count.forget(transaction, license.id)


def stated(changes: Mapping[str, Any]) -> dict[str, Json]:
    """What the audit log keeps of a deal: everything but the text of notes."""
    shown = {name: list(value) if isinstance(value, tuple) else value for name, value in changes.items()}
    if "notes" in shown:
        shown["notes"] = None if shown["notes"] is None else "changed"
    if "claims" in shown:
        shown["claims"] = dict(shown["claims"])
    return {"to": shown}
