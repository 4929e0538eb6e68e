"""
Terms that ask for parameters of prior draws as the law has them, as `uniformity` asks for operations.

Without them the parameters come out too narrow: the weight of the KL is 0.2, so that the latents of data are
wider than the prior.
"""

import math
from typing import Final

import torch
from torch import Tensor

PAIRS: Final = 256
"""Drawn pairs, and pairs of the data, that are compared at a time."""
EVERY: Final = 4
"""Steps from one comparison of pairs to the next: it costs more than the rest of a step."""

_STRENGTH: Final = 0.5
_WIDTHS: Final = (0.1, 0.5)


def marginal(scores: Tensor) -> Tensor:
    """Mean square between normal scores of draws in ascending order and normal quantiles, summed over
    parameters: the squared Wasserstein distance of each from a standard normal.

    Args:
        scores: Shape (n, c).
    """
    shares = (torch.arange(len(scores)) + 0.5) / len(scores)
    return (scores.sort(0).values - torch.special.ndtri(shares)[:, None]).square().mean(0).sum()


def joint(drawn: Tensor, drawn_scores: Tensor, known: Tensor, known_scores: Tensor) -> Tensor:
    """Squared maximum mean discrepancy between drawn pairs of operation and scores and those of the data.

    The kernel is a product of one over the cells, whose mean under uniform operations is 1, and one over the
    scores. Only the scores have a gradient: what evens the operations is `uniformity`.

    Args:
        drawn: Digits of m drawn operations, shape (m, cells).
        drawn_scores: Of their parameters, shape (m, c).
        known: Digits of m operations of the data, shape (m, cells).
        known_scores: Of their parameters, shape (m, c).
    """
    within = _kernel(drawn, drawn) * _bells(drawn_scores, drawn_scores)
    across = _kernel(drawn, known) * _bells(drawn_scores, known_scores)
    count = len(drawn)
    return (within.sum() - within.diagonal().sum()) / (count * (count - 1)) - 2 * across.mean()


def _kernel(one: Tensor, other: Tensor) -> Tensor:
    equal, unequal = math.log(1 + 2 * _STRENGTH), math.log(1 - _STRENGTH)
    ones, others = (torch.nn.functional.one_hot(digits, 3).flatten(1).float() for digits in (one, other))
    return ((ones @ others.t()) * (equal - unequal) + one.shape[1] * unequal).exp()


def _bells(one: Tensor, other: Tensor) -> Tensor:
    squares = (one[:, None] - other[None]).square().sum(2)
    return torch.stack([(-squares / (2 * width**2)).exp() for width in _WIDTHS]).sum(0)
