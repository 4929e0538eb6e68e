"""
The gate of the admin interface: whose token it is, what it reaches, and that a change is made once.

Every admin route passes through ``Look`` or ``Change``; there is no other way to the database from here.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Annotated, Final, Protocol, TypeVar

from fastapi import APIRouter, Depends, Header, Query, Request, Response

from ternary_license_server.database.transaction import Transaction
from ternary_license_server.service import access
from ternary_license_server.service.access import Principal, Scope
from ternary_license_server.service.once import once
from ternary_license_server.service.refusals import Code, ServiceError
from ternary_license_server.web.documented import REFUSALS, UNAUTHENTICATED, Key
from ternary_license_server.web.server import Server, Serving, answer, body_of, name_principal
from ternary_license_server.web.strict import StrictRoute
from ternary_sdk._internal.documents.canonical import Json
from ternary_sdk._internal.identity import LICENSE_ID

Found = TypeVar("Found")
After = Annotated[str, Query(max_length=80, pattern="^[A-Za-z0-9._-]*$", description="Begin after this one.")]
Limit = Annotated[int, Query(ge=1, le=1000)]
ID: Final = f"^{LICENSE_ID.pattern}$"
Only = Annotated[str | None, Query(pattern=ID)]
Credentials = Annotated[
    str, Header(alias="Authorization", max_length=200, description="`Bearer` and an admin token.")
]


def resource() -> APIRouter:
    """A router for one resource. Its routes know their whole path, which logs and metrics name them by."""
    return APIRouter(
        prefix="/admin/v1", tags=["admin"], responses=REFUSALS | UNAUTHENTICATED, route_class=StrictRoute
    )


class Work(Protocol):
    """A change: what it does in an open transaction, and in whose name."""

    def __call__(self, transaction: Transaction, /, *, actor: str) -> Json:
        """Make the change, and give its answer."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One request to the admin interface. Its token is looked at when something is done with it."""

    server: Server
    request: Request
    credentials: str = field(repr=False)

    @property
    def token(self) -> str:
        """The token that was sent, whether it is one or not.

        Raises:
            ServiceError: UNAUTHENTICATED, if none was.
        """
        kind, _, secret = self.credentials.partition(" ")
        if kind.lower() != "bearer" or not secret.strip():
            raise ServiceError(
                Code.UNAUTHENTICATED, "no token: send 'Authorization: Bearer' and an admin token"
            )
        return secret.strip()

    def identify(self, transaction: Transaction, scope: Scope) -> Principal:
        """Who asks, as the transaction sees it.

        Raises:
            ServiceError: UNAUTHENTICATED, or FORBIDDEN if the token does not reach ``scope``.
        """
        principal = access.identify(transaction, self.token)
        name_principal(self.request, principal.actor)
        principal.demand(scope)
        return principal

    def read(self, work: Callable[[Transaction], Found], scope: Scope = Scope.AUDITOR) -> Found:
        """What is found, for who reaches ``scope`` at the moment of finding."""
        with self.server.database.read() as transaction:
            self.identify(transaction, scope)
            return work(transaction)

    def look(self, work: Callable[[Transaction], Json], scope: Scope = Scope.AUDITOR) -> Response:
        """Answer with what is found."""
        return answer(self.read(work, scope))


@dataclass(frozen=True, kw_only=True)
class Asking(Asked):
    """A request to change something."""

    key: str

    def change(
        self, work: Work, *, status: int = 200, scope: Scope = Scope.ISSUER, ending: str | None = None
    ) -> Response:
        """Make a change once, for who reaches ``scope``, and answer with what it gives.

        Who asks is identified first, so that nobody else makes the server work, and once more at the end, in
        the transaction of the change. A token that the change itself ends (``ending``) is not asked again.
        """
        with self.server.database.read() as transaction:
            principal = self.identify(transaction, scope)
        asked = f"{self.request.method} {self.request.url.path}\n".encode() + body_of(self.request)
        done = once(
            self.server.database,
            principal=principal.id,
            key=self.key,
            request=asked,
            secret=self.token.encode(),
            work=lambda transaction: work(transaction, actor=principal.actor),
            status=status,
            remember=self.server.remember,
            permit=partial(_permit, principal=principal, ending=ending),
        )
        return Response(done.body, done.status, media_type="application/json")


def _permit(transaction: Transaction, principal: Principal, ending: str | None) -> None:
    if principal.id != ending:
        access.permit(transaction, principal)


async def _asked(server: Serving, request: Request, token: Credentials = "") -> Asked:
    return Asked(server=server, request=request, credentials=token)


async def _asking(server: Serving, request: Request, key: Key, token: Credentials = "") -> Asking:
    return Asking(server=server, request=request, credentials=token, key=key)


Look = Annotated[Asked, Depends(_asked)]
"""A route that reads."""
Change = Annotated[Asking, Depends(_asking)]
"""A route that changes something."""
