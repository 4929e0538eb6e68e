"""
What clients ask for: a seat, its renewal, its return, whether it stands; and what they report.

Requests are documents signed by an installation; the SDK's own readers check them, and their number is
what makes a retry harmless. ``Idempotency-Key`` must repeat it, so that proxies see it too.
"""

import hashlib
from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

from ternary_license_server.database.transaction import Transaction
from ternary_license_server.service import activation, answering, metering, restoring
from ternary_license_server.service.once import Done, once
from ternary_license_server.service.refusals import Code, ServiceError
from ternary_license_server.web import client_bodies as bodies
from ternary_license_server.web.documented import NONCE, REFUSALS, Key
from ternary_license_server.web.problems import too_many
from ternary_license_server.web.server import Server, answer, body_of, name_principal, refuse, server_of
from ternary_sdk._internal.documents import outer
from ternary_sdk._internal.documents.canonical import Json
from ternary_sdk._internal.licensing import usage
from ternary_sdk._internal.online import request as online_request
from ternary_sdk._internal.online.request import Action
from ternary_sdk._internal.signing.keys import PublicKey
from ternary_sdk.errors import FormatError

router = APIRouter(prefix="/v1", tags=["client"], responses=REFUSALS)


def _takes(model: type[BaseModel]) -> dict[str, Any]:
    schema = model.model_json_schema()
    body = {"required": True, "content": {"application/json": {"schema": schema}}}
    return {"requestBody": body, "parameters": [NONCE]}


@router.post(  # asked most often, so it is the first that a path is compared with
    "/standing",
    responses={200: {"model": bodies.Standing}},
    openapi_extra=_takes(bodies.Signed),
    summary="Ask whether a hold stands",
)
def standing(request: Request) -> Response:
    """Say whether the hold of the installation that asks stands at this moment; nothing changes."""
    server = server_of(request)
    asked = _read(server, request, Action.STANDING)
    if refusal := _too_often(request, "standing", asked.license_id or "", asked.installation):
        return refusal
    with server.database.read() as transaction:
        found = activation.perform(transaction, server.vendor.ring, asked, carried=False)
    return answer(found)


@router.post(
    "/activations",
    responses={200: {"model": bodies.LicensedHold}},
    openapi_extra=_takes(bodies.Signed),
    summary="Take a seat",
)
def activate(request: Request, idempotency_key: Key) -> Response:
    """Exchange a license key for a license bound to the installation that signed the request."""
    return _perform(request, idempotency_key, Action.ACTIVATE)


@router.post(
    "/renewals",
    responses={200: {"model": bodies.LicensedHold}},
    openapi_extra=_takes(bodies.Signed),
    summary="Renew a lease",
)
def renew(request: Request, idempotency_key: Key) -> Response:
    """Move the end of a lease that is held, and get the license anew."""
    return _perform(request, idempotency_key, Action.RENEW)


@router.post(
    "/releases",
    responses={200: {"model": bodies.Hold}},
    openapi_extra=_takes(bodies.Signed),
    summary="Give a seat back",
)
def release(request: Request, idempotency_key: Key) -> Response:
    """Free the seat."""
    return _perform(request, idempotency_key, Action.RELEASE)


@router.post(
    "/carried",
    responses={200: {"model": bodies.LicensedHold | bodies.Hold}},
    openapi_extra=_takes(bodies.Signed),
    summary="Hand in a file",
)
def carried(request: Request, idempotency_key: Key) -> Response:
    """Activate or release a machine without a network, by a file that somebody carries."""
    return _perform(request, idempotency_key, Action.ACTIVATE, Action.RELEASE, carried=True)


@router.post(
    "/usage",
    responses={200: {"model": bodies.Merged}},
    openapi_extra=_takes(bodies.UsageReport),
    summary="Report usage",
)
def report(request: Request) -> Response:
    """Merge a signed usage report into the license's meter; reporting twice changes nothing.

    A difference from a set that the server does not have is refused with `SEND_ALL`: send the whole set then.
    """
    server, document = server_of(request), outer.bare(body_of(request), "usage report")
    read = usage.Usage.read(document)
    name_principal(request, f"installation {read.installation.kid}")
    if refusal := _too_often(request, "usage", read.license_id, read.installation):
        return refusal

    added = 0

    def work(transaction: Transaction) -> Json:
        nonlocal added
        with restoring.truthful(transaction, license_id=read.license_id):
            merged = metering.merge(transaction, read)
        added = int(str(merged["added"]))
        return merged

    done = once(
        server.database,
        principal=read.installation.kid,
        key=hashlib.sha256(document).hexdigest(),
        request=document,
        secret=document,
        work=work,
        remember=server.remember,
    )
    server.metrics.meter(added)
    return _told(done)


def _perform(request: Request, key: str, *wanted: Action, carried: bool = False) -> Response:
    """Do once what a request asks for, if it asks for what this address does."""
    server = server_of(request)
    ring, asked = server.vendor.ring, _read(server, request, *wanted)
    if key != asked.number:
        raise ServiceError(Code.INVALID, "Idempotency-Key: is not the request's own number (jti)")
    by = None if asked.key_digest else asked.installation
    if refusal := _too_often(request, "seat", asked.key_digest or asked.license_id or "", by):
        return refusal

    document = outer.bare(body_of(request), "request")
    return _told(
        answering.answer(server.database, ring, asked, document, carried=carried, remember=server.remember)
    )


def _too_often(request: Request, what: str, license: str, by: PublicKey | None) -> Response | None:
    """The refusal of who asks too often; None for who does not.

    A license's id is no secret, so what is asked of a license is counted for each installation that asks:
    a stranger with a key of its own cannot use up what the holder has. A license key is a secret, so all
    who know it share one count.
    """
    wait = server_of(request).per_license.wait(f"{what} {license} {by.kid if by else ''}")
    return refuse(request, too_many("this license", wait)) if wait else None


def _read(server: Server, request: Request, *wanted: Action) -> online_request.Request:
    asked = online_request.Request.read(body_of(request), server.vendor.ring.trust.root.kid)
    if asked.action not in wanted:
        raise FormatError(f"request.action: {str(asked.action)!r} is not asked for at this address")
    name_principal(request, f"installation {asked.installation.kid}")
    return asked


def _told(done: Done) -> Response:
    return Response(done.body, done.status, media_type="application/json")
