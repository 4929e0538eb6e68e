"""
What the boundary and the routes know of one request, in one typed object.

ASGI hands a request on as a dict of anything. This object is the only member that the server adds to it, so a
misspelled name is an error of the type checker, and an ``AttributeError`` when it runs.
"""

from dataclasses import dataclass
from typing import Final

from starlette.types import Scope

from ternary_license_server.addresses import Address
from ternary_license_server.web.exports import Export

_MEMBER: Final = "ternary.exchange"


@dataclass(kw_only=True, slots=True)
class Exchange:
    """One request on its way through the server."""

    address: Address | None
    """Where it comes from; None if it has no IP address."""
    body: bytes = b""
    """Its whole body; empty until the boundary has read it."""
    large: bool = False
    """Whether it holds one of the places of large usage reports."""
    principal: str | None = None
    """Who asks, as logs name them; None until somebody is identified."""
    fault: str | None = None
    """Why the server itself could not do what was asked, for the log alone; None if it could."""
    export: Export | None = None
    """The answer's body, if it is an export: the route's own is empty then."""
    code: str | None = None
    """Reason code of the refusal that a route gave; None if it refused nothing."""


def begin(scope: Scope, address: Address | None) -> Exchange:
    """Put a new exchange into a request's scope."""
    exchange = Exchange(address=address)
    scope[_MEMBER] = exchange
    return exchange


def exchange_of(scope: Scope) -> Exchange:
    """The exchange of a request that the boundary has let in."""
    exchange: Exchange = scope[_MEMBER]
    return exchange
