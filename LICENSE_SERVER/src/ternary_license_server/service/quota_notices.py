"""
Events when a quota is nearly used up, and when it is: once for each license, customer, quota and share.
"""

from typing import Final

from ternary_license_server.database.schema import quota_notices
from ternary_license_server.database.transaction import Transaction
from ternary_license_server.service import events
from ternary_license_server.service.events import Kind
from ternary_license_server.service.records import LicenseRecord

SHARES: Final = (80, 100)
"""Percent of a quota at which there is an event."""


def note(transaction: Transaction, license: LicenseRecord, counted: int) -> None:
    """Write the events that are due.

    A larger quota has events of its own; a correction that takes operations back does not bring them again.

    Args:
        transaction: With the license's row locked.
        license: As it is from now on.
        counted: How many operations of its customer count for the quota.
    """
    quota = license.unique_operations
    for percent in SHARES if quota is not None else ():
        if quota is not None and 100 * counted >= percent * quota and _first(transaction, license, percent):
            data = events.of_license(license) | {"percent": percent, "quota": quota, "counted": counted}
            events.record(transaction, Kind.QUOTA_REACHED, license.id, data)


def _first(transaction: Transaction, license: LicenseRecord, percent: int) -> bool:
    row = {
        "license": license.id,
        "customer": license.customer,
        "quota": license.unique_operations,
        "percent": percent,
    }
    insertion = transaction.insert(quota_notices).on_conflict_do_nothing()
    return transaction.execute(insertion.returning(quota_notices.c.percent), row).first() is not None
