"""
The 19,683 operations as a space of nine trits: what a distribution over it lacks to be uniform.

A deviation from uniform splits into parts that involve one trit, two, three, … nine: the orders. The split
is orthogonal (a Fourier transform on Z_3^9, in real form), so each order can be measured and weighted apart.
"""

import math
from dataclasses import dataclass
from functools import cache
from typing import Final

import torch
from torch import Tensor

from ternary_sdk.operations import OPERATIONS, TRITS

ORDERS: Final = TRITS + 1
MODES: Final = tuple(math.comb(TRITS, order) * 2**order for order in range(ORDERS))
"""Dimensions of each order: 1, 18, 144, 672, … 512; they add up to 19,683."""


@cache
def _basis(device: torch.device) -> Tensor:
    # Three trits at once, (27, 27): a constant and two contrasts for each trit, orthonormal.
    one = torch.tensor([[1.0, 1.0, 1.0], [1.0, 0.0, -1.0], [1.0, -2.0, 1.0]], dtype=torch.float64)
    one = one / one.norm(dim=1, keepdim=True)
    return torch.kron(torch.kron(one, one), one).float().to(device)


@cache
def order_of_modes(device: torch.device) -> Tensor:
    """How many trits each coefficient of `to_modes` involves, int64, shape (19683,)."""
    digits = torch.arange(OPERATIONS)[:, None] // 3 ** torch.arange(TRITS) % 3
    return (digits > 0).sum(1).to(device)


def _along_each_axis(values: Tensor, matrix: Tensor) -> Tensor:
    cube = values.view(27, 27, 27)
    for _ in range(3):
        cube = torch.tensordot(cube, matrix, dims=([0], [1]))
    return cube.reshape(OPERATIONS)


def to_modes(values: Tensor) -> Tensor:
    """Coefficients of a function on operations in the orthonormal basis of orders; shape (19683,) both."""
    return _along_each_axis(values, _basis(values.device))


def from_modes(coefficients: Tensor) -> Tensor:
    """The function on operations with these coefficients; shape (19683,) both."""
    return _along_each_axis(coefficients, _basis(coefficients.device).t())


def power_by_order(coefficients: Tensor) -> Tensor:
    """Mean square over operations of each order's part, shape (10,); index 0 is the mean's."""
    squares = coefficients.square() / OPERATIONS
    return torch.zeros(ORDERS, device=squares.device).index_add_(0, order_of_modes(squares.device), squares)


@dataclass(frozen=True, kw_only=True)
class Divergence:
    """How far a drawn distribution is from uniform, in nats, sampling bias subtracted."""

    entropy: float
    """Of the drawn distribution; ln 19,683 = 9.887 is uniform."""
    single: float
    """KL to uniform of each trit's marginal, summed."""
    pairs: float
    """Mutual information of each pair of trits, summed."""
    higher: float
    """What is left of the KL to uniform: dependence of three and more trits."""

    @property
    def total(self) -> float:
        """KL to uniform, single + pairs + higher."""
        return self.single + self.pairs + self.higher


def divergence(counts: Tensor) -> Divergence:
    """Measure how far draws are from uniform.

    Args:
        counts: How often each operation was drawn, shape (19683,), m in all, m > 0.
    """
    draws = int(counts.sum())
    shares = (counts.double() / draws).view((3,) * TRITS)
    total = _kl_to_uniform(shares) - sampling_bias(OPERATIONS, draws)
    singles = [_marginal_kl(shares, (k,)) for k in range(TRITS)]
    pairs = [
        _marginal_kl(shares, (j, k))
        - singles[j]
        - singles[k]
        - sampling_bias(9, draws)
        + 2 * sampling_bias(3, draws)
        for j in range(TRITS)
        for k in range(j + 1, TRITS)
    ]
    single = sum(singles) - TRITS * sampling_bias(3, draws)
    return Divergence(
        entropy=math.log(OPERATIONS) - total,
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
    return _kl_to_uniform(shares.sum(tuple(axis for axis in range(TRITS) if axis not in keep)))


def _kl_to_uniform(shares: Tensor) -> float:
    return float(torch.special.xlogy(shares, shares * shares.numel()).sum())
