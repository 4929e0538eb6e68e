"""
What is sold to whom: customers, products with their releases, and policies.

A license covers every release of its product: the token names them by exact digest, encrypted ones with
their content key, and each renewal brings those that came out since.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection, insert, select

from ternary_license_server.database.schema import customers, policies, products, releases
from ternary_license_server.service import audit
from ternary_license_server.service.records import seconds
from ternary_license_server.service.refusals import Code, ServiceError
from ternary_sdk.documents.canonical import Json
from ternary_sdk.licensing.claims import MAX_PACKAGES
from ternary_sdk.licensing.identity import ExactPackage, PackageIdentity, format_version
from ternary_sdk.licensing.license import ACTIONS, TOLERANCE
from ternary_sdk.operations import OPERATIONS

SHORTEST_HOLD: Final = 2 * TOLERANCE + timedelta(minutes=5)
"""Least lease and grace together: a license must be of use before it ends."""
LONGEST: Final = timedelta(days=36_500)
"""Longest term, lease, grace or offline term."""


@dataclass(frozen=True, kw_only=True)
class Policy:
    """A license's template."""

    name: str
    product: str
    term: timedelta | None
    """How long a license runs; None without end."""
    entitlements: tuple[str, ...]
    seats: int | None
    """How many installations may hold a license at once; None any number."""
    unique_operations: int | None
    """The quota; None without."""
    lease: timedelta
    """How long a client goes without asking before it should renew."""
    grace: timedelta
    """How much longer it may go on if the server does not answer."""
    offline: timedelta
    """How long a machine without a network may hold a seat; zero if it may not."""
    trial: bool
    """Whether a customer gets only one of them for the product, ever."""

    def __post_init__(self) -> None:
        for name in ("term", "lease", "grace", "offline"):
            value = getattr(self, name)
            if value is not None and not timedelta(0) <= value <= LONGEST:
                raise _invalid(self.name, name, f"expected 0 to {LONGEST.days} days")
        if self.term is not None and self.term <= timedelta(0):
            raise _invalid(self.name, "term", "expected more than 0 seconds, or none")
        if self.lease + self.grace < SHORTEST_HOLD:
            raise _invalid(self.name, "lease and grace", f"together less than {SHORTEST_HOLD}")
        if timedelta(0) < self.offline < SHORTEST_HOLD:
            raise _invalid(self.name, "offline", f"less than {SHORTEST_HOLD}; 0 allows none")
        if not self.entitlements or not set(self.entitlements) <= set(ACTIONS):
            raise _invalid(self.name, "entitlements", "expected some of encode, decode, sample")
        if self.seats is not None and not 1 <= self.seats <= 1_000_000:
            raise _invalid(self.name, "seats", "expected 1 to 1000000, or none")
        if self.unique_operations is not None and not 1 <= self.unique_operations <= OPERATIONS:
            raise _invalid(self.name, "unique_operations", f"expected 1 to {OPERATIONS}, or none")
        if self.trial and self.term is None:
            raise _invalid(self.name, "trial", "a trial needs a term")

    def columns(self) -> dict[str, Json]:
        """The policy as a row, durations in seconds."""
        return {
            "name": self.name,
            "product": self.product,
            "term": None if self.term is None else int(self.term.total_seconds()),
            "entitlements": ",".join(sorted(set(self.entitlements))),
            "seats": self.seats,
            "unique_operations": self.unique_operations,
            "lease": int(self.lease.total_seconds()),
            "grace": int(self.grace.total_seconds()),
            "offline": int(self.offline.total_seconds()),
            "trial": self.trial,
        }


def add_customer(transaction: Connection, name: str, *, actor: str, now: datetime) -> dict[str, Json]:
    """Make a customer; two may have the same name."""
    row: dict[str, Json] = {"id": f"C-{secrets.token_hex(8)}", "name": name, "created": seconds(now)}
    transaction.execute(insert(customers), row)
    _audit(transaction, f"customer {row['id']}", actor, "customer.add", {"name": name}, now)
    return row


def add_release(
    transaction: Connection, package: PackageIdentity, content_key: bytes | None, *, actor: str, now: datetime
) -> dict[str, Json]:
    """Release a package, and make its product where it is the first.

    Raises:
        ServiceError: CONFLICT, if the digest or the version was released before.
    """
    major, minor, patch = package.version
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
        transaction.execute(insert(products), {"name": package.name, "created": seconds(now)})
    row = {
        "digest": package.digest,
        "product": package.name,
        "major": major,
        "minor": minor,
        "patch": patch,
        "content_key": content_key,
        "created": seconds(now),
    }
    transaction.execute(insert(releases), row)
    facts: dict[str, Json] = {
        "product": package.name,
        "version": format_version(package.version),
        "digest": package.digest,
        "encrypted": content_key is not None,
    }
    _audit(transaction, f"product {package.name}", actor, "release.add", facts, now)
    return facts


