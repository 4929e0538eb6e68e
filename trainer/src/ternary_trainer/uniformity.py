"""
The term that asks for what is sold: prior draws that are uniform over operations.

Decoded draws are counted into a running estimate of the distribution, which is denoised order by order. Its
logarithm is a potential on operations: positive where there are too many draws. Each draw is then pushed
downhill: for each trit, the potential of the three operations that differ in that trit at most is known
exactly, and the logits move probability towards the lower ones (a straight-through gradient of the KL to
uniform, exact in every single trit).

The potential covers held-out operations too: every operation is wanted, also those never trained on.
"""

from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor, nn

from ternary_sdk.operations import OPERATIONS, TRITS
from ternary_trainer import space
from ternary_trainer.model import CLASSES

_LEAST_GAIN: Final = 0.05
_CEILING: Final = 5.0


@dataclass(frozen=True, kw_only=True)
class Draws:
    """Decoded prior draws, as columns: comparisons then run along memory, which is several times faster."""

    logits: Tensor
    """Shape (9, 3, n)."""
    classes: Tensor
    """The class with the largest logit, int64, shape (9, n)."""
    index: Tensor
    """Canonical index, int64, shape (n,)."""


def decode(decoder: nn.Module, latents: Tensor) -> Draws:
    """Decode latents, shape (n, 16); a tie goes to the lower class, as in argmax."""
    logits = decoder(latents).t().contiguous().view(TRITS, CLASSES, -1)
    low, middle, high = logits.detach().unbind(1)
    classes = torch.where(high > torch.maximum(low, middle), 2, (middle > low).long())
    return Draws(logits=logits, classes=classes, index=(classes * places(logits.device)).sum(0))


def places(device: torch.device) -> Tensor:
    """3^k for each trit k, int64, shape (9, 1)."""
    return 3 ** torch.arange(TRITS, device=device)[:, None]


class Uniformity:
    """A running estimate of what a decoder draws, and the push that evens it out."""

    def __init__(self, counts: Tensor) -> None:
        """Start from how often first draws hit each operation, shape (19683,).

        The more the better: an ill-known start pushes far in wrong directions, and what it saturates stays.
        """
        self._modes = _deviation(counts)
        self._seen = torch.full((space.ORDERS,), float(counts.sum()), device=counts.device)

    def observe(self, draws: Draws, windows: Tensor) -> None:
        """Count draws into the running estimate.

        Args:
            draws: n new ones.
            windows: For each order, the draws after which an old one weighs 1/e, shape (10,).
        """
        count = len(draws.index)
        rate = (count / windows).clamp(max=1.0)
        self._seen = 1 / ((1 - rate).square() / self._seen + rate.square() / count)
        deviation = _deviation(torch.bincount(draws.index, minlength=OPERATIONS))
        self._modes = torch.lerp(self._modes, deviation, rate[space.order_of_modes(rate.device)])

    def potential(self) -> Tensor:
        """Log of the denoised density relative to uniform, within ±ln 5, shape (19683,).

        Each order is shrunk by the share of its power that is not sampling noise (a Wiener filter), so that
        low orders act at once and high ones as soon as there are draws enough to know them.
        """
        power = space.power_by_order(self._modes)
        noise = torch.tensor(space.MODES, device=power.device) / self._seen
        gain = (1 - noise / power).clamp(min=_LEAST_GAIN)
        gain[0] = 0
        density = 1 + space.from_modes(self._modes * gain[space.order_of_modes(gain.device)])
        return density.clamp(1 / _CEILING, _CEILING).log()

    def state(self) -> dict[str, Tensor]:
        """What a resumed training needs."""
        return {"modes": self._modes, "seen": self._seen}

    def restore(self, state: dict[str, Tensor]) -> None:
        """Go on from `state`."""
        self._modes, self._seen = (state[key].to(self._modes.device) for key in ("modes", "seen"))


def _deviation(counts: Tensor) -> Tensor:
    return space.to_modes(counts * (OPERATIONS / counts.sum()) - 1)


def push(draws: Draws, potential: Tensor) -> Tensor:
    """Gradient of the mean potential with respect to each draw's logits.

    For trit k of a draw, the three operations that agree with it in all other trits have potentials f_c and
    softmax probabilities q_c; the gradient is q_c·(f_c - Σ q f).

    Returns:
        Shape (9, 3, n); times 1/n it is the gradient of the mean.
    """
    step = places(potential.device)
    rest = draws.index - draws.classes * step
    neighbours = potential[
        rest[:, None] + step[:, None] * torch.arange(CLASSES, device=potential.device)[:, None]
    ]
    chances = _softmax(draws.logits.detach())
    return chances * (neighbours - (chances * neighbours).sum(1, keepdim=True))


def _softmax(logits: Tensor) -> Tensor:
    # Written out because torch's softmax over three values costs ten times as much.
    powers = (logits - logits.amax(1, keepdim=True)).exp_()
    return powers.div_(powers.sum(1, keepdim=True))
