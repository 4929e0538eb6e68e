"""
What clients ask for: a seat, its renewal, its return, and the documents that everybody may read.

Requests are documents signed by an installation; the SDK's own readers check them, and their number is
what makes a retry harmless. ``Idempotency-Key`` must repeat it, so that proxies see it too.
"""

import hashlib
from typing import Annotated, Any, Final

from fastapi import APIRouter, Header, Request, Response
from pydantic import BaseModel
from sqlalchemy import Connection

from ternary_license_server.service import activation, metering, publication
from ternary_license_server.service.once import once
from ternary_license_server.service.refusals import Code, ServiceError
from ternary_license_server.web import client_bodies as bodies
from ternary_license_server.web.boundary import too_many
from ternary_license_server.web.documented import NONCE, REFUSALS, Key
from ternary_license_server.web.server import Server, answer, body_of, refuse
from ternary_sdk.documents import canonical
from ternary_sdk.documents.canonical import Json
from ternary_sdk.documents.fields import Fields
from ternary_sdk.errors import FormatError
from ternary_sdk.licensing import usage
from ternary_sdk.licensing.identity import LICENSE_ID
from ternary_sdk.online import request as online_request
from ternary_sdk.online.request import Action
from ternary_sdk.signing import jws

_ASKS: Final[dict[str, Any]] = {"parameters": [NONCE]}
Known = Annotated[str | None, Header(alias="If-None-Match", max_length=200)]


