"""
A space's operations by order: what a distribution over them lacks to be uniform.

A deviation from uniform splits into parts that involve one cell of the table, two, three, … all: the orders.
The split is orthogonal (a Fourier transform on Z_r^cells, in real form), so each order can be measured and
weighted apart.
"""

import math
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from itertools import combinations
from typing import Final

import torch
from torch import Tensor

from ternary_sdk._internal.documents.canonical import decimal
from ternary_sdk.space import Space

_WIDEST: Final = 32
"""Rows of the largest matrix that transforms some cells at once."""


def orders(space: Space) -> int:
    """How many orders there are: none, one, … all of the cells."""
    return space.cells + 1


def modes(space: Space) -> tuple[int, ...]:
    """Dimensions of each order; they add up to the space's size. For (3, 2): 1, 18, 144, 672, … 512."""
    return tuple(math.comb(space.cells, order) * (space.radix - 1) ** order for order in range(orders(space)))


def uniform_entropy(space: Space) -> float:
    """Entropy of uniform draws, ln size, nats; no model's negative ELBO is below it on average."""
    return math.log(space.size)


def uniform_entropy_shown(space: Space) -> str:
    """The same with three decimals, rounded down as a floor is: 9.887 for (3, 2)."""
    return decimal(uniform_entropy(space), 3)


@cache
def contrasts(radix: int) -> tuple[tuple[int, ...], ...]:
    """A constant and radix - 1 contrasts, orthogonal to each other: the discrete Legendre polynomials.

    Whole numbers without a common divisor, the first of each positive: for 3 (1, 1, 1), (1, 0, -1), (1, -2,
    1).
    """
    points = [Fraction(radix - 1, 2) - digit for digit in range(radix)]
    rows: list[list[Fraction]] = []
    for power in range(radix):
        row = [point**power for point in points]
        for earlier in rows:
            share = _product(row, earlier) / _product(earlier, earlier)
            row = [value - share * other for value, other in zip(row, earlier, strict=True)]
        scale = math.lcm(*(value.denominator for value in row))
        divisor = math.gcd(*(int(value * scale) for value in row))
        rows.append([value * scale / divisor for value in row])
    return tuple(tuple(map(int, row)) for row in rows)


def _product(one: list[Fraction], other: list[Fraction]) -> Fraction:
    return sum((a * b for a, b in zip(one, other, strict=True)), Fraction(0))


