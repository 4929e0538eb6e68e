"""
What the admin interface takes and gives, as OpenAPI describes it. Unknown members are refused everywhere.
"""

from typing import Annotated, Literal

from pydantic import Field

from ternary_license_server.web.bodies import (
    Digest,
    Entitlement,
    Given,
    Id,
    Line,
    Moment,
    Name,
    Seconds,
    Taken,
    Version,
)
from ternary_sdk.operations import OPERATIONS

Scope = Literal["admin", "issuer", "auditor"]


class NewCustomer(Taken):
    """A customer to be made."""

    name: Line


class NewRelease(Taken):
    """A package to be released."""

    name: Name
    version: Version
    digest: Digest
    content_key: Annotated[
        str | None,
        Field(description="32 bytes in base64, of an encrypted package.", min_length=44, max_length=44),
    ] = None


class NewPolicy(Taken):
    """A policy to be made; durations in seconds."""

    name: Name
    product: Name
    term: Annotated[Seconds | None, Field(description="How long licenses run; null without end.")] = None
    entitlements: Annotated[list[Entitlement], Field(min_length=1, max_length=3)]
    seats: Annotated[int | None, Field(ge=1, le=1_000_000)] = None
    unique_operations: Annotated[int | None, Field(ge=1, le=OPERATIONS)] = None
    lease: Seconds = 3600
    grace: Seconds = 3600
    offline: Seconds = 0
    trial: bool = False


class NewLicense(Taken):
    """A license to be issued."""

    customer: Id
    policy: Name


class Renewal(Taken):
    """A license's next end."""

    expires: Annotated[Moment | None, Field(description="Null adds one term of the policy.")] = None


class Receiver(Taken):
    """Who gets a license."""

    customer: Id


class NewToken(Taken):
    """A token to be made."""

    name: Line
    scope: Scope
    expires: Moment


class Customer(Given):
    """A customer."""

    id: str
    name: str
    created: int


class Release(Given):
    """A released package."""

    product: str
    version: str
    digest: str
    encrypted: bool


class Policy(Given):
    """A license's template; durations in seconds."""

    name: str
    product: str
    term: int | None
    entitlements: str
    seats: int | None
    unique_operations: int | None
    lease: int
    grace: int
    offline: int
    trial: bool


class License(Given):
    """A license."""

    id: str
    customer: str
    customer_name: str
    product: str
    policy: str
    state: Literal["active", "suspended", "revoked"]
    starts: int
    expires: int | None
    entitlements: list[str]
    seats: int | None
    unique_operations: int | None
    lease: int
    grace: int
    offline: int
    trial: bool
    created: int


class KeyedLicense(License):
    """A license and its key, told once."""

    key: str


class Lease(Given):
    """An installation's hold on a seat."""

    installation: str
    generation: int
    ends: int
    offline: bool
    released: int | None
    machine: str | None
    started: int
    live: bool


class LicenseDetail(License):
    """A license and everybody who ever held a seat of it."""

    leases: list[Lease]
    operations: int


class Token(Given):
    """An admin token, without its secret."""

    id: str
    name: str
    scope: Scope
    created: int
    expires: int
    revoked: int | None


class KeyedToken(Given):
    """A new token and its secret, told once."""

    id: str
    name: str
    scope: Scope
    created: int
    expires: int
    secret: str


class UsageLine(Given):
    """What one license newly used in a period."""

    license: str
    customer: str
    operations: int
    total: int
    share_of_space: str
    quota: int | None
    share_of_quota: str | None


class Flag(Given):
    """An installation that lost operations it had reported before."""

    license: str
    installation: str
    lost: int
    received: int


class Usage(Given):
    """An invoice's annex."""

    start: int
    end: int
    lines: list[UsageLine]
    flagged: list[Flag]


class AuditEntry(Given):
    """One row of the audit log."""

    stream: str
    number: int
    at: int
    actor: str
    action: str
    detail: str
    previous: str
    hash: str


class AuditVerdict(Given):
    """Whether the audit log is whole."""

    entries: int
    head: Annotated[str, Field(description="One hash over all chains; keep it elsewhere and compare.")]
    faults: list[str]
