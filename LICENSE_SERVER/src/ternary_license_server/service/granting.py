"""
What an answer about a seat is made of: when it ends, the license that carries it, and what the log keeps.
"""

from datetime import datetime, timedelta
from typing import Final

from ternary_license_server.database.transaction import Transaction
from ternary_license_server.keys.issue import issue
from ternary_license_server.keys.keyring import KeyRing
from ternary_license_server.service import catalog, records
from ternary_license_server.service import lease as lease_rows
from ternary_license_server.service.lease import Lease
from ternary_license_server.service.records import LicenseRecord, seconds
from ternary_license_server.service.refusals import Code, ServiceError
from ternary_sdk._internal.documents.canonical import Json
from ternary_sdk._internal.licensing.license import TOLERANCE
from ternary_sdk._internal.online.request import Request
from ternary_sdk._internal.signing.keys import PublicKey

FRESH: Final = timedelta(minutes=5)
"""How far the date of a request over the network may be from the server's clock."""
CARRIED: Final = timedelta(days=30)
"""How old a request may be that was carried in a file."""


def lock_held(transaction: Transaction, request: Request) -> tuple[LicenseRecord, Lease]:
    """Lock a license that the asker holds or once held; to everybody else it is not there."""
    license = records.lock(transaction, request.license_id or "")
    lease = lease_rows.find(transaction, license.id, request.installation.kid)
    if lease is None:
        raise records.unknown(f"license {license.id}")
    return license, lease


def second(transaction: Transaction) -> datetime:
    """When this transaction decides, in whole seconds: call it with the license locked."""
    return transaction.now.replace(microsecond=0)


def check_date(request: Request, carried: bool, now: datetime) -> None:
    """Refuse a request that was signed too long ago, or whose date is to come.

    Raises:
        ServiceError: STALE_REQUEST.
    """
    age = now - request.issued
    if age < -FRESH or age > (CARRIED if carried else FRESH):
        raise ServiceError(
            Code.STALE_REQUEST,
            f"request: dated {records.utc(request.issued)}, the server's clock says {records.utc(now)}; "
            "set this machine's clock right and ask anew",
        )


def end(license: LicenseRecord, hold: timedelta, now: datetime) -> datetime:
    """When a seat becomes free that is taken now for so long."""
    if license.expires is None or license.perpetual:
        return now + hold
    return min(now + hold, license.expires + TOLERANCE)


def answer(
    transaction: Transaction,
    ring: KeyRing,
    license: LicenseRecord,
    lease: Lease,
    installation: PublicKey,
    now: datetime,
) -> dict[str, Json]:
    """A hold, and the license that carries it, as of a moment."""
    released_until = license.expires if license.perpetual else None
    terms, content_keys = catalog.grants(transaction, license, released_until)
    expires = max(lease.ends - TOLERANCE, now + timedelta(seconds=1))
    due = now + license.lease
    token = issue(
        ring,
        package=terms,
        customer=license.named,
        now=now,
        expires=expires,
        grace_from=None if lease.offline or due >= expires else due,
        entitlements=license.entitlements,
        unique_operations=license.most_operations,
        agreed_operations=None if license.overage_operations is None else license.unique_operations,
        machines=[lease.machine] if lease.machine else None,
        bound_to=installation,
        lease=lease.seat,
        seats=license.most_seats,
        content_keys=content_keys or None,
        license_id=license.id,
        released_until=released_until,
        own=license.claims,
    )
    return facts(license, lease, now) | {"license": token.decode()}


def facts(license: LicenseRecord, lease: Lease, now: datetime) -> dict[str, Json]:
    """A hold."""
    return {
        "id": license.id,
        "installation": lease.installation,
        "generation": lease.generation,
        "ends": seconds(lease.ends),
        "offline": lease.offline,
        "renew_after": None if lease.offline else seconds(min(now + license.lease, lease.ends)),
    }


def stated(request: Request, lease: Lease) -> dict[str, Json]:
    """What the audit log keeps of a request and of its lease."""
    return {
        "generation": lease.generation,
        "ends": seconds(lease.ends),
        "offline": lease.offline,
        "machine": lease.machine,
        "request": request.number,
    }
