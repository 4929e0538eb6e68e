"""
The term that asks for uniform prior draws where operations cannot be listed: from single cells and pairs.

Decoded draws are counted into running tables of the digits of every cell and of every pair of cells. The
logarithm of how far they are from uniform and independent is a potential on each digit of a draw, given its
other digits; the logits are pushed downhill, as `uniformity` does with the table of a whole listed space.
"""

import math
from typing import Final

import torch
from torch import Tensor

from ternary_sdk.space import Space
from ternary_trainer.decoding import Decoded, one_hot, softmax

ORDERS: Final = 3
"""None, single cells, pairs: the orders that have a memory of their own."""
_LEAST_GAIN: Final = 0.05
_CEILING: Final = 5.0


class Moments:
    """Running shares of single digits and of pairs of digits, and the push that evens them out.

    Digit c of cell k is row radix·k + c of a table.
    """

    def __init__(self, first: Tensor, space: Space) -> None:
        """Start from first draws, digits int64, shape (cells, n)."""
        self._space = space
        rows = one_hot(first, space)
        self._single = rows.mean(1)
        self._pairs = rows @ rows.t() / rows.shape[1]
        self._seen = torch.full((ORDERS,), float(rows.shape[1]), device=rows.device)

    def add(self, rows: Tensor, windows: Tensor) -> None:
        """Count draws into the running tables.

        Args:
            rows: Of n new draws, as `one_hot` gives them.
            windows: For each order, the draws after which an old one weighs 1/e, shape (3,).
        """
        count = rows.shape[1]
        rate = (count / windows).clamp(max=1.0)
        self._seen = 1 / ((1 - rate).square() / self._seen + rate.square() / count)
        self._single = torch.lerp(self._single, rows.mean(1), rate[1])
        self._pairs = torch.lerp(self._pairs, rows @ rows.t() / count, rate[2])

    def potential(self, rows: Tensor) -> Tensor:
        """Log of the density of each digit of each cell beside a draw's other digits, relative to uniform.

        Shape (cells · radix, n). Deviations of each order are shrunk by the share of their power that is not
        sampling noise, and each factor is within 1/5 to 5.
        """
        single = _log(self._shrunk(self._single * self._space.radix - 1, order=1))
        pairs = _log(self._shrunk(self._pairs_deviation(), order=2))
        both: Tensor = torch.addmm(single[:, None], pairs, rows)
        return both

    def _pairs_deviation(self) -> Tensor:
        """Of each pair of digits of two cells, p(a, b)/(p(a)·p(b)) - 1; 0 within a cell."""
        radix = self._space.radix
        marginal = self._pairs.diagonal()
        expected = torch.outer(marginal, marginal).clamp(min=1e-9)
        block = torch.arange(len(marginal), device=marginal.device) // radix
        deviation: Tensor = self._pairs / expected - 1
        return deviation.masked_fill(block[:, None] == block, 0.0)

    def _shrunk(self, deviation: Tensor, *, order: int) -> Tensor:
        radix, cells = self._space.radix, self._space.cells
        power = deviation.square().sum() / (radix**order * math.perm(cells, order))
        noise = (radix - 1) ** order / self._seen[order]  # mean square of what uniform draws would show
        shrunk: Tensor = deviation * (1 - noise / power).clamp(min=_LEAST_GAIN)
        return shrunk

    def gradient(self, draws: Decoded, windows: Tensor) -> Tensor:
        """Count draws, and give the gradient of their mean potential, times n, with respect to their logits.

        Args:
            draws: n new ones.
            windows: As for `add`.
        Returns:
            Shape (cells, radix, n).
        """
        rows = one_hot(draws.classes, self._space)
        self.add(rows, windows)
        downhill = self.potential(rows).view(draws.logits.shape)
        chances = softmax(draws.logits.detach())
        return chances * (downhill - (chances * downhill).sum(1, keepdim=True))

    def state(self) -> dict[str, Tensor]:
        """What a resumed training needs."""
        return {"single": self._single, "pairs": self._pairs, "seen": self._seen}

    def restore(self, state: dict[str, Tensor]) -> None:
        """Go on from `state`."""
        device = self._single.device
        self._single, self._pairs, self._seen = (state[key].to(device) for key in ("single", "pairs", "seen"))


def _log(deviation: Tensor) -> Tensor:
    return (1 + deviation).clamp(1 / _CEILING, _CEILING).log()
