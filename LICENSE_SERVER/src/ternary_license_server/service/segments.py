"""
Sets of vast spaces, kept as segments: each a run of ascending numbers as gaps, none changed once written.

A segment is named by the digest of its bytes and belongs to a license. Sets of that license that grow alike,
such as what a lease reported and what its customer is billed for, name the same segments, so they are stored
and decoded once. The segments of one set are disjoint. What is added to a set is one more segment; small ones
are merged as they come, so a set has few, and none is written anew once it has ``LARGEST`` operations.

Every writer has the license's row locked.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

import numpy as np
from sqlalchemy import and_, bindparam, delete, exists, insert, select

from ternary_license_server.database.schema import segment_uses, segments
from ternary_license_server.database.transaction import Transaction
from ternary_sdk._internal.documents import gaps
from ternary_sdk._internal.licensing.decoded import Decoded
from ternary_sdk.operations import OperationSet
from ternary_sdk.space import Space

LARGEST: Final = 1 << 21
"""Operations of a segment that is never merged with another; some 6 MB of (3, 3)."""
DECODED: Final[Decoded[OperationSet]] = Decoded()

_USE: Final = segment_uses.c
_THIS: Final = and_(
    _USE.license == bindparam("of_license"),
    _USE.holder == bindparam("of_holder"),
    _USE.role == bindparam("of_role"),
    _USE.space == bindparam("of_space"),
)
_NAMED: Final = (
    select(segments.c.sha256, segments.c.operations)
    .join(segment_uses, and_(_USE.license == segments.c.license, _USE.sha256 == segments.c.sha256))
    .where(_THIS)
    .order_by(_USE.number)
)
_GAPS: Final = select(segments.c.gaps).where(
    segments.c.license == bindparam("of_license"), segments.c.sha256 == bindparam("of_segment")
)
_FORGET: Final = delete(segments).where(
    segments.c.license == bindparam("of_license"),
    segments.c.sha256.in_(bindparam("of_segments", expanding=True)),
    ~exists().where(_USE.license == segments.c.license, _USE.sha256 == segments.c.sha256),
)


class Role(StrEnum):
    """What a set is kept for."""

    REPORTED = "reported"
    """All that a lease ever reported."""
    BASE = "base"
    """What the next difference starts from, where that is not all that the lease ever reported."""
    EXCLUDED = "excluded"
    """What of a lease's reports counts no more."""
    METERED = "metered"
    """What a customer is billed for."""
    WEIGHED = "weighed"
    """What of that counts for the quota."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """Which set: one of a license, a space and a holder, in a role."""

    license: str
    holder: str
    """A customer's id, or an installation's thumbprint and a lease's number with a space between."""
    role: Role
    space: Space

    def named(self) -> dict[str, str]:
        """The parameters that name it in a query."""
        of = {"of_license": self.license, "of_holder": self.holder}
        return of | {"of_role": str(self.role), "of_space": str(self.space)}


@dataclass(frozen=True, kw_only=True)
class Segment:
    """A run of operations."""

    sha256: str
    """Of its gaps."""
    operations: int
    """How many it has."""


@dataclass(frozen=True, kw_only=True)
class Kept:
    """A set as it is kept."""

    place: Place
    segments: tuple[Segment, ...] = ()

    def __len__(self) -> int:
        return sum(segment.operations for segment in self.segments)


def find(transaction: Transaction, place: Place) -> Kept:
    """A set as it is kept; without segments if it is empty."""
    rows = transaction.execute(_NAMED, place.named())
    found = (Segment(sha256=row.sha256, operations=row.operations) for row in rows)
    return Kept(place=place, segments=tuple(found))


def load(transaction: Transaction, kept: Kept) -> OperationSet:
    """The operations of a set.

    Raises:
        FormatError: If a segment is damaged.
    """
    known = DECODED.find(_name(kept))
    if known is not None:
        return known
    runs = [_decoded(transaction, kept.place, segment) for segment in kept.segments]
    together = np.concatenate(runs) if runs else np.empty(0, np.int64)
    together.sort(kind="stable")  # merges runs that ascend
    return DECODED.keep(_name(kept), OperationSet.of(together, kept.place.space))


@dataclass(frozen=True, kw_only=True)
class Grown:
    """How a set grew."""

    before: Kept
    more: OperationSet
    after: Kept


