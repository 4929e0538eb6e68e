"""
What everybody may read: the trust file, the key set and the revocation list, with tags for caches.
"""

import hashlib
from typing import Annotated, Any, Final

from fastapi import APIRouter, Header, Request, Response

from ternary_license_server.service import merging, publication
from ternary_license_server.service.refusals import Code, ServiceError
from ternary_license_server.web import client_bodies as bodies
from ternary_license_server.web.documented import NONCE, REFUSALS
from ternary_license_server.web.server import Serving, answer, body_of, server_of
from ternary_sdk._internal.trust.trust import Trust

router = APIRouter(prefix="/v1", tags=["client"], responses=REFUSALS)
_ASKS: Final[dict[str, Any]] = {"parameters": [NONCE]}
_TRUST_FILE: Final[dict[str, Any]] = {
    "required": True,
    "content": {"application/json": {"schema": {"type": "object"}}},
}
Known = Annotated[str | None, Header(alias="If-None-Match", max_length=200)]


def _published(media_type: str) -> dict[int | str, dict[str, Any]]:
    schema: dict[str, Any] = {"type": "object" if media_type == "application/json" else "string"}
    return {
        200: {"description": "The document.", "content": {media_type: {"schema": schema}}},
        304: {"description": "The document that `If-None-Match` names is the present one."},
    }


@router.get("/trust", responses=_published("application/json"), openapi_extra=_ASKS, summary="The trust file")
def trust(server: Serving, known: Known = None) -> Response:
    """Root key, key set and revocation list: what clients pin."""
    data = server.publication.trust(server.vendor.ring).data
    return _cached(data, "application/json", known)


@router.post(
    "/trust",
    responses={200: {"model": bodies.MergedList}},
    openapi_extra=_ASKS | {"requestBody": _TRUST_FILE},
    summary="Hand in a trust file",
)
def hand_in(request: Request) -> Response:
    """Add the names of a revocation list that the vendor's own key signed; none is taken off."""
    server = server_of(request)
    ring = server.vendor.ring
    listed = merging.read(Trust.read(body_of(request)), ring)
    merged = merging.Merged()
    if listed is not None:
        with server.database.read() as transaction:
            known = merging.is_known(transaction, listed, ring)
        if not known:
            with server.database.write() as transaction:
                merged = merging.merge(transaction, listed, ring, actor="anybody")
    return answer({"list": listed.version if listed else None, **merged.facts()})


@router.get("/keys", responses=_published("application/jose"), openapi_extra=_ASKS, summary="The key set")
def keys(server: Serving, known: Known = None) -> Response:
    """Every key of the vendor, signed by the root: a compact JWS."""
    return _cached(publication.key_set(server.vendor.ring.trust), "application/jose", known)


@router.get(
    "/revocations",
    responses=_published("application/jose"),
    openapi_extra=_ASKS,
    summary="The revocation list",
)
def revocations(server: Serving, known: Known = None) -> Response:
    """Every license that was withdrawn: a compact JWS; 404 as long as none ever was."""
    token = publication.revocation_list(server.publication.trust(server.vendor.ring))
    if token is None:
        raise ServiceError(Code.UNKNOWN, "revocation list: no license was ever revoked")
    return _cached(token, "application/jose", known)


def _cached(data: bytes, media_type: str, known: str | None) -> Response:
    tag = f'"{hashlib.sha256(data).hexdigest()[:32]}"'
    headers = {"ETag": tag, "Cache-Control": "public, max-age=60"}
    tags = {part.strip().removeprefix("W/") for part in (known or "").split(",")}
    if tag in tags or "*" in tags:
        return Response(status_code=304, headers=headers)
    return Response(data, headers=headers, media_type=media_type)
