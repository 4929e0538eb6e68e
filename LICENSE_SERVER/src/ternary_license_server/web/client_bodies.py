"""
What the client interface takes and gives. Requests and reports are signed documents of the SDK's own forms.
"""

from typing import Annotated, Literal

from pydantic import Field

from ternary_license_server.web.bodies import Given, Space, Taken


class Signed(Taken):
    """A document signed by an installation, as the SDK writes it."""

    format: Literal["ternary-request/1", "ternary-request/2"]
    key: dict[str, str]
    request: str


class UsageReport(Taken):
    """A usage report signed by an installation."""

    format: Literal["ternary-usage/1", "ternary-usage/2", "ternary-usage/3", "ternary-usage/4"]
    key: dict[str, str]
    report: str


class Hold(Given):
    """A seat that was taken, renewed or given back."""

    id: str
    installation: str
    generation: int
    ends: int
    offline: bool
    renew_after: int | None


class LicensedHold(Hold):
    """A seat with the license that carries it."""

    license: Annotated[str, Field(description="A compact JWS of type ternary-license+jwt.")]


class Standing(Given):
    """A hold that stands."""

    id: str
    generation: int
    ends: int
    code: Literal["VALID"]


class Acknowledged(Given):
    """The set that came, or that a difference led to: the next report's base."""

    operations: int
    sha256: str


class Merged(Given):
    """What a usage report added."""

    id: str
    lease: str | None
    space: Space
    late: bool
    added: int
    operations: Annotated[int, Field(description="Of that space, in all.")]
    all_spaces: Annotated[int, Field(description="Of all spaces together.")]
    quota: int | None
    lost: int
    restarted: bool
    acknowledged: Acknowledged


class MergedList(Given):
    """What a handed-in revocation list changed."""

    list: int | None
    revoked_licenses: int
    lost_seats: int
    kept_names: int
