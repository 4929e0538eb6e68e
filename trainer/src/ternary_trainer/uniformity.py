"""
The term that asks for what is sold: prior draws that are uniform over operations.

Decoded draws are counted into a running estimate of the distribution, which is denoised order by order. Its
logarithm is a potential on operations: positive where there are too many draws. Each draw is then pushed
downhill: for each cell, the potential of the operations that differ in that cell at most is known exactly,
and the logits move probability towards the lower ones (a straight-through gradient of the KL to uniform,
exact in every single cell).

The potential covers held-out operations too: every operation is wanted, also those never trained on.
"""

from typing import Final

import torch
from torch import Tensor

from ternary_sdk.space import Space
from ternary_trainer import orders
from ternary_trainer.decoding import Decoded, downhill, places

_LEAST_GAIN: Final = 0.05
_CEILING: Final = 5.0


class Uniformity:
    """A running estimate of what a decoder draws, and the push that evens it out."""

    def __init__(self, counts: Tensor, space: Space) -> None:
        """Start from how often first draws hit each operation of a space, shape (size,).

        The more the better: an ill-known start pushes far in wrong directions, and what it saturates stays.
        """
        self._space = space
        self._modes = _deviation(counts, space)
        self._seen = torch.full((orders.orders(space),), float(counts.sum()), device=counts.device)

    def observe(self, draws: Decoded, windows: Tensor) -> None:
        """Count draws into the running estimate.

        Args:
            draws: n new ones.
            windows: For each order, the draws after which an old one weighs 1/e, shape (cells + 1,).
        """
        count = len(draws.index)
        rate = (count / windows).clamp(max=1.0)
        self._seen = 1 / ((1 - rate).square() / self._seen + rate.square() / count)
        deviation = _deviation(torch.bincount(draws.index, minlength=self._space.size), self._space)
        self._modes = torch.lerp(self._modes, deviation, rate[self._order_of_modes])

    def gradient(self, draws: Decoded, windows: Tensor) -> Tensor:
        """Count draws, and give the gradient of their mean potential, times n, with respect to their logits.

        Args:
            draws: n new ones.
            windows: As for `observe`.
        Returns:
            Shape (cells, radix, n).
        """
        self.observe(draws, windows)
        return push(draws, self.potential(), self._space)

    def potential(self) -> Tensor:
        """Log of the denoised density relative to uniform, within ±ln 5, shape (size,).

        Each order is shrunk by the share of its power that is not sampling noise (a Wiener filter), so that
        low orders act at once and high ones as soon as there are draws enough to know them.
        """
        power = orders.power_by_order(self._modes, self._space)
        noise = torch.tensor(orders.modes(self._space), device=power.device) / self._seen
        gain = (1 - noise / power).clamp(min=_LEAST_GAIN)
        gain[0] = 0
        density = 1 + orders.from_modes(self._modes * gain[self._order_of_modes], self._space)
        return density.clamp(1 / _CEILING, _CEILING).log()

    @property
    def _order_of_modes(self) -> Tensor:
        return orders.order_of_modes(self._space, self._modes.device)

    def state(self) -> dict[str, Tensor]:
        """What a resumed training needs."""
        return {"modes": self._modes, "seen": self._seen}

    def restore(self, state: dict[str, Tensor]) -> None:
        """Go on from `state`."""
        self._modes, self._seen = (state[key].to(self._modes.device) for key in ("modes", "seen"))


def _deviation(counts: Tensor, space: Space) -> Tensor:
    return orders.to_modes(counts * (space.size / counts.sum()) - 1, space)


def push(draws: Decoded, potential: Tensor, space: Space) -> Tensor:
    """Gradient of the mean potential with respect to each draw's logits.

    For cell k of a draw, the operations that agree with it in all other cells have potentials f_c and softmax
    probabilities q_c; the gradient is q_c·(f_c - Σ q f).

    Returns:
        Shape (cells, radix, n); times 1/n it is the gradient of the mean.
    """
    step = places(space, potential.device)
    rest = draws.index - draws.classes * step
    digits = torch.arange(space.radix, device=potential.device)[:, None]
    neighbours = potential[rest[:, None] + step[:, None] * digits]
    return downhill(draws, neighbours)
