"""
What a client gets for a signed request: a license bound to its installation, for as long as its seat lasts.

A lease is carried by the license itself, which ends when the lease does. So a client without its server
runs on for the lease and its grace, no longer, and nothing has to watch over that. The license ends five
minutes before the seat is free, because clients allow their own clock to be that much behind.
"""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import and_, bindparam, select

from ternary_license_server.database.schema import leases, licenses
from ternary_license_server.database.transaction import Transaction
from ternary_license_server.keys.issue import issue
from ternary_license_server.keys.keyring import KeyRing
from ternary_license_server.service import audit, catalog, metering, records, restoring, seats
from ternary_license_server.service import lease as lease_rows
from ternary_license_server.service.lease import Lease
from ternary_license_server.service.records import LicenseRecord, State, moment, seconds
from ternary_license_server.service.refusals import Code, ServiceError
from ternary_sdk._internal.documents.canonical import Json
from ternary_sdk._internal.licensing.license import TOLERANCE
from ternary_sdk._internal.online.request import Action, Request
from ternary_sdk._internal.signing.keys import PublicKey
from ternary_sdk.errors import FormatError, LicenseError, Reason

FRESH: Final = timedelta(minutes=5)
"""How far the date of a request over the network may be from the server's clock."""
CARRIED: Final = timedelta(days=30)
"""How old a request may be that was carried in a file."""

_ASKS: Final = {Action.RENEW: "renew", Action.STANDING: "ask about"}

_STANDING: Final = (
    select(
        licenses.c.state,
        licenses.c.starts,
        licenses.c.expires,
        leases.c.seat,
        leases.c.disowned,
        leases.c.generation,
        leases.c.ends,
        leases.c.released,
    )
    .outerjoin(
        leases,
        and_(leases.c.license == licenses.c.id, leases.c.installation == bindparam("of_installation")),
    )
    .where(licenses.c.id == bindparam("of_license"))
)


def perform(transaction: Transaction, ring: KeyRing, request: Request, *, carried: bool) -> dict[str, Json]:
    """Do what a request asks for.

    Args:
        transaction: A writing one, which also holds the request's claim; a reading one for a standing.
        ring: Keys of roles ``license``.
        request: What a client signed.
        carried: Whether it came as a file from a machine without a network.
    Returns:
        The answer's members: ``license`` (the token; not for a release), ``id``, ``installation``,
        ``generation``, ``ends``, ``offline``, ``renew_after``; of a standing ``id``, ``generation``,
        ``ends``, ``code``.
    Raises:
        ServiceError: STALE_REQUEST, INVALID; TRY_LATER, if the server was restored.
        FormatError: If the request is of version 1 and a lease cannot be known by it.
        LicenseError: NOT_FOUND, REVOKED, SUSPENDED, NOT_YET_VALID, EXPIRED, TOO_MANY_MACHINES, LEASE_LOST
            or QUOTA_EXHAUSTED.
    """
    _check_date(request, carried, transaction.clock_time)
    _check_version(request)
    with restoring.truthful(transaction, license_id=request.license_id, key_digest=request.key_digest):
        match request.action:
            case Action.ACTIVATE:
                return _activate(transaction, ring, request, carried)
            case Action.RENEW:
                return _renew(transaction, ring, request, carried)
            case Action.RELEASE:
                return _release(transaction, request)
            case Action.STANDING:
                return _standing(transaction, request)


def _activate(transaction: Transaction, ring: KeyRing, request: Request, carried: bool) -> dict[str, Json]:
    if carried and not request.offline:
        raise ServiceError(
            Code.INVALID, "request: it came as a file and asks for a lease that must be renewed"
        )
    license = records.lock_by_key(transaction, request.key_digest or "")
    now = _second(transaction)
    license.check(now)
    metering.check_quota(transaction, license)
    if request.offline and not license.offline:
        raise ServiceError(
            Code.INVALID, f"license {license.id}: its policy allows no offline use; activate online"
        )
    lease = seats.take(
        transaction,
        license,
        request.installation.kid,
        machine=request.machine,
        offline=request.offline,
        ends=_end(license, license.offline if request.offline else license.lease + license.grace, now),
        now=now,
    )
    _audit(transaction, request, license, lease)
    return _answer(transaction, ring, license, lease, request.installation, now)


