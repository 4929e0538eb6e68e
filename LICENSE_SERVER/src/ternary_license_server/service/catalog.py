"""
What is sold to whom: customers, and products with their releases.

A license covers every release of its product, or those of a range of versions: the token names them by
exact digest, encrypted ones with their content key, and each renewal brings those that came out since.
"""

import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, RowMapping, bindparam, func, insert, select, tuple_

from ternary_license_server.database.schema import customers, products, releases
from ternary_license_server.database.transaction import Transaction
from ternary_license_server.service import audit, guarantees
from ternary_license_server.service.groups import check_standing
from ternary_license_server.service.records import seconds
from ternary_license_server.service.refusals import Code, ServiceError
from ternary_license_server.service.terms import Terms
from ternary_sdk._internal.documents.canonical import Json
from ternary_sdk._internal.identity import (
    ExactPackage,
    PackageIdentity,
    PackageTerm,
    VersionRange,
    format_version,
)
from ternary_sdk._internal.licensing.claims import MAX_PACKAGES

_RELEASED: Final = func.coalesce(releases.c.released, releases.c.created)
_NEWEST: Final = (
    select(releases.c.digest, releases.c.content_key)
    .where(releases.c.product == bindparam("of_product"))
    .order_by(releases.c.created.desc(), releases.c.digest)
    .limit(bindparam("most"))
)


def add_customer(
    transaction: Transaction, name: str, *, actor: str, contact: str | None = None
) -> dict[str, Json]:
    """Make a customer; two may have the same name."""
    created = seconds(transaction.now)
    row: dict[str, Json] = {
        "id": f"C-{secrets.token_hex(8)}",
        "name": name,
        "contact": contact,
        "merged_into": None,
        "merged": None,
        "anonymised": None,
        "created": created,
    }
    transaction.execute(insert(customers), row)
    detail: dict[str, Json] = {"name": name, "salt": audit.salt()}
    if contact is not None:
        detail["contact"] = contact
    _audit(transaction, f"customer {row['id']}", actor, "customer.add", detail)
    return row


def add_release(
    transaction: Transaction,
    package: PackageIdentity,
    content_key: bytes | None,
    *,
    required: Sequence[str] = (),
    actor: str,
) -> dict[str, Json]:
    """Release a package, and make its product where it is the first.

    Releases of one product take turns, by the lock on its audit log: there is a row of it before the product.

    Raises:
        ServiceError: CONFLICT, if the digest or the version was released before, or ``required``, what it was
            checked to meet, lacks something that its product guarantees.
    """
    stream = f"product {package.name}"
    audit.lock(transaction, stream)
    guarantees.check(transaction, package.name, required)
    created, (major, minor, patch) = seconds(transaction.now), package.version
    same = select(releases.c.digest).where(
        (releases.c.digest == package.digest)
        | (
            (releases.c.product == package.name)
            & (releases.c.major == major)
            & (releases.c.minor == minor)
            & (releases.c.patch == patch)
        )
    )
    if transaction.execute(same).first() is not None:
        raise ServiceError(Code.CONFLICT, f"release {package}: this version or digest was released before")
    if transaction.execute(select(products).where(products.c.name == package.name)).first() is None:
        transaction.execute(insert(products), {"name": package.name, "created": created})
    row = {
        "digest": package.digest,
        "product": package.name,
        "major": major,
        "minor": minor,
        "patch": patch,
        "content_key": content_key,
        "released": min(seconds(package.released), created) if package.released else created,
        "created": created,
    }
    transaction.execute(insert(releases), row)
    facts = _release(row)
    _audit(transaction, stream, actor, "release.add", facts)
    return _dated(row)


def check_customer(transaction: Transaction, customer: str) -> str:
    """The name of a customer that stands.

    Raises:
        ServiceError: UNKNOWN; CONFLICT, if it was merged or anonymised.
    """
    row = transaction.execute(select(customers).where(customers.c.id == customer)).one_or_none()
    if row is None:
        raise ServiceError(Code.UNKNOWN, f"customer {customer}: there is none of this id")
    check_standing(row)
    return str(row.name)


def grants(
    transaction: Transaction, terms: Terms, released_until: datetime | None = None
) -> tuple[list[PackageTerm], dict[str, bytes]]:
    """What a license of these terms names, and the keys of encrypted releases.

    Without a range of versions: the newest 256 releases of the product, each by its digest. With one: the
    range, which covers every package of this name in it, released here or not; and by their digests the
    newest 255 encrypted releases in it, because a key belongs to a digest. With ``released_until`` no later
    release, and no key of one.
    """
    named: list[PackageTerm] = [] if terms.versions is None else [terms.versions]
    query = _NEWEST
    if terms.versions is not None:
        query = query.where(releases.c.content_key.is_not(None), *_within(terms.versions))
    if released_until is not None:
        query = query.where(seconds(released_until) >= _RELEASED)
    asked = {"of_product": terms.product, "most": MAX_PACKAGES - len(named)}
    rows = transaction.execute(query, asked).all()
    keys = {row.digest: bytes(row.content_key) for row in rows if row.content_key is not None}
    return named + [ExactPackage(digest=row.digest) for row in rows], keys


def list_customers(
    transaction: Transaction, *, after: str, limit: int, name: str | None = None
) -> list[Json]:
    """Customers in the order of their ids; with a name, those who have exactly this one."""
    query = select(customers).where(customers.c.id > after).order_by(customers.c.id).limit(limit)
    if name is not None:
        query = query.where(customers.c.name == name)
    return [dict(row._mapping) for row in transaction.execute(query)]


def list_releases(transaction: Transaction, *, after: str, limit: int) -> list[Json]:
    """Releases in the order of their digests, without content keys."""
    query = select(releases).where(releases.c.digest > after).order_by(releases.c.digest).limit(limit)
    return [_dated(row._mapping) for row in transaction.execute(query)]


def _within(versions: VersionRange) -> tuple[ColumnElement[bool], ...]:
    version = tuple_(releases.c.major, releases.c.minor, releases.c.patch)
    return version >= tuple_(*versions.start), version < tuple_(*versions.below)


def _release(row: Mapping[str, Any] | RowMapping) -> dict[str, Json]:
    return {
        "product": row["product"],
        "version": format_version((row["major"], row["minor"], row["patch"])),
        "digest": row["digest"],
        "encrypted": row["content_key"] is not None,
    }


def _dated(row: Mapping[str, Any] | RowMapping) -> dict[str, Json]:
    return _release(row) | {"released": row["released"], "created": row["created"]}


def _audit(transaction: Transaction, stream: str, actor: str, action: str, detail: dict[str, Json]) -> None:
    audit.append(transaction, stream, actor=actor, action=action, detail=detail)
