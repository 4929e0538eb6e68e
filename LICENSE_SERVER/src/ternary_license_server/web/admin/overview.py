"""
The overview: how the business stands, and whether this server is well.
"""

from functools import partial
from typing import Annotated

from fastapi import Response
from pydantic import Field

from ternary_license_server.service import overview as service
from ternary_license_server.web import health
from ternary_license_server.web.admin.gate import Look, resource
from ternary_license_server.web.bodies import Given
from ternary_license_server.web.observation import slow_figures
from ternary_license_server.web.server import answer

router = resource()


class Licenses(Given):
    """How many licenses there are in each state; `ended` are active ones whose end is over."""

    active: int
    suspended: int
    revoked: int
    ended: int


class Seats(Given):
    """Seats that active licenses have, and how many are held; some licenses have no limit."""

    sold: int
    held: int
    licenses_without_limit: int


class Ending(Given):
    """An active license that ends within 30 days."""

    id: str
    customer_name: str
    expires: int


class EndingSoon(Given):
    """How many active licenses end within 30 days, and the first 20 of them."""

    number: int
    first: list[Ending]


class Flags(Given):
    """Of the last 30 days: reports that lacked operations of earlier ones, and those of a new meter."""

    lacking: int
    restarted: int


class Events(Given):
    """Deliveries of events: `waiting` for active webhooks, the `oldest` for so many seconds, `held` for those
    that are paused or gone (`inactive`), and `dead`."""

    waiting: int
    held: int
    dead: int
    oldest: int
    inactive: int


class Overview(Given):
    """How the business stands; `refusals` are those since this server started, by code."""

    now: int
    counted: Annotated[int, Field(description="When licenses, seats, ends and flags were counted.")]
    licenses: Licenses
    seats: Seats
    ending: EndingSoon
    flags: Flags
    events: Events
    refusals: dict[str, int]
    faults: list[str]
    warnings: list[str]


@router.get("/overview", response_model=Overview)
def overview(asked: Look) -> Response:
    """Licenses, seats, ends, flags, refusals and health, on one page."""
    found = asked.read(partial(service.overview, counted=slow_figures()))
    faults = health.faults(asked.server)
    return answer(
        found
        | {
            "refusals": dict(asked.server.metrics.refusals()),
            "faults": list(faults),
            "warnings": [] if faults else health.warnings(asked.server),
        }
    )