def add_policy(transaction: Connection, policy: Policy, *, actor: str, now: datetime) -> dict[str, Json]:
    """Make a policy. It never changes: licenses copy its terms when they are issued.

    Raises:
        ServiceError: CONFLICT, if there is one of that name; UNKNOWN, if there is no such product.
    """
    if transaction.execute(select(policies).where(policies.c.name == policy.name)).first() is not None:
        raise ServiceError(
            Code.CONFLICT, f"policy {policy.name}: exists; policies never change, make another"
        )
    if transaction.execute(select(products).where(products.c.name == policy.product)).first() is None:
        raise ServiceError(
            Code.UNKNOWN,
            f"product {policy.product}: nothing was released under this name; release a package first",
        )
    row = policy.columns()
    transaction.execute(insert(policies), row | {"created": seconds(now)})
    _audit(transaction, f"policy {policy.name}", actor, "policy.add", row, now)
    return row


def find_policy(transaction: Connection, name: str) -> Policy:
    """A policy by its name.

    Raises:
        ServiceError: UNKNOWN.
    """
    row = transaction.execute(select(policies).where(policies.c.name == name)).one_or_none()
    if row is None:
        raise ServiceError(Code.UNKNOWN, f"policy {name}: there is none of this name")
    return Policy(
        name=row.name,
        product=row.product,
        term=None if row.term is None else timedelta(seconds=row.term),
        entitlements=tuple(row.entitlements.split(",")),
        seats=row.seats,
        unique_operations=row.unique_operations,
        lease=timedelta(seconds=row.lease),
        grace=timedelta(seconds=row.grace),
        offline=timedelta(seconds=row.offline),
        trial=row.trial,
    )


def check_customer(transaction: Connection, customer: str) -> str:
    """The name of a customer.

    Raises:
        ServiceError: UNKNOWN.
    """
    name = transaction.execute(
        select(customers.c.name).where(customers.c.id == customer)
    ).scalar_one_or_none()
    if name is None:
        raise ServiceError(Code.UNKNOWN, f"customer {customer}: there is none of this id")
    return str(name)


def grants(transaction: Connection, product: str) -> tuple[list[ExactPackage], dict[str, bytes]]:
    """The releases that a license of a product names, the newest 256, and the keys of encrypted ones."""
    query = (
        select(releases.c.digest, releases.c.content_key)
        .where(releases.c.product == product)
        .order_by(releases.c.created.desc(), releases.c.digest)
        .limit(MAX_PACKAGES)
    )
    rows = transaction.execute(query).all()
    keys = {row.digest: bytes(row.content_key) for row in rows if row.content_key is not None}
    return [ExactPackage(digest=row.digest) for row in rows], keys


def list_customers(transaction: Connection, *, after: str, limit: int) -> list[Json]:
    """Customers in the order of their ids."""
    query = select(customers).where(customers.c.id > after).order_by(customers.c.id).limit(limit)
    return [dict(row._mapping) for row in transaction.execute(query)]


def list_releases(transaction: Connection, *, after: str, limit: int) -> list[Json]:
    """Releases in the order of their digests, without content keys."""
    query = select(releases).where(releases.c.digest > after).order_by(releases.c.digest).limit(limit)
    return [
        {
            "product": row.product,
            "version": format_version((row.major, row.minor, row.patch)),
            "digest": row.digest,
            "encrypted": row.content_key is not None,
        }
        for row in transaction.execute(query)
    ]


def list_policies(transaction: Connection, *, after: str, limit: int) -> list[Json]:
    """Policies in the order of their names."""
    query = select(policies).where(policies.c.name > after).order_by(policies.c.name).limit(limit)
    return [
        {name: row._mapping[name] for name in row._mapping if name != "created"}
        for row in transaction.execute(query)
    ]


def _audit(
    transaction: Connection, stream: str, actor: str, action: str, detail: dict[str, Json], now: datetime
) -> None:
    audit.append(transaction, stream, actor=actor, action=action, detail=detail, now=now)


def _invalid(policy: str, member: str, why: str) -> ServiceError:
    return ServiceError(Code.INVALID, f"policy {policy}: {member}: {why}")
