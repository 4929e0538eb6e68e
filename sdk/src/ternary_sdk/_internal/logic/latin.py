"""
Latin operations: Latin squares, cubes and so on, in which each input alone permutes the values.

The layers of such a table, one for each value of the first input, are Latin operations of the other inputs of
which no two agree in any cell. Their numbers are small enough to list them: 576 in (4, 2), 161,280 in (5, 2).
"""

import numpy as np
import numpy.typing as npt

from ternary_sdk._internal.logic.digit_counts import balanced
from ternary_sdk._internal.logic.ranked import Counted, Listed, Numbers
from ternary_sdk._internal.logic.ties import Ties
from ternary_sdk.space import Space

__all__ = ["latin"]


def latin(space: Space) -> Counted:
    """The Latin operations of a space, in ascending order; with one input, the permutations."""
    return balanced(Ties.none(space)) if space.inputs == 1 else Listed(space, _listed(space))


def _listed(space: Space) -> Numbers:
    """The indices of the Latin operations of two inputs or more, ascending."""
    smaller = Space(space.radix, space.inputs - 1)
    members = latin(smaller)
    layers = members.unrank(np.arange(members.size)).astype(np.int64)
    apart = _apart(smaller.from_index(layers))
    indices, free = np.zeros(1, np.int64), np.ones((1, len(layers)), np.bool_)
    for place in space.places[:: smaller.cells][::-1]:  # from the highest layer to the lowest
        begun, layer = np.nonzero(free)
        indices, free = indices[begun] + layers[layer] * place, free[begun] & apart[layer]
    return indices


def _apart(tables: npt.NDArray[np.int8]) -> npt.NDArray[np.bool_]:
    """Which pairs of layers agree in no cell, shape (n, n)."""
    apart: npt.NDArray[np.bool_] = (tables[:, None] != tables).all(axis=2)
    return apart
