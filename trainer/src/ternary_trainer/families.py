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

from ternary_sdk import logic
from ternary_sdk.errors import InputError
from ternary_sdk.logic import Condition
from ternary_sdk.operations import OperationSet
from ternary_sdk.space import TERNARY_2, Space, Tables

Family = Literal[
    "commutative", "self-dual", "essentially-unary", "monotone", "idempotent", "balanced", "non-surjective"
]
FAMILIES: Final[tuple[Family, ...]] = get_args(Family)
Mask = npt.NDArray[np.bool_]

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


def belongs(family: Family, tables: Tables, space: Space) -> Mask:
    """Which operations are in a family that is defined in their space, bool, shape (n,).

    Args:
        family: One of ``defined``.
        tables: Values, shape (n, cells), also of a vast space.
        space: That the operations are of.
    """
    return _CONDITIONS[family].holds(tables, space)


@cache
def _members(space: Space) -> Mapping[Family, OperationSet]:
    return {name: OperationSet(belongs(name, space.tables, space), space) for name in defined(space)}


_CONDITIONS: Final[Mapping[Family, Condition]] = {
    "commutative": logic.commutative,
    "self-dual": logic.self_dual,
    "essentially-unary": logic.essentially_unary | logic.constant,
    "monotone": logic.monotone,
    "idempotent": logic.idempotent,
    "balanced": logic.balanced,
    "non-surjective": ~logic.surjective,
}
"""A constant depends on one input or fewer, so it counts as essentially unary here."""
