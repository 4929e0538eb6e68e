"""
Families: operations that share a structure, by the terms of many-valued logic.

Recipes name them to hold one out as a whole, and reports count each apart. A family that changes its members
makes the runs that held it out incomparable.
"""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Final, Literal, get_args

import numpy as np
import numpy.typing as npt

from ternary_sdk.errors import InputError
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
    return _PREDICATES[family](tables, space)


@cache
def _members(space: Space) -> Mapping[Family, OperationSet]:
    return {name: OperationSet(belongs(name, space.tables, space), space) for name in defined(space)}


def _arrays(tables: Tables, space: Space) -> Tables:
    """Cells with an axis for each input, the last input's last: f(a, b) is in row a and column b."""
    return tables.reshape(-1, *[space.radix] * space.inputs)


def _changes(tables: Tables, space: Space) -> list[Tables]:
    """From each value of an input to the next, for each input."""
    return [np.diff(_arrays(tables, space), axis=axis) for axis in range(1, space.inputs + 1)]


def _commutative(tables: Tables, space: Space) -> Mask:
    arrays = _arrays(tables, space)
    swapped = [arrays.swapaxes(axis, axis + 1) for axis in range(1, space.inputs)]
    return _and([_all(arrays == other) for other in swapped])


def _self_dual(tables: Tables, space: Space) -> Mask:
    return _all(space.values[0] + space.values[-1] - tables[:, ::-1] == tables)


def _essentially_unary(tables: Tables, space: Space) -> Mask:
    constant = sum(_all(change == 0).astype(np.int64) for change in _changes(tables, space))
    few: Mask = np.greater_equal(constant, space.inputs - 1)
    return few


def _monotone(tables: Tables, space: Space) -> Mask:
    return _and([_all(change >= 0) for change in _changes(tables, space)])


def _idempotent(tables: Tables, space: Space) -> Mask:
    diagonal = tables[:, np.arange(space.radix) * sum(space.radix**k for k in range(space.inputs))]
    return _all(diagonal == np.array(space.values))


def _balanced(tables: Tables, space: Space) -> Mask:
    return _all(_counts(tables, space) == space.cells // space.radix)


def _non_surjective(tables: Tables, space: Space) -> Mask:
    return ~_all(_counts(tables, space) > 0)


_PREDICATES: Final[Mapping[Family, Callable[[Tables, Space], Mask]]] = {
    "commutative": _commutative,
    "self-dual": _self_dual,
    "essentially-unary": _essentially_unary,
    "monotone": _monotone,
    "idempotent": _idempotent,
    "balanced": _balanced,
    "non-surjective": _non_surjective,
}


def _counts(tables: Tables, space: Space) -> npt.NDArray[np.int64]:
    """How often each value is an answer, shape (n, radix)."""
    return np.stack([(tables == value).sum(axis=1) for value in space.values], axis=1)


def _and(masks: list[Mask]) -> Mask:
    every: Mask = np.logical_and.reduce(masks)
    return every


def _all(found: npt.NDArray[np.bool_]) -> Mask:
    """Of each operation, the first axis, whether all is found."""
    return _and(list(found.reshape(len(found), -1).T))
