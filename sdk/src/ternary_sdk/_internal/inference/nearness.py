"""
Nearness of operations in a model's latent space, and the straight walk from one operation to another.

The latent of an operation is its witness: in a vast space its posterior mean, if that decodes to it clearly.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt

from ternary_sdk._internal.inference.drawing import Draws
from ternary_sdk._internal.inference.runtime import Decoded, Decoder, Floats
from ternary_sdk._internal.logic.nearness import Neighbours, hamming, within
from ternary_sdk.errors import CoverageError
from ternary_sdk.space import TERNARY_2, Indices, Space, Tables

RADIUS: Final = 2
"""In how many cells an operation of a vast space may differ to be compared by latent."""

_AT_ONCE: Final = 1 << 16


@dataclass(frozen=True, kw_only=True, eq=False)
class Walk:
    """The operations on the straight line between the latents of two, each at its clearest point.

    The first row is at the start of the line and the last row at its end.
    """

    start: int
    """The canonical index of the first operation, which is row 0."""

    end: int
    """The canonical index of the last operation, which is the last row."""

    index: Indices
    """Canonical indices, no two neighbours equal, shape (n,)."""

    t: npt.NDArray[np.float64]
    """How far along the line its clearest point is, 0 at the start and 1 at the end, shape (n,)."""

    margin: Floats
    """How clearly the latent there decodes to it, shape (n,)."""

    latents: Floats
    """The latent there, shape (n, latent_size)."""

    from_start: npt.NDArray[np.int64]
    """In how many cells it differs from the first operation, shape (n,)."""

    to_end: npt.NDArray[np.int64]
    """In how many cells it differs from the last operation, shape (n,)."""

    path: str
    """The path that decoded it."""

    space: Space = TERNARY_2
    """What they are operations of."""

    @property
    def operations(self) -> Tables:
        """Truth tables, values of the space, shape (n, cells)."""
        return self.space.from_index(self.index)

    def __len__(self) -> int:
        return len(self.index)


def nearest(index: int, k: int, draws: Draws) -> Neighbours:
    """The operations whose latents are nearest to the latent of one, by Euclidean distance.

    Args:
        index: A canonical index.
        k: How many, at least 1.
        draws: Gives the witnesses. In a listed space all of them are compared, in a vast space those of
            operations that differ in at most two cells.
    Raises:
        CoverageError: If the operation has no witness, or fewer than ``k`` others that are compared have one.
    """
    space, middle = draws.space, witness(index, draws)
    reached = draws.reached
    others = within(index, RADIUS, space) if reached is None else reached.indices
    others = others[others != index]
    kept, parts = [], []
    for start in range(0, len(others), _AT_ONCE):
        found, latents = draws.witnessed(others[start : start + _AT_ONCE])
        kept.append(others[start : start + _AT_ONCE][found])
        parts.append(np.linalg.norm(latents[found].astype(np.float64) - middle, axis=1))
    compared, distances = np.concatenate([others[:0], *kept]), np.concatenate([np.empty(0), *parts])
    if k > len(compared):
        where = "" if reached is not None else f" that differ in at most {RADIUS} cells"
        raise CoverageError(f"k: {k:,}, but the model reaches only {len(compared):,} other operations{where}")
    first = np.argsort(distances, kind="stable")[:k]
    chosen = compared[first]
    return Neighbours(
        of=index,
        index=chosen,
        hamming=hamming(index, chosen, space),
        latent=distances[first],
        compared=len(compared),
        space=space,
    )


def walk(start: int, end: int, steps: int, draws: Draws, decoder: Decoder, path: str) -> Walk:
    """Decode the points of the straight line between the latents of two operations.

    Args:
        start: A canonical index.
        end: A canonical index.
        steps: Into how many equal parts the line is cut, at least 1: ``steps + 1`` points are decoded.
        draws: Gives the witnesses of both.
        decoder: Decodes the points.
        path: Its letter.
    Raises:
        CoverageError: If one of the two operations has no witness.
    """
    first, last = witness(start, draws), witness(end, draws)
    t = np.arange(steps + 1) / steps
    latents = ((1 - t)[:, np.newaxis] * first + t[:, np.newaxis] * last).astype(np.float32)
    found = decoder.decode(latents)
    points = _clearest(found)
    index, space = found.index[points], draws.space
    return Walk(
        start=start,
        end=end,
        index=index,
        t=t[points],
        margin=found.margin[points],
        latents=latents[points],
        from_start=hamming(start, index, space),
        to_end=hamming(end, index, space),
        path=path,
        space=space,
    )


def _clearest(found: Decoded) -> npt.NDArray[np.intp]:
    """One point of each stretch of equal operations: the clearest, but both ends of the line."""
    entered = [*np.flatnonzero(np.diff(found.index, prepend=-1)), len(found.index)]
    points = [a + int(np.argmax(found.margin[a:b])) for a, b in pairwise(entered)]
    points[0] = 0
    if len(points) > 1:
        points[-1] = len(found.index) - 1
    return np.array(points)


def witness(index: int, draws: Draws) -> Floats:
    """The latent of one operation, shape (latent_size,).

    Raises:
        CoverageError: If it has none.
    """
    draws.expect_witnesses(f"operation {index}")
    found, latents = draws.witnessed(draws.space.as_indices([index]))
    if not found[0]:
        raise CoverageError(f"operation {index}: the model does not reach it, so it has no latent")
    one: Floats = latents[0]
    return one
