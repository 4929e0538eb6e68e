"""
Families: operations that share a structure, by the terms of many-valued logic.

Recipes name them to hold one out as a whole, and reports count each apart. A family that changes its members
makes the runs that held it out incomparable.
"""

from collections.abc import Mapping
from functools import cache
from typing import Final, Literal, get_args

import numpy as np
import numpy.typing as npt

from ternary_sdk.errors import InputError
from ternary_sdk.operations import OperationSet
from ternary_sdk.space import TERNARY_2, Space

Family = Literal[
    "commutative", "self-dual", "essentially-unary", "monotone", "idempotent", "balanced", "non-surjective"
]
FAMILIES: Final[tuple[Family, ...]] = get_args(Family)
_OF_SEVERAL_INPUTS: Final[tuple[Family, ...]] = ("commutative", "essentially-unary")


def members(family: Family, space: Space = TERNARY_2) -> OperationSet:
    """The operations of a family.

    Raises:
        InputError: If the space is vast, or the family is not defined in it.
    """
    if family not in defined(space):
        raise InputError(f"family '{family}': needs two inputs or more, operations of {space} have one")
    return _members(space)[family]


def defined(space: Space) -> tuple[Family, ...]:
    """The families that a space has: some compare inputs, and so need two."""
    return tuple(family for family in FAMILIES if space.inputs > 1 or family not in _OF_SEVERAL_INPUTS)


@cache
def _members(space: Space) -> Mapping[Family, OperationSet]:
    # Cells as an array with an axis for each input, the last input's last: f(a, b) is in row a and column b.
    tables, inputs = space.tables, range(1, space.inputs + 1)
    arrays = tables.reshape(-1, *[space.radix] * space.inputs)
    complement = space.values[0] + space.values[-1] - tables[:, ::-1]
    counts = np.stack([(tables == value).sum(axis=1) for value in space.values], axis=1)
    changes = {axis: np.diff(arrays, axis=axis) for axis in inputs}
    constant = np.stack([_all(changes[axis] == 0) for axis in inputs])
    diagonal = tables[:, np.arange(space.radix) * sum(space.radix**k for k in range(space.inputs))]
    masks: dict[Family, npt.NDArray[np.bool_]] = {
        "commutative": np.logical_and.reduce(
            [_all(arrays == arrays.swapaxes(axis, axis + 1)) for axis in inputs[:-1]]
        ),
        "self-dual": _all(complement == tables),
        "essentially-unary": constant.sum(axis=0) >= space.inputs - 1,
        "monotone": np.logical_and.reduce([_all(changes[axis] >= 0) for axis in inputs]),
        "idempotent": _all(diagonal == np.array(space.values)),
        "balanced": (counts == space.cells // space.radix).all(axis=1),
        "non-surjective": (counts == 0).any(axis=1),
    }
    return {name: OperationSet(masks[name], space) for name in defined(space)}


def _all(found: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Of each operation, the first axis, whether all is found."""
    every: npt.NDArray[np.bool_] = np.logical_and.reduce(found.reshape(len(found), -1), axis=1)
    return every
