"""
Properties as demands on cells: which cells they tie to each other, and which values they leave them.
"""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from ternary_sdk._internal.logic.ties import Map, Ties
from ternary_sdk.space import Space

__all__ = [
    "absorbing",
    "commutative",
    "constant",
    "given",
    "idempotent",
    "identity",
    "preserves",
    "self_dual",
]


def commutative(space: Space) -> Ties:
    """The inputs may be swapped; swaps of neighbours make all permutations."""
    cells, same = _numbered(space), np.arange(space.radix)
    swaps = [np.swapaxes(cells, axis, axis + 1).reshape(-1) for axis in range(space.inputs - 1)]
    return Ties(space, Ties.none(space).allowed, tuple(Map(swap, same) for swap in swaps))


def self_dual(space: Space) -> Ties:
    """Mirrored inputs give the mirrored value."""
    mirror = Map(np.arange(space.cells)[::-1], np.arange(space.radix)[::-1])
    return Ties(space, Ties.none(space).allowed, (mirror,))


def idempotent(space: Space) -> Ties:
    """Equal inputs give their own value."""
    digits = np.arange(space.radix)
    return given(space, _numbered(space)[(digits,) * space.inputs], digits)


def preserves(space: Space, digits: Iterable[int]) -> Ties:
    """Inputs among some digits give one of them."""
    kept = np.zeros(space.radix, np.bool_)
    kept[list(digits)] = True
    within = kept[np.indices((space.radix,) * space.inputs)].all(axis=0).reshape(-1)
    return Ties(space, np.where(within[:, None], kept, True))


def constant(space: Space, digit: int) -> Ties:
    """Every cell has one digit."""
    return given(space, np.arange(space.cells), np.full(space.cells, digit))


def identity(space: Space, digit: int) -> Ties:
    """One input of two that has this digit gives the other input."""
    cells, digits = _numbered(space), np.arange(space.radix)
    return given(space, cells[digit], digits) & given(space, cells[:, digit], digits)


def absorbing(space: Space, digit: int) -> Ties:
    """One input of two that has this digit gives this digit."""
    cells, same = _numbered(space), np.full(space.radix, digit)
    return given(space, cells[digit], same) & given(space, cells[:, digit], same)


def given(space: Space, cells: npt.ArrayLike, digits: npt.ArrayLike) -> Ties:
    """Some cells, each named once, have digits that are known; shapes (n,)."""
    allowed = np.ones((space.cells, space.radix), np.bool_)
    allowed[np.asarray(cells, np.intp)] = np.asarray(digits)[:, None] == np.arange(space.radix)
    return Ties(space, allowed)


def _numbered(space: Space) -> npt.NDArray[np.intp]:
    """The cells, with an axis for each input."""
    return np.arange(space.cells).reshape((space.radix,) * space.inputs)
