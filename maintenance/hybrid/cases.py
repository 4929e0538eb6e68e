"""
What is trained, and the figures of each training.
"""

import time
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

import torch
from torch import Tensor

from maintenance.hybrid import apart, laws, measuring
from maintenance.hybrid.laws import Growing, Law, Scale, Uniform
from maintenance.hybrid.network import Hybrid
from maintenance.hybrid.training import SIGMA, train
from ternary_sdk.coverage import expected_coverage, headline_draws
from ternary_trainer import score, seeds, split
from ternary_trainer.decoding import decode
from ternary_trainer.settings import Recipe
from ternary_trainer.split import Operations

DRAWS: Final = 50_000
"""Pairs of operation and parameters that are compared with the law."""
EDGES: Final = (0.001, 0.999)
"""Shares of the law at which every operation must come back too."""


@dataclass(frozen=True)
class Case:
    """One training, but for its seed."""

    name: str
    law: str
    """``uniform`` or ``growing``."""
    count: int
    """Parameters."""
    head: str = "linear"
    """One of `network.HEADS`."""
    evened: bool = True
    """Whether the parameters of prior draws are evened, as the operations are."""
    sigma: float = SIGMA
    """Standard deviation of the Gaussian term, in normal scores."""
    beta: float | None = None
    """Weight of the KL, if not the recipe's."""
    pairs: bool = False
    """Whether their pairs with operations are, though the law says that they are independent."""

    def of(self, seed: int) -> Law:
        """The law of its parameters, with the file of this seed."""
        return Growing(seed) if self.law == "growing" else Uniform(self.count, independent=not self.pairs)

    def changed(self, recipe: Recipe) -> Recipe:
        """A recipe, with a table `separate`, with the weight of the KL that this case has."""
        if self.beta is None or recipe.separate is None:
            return recipe
        learn = replace(recipe.separate.learn, beta=self.beta)
        spread = replace(recipe.separate.spread, beta=self.beta)
        return replace(recipe, separate=replace(recipe.separate, learn=learn, spread=spread))


CASES: Final = (
    Case("1", "uniform", 1),
    Case("2", "uniform", 2),
    Case("4", "uniform", 4),
    Case("delay", "growing", 1, "hidden"),
    Case("operation alone", "uniform", 0, evened=False),
    Case("4, wide Gaussian", "uniform", 4, sigma=0.2),
    Case("2, pairs evened", "uniform", 2, pairs=True),
    Case("1, parameters not evened", "uniform", 1, evened=False),
    Case("delay, parameters not evened", "growing", 1, "hidden", evened=False),
    Case("delay, beta 0.8", "growing", 1, "hidden", beta=0.8),
    Case("delay, linear head", "growing", 1),
)


def measured(case: Case, seed: int, recipe: Recipe) -> dict[str, Any]:
    """Train a case and measure it; the figures, as a file keeps them."""
    began = time.process_time()
    law, recipe = case.of(seed), case.changed(recipe)
    model, scale = train(recipe, law, case.head, seed, evened=case.evened, sigma=case.sigma)
    figures: dict[str, Any] = {"core seconds": time.process_time() - began}
    random = seeds.generator(seed, "hybrid: measurement")
    with torch.no_grad():
        figures |= _given_back(model, law, scale, recipe, random)
        figures |= _coverage(model, recipe, random)
        digits, values = _pairs(model, scale, recipe, random)
    if case.count:
        return {**figures, "drawn": measuring.drawn(law, digits, values)}
    return {**figures, "apart": _apart(digits, seed, recipe, random)}


def _given_back(
    model: Hybrid, law: Law, scale: Scale, recipe: Recipe, random: torch.Generator
) -> dict[str, Any]:
    holdout, every = split.holdout(recipe.space), split.all_operations(recipe.space)
    values = laws.fresh(law, holdout.classes, random)
    exact, found, _ = _rebuilt(model, scale, holdout, values)
    errors = (found - values).abs()
    edges = [
        _rebuilt(model, scale, every, law.at(every.classes, torch.full((len(every), law.count), share)))
        for share in EDGES
    ]
    return {
        "exact": exact,
        "exact at the edges": min(share for share, _, _ in edges),
        "margin at the edges": min(margin for _, _, margin in edges),
        "errors": [
            {str(share): asdict(measuring.quantile(column, share)) for share in measuring.SHARES}
            for column in errors.t().numpy()
        ],
    }


def _rebuilt(
    model: Hybrid, scale: Scale, operations: Operations, values: Tensor
) -> tuple[float, Tensor, float]:
    # The share of exact operations, the parameters that come back, and the least margin.
    mean, _ = model.encoder()(operations.tables, scale.scores(values))
    back = decode(model.decoder(), mean, operations.space)
    exact = (back.classes.t() == operations.classes).all(1).double().mean()
    return float(exact), scale.values(model.decoder().scores(mean)), float(back.margin.min())


def _coverage(model: Hybrid, recipe: Recipe, random: torch.Generator) -> dict[str, float]:
    latents = score.latents(recipe.scoring.report_draws, recipe.latent_size, random)
    counts = score.count(model.decoder().plain, latents, recipe.space)
    return {"coverage": expected_coverage(counts.numpy(), headline_draws(recipe.space))}


def _pairs(model: Hybrid, scale: Scale, recipe: Recipe, random: torch.Generator) -> tuple[Tensor, Tensor]:
    latents = score.latents(DRAWS, recipe.latent_size, random)
    digits = decode(model.decoder(), latents, recipe.space).classes.t()
    return digits, scale.values(model.decoder().scores(latents))


def _apart(digits: Tensor, seed: int, recipe: Recipe, random: torch.Generator) -> dict[str, Any]:
    # The operations are the plain model's draws; the parameters are drawn for them in three ways.
    delay = Growing(seed)
    known = split.training(recipe.space).classes
    file = delay.seen(known, random)
    began = time.process_time()
    conditional = apart.Conditional(known, file[:, 0], seed)
    seconds = time.process_time() - began
    ways = {
        f"{count}, uniform": (Uniform(count), torch.rand(len(digits), count, generator=random))
        for count in (1, 2, 4)
    }
    ways["delay, file resampled"] = delay, apart.resampled(file, len(digits), random)
    ways["delay, learned given the operation"] = delay, conditional.draw(digits)[:, None]
    ways["delay, by the law itself"] = delay, laws.fresh(delay, digits, random)
    drawn = {name: measuring.drawn(law, digits, values) for name, (law, values) in ways.items()}
    return {"drawn": drawn, "core seconds of the learned": seconds}
