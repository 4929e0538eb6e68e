"""
What every route works with: one database, one vendor, one clock.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Annotated, Final

from fastapi import Depends, Request, Response

from ternary_license_server.database.engine import Database
from ternary_license_server.database.waiting import Limits
from ternary_license_server.keys.vendor_keys import VendorKeys
from ternary_license_server.service.publication import Publication
from ternary_license_server.settings import Settings
from ternary_license_server.web import problems
from ternary_license_server.web.exchange import exchange_of
from ternary_license_server.web.limits import RateLimit
from ternary_license_server.web.observation import Metrics
from ternary_license_server.web.problems import Problem
from ternary_sdk._internal.documents import canonical
from ternary_sdk._internal.documents.canonical import Json

PROBE: Final = Limits.of(4)
"""How long is waited to find out how a server is."""


@dataclass(frozen=True, kw_only=True)
class Server:
    """One running server."""

    database: Database
    vendor: VendorKeys
    settings: Settings
    metrics: Metrics = field(default_factory=Metrics)
    per_license: RateLimit
    publication: Publication = field(init=False)
    probe: Database = field(init=False)
    """The way of whoever asks how this server is."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "publication", Publication(self.database))
        object.__setattr__(self, "probe", self.database.beside(PROBE))

    @property
    def remember(self) -> timedelta:
        """How long answers are kept."""
        return timedelta(days=self.settings.remember)

    def now(self) -> datetime:
        """The present moment, timezone-aware, for what decides nothing: dates of answers."""
        return self.database.clock.estimate()


def server_of(request: Request) -> Server:
    """The server that a request came to; where speed counts, since an argument costs a tenth of a route."""
    server: Server = request.app.state.server
    return server


async def _serving(request: Request) -> Server:
    return server_of(request)


Serving = Annotated[Server, Depends(_serving)]
"""The server, as a route's argument."""


def body_of(request: Request) -> bytes:
    """The request's body, which the boundary has read."""
    return exchange_of(request.scope).body


def name_principal(request: Request, principal: str) -> None:
    """Let the log name who asks."""
    exchange_of(request.scope).principal = principal


def answer(value: Json, status: int = 200) -> Response:
    """A JSON answer."""
    return Response(canonical.encode(value), status, media_type="application/json")


def refuse(request: Request, problem: Problem) -> Response:
    """A problem answer; the boundary learns its code."""
    exchange_of(request.scope).code = problem.code
    return Response(problem.body, problem.status, problem.headers, media_type=problems.MEDIA_TYPE)
