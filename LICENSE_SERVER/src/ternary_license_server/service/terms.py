"""
What a license allows and for how long: the terms that a policy states and every license of it copies.

The columns of both tables have these names; this module is the only place that turns them into a row and
back. Durations are whole seconds there.
"""

from dataclasses import dataclass, fields
from datetime import timedelta
from typing import Any

from sqlalchemy import RowMapping

from ternary_sdk._internal.documents.canonical import Json
from ternary_sdk._internal.identity import VersionRange, format_version, parse_version
from ternary_sdk.errors import InputError


@dataclass(frozen=True, kw_only=True)
class Terms:
    """What policies and licenses have in common."""

    product: str
    entitlements: tuple[str, ...]
    seats: int | None
    """How many installations may hold a license at once; None any number."""
    unique_operations: int | None
    """The quota; None without."""
    lease: timedelta
    """How long a client goes without asking before it should renew."""
    grace: timedelta
    """How much longer it may go on if the server does not answer; its seat stays taken."""
    offline: timedelta
    """How long a machine without a network may hold a seat; zero if it may not."""
    trial: bool
    """Whether a customer gets only one of them for the product, ever."""
    versions: VersionRange | None = None
    """Which versions of the product it is for; None for every release of it."""

    def copied(self) -> dict[str, Any]:
        """These terms as arguments, for another object that has them."""
        return {field.name: getattr(self, field.name) for field in fields(Terms)}

    def term_columns(self) -> dict[str, Json]:
        """These terms as they stand in a row."""
        return {
            "product": self.product,
            "entitlements": ",".join(sorted(set(self.entitlements))),
            "seats": self.seats,
            "unique_operations": self.unique_operations,
            "lease": whole_seconds(self.lease),
            "grace": whole_seconds(self.grace),
            "offline": whole_seconds(self.offline),
            "trial": self.trial,
            "versions_from": format_version(self.versions.start) if self.versions else None,
            "versions_below": format_version(self.versions.below) if self.versions else None,
        }


def read(row: RowMapping) -> dict[str, Any]:
    """The terms in a row, as arguments. Inverse of ``term_columns``."""
    return {
        "product": row["product"],
        "entitlements": tuple(row["entitlements"].split(",")),
        "seats": row["seats"],
        "unique_operations": row["unique_operations"],
        "lease": timedelta(seconds=row["lease"]),
        "grace": timedelta(seconds=row["grace"]),
        "offline": timedelta(seconds=row["offline"]),
        "trial": row["trial"],
        "versions": versions(row["product"], row["versions_from"], row["versions_below"]),
    }


def versions(product: str, start: str | None, below: str | None) -> VersionRange | None:
    """A range of a product's versions, from 0.0.0 where no start is given; None if neither end is.

    Raises:
        InputError: If there is a start without an end, or no version between them.
    """
    if below is None:
        if start is not None:
            raise InputError(f"product {product}: versions from {start} need an end that they are below")
        return None
    return VersionRange(name=product, start=parse_version(start or "0.0.0"), below=parse_version(below))


def whole_seconds(duration: timedelta) -> int:
    """A duration as rows and JSON have it."""
    return int(duration.total_seconds())
