"""
Which operations generate all others: the Sheffer functions of a space.

An operation on a finite set generates every operation on it exactly when it keeps no proper subset, no
permutation but the identity and no partition but the two trivial ones (Rousseau, 1967). Each function takes
digits, values counted from 0 at the lowest, shape (n, cells), and gives a mask, shape (n,).
"""

from collections.abc import Callable, Iterator
from functools import partial
from itertools import combinations, permutations, product

import numpy as np
import numpy.typing as npt

from ternary_sdk._internal.logic.conditions import Mask
from ternary_sdk._internal.logic.digits import Digits
from ternary_sdk.space import Space

__all__ = ["complete", "preserves"]


def complete(digits: Digits, space: Space) -> Mask:
    """Every operation on the values, of any number of inputs, is a formula of it alone."""
    met = np.zeros(len(digits), np.bool_)
    if space.inputs == 1:  # none is; and a radix of 15 has 15! permutations
        return met
    left = np.arange(len(digits))
    for keeps in _invariants(space):
        left = left[~keeps(digits[left], space)]
    met[left] = True
    return met


def preserves(digits: Digits, space: Space, subset: tuple[int, ...]) -> Mask:
    """Inputs from the subset, given as digits, give a result in it."""
    cells = np.flatnonzero(np.isin(_inputs(space), subset).all(axis=1))
    met: Mask = np.count_nonzero(~np.isin(digits[:, cells], subset), axis=1) == 0
    return met


def _invariants(space: Space) -> Iterator[Callable[[Digits, Space], Mask]]:
    values = range(space.radix)
    for size in range(1, space.radix):
        for subset in combinations(values, size):
            yield partial(preserves, subset=subset)
    for order in permutations(values):
        if order != tuple(values):
            yield partial(_commutes, order=order)
    for parts in product(values, repeat=space.radix):
        if _numbered_in_order(parts) and 1 < max(parts) + 1 < space.radix:
            yield partial(_respects, parts=parts)


def _commutes(digits: Digits, space: Space, order: tuple[int, ...]) -> Mask:
    """f(p(x), …) = p(f(x, …)) for the permutation p."""
    relabelled = np.array(order, np.int8)
    places = space.radix ** np.arange(space.inputs)[::-1]
    met: Mask = (digits[:, relabelled[_inputs(space)] @ places] == relabelled[digits]).all(axis=1)
    return met


def _respects(digits: Digits, space: Space, parts: tuple[int, ...]) -> Mask:
    """The inputs' parts alone decide the result's part; ``parts`` has the part of each value."""
    part = np.array(parts, np.int8)
    _, first, group = np.unique(part[_inputs(space)], axis=0, return_index=True, return_inverse=True)
    found = part[digits]
    met: Mask = (found == found[:, first[group.reshape(-1)]]).all(axis=1)
    return met


def _numbered_in_order(parts: tuple[int, ...]) -> bool:
    """Whether parts are numbered as they first appear, so that each partition is met once."""
    seen = list(dict.fromkeys(parts))
    return seen == list(range(len(seen)))


def _inputs(space: Space) -> npt.NDArray[np.intp]:
    """The digits of the inputs of each cell, shape (cells, inputs)."""
    return np.indices((space.radix,) * space.inputs).reshape(space.inputs, -1).T