def routes(server: Server) -> APIRouter:
    """The client's interface."""
    router = APIRouter(prefix="/v1", tags=["client"], responses=REFUSALS)

    def perform(request: Request, key: str, wanted: tuple[Action, ...], *, carried: bool) -> Response:
        now, ring, document = server.now(), server.vendor.ring, body_of(request)
        asked = online_request.Request.read(document, ring.trust.root.kid)
        if asked.action not in wanted:
            raise FormatError(f"request.action: {str(asked.action)!r} is not asked for at this address")
        if key != asked.number:
            raise ServiceError(Code.INVALID, "Idempotency-Key: is not the request's own number (jti)")
        request.scope["ternary.principal"] = f"installation {asked.installation.kid}"
        wait = server.per_license.wait(asked.key_digest or asked.license_id or "")
        if wait:
            return refuse(request, too_many("this license", wait))

        def work(transaction: Connection) -> Json:
            return activation.perform(transaction, ring, asked, carried=carried, now=now)

        done = once(
            server.database,
            principal=asked.installation.kid,
            key=asked.number,
            request=document,
            now=now,
            work=work,
        )
        return Response(done.body, done.status, media_type="application/json")

    @router.post(
        "/activations",
        responses={200: {"model": bodies.LicensedHold}},
        openapi_extra=_takes(bodies.Signed),
        summary="Take a seat",
    )
    def activate(request: Request, idempotency_key: Key) -> Response:
        """Exchange a license key for a license bound to the installation that signed the request."""
        return perform(request, idempotency_key, (Action.ACTIVATE,), carried=False)

    @router.post(
        "/renewals",
        responses={200: {"model": bodies.LicensedHold}},
        openapi_extra=_takes(bodies.Signed),
        summary="Renew a lease",
    )
    def renew(request: Request, idempotency_key: Key) -> Response:
        """Move the end of a lease that is held, and get the license anew."""
        return perform(request, idempotency_key, (Action.RENEW,), carried=False)

    @router.post(
        "/releases",
        responses={200: {"model": bodies.Hold}},
        openapi_extra=_takes(bodies.Signed),
        summary="Give a seat back",
    )
    def release(request: Request, idempotency_key: Key) -> Response:
        """Free the seat."""
        return perform(request, idempotency_key, (Action.RELEASE,), carried=False)

    @router.post(
        "/carried",
        responses={200: {"model": bodies.LicensedHold | bodies.Hold}},
        openapi_extra=_takes(bodies.Signed),
        summary="Hand in a file",
    )
    def carried(request: Request, idempotency_key: Key) -> Response:
        """Activate or release a machine without a network, by a file that somebody carries."""
        return perform(request, idempotency_key, (Action.ACTIVATE, Action.RELEASE), carried=True)

    @router.post(
        "/usage",
        responses={200: {"model": bodies.Merged}},
        openapi_extra=_takes(bodies.UsageReport),
        summary="Report usage",
    )
    def report(request: Request) -> Response:
        """Merge a signed usage report into the license's meter; reporting twice changes nothing."""
        now, document = server.now(), body_of(request)
        read = usage.Usage.read(document)
        if wait := server.per_license.wait(f"usage {read.license_id}"):
            return refuse(request, too_many("this license", wait))
        done = once(
            server.database,
            principal=read.installation.kid,
            key=hashlib.sha256(document).hexdigest(),
            request=document,
            now=now,
            work=lambda transaction: metering.merge(transaction, read, now),
        )
        return Response(done.body, done.status, media_type="application/json")

    @router.post(
        "/standing",
        responses={200: {"model": bodies.Standing}},
        openapi_extra=_takes(bodies.Question),
        summary="Ask whether a hold stands",
    )
    def standing(request: Request) -> Response:
        """Say whether an installation's hold on a license stands at this moment; nothing changes."""
        fields = Fields(canonical.decode_any(body_of(request), "question"), "question")
        license_id = fields.text("license", pattern=LICENSE_ID)
        installation = fields.text("installation", pattern=jws.KID)
        generation = fields.integer("generation", least=1, most=online_request.MAX_GENERATION)
        fields.end()
        with server.database.read() as transaction:
            return answer(
                activation.standing(transaction, license_id, installation, generation, server.now())
            )

    @router.get(
        "/trust", responses=_published("application/json"), openapi_extra=_ASKS, summary="The trust file"
    )
    def trust(known: Known = None) -> Response:
        """Root key, key set and revocation list: what clients pin."""
        with server.database.read() as transaction:
            data = publication.trust(transaction, server.vendor.ring).data
        return _cached(data, "application/json", known)

    @router.get("/keys", responses=_published("application/jose"), openapi_extra=_ASKS, summary="The key set")
    def keys(known: Known = None) -> Response:
        """Every key of the vendor, signed by the root: a compact JWS."""
        return _cached(publication.key_set(server.vendor.ring.trust), "application/jose", known)

    @router.get(
        "/revocations",
        responses=_published("application/jose"),
        openapi_extra=_ASKS,
        summary="The revocation list",
    )
    def revocations(known: Known = None) -> Response:
        """Every license that was withdrawn: a compact JWS; 404 as long as none ever was."""
        with server.database.read() as transaction:
            token = publication.revocation_list(publication.trust(transaction, server.vendor.ring))
        if token is None:
            raise ServiceError(Code.UNKNOWN, "revocation list: no license was ever revoked")
        return _cached(token, "application/jose", known)

    return router


def _cached(data: bytes, media_type: str, known: str | None) -> Response:
    tag = f'"{hashlib.sha256(data).hexdigest()[:32]}"'
    headers = {"ETag": tag, "Cache-Control": "public, max-age=60"}
    tags = {part.strip().removeprefix("W/") for part in (known or "").split(",")}
    if tag in tags or "*" in tags:
        return Response(status_code=304, headers=headers)
    return Response(data, headers=headers, media_type=media_type)


def _published(media_type: str) -> dict[int | str, dict[str, Any]]:
    schema: dict[str, Any] = {"type": "object" if media_type == "application/json" else "string"}
    return {
        200: {"description": "The document.", "content": {media_type: {"schema": schema}}},
        304: {"description": "The document that `If-None-Match` names is the present one."},
    }


def _takes(model: type[BaseModel]) -> dict[str, Any]:
    schema = model.model_json_schema()
    body = {"required": True, "content": {"application/json": {"schema": schema}}}
    return {"requestBody": body, "parameters": [NONCE]}
