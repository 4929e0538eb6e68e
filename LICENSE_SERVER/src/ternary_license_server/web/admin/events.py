"""
Events and what became of them, one row for each webhook that an event goes to.
"""

from functools import partial
from typing import Annotated, Literal

from fastapi import Query, Response
from pydantic import Field

from ternary_license_server.service import dead_letters as service
from ternary_license_server.service.access import Scope
from ternary_license_server.web.admin.gate import ID, Change, Limit, Look, resource
from ternary_license_server.web.bodies import Given, Id, Taken

router = resource()
AfterDelivery = Annotated[
    str | None,
    Query(
        max_length=200,
        pattern="^[0-9]{1,12} [A-Za-z0-9._-]+ [A-Za-z0-9._-]*$",
        description="Begin after this row: its moment, event and webhook with blanks between.",
    ),
]
InState = Annotated[Literal["pending", "delivered", "dead"] | None, Query()]
OfEvent = Annotated[str | None, Query(pattern=ID)]


class Delivery(Given):
    """An event, and how it stands with one webhook; `webhook` is empty if none took it."""

    at: int
    event: str
    webhook: str
    kind: str
    subject: str
    state: Literal["pending", "delivered", "dead"] | None
    attempts: int | None
    status: Annotated[int | None, Field(description="Of the last answer; null if none came.")]
    error: str | None
    due: Annotated[int | None, Field(description="When it is sent next, if it is pending.")]


class Chosen(Taken):
    """Events to be sent again."""

    events: Annotated[list[Id], Field(min_length=1, max_length=100)]


class Replayed(Given):
    """How many deliveries will be made."""

    deliveries: int


@router.get("/events", response_model=list[Delivery])
def events(
    asked: Look,
    state: InState = None,
    event: OfEvent = None,
    after: AfterDelivery = None,
    limit: Limit = 100,
) -> Response:
    """Events and their deliveries, oldest first."""
    place = None
    if after is not None:
        at, before, webhook = after.split(" ")
        place = int(at), before, webhook
    found = partial(service.page, after=place, limit=limit, state=state, event=event)
    return asked.look(lambda transaction: [*found(transaction)])


@router.post("/events/replay", response_model=Replayed)
def replay(chosen: Chosen, asking: Change) -> Response:
    """Send events again, whatever became of them."""
    return asking.change(partial(service.replay, chosen=chosen.events), scope=Scope.ADMIN)


@router.post("/events/replay-dead", response_model=Replayed)
def replay_dead(asking: Change) -> Response:
    """Send every dead event again to the webhook that did not take it."""
    return asking.change(service.replay_dead, scope=Scope.ADMIN)