def _renew(transaction: Transaction, ring: KeyRing, request: Request, carried: bool) -> dict[str, Json]:
    if carried:
        raise ServiceError(Code.INVALID, "request: a lease is renewed over the network, not by file")
    license, held = _lock_held(transaction, request)
    seats.refuse_disowned(license, held)  # the license is another's, and so is what became of it
    now = _second(transaction)
    license.check(now)
    ends = _end(license, license.lease + license.grace, now)
    lease = seats.renew(transaction, license, request, ends=ends, now=now)
    metering.check_quota(transaction, license)
    _audit(transaction, request, license, lease)
    return _answer(transaction, ring, license, lease, request.installation, now)


def _release(transaction: Transaction, request: Request) -> dict[str, Json]:
    license, _ = _lock_held(transaction, request)
    now = _second(transaction)
    lease = seats.release(transaction, license, request, now)
    _audit(transaction, request, license, lease)
    return _facts(license, lease, now)


def _standing(transaction: Transaction, request: Request) -> dict[str, Json]:
    license_id, generation = request.license_id or "", request.generation or 0
    asked = {"of_license": license_id, "of_installation": request.installation.kid}
    row = transaction.execute(_STANDING, asked).one_or_none()
    if row is None or row.generation is None:
        raise records.unknown(f"license {license_id}")
    if row.disowned is not None:  # the license is another's, and so is what became of it
        raise _no_seat(license_id, generation)
    now, expires = transaction.now, None if row.expires is None else moment(row.expires)
    records.check(license_id, State(row.state), moment(row.starts), expires, now)
    its_own = row.seat == request.lease and row.generation == generation
    if not its_own or row.released is not None or seconds(now) >= row.ends:
        raise _no_seat(license_id, generation)
    return {"id": license_id, "generation": generation, "ends": row.ends, "code": "VALID"}


def _no_seat(license_id: str, generation: int) -> LicenseError:
    return LicenseError(
        Reason.LEASE_LOST,
        f"license {license_id}: this machine holds no seat of generation {generation}; activate again",
    )


def _lock_held(transaction: Transaction, request: Request) -> tuple[LicenseRecord, Lease]:
    """Lock a license that the asker holds or once held; to everybody else it is not there."""
    license = records.lock(transaction, request.license_id or "")
    lease = lease_rows.find(transaction, license.id, request.installation.kid)
    if lease is None:
        raise records.unknown(f"license {license.id}")
    return license, lease


def _second(transaction: Transaction) -> datetime:
    """When this transaction decides, in whole seconds: call it with the license locked."""
    return transaction.now.replace(microsecond=0)


def _check_date(request: Request, carried: bool, now: datetime) -> None:
    age = now - request.issued
    if age < -FRESH or age > (CARRIED if carried else FRESH):
        raise ServiceError(
            Code.STALE_REQUEST,
            f"request: dated {records.utc(request.issued)}, the server's clock says {records.utc(now)}; "
            "set this machine's clock right and ask anew",
        )


def _check_version(request: Request) -> None:
    """What names no lease proves too little to get, or to learn, anything."""
    if request.lease is None and request.action in (Action.RENEW, Action.STANDING):
        raise FormatError(
            f"request: version 1 names no lease, so it cannot {_ASKS[request.action]} one; update the SDK, "
            "then run 'ternary activate' with the license key again"
        )


def _end(license: LicenseRecord, hold: timedelta, now: datetime) -> datetime:
    return now + hold if license.expires is None else min(now + hold, license.expires + TOLERANCE)


def _answer(
    transaction: Transaction,
    ring: KeyRing,
    license: LicenseRecord,
    lease: Lease,
    installation: PublicKey,
    now: datetime,
) -> dict[str, Json]:
    terms, content_keys = catalog.grants(transaction, license)
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
        unique_operations=license.unique_operations,
        machines=[lease.machine] if lease.machine else None,
        bound_to=installation,
        lease=lease.seat,
        seats=license.seats,
        content_keys=content_keys or None,
        license_id=license.id,
    )
    return _facts(license, lease, now) | {"license": token.decode()}


def _facts(license: LicenseRecord, lease: Lease, now: datetime) -> dict[str, Json]:
    return {
        "id": license.id,
        "installation": lease.installation,
        "generation": lease.generation,
        "ends": seconds(lease.ends),
        "offline": lease.offline,
        "renew_after": None if lease.offline else seconds(min(now + license.lease, lease.ends)),
    }


def _audit(transaction: Transaction, request: Request, license: LicenseRecord, lease: Lease) -> None:
    audit.append(
        transaction,
        license.id,
        actor=f"installation {lease.installation}",
        action=f"lease.{request.action}",
        detail={
            "generation": lease.generation,
            "ends": seconds(lease.ends),
            "offline": lease.offline,
            "machine": lease.machine,
            "request": request.number,
        },
    )
