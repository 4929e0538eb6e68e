"""
Method `separate`: each path for itself. First a VAE; then its prior draws are evened out as well.

A path's loss is CE + beta·KL (free bits a dimension) + a pull on dimensions whose mean hardly varies, plus,
in the second phase, the weighted potential of its prior draws (`uniformity`). The paths share nothing, so
they run side by side in two threads; each has its own number stream, so the result does not depend on which
is ahead.
"""

from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import torch
from torch import Tensor

from ternary_sdk.coverage import headline_draws
from ternary_sdk.space import Space
from ternary_trainer import batches, evenness, orders, score, seeds
from ternary_trainer.decoding import decode
from ternary_trainer.dials import Dials, cosine, geometric, ramp, turned
from ternary_trainer.history import EpochRecord
from ternary_trainer.loss_hook import Term, seen
from ternary_trainer.mechanisms.applied import Mechanisms
from ternary_trainer.method import Figures, PathFigures
from ternary_trainer.model import TernaryVAE
from ternary_trainer.moments import Moments
from ternary_trainer.settings import Effort, Recipe, Separate, Surge
from ternary_trainer.split import Operations
from ternary_trainer.uniformity import Uniformity

LEARN: Final = "learn"
"""The phase in which nothing evens the draws yet."""

_FIRST_COUNT = 100_000
"""Draws of the first estimate of what a decoder draws, at least; in larger spaces twice the headline
draws."""


def schedule(settings: Separate, effort: Effort, epochs: int, at: float) -> Dials:
    """The dials at a moment, in epochs from the start: 2.5 is half-way through the third."""
    learn = settings.learn
    if at < learn.epochs:
        progress = at / learn.epochs
        rate = cosine(learn.rate, 0.3 * learn.rate, progress) * max(0.02, ramp(progress, 0.1))
        return Dials(rate=rate, beta=learn.beta * ramp(progress, 0.3))
    progress = (at - learn.epochs) / (epochs - learn.epochs)
    weight = geometric(*effort.weight, max(0.0, (progress - 0.3) / 0.7)) * ramp(progress, 0.1)
    rate = cosine(*effort.rate, progress) * max(0.05, ramp(progress, 0.1))
    return Dials(rate=rate, beta=settings.spread.beta, exploration=weight)


def windows(settings: Separate, effort: Effort, epochs: int, at: float, space: Space) -> Tensor:
    """For each order, how many draws the running distribution remembers, shape (cells + 1,); in a vast space
    for single cells and for pairs, shape (2,)."""
    spread = settings.spread
    progress = min(1.0, max(0.0, at - settings.learn.epochs) / (0.9 * (epochs - settings.learn.epochs)))
    high = geometric(*spread.window, progress)
    if spread.low_window:
        return torch.tensor([geometric(*spread.low_window, progress), high])
    low = min(high, effort.low_window or high)
    towards_high = [min(1.0, max(0, order - 1) / 3) for order in range(orders.orders(space))]
    return torch.tensor([geometric(low, high, share) for share in towards_high])


