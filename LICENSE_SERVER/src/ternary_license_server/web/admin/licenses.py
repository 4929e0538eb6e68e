"""
Licenses: issued, shown, and changed through their life.
"""

from functools import partial
from typing import Annotated, Any, Literal

from fastapi import Path, Query, Response
from pydantic import Field

from ternary_license_server.database.transaction import Transaction
from ternary_license_server.service import (
    access,
    correcting,
    deals,
    lease,
    life,
    metering,
    policies,
    records,
)
from ternary_license_server.service.records import moment
from ternary_license_server.service.refusals import Code, ServiceError
from ternary_license_server.service.sought import Sought
from ternary_license_server.web.admin.gate import ID, After, Change, Limit, Look, Only, resource
from ternary_license_server.web.bodies import (
    Claims,
    Entitlements,
    Given,
    Id,
    Line,
    Moment,
    Name,
    Notes,
    Operations,
    OrderNumber,
    OverageAmount,
    OverageNumber,
    OverageOperations,
    OverageSeats,
    Perpetual,
    Seats,
    Space,
    Taken,
)
from ternary_sdk._internal.documents.canonical import Json

router = resource()
LicenseId = Annotated[str, Path(pattern=ID)]
Seat = Annotated[str, Path(pattern=ID)]


InState = Annotated[Literal["active", "suspended", "revoked"] | None, Query()]
End = Annotated[int | None, Query(ge=0, le=253_402_300_799)]
KeyDigest = Annotated[str | None, Query(pattern="^[0-9a-f]{64}$", description="Of a license key.")]
Holder = Annotated[
    str | None,
    Query(min_length=1, max_length=200, description="A machine's id, an installation, or a seat's number."),
]


class Deal(Taken):
    """What is agreed for one license, where it differs from the policy, and what is noted beside it.

    What is left out is as the policy says, or stays.
    """

    seats: Annotated[Seats | None, Field(description="Null: any number.")] = None
    unique_operations: Annotated[Operations | None, Field(description="Null: no quota.")] = None
    entitlements: Annotated[Entitlements, Field(default_factory=list)]
    perpetual: Perpetual = False
    overage_seats: OverageSeats = None
    overage_operations: OverageOperations = None
    overage_amount: OverageAmount = None
    overage_per: OverageNumber = None
    order_number: OrderNumber = None
    notes: Notes = None
    claims: Annotated[Claims, Field(default_factory=dict)]

    def agreed(self) -> dict[str, Any]:
        """What was given of it."""
        given = {name: getattr(self, name) for name in sorted(self.model_fields_set & set(Deal.model_fields))}
        return given | ({"entitlements": tuple(self.entitlements)} if "entitlements" in given else {})


class NewLicense(Deal):
    """A license to be issued."""

    customer: Id
    policy: Name
    expires: Annotated[Moment | None, Field(description="Null: after the policy's term.")] = None


class Renewal(Taken):
    """A license's next end."""

    expires: Annotated[Moment | None, Field(description="Null adds one term of the policy.")] = None


class Replacement(Taken):
    """The policy that takes the place of a license's."""

    policy: Name
    bill_earlier: Annotated[
        bool,
        Field(description="Bill a license that had no prices for what it returned until now too."),
    ] = False


class Receiver(Taken):
    """Who gets a license."""

    customer: Id


class License(Given):
    """A license."""

    id: str
    customer: str
    customer_name: str
    licensee: str
    product: str
    policy: str
    state: Literal["active", "suspended", "revoked"]
    starts: int
    expires: int | None
    entitlements: list[str]
    seats: int | None
    unique_operations: int | None
    lease: int
    grace: int
    offline: int
    trial: bool
    versions_from: str | None
    versions_below: str | None
    perpetual: bool
    overage_seats: int | None
    overage_operations: int | None
    overage_amount: int | None
    overage_per: int | None
    own_terms: Annotated[list[str], Field(description="Terms that were agreed for this license alone.")]
    order_number: str | None
    notes: str | None
    claims: dict[str, str]
    created: int


class KeyedLicense(License):
    """A license and its key, told once."""

    key: str


class Lease(Given):
    """An installation's hold on a seat."""

    installation: str
    seat: str
    generation: int
    ends: int
    offline: bool
    released: int | None
    customer: str
    disowned: int | None
    machine: str | None
    started: int
    live: bool


class Loss(Taken):
    """Why a machine will not give its seat back."""

    reason: Line


class Withdrawal(Taken):
    """Why a license is withdrawn."""

    reason: Line | None = None


class Claim(Taken):
    """Why what a lease reported does not count."""

    reason: Line


class CorrectedSpace(Given):
    """What was taken back of one space, and how many of its operations stay."""

    space: Space
    taken_back: int
    operations: int


class Correction(Given):
    """What was taken back from a customer's meters, and how many operations stay: in all, and of each."""

    license: str
    lease: str
    customer: str
    taken_back: int
    operations: int
    spaces: list[CorrectedSpace]


class ReturnedSpace(Given):
    """How many different operations of one space the present customer returned."""

    space: Space
    operations: int


class LicenseDetail(License):
    """A license, how many seats of it are taken, and a page of those who ever held one."""

    held: int
    leases: list[Lease]
    operations: Annotated[int, Field(description="Of all spaces together.")]
    spaces: list[ReturnedSpace]
    prices: Annotated[dict[str, Any] | None, Field(description="Of its policy.")]


