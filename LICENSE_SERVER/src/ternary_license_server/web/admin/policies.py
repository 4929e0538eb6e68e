"""
Policies: the templates that licenses are issued by.
"""

from datetime import timedelta
from functools import partial
from typing import Annotated, Any

from fastapi import Path, Response
from pydantic import Field

from ternary_license_server.service import policies as service
from ternary_license_server.service import policy_changes
from ternary_license_server.service.policy_changes import NewPrices
from ternary_license_server.service.refusals import Code, ServiceError
from ternary_license_server.service.terms import versions
from ternary_license_server.web.admin.gate import After, Change, Limit, Look, resource
from ternary_license_server.web.bodies import (
    Entitlements,
    Given,
    Name,
    Operations,
    OverageAmount,
    OverageNumber,
    OverageOperations,
    OverageSeats,
    Perpetual,
    Seats,
    Seconds,
    Taken,
    Version,
)
from ternary_sdk._internal.identity import NAME
from ternary_sdk._internal.pricing.month import PATTERN, Month
from ternary_sdk._internal.pricing.price_list import PriceList

router = resource()
InPath = Annotated[str, Path(pattern=f"^{NAME.pattern}$")]


class NewPolicy(Taken):
    """A policy to be made; durations in seconds."""

    name: Name
    product: Name
    term: Annotated[Seconds | None, Field(description="How long licenses run; null without end.")] = None
    entitlements: Entitlements
    seats: Seats | None = None
    unique_operations: Annotated[
        Operations | None, Field(description="Quota, of the operations of all spaces together.")
    ] = None
    lease: Seconds = 3600
    grace: Seconds = 3600
    offline: Seconds = 0
    trial: bool = False
    versions_from: Annotated[
        Version | None, Field(description="First version it is for; null: 0.0.0 if it has an end.")
    ] = None
    versions_below: Annotated[
        Version | None, Field(description="First version it is no longer for; null without a range.")
    ] = None
    prices: Annotated[
        dict[str, Any] | None,
        Field(description="A price list, `ternary-prices/1`; null: its customers are not invoiced."),
    ] = None
    perpetual: Perpetual = False
    overage_seats: OverageSeats = None
    overage_operations: OverageOperations = None
    overage_amount: OverageAmount = None
    overage_per: OverageNumber = None


class Policy(Given):
    """A license's template; durations in seconds."""

    name: str
    product: str
    term: int | None
    entitlements: str
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
    prices: dict[str, Any] | None
    later_prices: list[dict[str, Any]]
    ended: int | None


class ChangedPolicy(Policy):
    """A policy that was changed, and how many of its licenses were."""

    licenses_changed: int


class PolicyChange(Taken):
    """What of a policy changes from now on; what is left out stays."""

    seats: Annotated[Seats | None, Field(description="Null: any number.")] = None
    unique_operations: Annotated[Operations | None, Field(description="Null: no quota.")] = None
    overage_seats: OverageSeats = None
    overage_operations: OverageOperations = None
    overage_amount: OverageAmount = None
    overage_per: OverageNumber = None
    existing: Annotated[bool, Field(description="Whether licenses that are there change too.")]


class PriceChange(Taken):
    """A price list that a policy gets."""

    prices: Annotated[dict[str, Any], Field(description="A price list, `ternary-prices/1`.")]
    month: Annotated[
        str, Field(pattern=f"^{PATTERN.pattern}$", description="The first month that is invoiced by it.")
    ]
    existing: Annotated[
        bool, Field(description="Whether it is for licenses that are there too; if not, they keep theirs.")
    ]
    bill_earlier: Annotated[
        bool,
        Field(description="Bill licenses that had no prices for what they returned before that month too."),
    ] = False


@router.post("/policies", status_code=201, response_model=Policy)
def add_policy(new: NewPolicy, asking: Change) -> Response:
    """Make a policy."""
    return asking.change(partial(service.add, policy=_policy(new)), status=201)


@router.post("/policies/{name}/change", response_model=ChangedPolicy)
def change(name: InPath, new: PolicyChange, asking: Change) -> Response:
    """Give a policy other seats, another quota or other overage."""
    changes = {one: getattr(new, one) for one in sorted(new.model_fields_set - {"existing"})}
    if not changes:
        raise ServiceError(Code.INVALID, "policy: nothing to change; give seats, unique_operations, overage")
    work = partial(policy_changes.change, name=name, changes=changes, existing=new.existing)
    return asking.change(work)


@router.post("/policies/{name}/prices", response_model=Policy)
def add_prices(name: InPath, new: PriceChange, asking: Change) -> Response:
    """Give a policy a price list from a month on."""
    prices = NewPrices(
        prices=PriceList.read(new.prices, "prices"),
        month=Month.parse(new.month),
        existing=new.existing,
        bill_earlier=new.bill_earlier,
    )
    return asking.change(partial(policy_changes.add_prices, name=name, new=prices))


@router.post("/policies/{name}/end", response_model=Policy)
def end(name: InPath, asking: Change) -> Response:
    """Let a policy issue no license any more; its licenses run on."""
    return asking.change(partial(policy_changes.end, name=name))


@router.get("/policies", response_model=list[Policy])
def policies(asked: Look, after: After = "", limit: Limit = 100) -> Response:
    """Policies, by name."""
    return asked.look(partial(service.page, after=after, limit=limit))


def _policy(new: NewPolicy) -> service.Policy:
    return service.Policy(
        name=new.name,
        product=new.product,
        term=None if new.term is None else timedelta(seconds=new.term),
        entitlements=tuple(new.entitlements),
        seats=new.seats,
        unique_operations=new.unique_operations,
        lease=timedelta(seconds=new.lease),
        grace=timedelta(seconds=new.grace),
        offline=timedelta(seconds=new.offline),
        trial=new.trial,
        versions=versions(new.product, new.versions_from, new.versions_below),
        prices=None if new.prices is None else PriceList.read(new.prices, "prices"),
        perpetual=new.perpetual,
        overage_seats=new.overage_seats,
        overage_operations=new.overage_operations,
        overage_amount=new.overage_amount,
        overage_per=new.overage_per,
    )
