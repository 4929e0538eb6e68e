"""
How an operation runs along the lines of its table: one input varies, all others stand still.

Each function takes digits, values counted from 0 at the lowest, shape (n, cells), and gives a mask of shape
(n,).
"""

import numpy as np
import numpy.typing as npt

from ternary_sdk._internal.logic.conditions import Mask
from ternary_sdk._internal.logic.digits import Digits
from ternary_sdk.space import Space

__all__ = [
    "balanced",
    "column_reversible",
    "constant",
    "depends_on_all",
    "essentially_unary",
    "latin",
    "monotone",
    "reversible",
    "row_reversible",
    "surjective",
]


def _lines(digits: Digits, space: Space, place: int) -> Digits:
    """The lines along one input, counted from 0: shape (n, lines, radix)."""
    cubes = digits.reshape((-1,) + (space.radix,) * space.inputs)
    return np.moveaxis(cubes, place + 1, -1).reshape(len(digits), space.cells // space.radix, space.radix)


def row_reversible(digits: Digits, space: Space) -> Mask:
    """Each row, along the last of two inputs, has every value once."""
    return reversible(digits, space, 1)


def column_reversible(digits: Digits, space: Space) -> Mask:
    """Each column, along the first of two inputs, has every value once."""
    return reversible(digits, space, 0)


def reversible(digits: Digits, space: Space, place: int) -> Mask:
    """Each line along one input, counted from 0, has every value once."""
    met: Mask = (np.sort(_lines(digits, space, place), axis=2) == np.arange(space.radix)).all(axis=(1, 2))
    return met


def latin(digits: Digits, space: Space) -> Mask:
    """Each line along every input has every value once."""
    met = np.ones(len(digits), np.bool_)
    for place in range(space.inputs):
        met &= reversible(digits, space, place)
    return met


def monotone(digits: Digits, space: Space) -> Mask:
    """No line falls."""
    met = np.ones(len(digits), np.bool_)
    for place in range(space.inputs):
        met &= (np.diff(_lines(digits, space, place), axis=2) >= 0).all(axis=(1, 2))
    return met


def constant(digits: Digits, space: Space) -> Mask:
    """The result depends on no input."""
    met: Mask = _dependences(digits, space) == 0
    return met


def essentially_unary(digits: Digits, space: Space) -> Mask:
    """The result depends on one input."""
    met: Mask = _dependences(digits, space) == 1
    return met


def depends_on_all(digits: Digits, space: Space) -> Mask:
    """The result depends on every input."""
    met: Mask = _dependences(digits, space) == space.inputs
    return met


def _dependences(digits: Digits, space: Space) -> npt.NDArray[np.intp]:
    """On how many inputs the result depends, shape (n,)."""
    count = np.zeros(len(digits), np.intp)
    for place in range(space.inputs):
        along = _lines(digits, space, place)
        count += (along != along[:, :, :1]).any(axis=(1, 2))
    return count


def balanced(digits: Digits, space: Space) -> Mask:
    """Every value equally often."""
    each, met = space.cells // space.radix, np.ones(len(digits), np.bool_)
    for digit in range(space.radix):
        met &= np.count_nonzero(digits == digit, axis=1) == each
    return met


def surjective(digits: Digits, space: Space) -> Mask:
    """Every value at least once."""
    met = np.ones(len(digits), np.bool_)
    for digit in range(space.radix):
        met &= (digits == digit).any(axis=1)
    return met
