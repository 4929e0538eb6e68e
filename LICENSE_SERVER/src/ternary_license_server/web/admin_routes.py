"""
What the vendor does: customers, releases, policies, licenses, tokens, usage, audit.
"""

import base64
import binascii
import csv
import io
from collections.abc import Callable
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Header, Path, Query, Request, Response
from sqlalchemy import Connection

from ternary_license_server.service import access, audit, catalog, life, metering, records, seats
from ternary_license_server.service.access import Principal, Scope
from ternary_license_server.service.once import once
from ternary_license_server.service.records import moment
from ternary_license_server.service.refusals import Code, ServiceError
from ternary_license_server.web import models
from ternary_license_server.web.documented import REFUSALS, UNAUTHENTICATED, Key
from ternary_license_server.web.server import Server, answer, body_of
from ternary_license_server.web.strict import StrictRoute
from ternary_sdk.documents.canonical import Json
from ternary_sdk.licensing.identity import PackageIdentity, parse_version

Work = Callable[[Connection, Principal], Json]
LicenseId = Annotated[str, Path(pattern="^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
TokenId = Annotated[str, Path(pattern="^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
After = Annotated[str, Query(max_length=80, pattern="^[A-Za-z0-9._-]*$", description="Begin after this one.")]
Limit = Annotated[int, Query(ge=1, le=1000)]
Only = Annotated[str | None, Query(pattern="^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
Stream = Annotated[str | None, Query(max_length=200, pattern="^[A-Za-z0-9 ._-]+$")]
Moment = Annotated[int, Query(ge=0, le=253_402_300_799)]
Credentials = Annotated[
    str, Header(alias="Authorization", max_length=200, description="`Bearer` and an admin token.")
]


def routes(server: Server) -> APIRouter:
    """The vendor's interface; every path needs a token."""
    router = APIRouter(
        prefix="/admin/v1", tags=["admin"], responses=REFUSALS | UNAUTHENTICATED, route_class=StrictRoute
    )

    def change(
        request: Request, credentials: str | None, key: str, scope: Scope, work: Work, status: int = 200
    ) -> Response:
        now = server.now()
        principal = _identify(server, request, credentials, scope)
        done = once(
            server.database,
            principal=principal.id,
            key=key,
            request=f"{request.method} {request.url.path}\n".encode() + body_of(request),
            now=now,
            work=lambda transaction: work(transaction, principal),
            status=status,
        )
        return Response(done.body, done.status, media_type="application/json")

    def look(
        request: Request,
        credentials: str | None,
        work: Callable[[Connection], Json],
        scope: Scope = Scope.AUDITOR,
    ) -> Response:
        _identify(server, request, credentials, scope)
        with server.database.read() as transaction:
            return answer(work(transaction))

    @router.post("/customers", status_code=201, response_model=models.Customer)
    def add_customer(
        request: Request, new: models.NewCustomer, key: Key, token: Credentials = ""
    ) -> Response:
        """Make a customer."""
        return change(
            request,
            token,
            key,
            Scope.ISSUER,
            lambda t, p: catalog.add_customer(t, new.name, actor=p.actor, now=server.now()),
            201,
        )

    @router.get("/customers", response_model=list[models.Customer])
    def customers(
        request: Request, after: After = "", limit: Limit = 100, token: Credentials = ""
    ) -> Response:
        """Customers, by id."""
        return look(request, token, lambda t: list(catalog.list_customers(t, after=after, limit=limit)))

    @router.post("/releases", status_code=201, response_model=models.Release)
    def add_release(request: Request, new: models.NewRelease, key: Key, token: Credentials = "") -> Response:
        """Release a package: every license of its product covers it from now on."""
        package = PackageIdentity(name=new.name, version=parse_version(new.version), digest=new.digest)
        secret = _content_key(new.content_key)
        return change(
            request,
            token,
            key,
            Scope.ISSUER,
            lambda t, p: catalog.add_release(t, package, secret, actor=p.actor, now=server.now()),
            201,
        )

    @router.get("/releases", response_model=list[models.Release])
    def releases(
        request: Request, after: After = "", limit: Limit = 100, token: Credentials = ""
    ) -> Response:
        """Releases, by digest."""
        return look(request, token, lambda t: list(catalog.list_releases(t, after=after, limit=limit)))

    @router.post("/policies", status_code=201, response_model=models.Policy)
    def add_policy(request: Request, new: models.NewPolicy, key: Key, token: Credentials = "") -> Response:
        """Make a policy; it never changes."""
        policy = _policy(new)
        return change(
            request,
            token,
            key,
            Scope.ISSUER,
            lambda t, p: catalog.add_policy(t, policy, actor=p.actor, now=server.now()),
            201,
        )

    @router.get("/policies", response_model=list[models.Policy])
    def policies(
        request: Request, after: After = "", limit: Limit = 100, token: Credentials = ""
    ) -> Response:
        """Policies, by name."""
        return look(request, token, lambda t: list(catalog.list_policies(t, after=after, limit=limit)))

    @router.post("/licenses", status_code=201, response_model=models.KeyedLicense)
    def issue(request: Request, new: models.NewLicense, key: Key, token: Credentials = "") -> Response:
        """Issue a license; its key is told once."""
        return change(
            request,
            token,
            key,
            Scope.ISSUER,
            lambda t, p: life.issue(
                t, customer=new.customer, policy=new.policy, actor=p.actor, now=server.now()
            ),
            201,
        )

    @router.get("/licenses", response_model=list[models.License])
    def licenses(
        request: Request,
        after: After = "",
        limit: Limit = 100,
        customer: Only = None,
        token: Credentials = "",
    ) -> Response:
        """Licenses, by id."""
        return look(
            request,
            token,
            lambda t: [
                found.facts() for found in records.page(t, after=after, limit=limit, customer=customer)
            ],
        )

    @router.get("/licenses/{license_id}", response_model=models.LicenseDetail)
    def license(request: Request, license_id: LicenseId, token: Credentials = "") -> Response:
        """One license, its leases, and how many operations it has returned."""

        def work(transaction: Connection) -> Json:
            now = server.now()
            held = [lease.facts(now) for lease in seats.every(transaction, license_id)]
            drawn = len(metering.drawn(transaction, license_id))
            return records.find(transaction, license_id).facts() | {"leases": list(held), "operations": drawn}

        return look(request, token, work)

    @router.post("/licenses/{license_id}/renew", response_model=models.License)
    def renew(
        request: Request, license_id: LicenseId, new: models.Renewal, key: Key, token: Credentials = ""
    ) -> Response:
        """Give a license another end."""
        end = None if new.expires is None else moment(new.expires)
        return change(
            request,
            token,
            key,
            Scope.ISSUER,
            lambda t, p: life.renew(t, license_id, end, actor=p.actor, now=server.now()),
        )

    @router.post("/licenses/{license_id}/suspend", response_model=models.License)
    def suspend(request: Request, license_id: LicenseId, key: Key, token: Credentials = "") -> Response:
        """Pause a license."""
        return change(
            request,
            token,
            key,
            Scope.ISSUER,
            lambda t, p: life.suspend(t, license_id, actor=p.actor, now=server.now()),
        )

    @router.post("/licenses/{license_id}/reinstate", response_model=models.License)
    def reinstate(request: Request, license_id: LicenseId, key: Key, token: Credentials = "") -> Response:
        """End a license's pause."""
        return change(
            request,
            token,
            key,
            Scope.ISSUER,
            lambda t, p: life.reinstate(t, license_id, actor=p.actor, now=server.now()),
        )

    @router.post("/licenses/{license_id}/revoke", response_model=models.License)
    def revoke(request: Request, license_id: LicenseId, key: Key, token: Credentials = "") -> Response:
        """Withdraw a license for good."""
        return change(
            request,
            token,
            key,
            Scope.ISSUER,
            lambda t, p: life.revoke(t, license_id, actor=p.actor, now=server.now()),
        )

    @router.post("/licenses/{license_id}/transfer", response_model=models.KeyedLicense)
    def transfer(
        request: Request, license_id: LicenseId, new: models.Receiver, key: Key, token: Credentials = ""
    ) -> Response:
        """Give a license to another customer, or to the same one under a new key."""
        return change(
            request,
            token,
            key,
            Scope.ISSUER,
            lambda t, p: life.transfer(t, license_id, new.customer, actor=p.actor, now=server.now()),
        )

    @router.get("/usage", response_model=models.Usage)
    def usage(
        request: Request,
        start: Moment,
        end: Moment,
        license_id: Only = None,
        customer: Only = None,
        token: Credentials = "",
    ) -> Response:
        """What each license newly used from `start` up to, not including, `end`."""
        return look(request, token, lambda t: _usage(t, start, end, license_id, customer))

    @router.get(
        "/usage.csv",
        response_class=Response,
        responses={
            200: {
                "description": "One line a license.",
                "content": {"text/csv": {"schema": {"type": "string"}}},
            }
        },
    )
    def usage_csv(
        request: Request,
        start: Moment,
        end: Moment,
        license_id: Only = None,
        customer: Only = None,
        token: Credentials = "",
    ) -> Response:
        """The same as CSV, for a spreadsheet or an invoice."""
        _identify(server, request, token, Scope.AUDITOR)
        with server.database.read() as transaction:
            lines = metering.lines(
                transaction, start=moment(start), end=moment(end), license_id=license_id, customer=customer
            )
        text = io.StringIO()
        writer = csv.DictWriter(text, list(models.UsageLine.model_fields), lineterminator="\r\n")
        writer.writeheader()
        writer.writerows(line.facts() for line in lines)
        return Response(text.getvalue(), media_type="text/csv")

    @router.get("/audit", response_model=list[models.AuditEntry])
    def entries(
        request: Request, stream: Stream = None, limit: Limit = 100, token: Credentials = ""
    ) -> Response:
        """Rows of the audit log: of one license or other matter, or of all."""
        return look(
            request,
            token,
            lambda t: [vars(entry) for entry in audit.entries(t, stream, limit)],
        )

    @router.get("/audit/verify", response_model=models.AuditVerdict)
    def verify(request: Request, token: Credentials = "") -> Response:
        """Check every chain of the audit log; each edited, deleted or inserted row is named."""

        def work(transaction: Connection) -> Json:
            number, head = audit.summary(transaction)
            return {"entries": number, "head": head, "faults": list(audit.faults(transaction))}

        return look(request, token, work)

    @router.post("/tokens", status_code=201, response_model=models.KeyedToken)
    def add_token(request: Request, new: models.NewToken, key: Key, token: Credentials = "") -> Response:
        """Make a token; its secret is told once."""
        return change(
            request,
            token,
            key,
            Scope.ADMIN,
            lambda t, p: access.add(
                t, new.name, Scope(new.scope), expires=moment(new.expires), actor=p.actor, now=server.now()
            ),
            201,
        )

    @router.get("/tokens", response_model=list[models.Token])
    def tokens(request: Request, after: After = "", limit: Limit = 100, token: Credentials = "") -> Response:
        """Tokens, by id, without their secrets."""
        return look(request, token, lambda t: list(access.page(t, after=after, limit=limit)), Scope.ADMIN)

    @router.post("/tokens/{token_id}/revoke", response_model=models.Token)
    def revoke_token(request: Request, token_id: TokenId, key: Key, token: Credentials = "") -> Response:
        """End a token at once."""
        return change(
            request,
            token,
            key,
            Scope.ADMIN,
            lambda t, p: access.revoke(t, token_id, actor=p.actor, now=server.now()),
        )

    return router


def _identify(server: Server, request: Request, credentials: str | None, scope: Scope) -> Principal:
    kind, _, secret = (credentials or "").partition(" ")
    if kind.lower() != "bearer" or not secret:
        raise ServiceError(Code.UNAUTHENTICATED, "no token: send 'Authorization: Bearer' and an admin token")
    with server.database.read() as transaction:
        principal = access.identify(transaction, secret.strip(), server.now())
    request.scope["ternary.principal"] = principal.actor
    principal.demand(scope)
    return principal


def _policy(new: models.NewPolicy) -> catalog.Policy:
    return catalog.Policy(
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
    )


def _content_key(text: str | None) -> bytes | None:
    if text is None:
        return None
    try:
        key = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != 32:
        raise ServiceError(Code.INVALID, "content_key: expected 32 bytes in base64")
    return key


def _usage(
    transaction: Connection, start: int, end: int, license_id: str | None, customer: str | None
) -> Json:
    lines = metering.lines(
        transaction, start=moment(start), end=moment(end), license_id=license_id, customer=customer
    )
    flagged = metering.flagged(transaction, license_id)
    return {"start": start, "end": end, "lines": [line.facts() for line in lines], "flagged": list(flagged)}
