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

from ternary_sdk.operations import TABLES, OperationSet

Family = Literal[
    "commutative", "self-dual", "essentially-unary", "monotone", "idempotent", "balanced", "non-surjective"
]
FAMILIES: Final[tuple[Family, ...]] = get_args(Family)


def members(family: Family) -> OperationSet:
    """The operations of a family."""
    return _members()[family]


@cache
def _members() -> Mapping[Family, OperationSet]:
    # An operation f(a, b) has trit 3·(a+1) + (b+1), so a table's rows are of equal a, its columns of equal b.
    square, mirrored = TABLES.reshape(-1, 3, 3), -TABLES[:, ::-1]
    counts = (TABLES[:, :, None] == np.array([-1, 0, 1])).sum(axis=1)
    over_a, over_b = np.diff(square, axis=1), np.diff(square, axis=2)
    masks: dict[Family, npt.NDArray[np.bool_]] = {
        "commutative": (square == square.transpose(0, 2, 1)).all(axis=(1, 2)),
        "self-dual": (mirrored == TABLES).all(axis=1),
        "essentially-unary": (over_a == 0).all(axis=(1, 2)) | (over_b == 0).all(axis=(1, 2)),
        "monotone": np.logical_and((over_a >= 0).all(axis=(1, 2)), (over_b >= 0).all(axis=(1, 2))),
        "idempotent": (np.diagonal(square, axis1=1, axis2=2) == [-1, 0, 1]).all(axis=1),
        "balanced": (counts == 3).all(axis=1),
        "non-surjective": (counts == 0).any(axis=1),
    }
    return {name: OperationSet(mask) for name, mask in masks.items()}
