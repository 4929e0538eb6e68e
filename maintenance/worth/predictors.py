"""
Two predictors of many targets at once, a linear one and a network, with one budget for every feature set.

A target in [0, 1] that is a property is predicted by its log odds, any other by its value. Targets share
nothing but the time: each has weights of its own.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import torch

Floats = npt.NDArray[np.float64]

VALIDATION: Final = 0.15
RIDGES: Final = (0.1, 1.0, 10.0, 100.0)
WIDTH: Final = 64
STEPS: Final = 600
BATCH: Final = 256
RATE: Final = 3e-3
DECAY: Final = 1e-4
LOOK_EVERY: Final = 50


@dataclass(frozen=True)
class Targets:
    """What is to be predicted."""

    values: Floats
    """Shape (n, targets): 0 or 1 for a property, else of mean 0 and variance 1."""
    binary: npt.NDArray[np.bool_]
    """Which targets are properties, shape (targets,)."""


def linear(seen: Floats, targets: Targets, unseen: Floats, seed: int) -> Floats:
    """Logistic or linear regression with a ridge, the ridge chosen on 15 % of the training part.

    Returns:
        Log odds or values of the unseen rows, shape (n, targets).
    """
    fit, check = _parts(len(seen), seed)
    columns = []
    for target, binary in zip(targets.values.T, targets.binary, strict=True):
        losses = [
            _loss(_apply(_fitted(seen[fit], target[fit], ridge, binary), seen[check]), target[check], binary)
            for ridge in RIDGES
        ]
        best = RIDGES[int(np.argmin(losses))]
        columns.append(_apply(_fitted(seen, target, best, binary), unseen))
    return np.stack(columns, axis=1)


def _parts(count: int, seed: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    order = np.random.default_rng(seed).permutation(count)
    held = round(VALIDATION * count)
    return order[held:], order[:held]


def _apply(weights: Floats, rows: Floats) -> Floats:
    result: Floats = rows @ weights[1:] + weights[0]
    return result


def _loss(found: Floats, target: Floats, binary: bool) -> float:
    losses = np.logaddexp(0, found) - target * found if binary else np.square(found - target)
    return float(losses.mean())


def _fitted(rows: Floats, target: Floats, ridge: float, binary: bool) -> Floats:
    """Weights, the constant first, which no ridge pulls. A logistic fit takes at most 12 Newton steps."""
    design = np.hstack([np.ones((len(rows), 1)), rows])
    pull = np.diag([1e-6, *[ridge] * rows.shape[1]])
    if not binary:
        solved: Floats = np.linalg.solve(design.T @ design + pull, design.T @ target)
        return solved
    share = (target.sum() + 0.5) / (len(target) + 1)
    weights = np.zeros(design.shape[1])
    weights[0] = np.log(share / (1 - share))
    for _ in range(12):
        chance = 1 / (1 + np.exp(-np.clip(design @ weights, -30, 30)))
        curvature = (design * (chance * (1 - chance) + 1e-9)[:, None]).T @ design + pull
        step = np.linalg.solve(curvature, design.T @ (target - chance) - pull @ weights)
        weights += step * min(1.0, 5 / max(float(np.abs(step).max()), 1e-12))
        if np.abs(step).max() < 1e-4:
            break
    return weights


def network(seen: Floats, targets: Targets, unseen: Floats, seed: int, steps: int = STEPS) -> Floats:
    """Networks d → 64 → 64 → 1, one for each target, each as it was when its validation loss was lowest.

    Returns:
        Log odds or values of the unseen rows, shape (n, targets).
    """
    fit, check = (torch.from_numpy(part) for part in _parts(len(seen), seed))
    rows, wanted = torch.from_numpy(seen).float(), torch.from_numpy(targets.values).float()
    binary = torch.from_numpy(targets.binary)
    random = torch.Generator().manual_seed(seed)
    count, columns = len(binary), rows.shape[1]
    weights = []
    for inputs, outputs in ((columns, WIDTH), (WIDTH, WIDTH), (WIDTH, 1)):
        drawn = torch.randn(count, inputs, outputs, generator=random) * (2 / inputs) ** 0.5
        weights += [drawn.requires_grad_(), torch.zeros(count, 1, outputs, requires_grad=True)]
    optimizer = torch.optim.AdamW(weights, lr=RATE, weight_decay=DECAY)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    best = [weight.detach().clone() for weight in weights]
    least = torch.full((count,), torch.inf)
    for step in range(steps):
        chosen = fit[torch.randint(len(fit), (BATCH,), generator=random)]
        optimizer.zero_grad()
        _losses(_outputs(weights, rows[chosen]), wanted[chosen], binary).sum().backward()
        optimizer.step()
        schedule.step()
        if (step + 1) % LOOK_EVERY == 0:
            with torch.no_grad():
                losses = _losses(_outputs(weights, rows[check]), wanted[check], binary)
                better = losses < least
                least = torch.where(better, losses, least)
                for kept, weight in zip(best, weights, strict=True):
                    kept[better] = weight.detach()[better]
    with torch.no_grad():
        parts = torch.from_numpy(unseen).float().split(4096)
        return torch.cat([_outputs(best, part) for part in parts]).double().numpy()


def _outputs(weights: list[torch.Tensor], rows: torch.Tensor) -> torch.Tensor:
    hidden = rows.expand(len(weights[0]), -1, -1)
    for layer in range(0, len(weights), 2):
        hidden = torch.baddbmm(weights[layer + 1], hidden, weights[layer])
        if layer + 2 < len(weights):
            hidden = hidden.relu()
    return hidden.squeeze(2).T


def _losses(found: torch.Tensor, wanted: torch.Tensor, binary: torch.Tensor) -> torch.Tensor:
    odds = torch.nn.functional.softplus(found) - wanted * found
    return torch.where(binary, odds, (found - wanted).square()).mean(0)