def append(transaction: Transaction, kept: Kept, more: OperationSet, *, like: Grown | None = None) -> Grown:
    """Add operations to a set.

    Args:
        transaction: With the license's row locked.
        kept: The set as it is kept.
        more: Operations that it lacks.
        like: How another set of the same license and space grew. One that was alike and got the same
            operations stays alike, and nothing is written twice.
    """
    if like is not None and kept.segments == like.before.segments and more == like.more:
        return Grown(before=kept, more=more, after=copy(transaction, kept, like.after))
    if not len(more):
        return Grown(before=kept, more=more, after=kept)
    whole = load(transaction, kept) | more
    after = _append(transaction, kept, more)
    DECODED.keep(_name(after), whole)
    return Grown(before=kept, more=more, after=after)


def _append(transaction: Transaction, kept: Kept, more: OperationSet) -> Kept:
    """Write what is more as a segment, together with the last segments if they are not much larger."""
    runs, tail = [more.indices], list(kept.segments)
    while tail and tail[-1].operations < LARGEST and tail[-1].operations <= 2 * sum(map(len, runs)):
        runs.append(load(transaction, replace(kept, segments=(tail.pop(),))).indices)
    together = np.concatenate(runs)
    together.sort(kind="stable")
    return _put(transaction, kept, tail, [together])


def rewrite(transaction: Transaction, kept: Kept, operations: OperationSet) -> Kept:
    """Keep other operations in the place of a set.

    Args:
        transaction: With the license's row locked.
        kept: The set as it is kept.
        operations: All that it has from now on.
    """
    numbers = operations.indices
    runs = [numbers[start : start + LARGEST] for start in range(0, len(numbers), LARGEST)]
    return _put(transaction, kept, [], runs)


def copy(transaction: Transaction, kept: Kept, other: Kept) -> Kept:
    """Keep the operations of another set of the same license and space in the place of a set."""
    return _use(transaction, kept, other.segments)


def _put(transaction: Transaction, kept: Kept, stay: Iterable[Segment], runs: Iterable[gaps.Numbers]) -> Kept:
    """Keep some segments of a set and new ones after them."""
    written = [_write(transaction, kept.place, run) for run in runs]
    return _use(transaction, kept, (*stay, *written))


def _write(transaction: Transaction, place: Place, numbers: gaps.Numbers) -> Segment:
    data = gaps.encode(numbers)
    segment = Segment(sha256=hashlib.sha256(data).hexdigest(), operations=len(numbers))
    row = {"license": place.license, "sha256": segment.sha256, "operations": len(numbers), "gaps": data}
    transaction.execute(transaction.insert(segments).on_conflict_do_nothing(), row)
    alone = Kept(place=place, segments=(segment,))
    DECODED.keep(_name(alone), OperationSet.of(numbers, place.space))
    return segment


def _use(transaction: Transaction, kept: Kept, used: tuple[Segment, ...]) -> Kept:
    """Let a set have these segments, and forget those that no set has any more."""
    if used == kept.segments:
        return kept
    same = _alike(kept.segments, used)
    place = kept.place
    transaction.execute(delete(segment_uses).where(_THIS, _USE.number >= same), place.named())
    whose = {"license": place.license, "holder": place.holder, "role": place.role, "space": str(place.space)}
    rows = [
        whose | {"number": number, "sha256": segment.sha256}
        for number, segment in enumerate(used)
        if number >= same
    ]
    if rows:
        transaction.execute(insert(segment_uses), rows)
    if kept.segments[same:]:
        transaction.execute(_FORGET, _asked(kept, kept.segments[same:]))
    return replace(kept, segments=used)


def _alike(one: Sequence[Segment], other: Sequence[Segment]) -> int:
    """How many segments two sets begin with alike."""
    pairs = zip(one, other, strict=False)
    return next((number for number, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))


def _decoded(transaction: Transaction, place: Place, segment: Segment) -> gaps.Numbers:
    """The operations of one segment; asked for by itself, so that no connection is idle for long."""
    this = {"of_license": place.license, "of_segment": segment.sha256}
    data = bytes(transaction.execute(_GAPS, this).scalar_one())
    what = f"segment {segment.sha256[:12]}"
    return gaps.decode(data, below=place.space.size, most=segment.operations, what=what)


def _asked(kept: Kept, of: Iterable[Segment]) -> dict[str, object]:
    return {"of_license": kept.place.license, "of_segments": [segment.sha256 for segment in of]}


def _name(kept: Kept) -> tuple[Space, tuple[Segment, ...]]:
    return kept.place.space, kept.segments
