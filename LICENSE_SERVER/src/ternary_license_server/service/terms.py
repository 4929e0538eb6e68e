"""
What a license allows and for how long: the terms that a policy states and every license of it copies.

The columns of both tables have these names; this module is the only place that turns them into a row and
back. Durations are whole seconds there.
"""

from dataclasses import dataclass, fields
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import RowMapping

from ternary_license_server.service.refusals import Code, ServiceError
from ternary_sdk._internal.documents.canonical import SAFE_INTEGER, Json
from ternary_sdk._internal.identity import VersionRange, format_version, parse_version
from ternary_sdk._internal.licensing.claims import ACTIONS, FEATURE, MAX_FEATURES
from ternary_sdk._internal.pricing.price_list import MOST_AMOUNT
from ternary_sdk.errors import InputError

MOST_SEATS: Final = 1_000_000
MOST_OPERATIONS: Final = SAFE_INTEGER
"""Largest quota: it counts the operations of all spaces together, and must fit into JSON."""
_OVERAGE: Final = ("overage_seats", "overage_operations", "overage_amount", "overage_per")


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
    perpetual: bool = False
    """Whether the versions that were released until its end stay usable for ever."""
    overage_seats: int | None = None
    """How many installations may hold a license at once if more are needed than agreed; None: no more."""
    overage_operations: int | None = None
    """How many different operations may be returned if more are needed than the quota; None: no more."""
    overage_amount: int | None = None
    """What ``overage_per`` operations beyond the quota cost, in minor units; None: by the price list."""
    overage_per: int | None = None
    """How many operations the amount is for."""

    @property
    def most_seats(self) -> int | None:
        """Seats with their overage."""
        return self.seats if self.overage_seats is None else self.overage_seats

    @property
    def most_operations(self) -> int | None:
        """The quota with its overage: how many operations machines may return."""
        return self.unique_operations if self.overage_operations is None else self.overage_operations

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
            "perpetual": self.perpetual,
            "overage_seats": self.overage_seats,
            "overage_operations": self.overage_operations,
            "overage_amount": self.overage_amount,
            "overage_per": self.overage_per,
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
        "perpetual": bool(row["perpetual"]),
        **{name: row[name] for name in _OVERAGE},
    }


def check(terms: Terms, what: str) -> None:
    """Refuse terms that no policy and no license can have.

    Args:
        terms: What is to be agreed.
        what: Whose, for the refusal: ``policy floating``.
    Raises:
        ServiceError: INVALID.
    """
    _check_entitlements(terms, what)
    _check_overage(terms, what)
    if terms.versions is not None and terms.versions.name != terms.product:
        raise invalid(what, "versions", f"of {terms.versions.name}, expected of {terms.product}")
    if terms.perpetual and terms.trial:
        raise invalid(what, "perpetual", "a trial ends; no version of it stays usable")


def _check_entitlements(terms: Terms, what: str) -> None:
    names = set(terms.entitlements)
    features = {name for name in names if FEATURE.fullmatch(name)}
    if not names & set(ACTIONS) or names - features - set(ACTIONS) or len(features) > MAX_FEATURES:
        raise invalid(
            what,
            "entitlements",
            f"expected some of encode, decode, sample, and at most {MAX_FEATURES} names such as x-export",
        )


def _check_overage(terms: Terms, what: str) -> None:
    """Numbers in their ranges, and ceilings above what they exceed."""
    for name, ceiling, most in (
        ("seats", "overage_seats", MOST_SEATS),
        ("unique_operations", "overage_operations", MOST_OPERATIONS),
    ):
        agreed, upper = getattr(terms, name), getattr(terms, ceiling)
        top = "1000000" if name == "seats" else "2^53 - 1"
        if agreed is not None and not 1 <= agreed <= most:
            raise invalid(what, name, f"expected 1 to {top}, or none")
        if upper is not None and agreed is None:
            raise invalid(what, ceiling, f"needs {name}: without them nothing is exceeded")
        if upper is not None and not agreed < upper <= most:
            raise invalid(what, ceiling, f"expected more than {name}, {agreed}, and at most {top}")
    amount, per = terms.overage_amount, terms.overage_per
    if (amount is None) is not (per is None):
        raise invalid(what, "overage_amount", "an amount and the number of operations that it is for")
    if amount is not None and terms.overage_operations is None:
        raise invalid(what, "overage_amount", "needs overage_operations, up to which there is overage")
    if amount is not None and not (0 <= amount <= MOST_AMOUNT and 1 <= (per or 0) <= MOST_OPERATIONS):
        raise invalid(what, "overage_amount", f"expected 0 to {MOST_AMOUNT} minor units for 1 or more")


def invalid(what: str, member: str, why: str) -> ServiceError:
    """The refusal of a term."""
    return ServiceError(Code.INVALID, f"{what}: {member}: {why}")


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
