"""
The term that asks for uniform prior draws where operations cannot be listed: from single cells and pairs.

Decoded draws are counted into running tables of the digits of every cell and of every pair of cells. The
logarithm of how far they are from uniform and independent is a potential on each digit of a draw, given its
other digits; the logits are pushed downhill, as `uniformity` does with the table of a whole listed space.

Pairs are enough for a linear decoder: projections of a Gaussian latent that are uncorrelated are independent,
so dependence of three and more cells goes with that of pairs (docs/experiments.md).
"""

import math
from typing import Any, Final

import torch
from torch import Tensor

from ternary_sdk.space import Space
from ternary_trainer.decoding import Decoded, downhill, one_hot

_LEAST_GAIN: Final = 0.05
_BOUNDS: Final = (0.2, 5.0)
"""Within which a density relative to even counts; ill-known ones would push too far."""


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
        self._seen = float(rows.shape[1])

    def add(self, rows: Tensor, windows: Tensor) -> None:
        """Count draws into the running tables.

        Args:
            rows: Of n new draws, as `one_hot` gives them.
            windows: Draws after which an old one weighs 1/e, for single cells and for pairs, shape (2,).
        """
        count = rows.shape[1]
        single, pairs = (count / windows).clamp(max=1.0).tolist()
        self._seen = 1 / ((1 - pairs) ** 2 / self._seen + pairs**2 / count)
        self._single = torch.lerp(self._single, rows.mean(1), single)
        self._pairs = torch.lerp(self._pairs, rows @ rows.t() / count, pairs)

    def potential(self, rows: Tensor) -> Tensor:
        """Log of the density of each digit of each cell beside a draw's other digits, relative to uniform.

        Shape (cells · radix, n). What single digits do is left as it is; deviations of pairs are shrunk by
        the share of their power that is not sampling noise, so that they act as soon as they are known.
        """
        low, high = _BOUNDS
        single = (self._single * self._space.radix).clamp(low, high).log()
        pairs = (1 + self._deviation() * self._gain()).clamp(low, high).log()
        both: Tensor = torch.addmm(single[:, None], pairs, rows)
        return both

    def _deviation(self) -> Tensor:
        """What pairs of digits of two cells deviate from even beyond their single digits; 0 within a cell."""
        radix, cells = self._space.radix, self._space.cells
        density = (self._pairs * radix**2).view(cells, radix, cells, radix)
        centred = density - density.mean(1, keepdim=True) - density.mean(3, keepdim=True)
        centred = centred + density.mean((1, 3), keepdim=True)
        own = torch.eye(cells, dtype=torch.bool, device=centred.device)[:, None, :, None]
        deviation: Tensor = centred.masked_fill(own, 0.0).view(self._pairs.shape)
        return deviation

    def _gain(self) -> Tensor:
        """The share of the pairs' power that is not sampling noise."""
        radix, cells = self._space.radix, self._space.cells
        power = self._deviation().square().sum() / (2 * radix**2)
        noise = math.comb(cells, 2) * (radix - 1) ** 2 / self._seen
        return (1 - noise / power).clamp(min=_LEAST_GAIN)

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
        return downhill(draws, self.potential(rows).view(draws.logits.shape))

    def state(self) -> dict[str, Tensor | float]:
        """What a resumed training needs."""
        return {"single": self._single, "pairs": self._pairs, "seen": self._seen}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from `state`."""
        device = self._single.device
        self._single, self._pairs = (state[key].to(device) for key in ("single", "pairs"))
        self._seen = float(state["seen"])
