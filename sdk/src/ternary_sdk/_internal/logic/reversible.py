"""
Operations of which one input is known from the result and the other inputs.

Each line of the table along that input is then a permutation of the values, whatever the other lines are.
"""

from itertools import permutations

import numpy as np

from ternary_sdk._internal.logic.digit_counts import balanced
from ternary_sdk._internal.logic.ranked import Counted, Product
from ternary_sdk._internal.logic.ties import Ties
from ternary_sdk.space import Space

__all__ = ["reversible"]


def reversible(space: Space, place: int) -> Counted:
    """The operations that are reversible in one input, counted from 0.

    The lines are chosen one by one, the line of the highest cell first. For the last input, whose lines are
    runs of cells, the indices ascend with the rank.
    """
    if space.inputs == 1:
        return balanced(Ties.none(space))
    cubes = np.arange(space.cells).reshape((space.radix,) * space.inputs)
    lines = np.moveaxis(cubes, place, -1).reshape(-1, space.radix)[::-1]
    digits = np.array(list(permutations(range(space.radix))), np.int64)
    return Product(space, [np.sort(digits @ space.places[line]) for line in lines])
