"""
The plain alternative: parameters drawn apart from the operation, from a law or from a file of pairs.

`resampled` ignores the operation. `Conditional` learns the file's law given the operation: a small network
chooses one of the file's quantile bins, and the value is uniform in it. Neither touches the model, its
coverage or its certificate.
"""

from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional

from ternary_trainer import seeds

BINS: Final = 64
WIDTH: Final = 128
STEPS: Final = 1500
BATCH: Final = 256
RATE: Final = 2e-3


def resampled(values: Tensor, draws: int, random: torch.Generator) -> Tensor:
    """Values of a file, shape (m, c), drawn again whatever the operation is; shape (draws, c)."""
    return values[torch.randint(len(values), (draws,), generator=random)]


class Conditional:
    """One parameter given the operation.

    Args:
        digits: Of a file's operations, shape (m, 9).
        values: Its values, shape (m,).
        seed: Of the weights, the batches and the draws.
    """

    def __init__(self, digits: Tensor, values: Tensor, seed: int) -> None:
        self._edges = values.quantile(torch.linspace(0, 1, BINS + 1))
        self._random = seeds.generator(seed, "hybrid: parameter given the operation")
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seeds.derive(seed, "hybrid: weights of the conditional"))
            self._network = nn.Sequential(
                nn.Linear(27, WIDTH), nn.ReLU(), nn.Linear(WIDTH, WIDTH), nn.ReLU(), nn.Linear(WIDTH, BINS)
            )
        self._fit(_features(digits), self._bins(values))

    def _bins(self, values: Tensor) -> Tensor:
        return torch.searchsorted(self._edges[1:-1].contiguous(), values.contiguous())

    def _fit(self, rows: Tensor, bins: Tensor) -> None:
        optimizer = torch.optim.AdamW(self._network.parameters(), weight_decay=1e-2)
        rate = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=STEPS)
        for _ in range(STEPS):
            chosen = torch.randint(len(rows), (BATCH,), generator=self._random)
            optimizer.zero_grad()
            functional.cross_entropy(self._network(rows[chosen]), bins[chosen]).backward()
            optimizer.step()
            rate.step()

    @torch.no_grad()
    def draw(self, digits: Tensor) -> Tensor:
        """A value for each operation, shape (n,)."""
        chances = self._network(_features(digits)).softmax(1)
        bins = torch.multinomial(chances, 1, generator=self._random)[:, 0]
        low, high = self._edges[bins], self._edges[bins + 1]
        return low + (high - low) * torch.rand(len(bins), generator=self._random)


def _features(digits: Tensor) -> Tensor:
    return functional.one_hot(digits, 3).flatten(1).float()
