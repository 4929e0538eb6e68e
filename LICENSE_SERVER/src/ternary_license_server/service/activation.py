"""
What a client gets for a signed request: a license bound to its installation, for as long as its seat lasts.

A lease is carried by the license itself, which ends when the lease does. So a client without its server
runs on for the lease and its grace, no longer, and nothing has to watch over that. The license ends five
minutes before the seat is free, because clients allow their own clock to be that much behind.
"""

from typing import Final

from sqlalchemy import and_, bindparam, select

from ternary_license_server.database.schema import leases, licenses
from ternary_license_server.database.transaction import Transaction
from ternary_license_server.keys.keyring import KeyRing
from ternary_license_server.service import audit, granting, metering, records, renewing, restoring, seats
from ternary_license_server.service.lease import Lease
from ternary_license_server.service.records import LicenseRecord, State, moment, seconds
from ternary_license_server.service.refusals import Code, ServiceError
from ternary_sdk._internal.documents.canonical import Json
from ternary_sdk._internal.online.request import Action, Request
from ternary_sdk.errors import FormatError, LicenseError, Reason

_ASKS: Final = {Action.RENEW: "renew", Action.STANDING: "ask about"}

_STANDING: Final = (
    select(
        licenses.c.state,
        licenses.c.starts,
        licenses.c.expires,
        licenses.c.perpetual,
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
    if request.action is not Action.RENEW:  # one that is repeated has an answer, whatever its date
        granting.check_date(request, carried, transaction.clock_time)
    _check_version(request)
    with restoring.truthful(transaction, license_id=request.license_id, key_digest=request.key_digest):
        match request.action:
            case Action.ACTIVATE:
                return _activate(transaction, ring, request, carried)
            case Action.RENEW:
                return renewing.renew(transaction, ring, request, carried=carried)
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
    now = granting.second(transaction)
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
        ends=granting.end(
            license, license.offline if request.offline else license.lease + license.grace, now
        ),
        now=now,
    )
    _audit(transaction, request, license, lease)
    return granting.answer(transaction, ring, license, lease, request.installation, now)


def _release(transaction: Transaction, request: Request) -> dict[str, Json]:
    license, held = granting.lock_held(transaction, request)
    now = granting.second(transaction)
    seats.check_held(license, held, request, now)
    lease = seats.release(transaction, held, now)
    _audit(transaction, request, license, lease)
    return granting.facts(license, lease, now)


def _standing(transaction: Transaction, request: Request) -> dict[str, Json]:
    license_id, generation = request.license_id or "", request.generation or 0
    asked = {"of_license": license_id, "of_installation": request.installation.kid}
    row = transaction.execute(_STANDING, asked).one_or_none()
    if row is None or row.generation is None:
        raise records.unknown(f"license {license_id}")
    if row.disowned is not None:  # the license is another's, and so is what became of it
        raise _no_seat(license_id, generation)
    now, expires = transaction.now, None if row.perpetual or row.expires is None else moment(row.expires)
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


def _check_version(request: Request) -> None:
    """What names no lease proves too little to get, or to learn, anything."""
    if request.lease is None and request.action in (Action.RENEW, Action.STANDING):
        raise FormatError(
            f"request: version 1 names no lease, so it cannot {_ASKS[request.action]} one; update the SDK, "
            "then run 'ternary activate' with the license key again"
        )


def _audit(transaction: Transaction, request: Request, license: LicenseRecord, lease: Lease) -> None:
    audit.append(
        transaction,
        license.id,
        actor=f"installation {lease.installation}",
        action=f"lease.{request.action}",
        detail=granting.stated(request, lease),
    )
