"""
Classes of operations that a designer takes for the same, and the least index of each.

A class is an orbit of a group. Each of its maps permutes the cells of a truth table and then relabels the
values in them. Let W_v be the sum of the place values of the cells where the permuted table has value v: the
permuted index is Σ v·W_v. Relabelled values need no maps of their own: the least Σ o(v)·W_v over all
relabellings o gives the greatest W the digit 0, the next the digit 1, and so on (rearrangement inequality).
"""

import math
from collections.abc import Callable, Iterator
from enum import StrEnum
from functools import cache
from itertools import permutations, product
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from ternary_sdk.space import TERNARY_2, Indices, Space

__all__ = ["Group", "class_size", "representatives"]

_AT_ONCE: Final = 1 << 22
"""Numbers of one product of tables and maps."""
_EXACT: Final = 1 << 53
"""The whole numbers that floats hold; products of floats are much faster."""


class Group(StrEnum):
    """What two operations of one class may differ in."""

    INPUTS = "inputs"
    """The order of the inputs."""
    NPN = "npn"
    """That, and negation of any input and of the output: its values in reverse order."""
    VALUES = "values"
    """That, and any relabelling of the values of each input and of the output, independently."""


_RELABELLINGS: Final[dict[Group, Callable[[tuple[int, ...]], list[tuple[int, ...]]]]] = {
    Group.INPUTS: lambda values: [values],
    Group.NPN: lambda values: [values, values[::-1]],
    Group.VALUES: lambda values: list(permutations(values)),
}
"""How the values of one input may be relabelled."""


def representatives(indices: npt.ArrayLike, space: Space = TERNARY_2, group: Group = Group.NPN) -> Indices:
    """The class of each operation, named by the least index in it.

    Args:
        indices: Integers in [0, size), shape (n,).
        space: What they are operations of.
        group: What makes two operations the same.
    Returns:
        The least index of each one's class, shape (n,).
    Raises:
        InputError: If an entry is no index of the space.
    """
    checked = space.as_indices(indices)
    if group is Group.VALUES and space.inputs == 1:
        return _by_block_sizes(checked, space)
    least = np.empty(len(checked), space.index_type)
    for part, images in _images(checked, space, group):
        least[part] = images.min(axis=1)
    return least


def class_size(index: int, space: Space = TERNARY_2, group: Group = Group.NPN) -> int:
    """How many operations the class of one has.

    Raises:
        InputError: If the index is not one of the space.
    """
    checked = space.as_indices([index])
    digits = space.from_index(checked)[0] - space.lowest
    counts = np.bincount(digits, minlength=space.radix).tolist()
    if group is Group.VALUES and space.inputs == 1:
        return _with_block_sizes(counts, space.radix)
    different = sum(len(np.unique(images)) for _, images in _images(checked, space, group))
    if group is Group.VALUES:  # an image stands for all relabellings of the values that occur
        different *= math.perm(space.radix, sum(count > 0 for count in counts))
    return different


def _images(checked: Indices, space: Space, group: Group) -> Iterator[tuple[slice, npt.NDArray[Any]]]:
    """What the maps of a group make of operations, in parts: indices, shape (n, images)."""
    places = _places(space, group)
    step = max(1, _AT_ONCE // (places.shape[1] * space.radix))
    for start in range(0, len(checked), step):
        part = slice(start, start + step)
        digits = (space.from_index(checked[part]) - space.lowest).astype(places.dtype)
        if group is Group.VALUES:
            yield part, _relabelled(digits, places, space)
            continue
        images = digits @ places
        if group is Group.NPN:
            images = np.concatenate([images, space.size - 1 - images], axis=1)
        yield part, images


def _relabelled(digits: npt.NDArray[Any], places: npt.NDArray[Any], space: Space) -> npt.NDArray[Any]:
    """The least index over all relabellings of the output, for each permutation of the cells."""
    weights = np.stack([(digits == value).astype(places.dtype) @ places for value in range(space.radix)])
    weights.sort(axis=0)
    least: npt.NDArray[Any] = np.tensordot(np.arange(space.radix, dtype=places.dtype)[::-1], weights, axes=1)
    return least


@cache
def _places(space: Space, group: Group) -> npt.NDArray[Any]:
    """The place value that each cell has after each permutation of the cells, shape (cells, maps)."""
    relabellings = _RELABELLINGS[group](tuple(range(space.radix)))
    cells = np.array(list(product(range(space.radix), repeat=space.inputs)))
    weights = space.radix ** np.arange(space.inputs)[::-1]
    columns = []
    for chosen in product(relabellings, repeat=space.inputs):
        relabelled = np.stack([np.array(one)[cells[:, k]] for k, one in enumerate(chosen)], axis=1)
        for order in permutations(range(space.inputs)):
            columns.append(space.places[relabelled[:, order] @ weights])
    places = np.unique(np.stack(columns, axis=1), axis=1)
    return places.astype(np.float64 if space.size <= _EXACT else np.int64)


def _by_block_sizes(indices: Indices, space: Space) -> Indices:
    """With one input, a class is how often its values occur, in falling order: the highest cells get 0."""
    digits = space.from_index(indices) - space.lowest
    counts = np.sort((digits[:, :, None] == np.arange(space.radix)).sum(axis=1), axis=1)[:, ::-1]
    ends = counts.cumsum(axis=1)
    least = (ends[:, :, None] <= np.arange(space.cells)).sum(axis=1)[:, ::-1]
    numbered: Indices = (least @ space.places).astype(space.index_type)
    return numbered


def _with_block_sizes(counts: list[int], radix: int) -> int:
    """How many functions of one input take values equally often: partitions of the inputs times labels."""
    blocks = [count for count in counts if count]
    alike = math.prod(math.factorial(blocks.count(size)) for size in set(blocks))
    partitions = math.factorial(radix) // math.prod(map(math.factorial, blocks)) // alike
    return partitions * math.perm(radix, len(blocks))