@cache
def _bases(space: Space, device: torch.device) -> tuple[Tensor, ...]:
    """Orthonormal matrices, each for some neighbouring cells, the most significant first; (3, 2) has three of
    27."""
    one = torch.tensor(contrasts(space.radix), dtype=torch.float64)
    one = one / one.norm(dim=1, keepdim=True)
    at_once = int(math.log(_WIDEST, space.radix) + 1e-9)
    groups = -(-space.cells // at_once)
    sizes = [(space.cells + group) // groups for group in range(groups)]
    return tuple(_power(one, size).float().to(device) for size in sizes)


def _power(matrix: Tensor, times: int) -> Tensor:
    power = matrix
    for _ in range(times - 1):
        power = torch.kron(power, matrix)
    return power


@cache
def order_of_modes(space: Space, device: torch.device) -> Tensor:
    """How many cells each coefficient of `to_modes` involves, int64, shape (size,)."""
    index = torch.arange(space.size)
    involved = torch.zeros(space.size, dtype=torch.int64)
    for place in space.places.tolist():
        involved += index // place % space.radix > 0
    return involved.to(device)


def to_modes(values: Tensor, space: Space) -> Tensor:
    """Coefficients of a function on operations in the orthonormal basis of orders; shape (size,) both."""
    return _along_each_axis(values, _bases(space, values.device))


def from_modes(coefficients: Tensor, space: Space) -> Tensor:
    """The function on operations with these coefficients; shape (size,) both."""
    return _along_each_axis(coefficients, [basis.t() for basis in _bases(space, coefficients.device)])


def _along_each_axis(values: Tensor, matrices: "tuple[Tensor, ...] | list[Tensor]") -> Tensor:
    cube = values.view([len(matrix) for matrix in matrices])
    for matrix in matrices:
        cube = torch.tensordot(cube, matrix, dims=([0], [1]))
    return cube.reshape(values.shape)


def power_by_order(coefficients: Tensor, space: Space) -> Tensor:
    """Mean square over operations of each order's part, shape (cells + 1,); index 0 is the mean's."""
    squares = coefficients.square() / space.size
    of_orders = torch.zeros(orders(space), device=squares.device)
    return of_orders.index_add_(0, order_of_modes(space, squares.device), squares)


@dataclass(frozen=True, kw_only=True)
class Divergence:
    """How far a drawn distribution is from uniform, in nats, sampling bias subtracted."""

    entropy: float | None
    """Of the drawn distribution; `uniform_entropy` is uniform. None in a vast space, where it is unknown."""
    single: float
    """KL to uniform of each cell's marginal, summed."""
    pairs: float
    """Mutual information of each pair of cells, summed."""
    higher: float
    """What is left of the KL to uniform: dependence of three and more cells. In a vast space, of three alone,
    as a sample of triples tells it."""

    @property
    def total(self) -> float:
        """KL to uniform, single + pairs + higher; in a vast space without dependence of four and more."""
        return self.single + self.pairs + self.higher

    @property
    def perplexity(self) -> float:
        """e to the minus KL: the perplexity of the draws as a share of the space; 1 if they are uniform.

        What triples add to pairs can come out negative far from uniform; then it counts as nothing.
        """
        return math.exp(-(self.single + self.pairs + max(0.0, self.higher)))


def divergence(counts: Tensor, space: Space) -> Divergence:
    """Measure how far draws are from uniform.

    Args:
        counts: How often each operation was drawn, shape (size,), m in all, m > 0.
        space: Of the operations.
    """
    draws, radix, cells = int(counts.sum()), space.radix, range(space.cells)
    shares = (counts.double() / draws).view((radix,) * space.cells)
    total = _kl_to_uniform(shares) - sampling_bias(space.size, draws)
    singles = [_marginal_kl(shares, (k,)) for k in cells]
    pairs = [
        _marginal_kl(shares, (j, k))
        - singles[j]
        - singles[k]
        - sampling_bias(radix**2, draws)
        + 2 * sampling_bias(radix, draws)
        for j, k in combinations(cells, 2)
    ]
    single = sum(singles) - space.cells * sampling_bias(radix, draws)
    return Divergence(
        entropy=uniform_entropy(space) - total,
        single=single,
        pairs=sum(pairs),
        higher=total - single - sum(pairs),
    )


@cache
def sampling_bias(cells: int, draws: int) -> float:
    """What a plug-in KL to uniform reads, on average, of uniform draws, in nats.

    For many draws a cell it is (cells - 1)/(2 draws) (Miller, 1955). With three to a cell, as in validation,
    that falls short by 0.012; there it is summed over the Poisson distribution of a cell's count.
    """
    rate = draws / cells
    if rate > 1_000:
        return (cells - 1) / (2 * draws)
    count = torch.arange(int(rate + 20 * math.sqrt(rate)) + 50, dtype=torch.float64)
    chance = (count * math.log(rate) - rate - torch.lgamma(count + 1)).exp()
    return (cells - 1) / cells * (float((chance * torch.xlogy(count, count)).sum()) / rate - math.log(rate))


def _marginal_kl(shares: Tensor, keep: tuple[int, ...]) -> float:
    return _kl_to_uniform(shares.sum(tuple(axis for axis in range(shares.dim()) if axis not in keep)))


def _kl_to_uniform(shares: Tensor) -> float:
    return float(torch.special.xlogy(shares, shares * shares.numel()).sum())
