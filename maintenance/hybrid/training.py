"""
Training of the hybrid: path A of the recipe `coverage`, with a Gaussian term for the parameters in the loss.

The phases, the schedule, the batches and the push that evens the draws are `separate`'s own. The snapshot is
the last epoch's.
"""

from typing import Final, cast

import torch
from torch import Tensor

from maintenance.hybrid import evening
from maintenance.hybrid.laws import Law, Scale
from maintenance.hybrid.network import Hybrid
from ternary_trainer import score, seeds, split
from ternary_trainer.decoding import decode
from ternary_trainer.mechanisms.applied import Mechanisms
from ternary_trainer.model import TernaryVAE
from ternary_trainer.moments import Moments
from ternary_trainer.separate import PathTraining
from ternary_trainer.settings import Recipe
from ternary_trainer.split import Operations
from ternary_trainer.uniformity import Uniformity

SIGMA: Final = 0.05
"""Standard deviation of the Gaussian, in normal scores: at the median 0.02 of a uniform parameter's range."""

WEIGHT: Final = 10.0
"""Of the terms that even the parameters, beside the one that evens the operations."""


class HybridTraining(PathTraining):
    """`separate`'s training of one path, with the parameters in its VAE.

    Args:
        model: To train.
        recipe: With a table `separate`.
        law: Of the parameters.
        scale: Of their normal scores.
        evened: Whether the parameters of prior draws are evened too.
        sigma: Of the Gaussian, in normal scores.
        seed: Of the batches, the noise and the draws.
    """

    def __init__(
        self, model: Hybrid, recipe: Recipe, law: Law, scale: Scale, *, evened: bool, sigma: float, seed: int
    ) -> None:
        if recipe.separate is None:
            raise ValueError("the recipe has no table 'separate'")
        super().__init__(cast(TernaryVAE, model), "A", recipe, recipe.separate, seed)
        self._model, self._law, self._scale = model, law, scale
        self._evened, self._sigma = evened, sigma
        self._known, self._steps = split.training(recipe.space).classes, 0

    def _vae_loss(
        self,
        batch: Operations,
        random: torch.Generator,
        mechanisms: Mechanisms | None = None,  # noqa: ARG002 - the recipe switches none on
    ) -> tuple[Tensor, Tensor]:
        scores = self._scale.scores(self._law.seen(batch.classes, random))
        mean, logvar = self._model.encoder()(batch.tables, scores)
        noise = score.latents(len(batch), self._latent_size, random)
        latents = mean + self._dials.noise * noise * (logvar / 2).exp()
        ce = score.cross_entropy(self._model.decoder()(latents), batch) / len(batch)
        wrong = (self._model.decoder().scores(latents) - scores).square().sum(1).mean()
        kl = score.kl_to_prior(mean, logvar)
        paid = kl.clamp(min=self._settings.free_bits).sum(1).mean()
        idle = (self._settings.active_variance - mean.var(0)).clamp(min=0).sum()
        loss = ce + wrong / (2 * self._sigma**2) + self._dials.beta * paid
        return (
            loss + self._settings.active_weight * idle,
            torch.stack([ce.detach(), kl.detach().sum(1).mean()]),
        )

    def _spread(self, evening_of: Uniformity | Moments, at: float) -> None:
        super()._spread(evening_of, at)
        if self._evened:
            latents = self._latents(self._effort.draws)
            scores = self._model.decoder().scores(latents)
            wanted = evening.marginal(scores)
            self._steps += 1
            if not self._law.independent and self._steps % evening.EVERY == 0:
                wanted = wanted + evening.EVERY * self._apart(latents[: evening.PAIRS], scores)
            (WEIGHT * self._dials.exploration * wanted).backward()  # type: ignore[no-untyped-call]

    def _apart(self, latents: Tensor, scores: Tensor) -> Tensor:
        with torch.no_grad():
            drawn = decode(self._model.decoder(), latents, self._space).classes.t()
        rows = torch.randint(len(self._known), (len(latents),), generator=self._random)
        known = self._known[rows]
        known_scores = self._scale.scores(self._law.seen(known, self._random))
        return evening.joint(drawn, scores[: len(latents)], known, known_scores)


def train(
    recipe: Recipe, law: Law, head: str, seed: int, *, evened: bool, sigma: float
) -> tuple[Hybrid, Scale]:
    """Train to the recipe's last epoch, one thread; the surge of the recipe as well.

    Args:
        recipe: With a table `separate`, of (3, 2).
        law: Of the parameters.
        head: One of `HEADS`.
        seed: Decides the weights, with the machine.
        evened: Whether the parameters of prior draws are evened too.
        sigma: Of the Gaussian, in normal scores.
    """
    operations = split.training(recipe.space)
    scale = Scale.of(law, operations, seeds.generator(seed, "hybrid: scale"))
    model = Hybrid(recipe, law.count, head, seed)
    training = HybridTraining(model, recipe, law, scale, evened=evened, sigma=sigma, seed=seed)
    for epoch in range(recipe.epochs):
        surge = next((one for one in recipe.surge if one.covers(epoch)), None)
        training.run(epoch, surge)
    return model, scale