@router.post("/licenses", status_code=201, response_model=KeyedLicense)
def issue(new: NewLicense, asking: Change) -> Response:
    """Issue a license; its key is told once."""
    work = partial(
        life.issue,
        customer=new.customer,
        policy=new.policy,
        expires=None if new.expires is None else moment(new.expires),
        deal=new.agreed(),
    )
    return asking.change(work, status=201)


@router.get("/licenses", response_model=list[License])
def licenses(
    asked: Look,
    after: After = "",
    limit: Limit = 100,
    customer: Only = None,
    state: InState = None,
    ends_from: End = None,
    ends_before: End = None,
    key_digest: KeyDigest = None,
    holder: Holder = None,
) -> Response:
    """Licenses, by id: all, or those that meet every condition that is given."""
    sought = Sought(
        customer=customer,
        state=state,
        ends_from=ends_from,
        ends_before=ends_before,
        key_digest=key_digest,
        holder=holder,
    )

    def work(transaction: Transaction) -> Json:
        found = records.page(transaction, after=after, limit=limit, sought=sought)
        return [license.facts() for license in found]

    return asked.look(work)


@router.get("/licenses/{license_id}", response_model=LicenseDetail)
def license(license_id: LicenseId, asked: Look, after: After = "", limit: Limit = 100) -> Response:
    """One license, how many seats are taken and operations were returned, and leases by installation."""

    def work(transaction: Transaction) -> Json:
        found, now = records.find(transaction, license_id), transaction.now
        page = lease.page(transaction, license_id, after=after, limit=limit)
        drawn = metering.drawn(transaction, license_id, found.customer)
        prices = policies.find(transaction, found.policy).prices
        return found.facts() | {
            "held": lease.held(transaction, license_id, now),
            "leases": [mine.facts(now) for mine in page],
            "operations": sum(drawn.values()),
            "spaces": [{"space": str(space), "operations": number} for space, number in drawn.items()],
            "prices": None if prices is None else prices.to_json(),
        }

    return asked.look(work)


@router.post("/licenses/{license_id}/renew", response_model=License)
def renew(license_id: LicenseId, new: Renewal, asking: Change) -> Response:
    """Give a license another end."""
    end = None if new.expires is None else moment(new.expires)
    return asking.change(partial(life.renew, license_id=license_id, expires=end))


@router.post("/licenses/{license_id}/edit", response_model=License)
def edit(license_id: LicenseId, new: Deal, asking: Change) -> Response:
    """Agree on other terms for one license, or note something else beside it."""
    changes = new.agreed()
    if not changes:
        raise ServiceError(
            Code.INVALID, "license: nothing to change; give a term, order_number, notes, claims"
        )
    return asking.change(partial(deals.edit, license_id=license_id, changes=changes))


@router.post("/licenses/{license_id}/policy", response_model=License)
def change_policy(license_id: LicenseId, new: Replacement, asking: Change) -> Response:
    """Put a license under another policy of its product; its end stays."""
    work = partial(
        life.change_policy, license_id=license_id, policy=new.policy, bill_earlier=new.bill_earlier
    )
    return asking.change(work)


@router.post("/licenses/{license_id}/suspend", response_model=License)
def suspend(license_id: LicenseId, asking: Change) -> Response:
    """Pause a license."""
    return asking.change(partial(life.suspend, license_id=license_id))


@router.post("/licenses/{license_id}/reinstate", response_model=License)
def reinstate(license_id: LicenseId, asking: Change) -> Response:
    """End a license's pause."""
    return asking.change(partial(life.reinstate, license_id=license_id))


@router.post("/licenses/{license_id}/revoke", response_model=License)
def revoke(license_id: LicenseId, asking: Change, why: Withdrawal | None = None) -> Response:
    """Withdraw a license for good; the audit log keeps the reason."""
    reason = None if why is None else why.reason
    return asking.change(partial(life.revoke, license_id=license_id, reason=reason))


@router.post("/licenses/{license_id}/transfer", response_model=KeyedLicense)
def transfer(license_id: LicenseId, new: Receiver, asking: Change) -> Response:
    """Give a license to another customer, or to the same one under a new key."""
    return asking.change(partial(life.transfer, license_id=license_id, customer=new.customer))


@router.post("/licenses/{license_id}/seats/{seat}/free", response_model=Lease)
def free_seat(license_id: LicenseId, seat: Seat, loss: Loss, asking: Change) -> Response:
    """Free a lost machine's seat at once, and revoke what that machine holds; the license goes on."""
    work = partial(life.free_seat, license_id=license_id, seat=seat, reason=loss.reason)
    return asking.change(work, scope=access.Scope.ADMIN)


@router.post("/licenses/{license_id}/leases/{seat}/correct", response_model=Correction)
def correct(license_id: LicenseId, seat: Seat, claim: Claim, asking: Change) -> Response:
    """Take back what a lease alone has reported so far; the reports and their entries stay as they are."""
    work = partial(correcting.correct, license_id=license_id, lease=seat, reason=claim.reason)
    return asking.change(work, scope=access.Scope.ADMIN)
