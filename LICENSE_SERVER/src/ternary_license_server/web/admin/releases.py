"""
Releases: the packages that licenses of a product cover.
"""

import base64
import binascii
from functools import partial
from typing import Annotated

from fastapi import Path, Response
from pydantic import Field

from ternary_license_server.service import catalog, guarantees
from ternary_license_server.service.access import Scope
from ternary_license_server.service.records import moment
from ternary_license_server.service.refusals import Code, ServiceError
from ternary_license_server.web.admin.gate import After, Change, Limit, Look, resource
from ternary_license_server.web.bodies import Digest, Given, Line, Moment, Name, Taken, Version
from ternary_sdk._internal.identity import NAME, PackageIdentity, parse_version

router = resource()
InPath = Annotated[str, Path(pattern=f"^{NAME.pattern}$")]


class NewRelease(Taken):
    """A package to be released."""

    name: Name
    version: Version
    digest: Digest
    content_key: Annotated[
        str | None,
        Field(description="32 bytes in base64, of an encrypted package.", min_length=44, max_length=44),
    ] = None
    released: Annotated[Moment | None, Field(description="As its manifest says; null: now.")] = None
    required: Annotated[
        list[Line] | None,
        Field(max_length=64, description="Requirements that the package was checked to meet."),
    ] = None


class Release(Given):
    """A released package."""

    product: str
    version: str
    digest: str
    encrypted: bool
    released: int | None
    created: int


@router.post("/releases", status_code=201, response_model=Release)
def add_release(new: NewRelease, asking: Change) -> Response:
    """Release a package: every license of its product and its version covers it from now on."""
    package = PackageIdentity(
        name=new.name,
        version=parse_version(new.version),
        digest=new.digest,
        released=None if new.released is None else moment(new.released),
    )
    secret = _content_key(new.content_key)
    return asking.change(
        partial(catalog.add_release, package=package, content_key=secret, required=new.required or []),
        status=201,
    )


class Guarantee(Taken):
    """What every release of a product must meet."""

    require: Annotated[
        list[Line],
        Field(max_length=64, description="Such as `coverage=0.91`, `A:coverage=0.95`; `[]`: nothing."),
    ]


class Guaranteed(Given):
    """A product and what every release of it must meet."""

    name: str
    guarantee: list[str]


class Product(Guaranteed):
    """A product."""

    created: int


@router.post("/products/{name}/guarantee", response_model=Guaranteed)
def guarantee(name: InPath, new: Guarantee, asking: Change) -> Response:
    """Say what every release of a product must meet from now on; scope admin."""
    work = partial(guarantees.change, product=name, wanted=new.require)
    return asking.change(work, scope=Scope.ADMIN)


@router.get("/products", response_model=list[Product])
def products(asked: Look, after: After = "", limit: Limit = 100) -> Response:
    """Products, by name."""
    return asked.look(partial(guarantees.page, after=after, limit=limit))


@router.get("/releases", response_model=list[Release])
def releases(asked: Look, after: After = "", limit: Limit = 100) -> Response:
    """Releases, by digest."""
    return asked.look(partial(catalog.list_releases, after=after, limit=limit))


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