class PathTraining:
    """One path's weights, optimizer, number stream and running distribution."""

    def __init__(
        self,
        model: TernaryVAE,
        path: str,
        recipe: Recipe,
        settings: Separate,
        seed: int,
        term: Term | None = None,
    ) -> None:
        self._path, self._term = path, term
        self._recipe, self._settings, self._seed = recipe, settings, seed
        self._purpose = f"training of path {path}"
        self._effort: Effort = settings.paths[path]
        self._encoder, self._decoder = model.encoder(path), model.decoder(path)
        self._parameters = model.parameters_of(path)
        self._optimizer = torch.optim.AdamW(self._parameters, weight_decay=recipe.weight_decay, fused=True)
        device = self._parameters[0].device
        self._space, self._latent_size = recipe.space, recipe.latent_size
        self._random = seeds.generator(seed, self._purpose, device)
        self._batches = batches.of(recipe, self._random)
        self._mechanisms = Mechanisms(recipe, settings, self._encoder, self._decoder, self._random)
        self._evening: Uniformity | Moments | None = None
        self._dials = Dials(rate=0.0, beta=0.0)

    def run(self, epoch: int, surge: Surge | None) -> PathFigures:
        """Train one epoch."""
        if self._evening is None and epoch >= self._settings.learn.epochs:
            self._evening = self._first_estimate()
        sums = torch.zeros(2)
        effort = self._settings.learn if self._evening is None else self._effort
        steps = self._batches.steps(effort)
        for step, operations in enumerate(self._batches.epoch(effort)):
            at = epoch + step / steps
            self._dials = turned(schedule(self._settings, self._effort, self._recipe.epochs, at), surge)
            self._optimizer.zero_grad()
            sums += self._autoencode(operations)
            if self._evening:
                self._spread(self._evening, at)
            self._step()
        reconstruction, kl = (sums / steps).tolist()
        return PathFigures(reconstruction=reconstruction, kl=kl, dials=self._dials)

    def _first_estimate(self) -> Uniformity | Moments:
        if not self._space.listed:
            latents = self._latents(_FIRST_COUNT)
            return Moments(evenness.digits(self._decoder, latents, self._space), self._space)
        draws = max(_FIRST_COUNT, 2 * headline_draws(self._space))
        return Uniformity(score.count(self._decoder, self._latents(draws), self._space), self._space)

    def _latents(self, draws: int) -> Tensor:
        return score.latents(draws, self._latent_size, self._random)

    def _autoencode(self, operations: Operations) -> Tensor:
        # Adds the gradient of the VAE's part, and gives (cross-entropy, KL).
        batch = self._mechanisms.replaced(operations)
        loss, figures = self._vae_loss(batch, self._random, self._mechanisms)
        loss.backward()  # type: ignore[no-untyped-call]
        return figures.cpu()

    def _vae_loss(
        self, batch: Operations, random: torch.Generator, mechanisms: Mechanisms | None = None
    ) -> tuple[Tensor, Tensor]:
        mean, logvar = self._encoder(batch.tables)
        noise = score.latents(len(batch), self._latent_size, random)
        logits = self._decoder(mean + self._dials.noise * noise * (logvar / 2).exp())
        ce = score.cross_entropy(logits, batch) / len(batch)
        kl = score.kl_to_prior(mean, logvar)
        paid = kl.clamp(min=self._settings.free_bits).sum(1).mean()
        idle = (self._settings.active_variance - mean.var(0)).clamp(min=0).sum()
        loss = ce + self._dials.beta * paid + self._settings.active_weight * idle
        if self._term:
            loss = loss + self._term(seen(self._path, batch, mean, logvar, logits))
        for term in mechanisms.terms(batch, mean) if mechanisms else ():
            loss = loss + term
        return loss, torch.stack([ce.detach(), kl.detach().sum(1).mean()])

    @torch.no_grad()
    def validation_loss(self, operations: Operations, random: torch.Generator) -> float:
        """The VAE's part of the loss as it was weighted last."""
        loss, _ = self._vae_loss(operations, random)
        return float(loss)

    def _spread(self, evening: Uniformity | Moments, at: float) -> None:
        # Most draws are far from any boundary between operations, where no gradient is: those are decoded
        # and counted, but only the rest go through the network again to be pushed.
        latents = self._latents(self._effort.draws)
        memory = windows(self._settings, self._effort, self._recipe.epochs, at, self._space)
        if isinstance(evening, Moments) and self._effort.pushed == len(latents):
            draws = decode(self._decoder, latents, self._space)
            pushed = evening.gradient(draws, memory.to(latents.device))
            draws.logits.backward(  # type: ignore[no-untyped-call]
                pushed * (self._dials.exploration / len(latents))
            )
            return
        with torch.no_grad():
            draws = decode(self._decoder, latents, self._space)
        gradient = evening.gradient(draws, memory.to(latents.device)).flatten(0, 1)
        chosen = gradient.abs().sum(0).topk(self._effort.pushed, sorted=False).indices
        logits = self._decoder(latents[chosen])
        logits.backward(gradient[:, chosen].t() * (self._dials.exploration / len(latents)))

    def _step(self) -> None:
        torch.nn.utils.clip_grad_norm_(self._parameters, self._recipe.clip)
        self._optimizer.param_groups[0]["lr"] = self._dials.rate
        self._optimizer.step()

    def state(self) -> dict[str, Any]:
        """All that a resumed run needs besides the weights."""
        return {
            "optimizer": self._optimizer.state_dict(),
            "random": self._random.get_state(),
            "uniformity": self._evening and self._evening.state(),
        }

    def restore(self, state: dict[str, Any], moved: str) -> None:
        """Go on from `state`, with a new number stream if it `moved` between devices."""
        self._optimizer.load_state_dict(state["optimizer"])
        seeds.go_on(self._random, state["random"], self._seed, moved and f"{self._purpose}, {moved}")
        if state["uniformity"]:
            self._evening = self._unknown()
            self._evening.restore(state["uniformity"])

    def _unknown(self) -> Uniformity | Moments:
        device = self._random.device
        if self._space.listed:
            return Uniformity(torch.ones(self._space.size, device=device), self._space)
        return Moments(torch.zeros(self._space.cells, 1, dtype=torch.int64, device=device), self._space)


class SeparateTraining:
    """All paths side by side; the `Method` of recipes with a table `separate`."""

    def __init__(
        self, model: TernaryVAE, recipe: Recipe, settings: Separate, seed: int, term: Term | None = None
    ) -> None:
        self._settings = settings
        self._paths = {
            path: PathTraining(model, path, recipe, settings, seed, term) for path in settings.paths
        }

    def run_epoch(self, epoch: int, surge: Surge | None, last: EpochRecord | None) -> Figures:  # noqa: ARG002
        """Train every path for one epoch."""
        with ThreadPoolExecutor(len(self._paths)) as threads:
            runs = {
                path: threads.submit(training.run, epoch, surge) for path, training in self._paths.items()
            }
        phase = LEARN if epoch < self._settings.learn.epochs else "spread"
        return Figures(phase=phase, paths={path: run.result() for path, run in runs.items()})

    def validation_loss(self, operations: Operations, random: torch.Generator) -> float:
        """CE + beta·KL and the pull on idle dimensions, all paths; uniformity needs no operations."""
        return sum(training.validation_loss(operations, random) for training in self._paths.values())

    def state(self) -> dict[str, Any]:
        """All that a resumed run needs besides the weights."""
        return {path: training.state() for path, training in self._paths.items()}

    def restore(self, state: dict[str, Any], *, moved: str = "") -> None:
        """Go on from `state`."""
        for path, training in self._paths.items():
            training.restore(state[path], moved)
