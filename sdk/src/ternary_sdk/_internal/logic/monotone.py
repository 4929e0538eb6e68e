"""
Monotone operations: where no input falls, the value does not fall.

The table of such an operation is a chain of layers, one for each value of the first input: each layer is a
monotone operation of the other inputs, and is nowhere above the next. There are 24,696 in (4, 2), 211,250 in
(3, 3), and 7,581 in (2, 5), a Dedekind number.
"""

import numpy as np
import numpy.typing as npt

from ternary_sdk._internal.logic.steps import Step, Steps
from ternary_sdk.space import Space

__all__ = ["monotone"]


def monotone(space: Space) -> Steps:
    """The monotone operations of a space, in ascending order."""
    layers = _layers(space)
    numbers = np.arange(len(layers))
    below = (layers <= layers[:, None]).all(axis=2)  # row: the layer above; column: the layer below
    weights = layers.astype(np.int64) @ space.places[: layers.shape[1]]
    highest, *others = space.places[:: layers.shape[1]][::-1].tolist()
    first = Step(numbers[None], weights * highest)
    after = np.where(below, numbers, -1)
    return Steps(space, [first, *(Step(after, weights * place) for place in others)], numbers >= 0)


def _layers(space: Space) -> npt.NDArray[np.int8]:
    """The digits of all monotone operations of one input less, ascending, shape (n, cells / radix)."""
    if space.inputs == 1:
        return np.arange(space.radix, dtype=np.int8)[:, None]
    smaller = Space(space.radix, space.inputs - 1)
    members = monotone(smaller)
    return smaller.from_index(members.unrank(np.arange(members.size))) - np.int8(smaller.lowest)
