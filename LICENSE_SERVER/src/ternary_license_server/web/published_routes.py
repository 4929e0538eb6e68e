"""
What everybody may read: the trust file, the key set and the revocation list, with tags for caches.
"""

import hashlib
from typing import Annotated, Any, Final

from fastapi import APIRouter, Header, Response

from ternary_license_server.service import publication
from ternary_license_server.service.refusals import Code, ServiceError
from ternary_license_server.web.documented import NONCE, REFUSALS
from ternary_license_server.web.server import Serving

router = APIRouter(prefix="/v1", tags=["client"], responses=REFUSALS)
_ASKS: Final[dict[str, Any]] = {"parameters": [NONCE]}
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
    with server.database.read() as transaction:
        data = publication.trust(transaction, server.vendor.ring).data
    return _cached(data, "application/json", known)


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
    with server.database.read() as transaction:
        token = publication.revocation_list(publication.trust(transaction, server.vendor.ring))
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
