"""
How many bits a latent needs so that every operation of a listed space still decodes.

A latent of float32 numbers says far more than an operation needs. What it needs is found by rounding each
dimension to a few levels, and then taking levels away while all operations decode.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from ternary_sdk.errors import InputError
from ternary_sdk.space import Space

Floats = npt.NDArray[np.float32]
Decode = Callable[[Floats], npt.NDArray[np.signedinteger]]
"""Latents, shape (n, d), to canonical indices, shape (n,)."""

Kind = Literal["uniform", "learned"]
MOST_LEVELS: Final = 48
FIRST: Final = 2048
"""Operations that are tried before all others, at most."""
ORDERS: Final = 4


@dataclass(frozen=True, kw_only=True)
class Code:
    """A quantiser for each dimension with which every operation decodes."""

    levels: tuple[int, ...]
    """How many values each dimension may have."""
    entropy: float
    """Bits that an ideal coder of each dimension alone needs on average over all operations."""

    @property
    def bits(self) -> float:
        """Bits for an operation, log2 of how many codes there are."""
        return math.fsum(math.log2(count) for count in self.levels)

    @property
    def separate_bits(self) -> int:
        """Bits for an operation where each dimension has whole bits of its own."""
        return sum(math.ceil(math.log2(count)) for count in self.levels)


def smallest_code(
    latents: Floats, decode: Decode, kind: Kind, *, orders: int = ORDERS, seed: int = 0
) -> Code:
    """Take levels away from each dimension until no single one can go.

    It is a greedy search, so a smaller code may exist.

    Args:
        latents: Those of all operations in canonical order, shape (size, d), each decoding to its operation.
        decode: The decoder.
        kind: ``uniform``: levels of one width between a dimension's ends. ``learned``: the levels of least
            squared error (Lloyd, 1982).
        orders: In how many random orders levels are taken away; the best ending counts.
        seed: Of those orders.
    Raises:
        InputError: If even the most levels lose an operation.
    """
    quantise = _Quantiser(latents, kind)
    wanted = np.arange(len(latents))
    hard = np.zeros(len(latents), np.bool_)

    def exact(levels: npt.NDArray[np.int64]) -> bool:
        rounded = quantise(levels)
        # Operations that were lost before are tried first: most refusals then cost one block.
        first = np.flatnonzero(hard)[:FIRST]
        if (decode(rounded[first]) != first).any():
            return False
        lost = decode(rounded) != wanted
        hard[lost] = True
        return not lost.any()

    dimensions = latents.shape[1]
    common = next((count for count in range(2, MOST_LEVELS + 1) if exact(np.full(dimensions, count))), None)
    if common is None:
        raise InputError(
            f"latents: some operation is lost at {MOST_LEVELS} {kind} levels, expected all to decode"
        )
    random = np.random.default_rng(seed)
    endings = [_reduced(np.full(dimensions, common), exact, random) for _ in range(orders)]
    best = min(endings, key=lambda levels: float(np.log2(levels).sum()))
    return Code(levels=tuple(best.tolist()), entropy=quantise.entropy(best))


def _reduced(
    levels: npt.NDArray[np.int64],
    exact: Callable[[npt.NDArray[np.int64]], bool],
    random: np.random.Generator,
) -> npt.NDArray[np.int64]:
    """In rounds over the dimensions, one level at a time, until a round takes none away."""
    open_ = set(range(len(levels)))
    while open_:
        for dimension in random.permutation(sorted(open_)).tolist():
            fewer = levels.copy()
            fewer[dimension] -= 1
            if fewer[dimension] >= 1 and exact(fewer):
                levels = fewer
            else:
                open_.discard(dimension)  # a dimension that had to stay is not tried again
    return levels


class _Quantiser:
    """Latents rounded to a number of levels in each dimension; each rounding is made once."""

    def __init__(self, latents: Floats, kind: Kind) -> None:
        self._latents, self._kind = latents, kind
        self._known: dict[tuple[int, int], tuple[Floats, npt.NDArray[np.intp]]] = {}

    def __call__(self, levels: npt.NDArray[np.int64]) -> Floats:
        columns = [self._column(dimension, int(count))[0] for dimension, count in enumerate(levels)]
        return np.stack(columns, axis=1)

    def entropy(self, levels: npt.NDArray[np.int64]) -> float:
        bits = 0.0
        for dimension, count in enumerate(levels):
            _, code = self._column(dimension, int(count))
            share = np.bincount(code) / len(code)
            bits -= float((share[share > 0] * np.log2(share[share > 0])).sum())
        return bits

    def _column(self, dimension: int, count: int) -> tuple[Floats, npt.NDArray[np.intp]]:
        key = dimension, count
        if key not in self._known:
            values = self._latents[:, dimension].astype(np.float64)
            centres = uniform_levels(values, count) if self._kind == "uniform" else lloyd(values, count)
            code = np.searchsorted((centres[1:] + centres[:-1]) / 2, values)
            self._known[key] = centres[code].astype(np.float32), code
        return self._known[key]


def uniform_levels(values: npt.NDArray[np.float64], count: int) -> npt.NDArray[np.float64]:
    """The middles of ``count`` equal parts of the range, ascending."""
    low, high = float(values.min()), float(values.max())
    middles: npt.NDArray[np.float64] = low + (np.arange(count) + 0.5) * (high - low) / count
    return middles


def lloyd(values: npt.NDArray[np.float64], count: int, rounds: int = 100) -> npt.NDArray[np.float64]:
    """Levels of least squared error, a local minimum that starts from quantiles; ascending."""
    ordered = np.sort(values)
    sums = np.concatenate([[0.0], np.cumsum(ordered)])
    centres = np.quantile(ordered, (np.arange(count) + 0.5) / count)
    for _ in range(rounds):
        edges = np.searchsorted(ordered, (centres[1:] + centres[:-1]) / 2)
        bounds = np.concatenate([[0], edges, [len(ordered)]])
        sizes = np.diff(bounds)
        moved = np.where(sizes > 0, np.diff(sums[bounds]) / np.maximum(sizes, 1), centres)
        if np.array_equal(moved, centres):
            break
        centres = moved
    return centres


def table_bytes(space: Space) -> Mapping[str, int]:
    """Bytes of all operations of a listed space in one list, three ways.

    Returns:
        ``a byte for each cell``; ``whole bytes for each operation``, its cells packed; and ``no gaps``, all
        as one number.
    Raises:
        InputError: If the space is vast.
    """
    space.expect_listed()
    bits = space.cells * math.log2(space.radix)
    in_byte = int(8 / math.log2(space.radix))
    return {
        "a byte for each cell": space.size * space.cells,
        "whole bytes for each operation": space.size * math.ceil(space.cells / in_byte),
        "no gaps": math.ceil(space.size * bits / 8),
    }
