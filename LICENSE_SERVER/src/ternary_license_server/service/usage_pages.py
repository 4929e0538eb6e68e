"""
Usage of a period, page by page: the lines of licenses, then those of customers, then the flags.

A page goes on after the last row of the one before, by what the row is of. So it takes no more memory than
its rows, and no row is left out or told twice when others come in between.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any, Final

from ternary_license_server.database.transaction import Transaction
from ternary_license_server.service import customer_usage, invoicing
from ternary_sdk._internal.documents.canonical import Json


@dataclass(frozen=True, kw_only=True)
class Asked:
    """Whose usage of which period."""

    start: datetime
    end: datetime
    """Not included."""
    license_id: str | None = None
    customer: str | None = None


@dataclass(frozen=True, kw_only=True)
class Place:
    """The last row of a page."""

    part: str
    """A key of PARTS."""
    row: tuple[str, ...]
    """What the row is of, as ``PARTS`` says."""


@dataclass(frozen=True, kw_only=True)
class Page:
    """Some rows of each part."""

    rows: dict[str, list[Json]]
    """By part; each is there."""
    next: Place | None
    """Where the next page begins; None if there is none."""


PARTS: Final[dict[str, tuple[str, ...]]] = {
    "lines": ("customer", "license", "space"),
    "customers": ("customer", "space"),
    "flagged": ("license", "installation", "customer", "space"),
}
"""The parts in their order, each with the members that order its rows: no two rows have the same."""
_Rows = Callable[..., Iterator[dict[str, Json]]]


def page(transaction: Transaction, asked: Asked, *, after: Place | None, limit: int) -> Page:
    """A page of at most ``limit`` rows, of all parts together."""
    found: dict[str, list[Json]] = {part: [] for part in PARTS}
    names = list(PARTS)
    left = limit
    for part in names[names.index(after.part) if after else 0 :]:
        row = after.row if after is not None and after.part == part else None
        rows = list(islice(_ROWS[part](transaction, after=row, limit=left, **vars(asked)), left))
        found[part] += rows
        left -= len(rows)
        if not left:
            last: Any = rows[-1]
            return Page(rows=found, next=Place(part=part, row=tuple(last[name] for name in PARTS[part])))
    return Page(rows=found, next=None)


def _lines(transaction: Transaction, **asked: Any) -> Iterator[dict[str, Json]]:
    return (line.facts() for line in invoicing.lines(transaction, **asked))


def _customers(transaction: Transaction, **asked: Any) -> Iterator[dict[str, Json]]:
    return (line.facts() for line in customer_usage.customer_lines(transaction, **asked))


_ROWS: Final[dict[str, _Rows]] = {
    "lines": _lines,
    "customers": _customers,
    "flagged": invoicing.flagged,
}
