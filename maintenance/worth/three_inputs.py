"""
A small model of the 3^27 three-input ternary operations, for the search in latent space.

One path, trained for minutes by the probe in docs/experiments.md: fresh uniform operations, and from
``PUSH_FROM`` on prior draws that are pushed along the potential of single cells and pairs of cells.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import torch
from torch import Tensor, nn

CELLS: Final = 27
VALUES: Final = 3
LATENT: Final = 32
WIDTH: Final = 256
BATCH: Final = 512
DRAWS: Final = 2048
BETA: Final = 0.1
PUSH_FROM: Final = 1500
RATES: Final = (3e-3, 3e-5)
WEIGHTS: Final = (1.0, 8.0)
SINGLES_WINDOW: Final = 6_000.0
PAIRS_WINDOWS: Final = (30_000.0, 600_000.0)
KEEP_EVERY_S: Final = 120.0


class ThreeInputs(nn.Module):
    """Encoder one-hot → 256 → 256 → mean and log-variance of 32; decoder 32 → 256 → 256 → 81 logits."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Sequential(
            nn.Linear(CELLS * VALUES, WIDTH),
            nn.ReLU(),
            nn.Linear(WIDTH, WIDTH),
            nn.ReLU(),
            nn.Linear(WIDTH, 2 * LATENT),
        )
        self.decoder = nn.Sequential(
            nn.Linear(LATENT, WIDTH),
            nn.ReLU(),
            nn.Linear(WIDTH, WIDTH),
            nn.ReLU(),
            nn.Linear(WIDTH, CELLS * VALUES),
        )

    def encode(self, digits: Tensor) -> tuple[Tensor, Tensor]:
        """Digits 0 to 2, shape (n, 27), to (mean, log-variance), each of shape (n, 32)."""
        one_hot = nn.functional.one_hot(digits, VALUES).float().flatten(1)
        mean, log_variance = self.encoder(one_hot).chunk(2, dim=1)
        return mean, log_variance

    def decode(self, latents: Tensor) -> Tensor:
        """Latents, shape (n, 32), to logits, shape (n, 27, 3)."""
        logits: Tensor = self.decoder(latents)
        return logits.view(-1, CELLS, VALUES)


class Pairs:
    """Running estimates of how often single cells and pairs of cells take each value, and their potential."""

    def __init__(self) -> None:
        size = CELLS * VALUES
        self.singles = torch.full((size,), 1 / VALUES)
        self.pairs = torch.full((size, size), 1 / VALUES**2)
        self.seen = 1.0
        self._between = 1 - torch.kron(torch.eye(CELLS), torch.ones(VALUES, VALUES))

    def observe(self, one_hot: Tensor, window: float) -> None:
        """Count draws, shape (n, 81); an old one weighs 1/e after ``window`` newer ones."""
        n = len(one_hot)
        slow, fast = min(1.0, n / window), min(1.0, n / SINGLES_WINDOW)
        self.singles.lerp_(one_hot.mean(0), fast)
        self.pairs.lerp_(one_hot.T @ one_hot / n, slow)
        self.seen = 1 / ((1 - slow) ** 2 / self.seen + slow**2 / n)

    def potential(self, one_hot: Tensor) -> Tensor:
        """For each draw and cell, how much too often each value occurs there: a log, shape (n, 27, 3).

        Each pair's deviation from independence is shrunk by the share of its power that is sampling noise.
        """
        own = self.pairs.diagonal()
        deviation = (self.pairs / (own[:, None] * own).clamp(min=1e-6) - 1) * self._between
        blocks = deviation.view(CELLS, VALUES, CELLS, VALUES)
        power = blocks.square().mean((1, 3), keepdim=True).clamp(min=1e-12)
        noise = (VALUES - 1) ** 2 / self.seen
        shrunk = (blocks * (1 - noise / power).clamp(min=0.05)).view_as(deviation)
        pairs = (1 + shrunk).clamp(0.2, 5.0).log()
        singles = (VALUES * self.singles).clamp(0.2, 5.0).log()
        return (one_hot @ pairs + singles).view(-1, CELLS, VALUES)


