"""
Moving the end of a lease, once for each request, in one compact row of the audit log.

No answer is stored. A request that is repeated finds its row, and the answer is made again from the time and
the end in it. So it is an answer of that time, under the terms that the license has now, for who still holds
the lease; everybody else is refused as if they asked for the first time.
"""

from dataclasses import replace
from typing import Final

from ternary_license_server.database.transaction import Transaction
from ternary_license_server.keys.keyring import KeyRing
from ternary_license_server.service import audit, compact, granting, metering, seats
from ternary_license_server.service.compact import Renewal
from ternary_license_server.service.lease import Lease
from ternary_license_server.service.records import LicenseRecord, moment, seconds
from ternary_license_server.service.refusals import Code, ServiceError
from ternary_sdk._internal.documents.canonical import Json
from ternary_sdk._internal.online.request import Request

_SLACK: Final = 2 * granting.FRESH
"""By how much the date of a request may differ from the time of its row, with seconds rounded down."""


def renew(transaction: Transaction, ring: KeyRing, request: Request, *, carried: bool) -> dict[str, Json]:
    """Renew a lease, unless this request has done so already:

    1. the license is locked; the asker holds the lease that the request names, and it was not disowned;
    2. the license stands;
    3. a renewal of the same request is answered again; whether it was is seen from the lease's renewals back
       to the earliest moment at which the request could have been accepted;
    4. a new request has a fresh date, and the quota is not used up;
    5. the row is written, and the lease's end is moved.

    Raises:
        ServiceError: STALE_REQUEST, INVALID.
        LicenseError: NOT_FOUND, REVOKED, SUSPENDED, NOT_YET_VALID, EXPIRED, LEASE_LOST, QUOTA_EXHAUSTED.
    """
    if carried:
        raise ServiceError(Code.INVALID, "request: a lease is renewed over the network, not by file")
    license, lease = granting.lock_held(transaction, request)  # 1
    seats.refuse_disowned(license, lease)  # the license is another's, and so is what became of it
    now = granting.second(transaction)
    license.check(now)  # 2
    seats.check_held(license, lease, request, now)
    last = compact.find(transaction, license.id, lease.noted)
    if done := _earlier(transaction, last, request):  # 3
        return _again(transaction, ring, license, lease, done, request)
    granting.check_date(request, carried, transaction.clock_time)  # 4
    renewed = seats.renewed(lease, granting.end(license, license.lease + license.grace, now))
    metering.check_quota(transaction, license)
    number = _note(transaction, request, renewed, last)  # 5
    seats.keep_renewed(transaction, renewed, noted=number)
    return granting.answer(transaction, ring, license, renewed, request.installation, now)


def _earlier(transaction: Transaction, last: Renewal | None, request: Request) -> Renewal | None:
    """The renewal that a request has brought about, if it has."""
    oldest = seconds(request.issued - _SLACK)
    while last is not None and last.at >= oldest:
        if last.request == request.number:
            return last
        if last.number == last.base:
            return None
        last = compact.find(transaction, last.stream, last.before or last.base)
    return None


def _again(
    transaction: Transaction,
    ring: KeyRing,
    license: LicenseRecord,
    lease: Lease,
    done: Renewal,
    request: Request,
) -> dict[str, Json]:
    as_it_was = replace(lease, ends=moment(done.ends))
    return granting.answer(transaction, ring, license, as_it_was, request.installation, moment(done.at))


def _note(transaction: Transaction, request: Request, lease: Lease, last: Renewal | None) -> int:
    """Write the row, compact if it can be; its number."""
    entry = audit.following(
        transaction,
        lease.license,
        actor=f"installation {lease.installation}",
        action=compact.ACTION,
        detail=granting.stated(request, lease),
    )
    audit.write(transaction, entry, compact.columns(last, dict(vars(entry))))
    return entry.number
