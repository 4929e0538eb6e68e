"""
Policies: the templates that licenses are issued by.
"""

from datetime import timedelta
from functools import partial
from typing import Annotated, Any

from fastapi import Response
from pydantic import Field

from ternary_license_server.service import policies as service
from ternary_license_server.service.terms import versions
from ternary_license_server.web.admin.gate import After, Change, Limit, Look, resource
from ternary_license_server.web.bodies import Entitlement, Given, Name, Seconds, Taken, Version
from ternary_sdk._internal.pricing.price_list import PriceList

router = resource()


class NewPolicy(Taken):
    """A policy to be made; durations in seconds."""

    name: Name
    product: Name
    term: Annotated[Seconds | None, Field(description="How long licenses run; null without end.")] = None
    entitlements: Annotated[list[Entitlement], Field(min_length=1, max_length=3)]
    seats: Annotated[int | None, Field(ge=1, le=1_000_000)] = None
    unique_operations: Annotated[
        int | None,
        Field(
            ge=1, le=service.MOST_OPERATIONS, description="Quota, of the operations of all spaces together."
        ),
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
    prices: dict[str, Any] | None


@router.post("/policies", status_code=201, response_model=Policy)
def add_policy(new: NewPolicy, asking: Change) -> Response:
    """Make a policy; it never changes."""
    return asking.change(partial(service.add, policy=_policy(new)), status=201)


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
    )