@dataclass(frozen=True)
class Figures:
    """What a training reached."""

    exact: float
    """Share of fresh uniform operations that decode from their posterior means."""
    cell_kl: float
    """KL of single cells of prior draws to uniform, summed over cells, nats."""
    seconds: float
    """Time spent in training, the process's own processor seconds."""


def trained(file: Path, steps: int, seed: int, tell: Callable[[str], None]) -> tuple[ThreeInputs, Figures]:
    """Train the model, or go on from ``file``, which is kept up to date; an ended training is only read."""
    torch.manual_seed(seed)
    model, pairs = ThreeInputs(), Pairs()
    optimizer = torch.optim.AdamW(model.parameters(), lr=RATES[0])
    start, spent = 0, 0.0
    if file.exists():
        state = torch.load(file, weights_only=True)
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        pairs.singles, pairs.pairs, pairs.seen = state["singles"], state["pairs"], state["seen"]
        start, spent = state["step"], state["seconds"]
        torch.set_rng_state(state["random"])

    def keep(step: int) -> None:
        state = {
            "model": model.state_dict(),
            "optimizer": optimizer.state_dict(),
            "singles": pairs.singles,
            "pairs": pairs.pairs,
            "seen": pairs.seen,
            "step": step,
            "seconds": spent + time.process_time() - began,
            "random": torch.get_rng_state(),
        }
        scratch = file.with_suffix(".part")
        torch.save(state, scratch)
        scratch.replace(file)

    began, kept = time.process_time(), time.monotonic()
    for step in range(start, steps):
        _step(model, pairs, optimizer, step, steps)
        if step % 500 == 0:
            tell(f"step {step} of {steps}: {_exact(model, 2_000):.4f} exact")
        if time.monotonic() - kept > KEEP_EVERY_S:
            keep(step + 1)
            kept = time.monotonic()
    seconds = spent + time.process_time() - began
    if start < steps:
        keep(steps)
    model.eval().requires_grad_(False)
    return model, Figures(_exact(model, 20_000), _cell_kl(model, 200_000), seconds)


def _step(model: ThreeInputs, pairs: Pairs, optimizer: torch.optim.Optimizer, step: int, steps: int) -> None:
    falling = (1 + math.cos(math.pi * step / steps)) / 2
    for group in optimizer.param_groups:
        group["lr"] = RATES[1] + (RATES[0] - RATES[1]) * falling * min(1.0, (step + 1) / 200)
    digits = torch.randint(VALUES, (BATCH, CELLS))
    mean, log_variance = model.encode(digits)
    latents = mean + torch.randn_like(mean) * (log_variance / 2).exp()
    wrong = nn.functional.cross_entropy(model.decode(latents).flatten(0, 1), digits.flatten()) * CELLS
    kl = (mean.square() + log_variance.exp() - 1 - log_variance).sum(1).mean() / 2
    loss = wrong + BETA * kl
    if step >= PUSH_FROM:
        logits = model.decode(torch.randn(DRAWS, LATENT))
        with torch.no_grad():
            drawn = nn.functional.one_hot(logits.argmax(2), VALUES).float()
            window = PAIRS_WINDOWS[1] ** (1 - falling) * PAIRS_WINDOWS[0] ** falling
            pairs.observe(drawn.flatten(1), window)
            potential = pairs.potential(drawn.flatten(1))
            chances = logits.softmax(2)
            gradient = chances * (potential - (chances * potential).sum(2, keepdim=True))
        weight = WEIGHTS[1] ** (1 - falling) * WEIGHTS[0] ** falling
        loss = loss + weight * (gradient * logits).sum() / DRAWS
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()


@torch.no_grad()
def _exact(model: ThreeInputs, count: int) -> float:
    """Without touching the random state of the training."""
    digits = torch.randint(VALUES, (count, CELLS), generator=torch.Generator().manual_seed(1))
    found = model.decode(model.encode(digits)[0]).argmax(2)
    return float((found == digits).all(1).double().mean())


@torch.no_grad()
def _cell_kl(model: ThreeInputs, count: int) -> float:
    latents = torch.randn(count, LATENT, generator=torch.Generator().manual_seed(2))
    share = nn.functional.one_hot(model.decode(latents).argmax(2), VALUES).double().mean(0)
    return float((share * (share * VALUES).clamp(min=1e-12).log()).sum())
