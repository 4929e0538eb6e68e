"""
What a license allows and for how long: the terms that a policy states and every license of it copies.

The columns of both tables have these names; this module is the only place that turns them into a row and
back. Durations are whole seconds there.
"""

from dataclasses import dataclass, fields
from datetime import timedelta
from typing import Any

from sqlalchemy import RowMapping

from ternary_sdk.documents.canonical import Json


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
    }


def whole_seconds(duration: timedelta) -> int:
    """A duration as rows and JSON have it."""
    return int(duration.total_seconds())
