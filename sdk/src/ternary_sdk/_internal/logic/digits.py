"""
Truth tables in digits: each value's place among the values, from 0 at the lowest.

What an operation must be is decided on digits, so that no rule depends on how a radix writes its values.
"""

import numpy as np
import numpy.typing as npt

from ternary_sdk.space import Space

__all__ = ["Digits", "digits_of"]

Digits = npt.NDArray[np.int8]


def digits_of(tables: npt.ArrayLike, space: Space) -> Digits:
    """The digits of truth tables, shape (n, cells).

    Raises:
        InputError: If the shape is wrong or an entry is none of the values.
    """
    return space.as_tables(tables) - np.int8(space.lowest)
