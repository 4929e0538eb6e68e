"""
Method `coupled`: the published v5.5 recipe, both paths in one loss with cross-injection.

Loss, from a batch's latents zA, zB; decoders see the mixtures (1 - rho)·z + rho·stopgrad(other z):

    l1·sA·(CE_A + betaA·KL_A) + l2·sB·(CE_B + betaB·KL_B - 0.05·entropy_B + 0.01·repulsion_B) + l3·|H_A - H_B|

The last term has no gradient, and StateNet gets none either: both are kept because they are published.
Faithful is the mathematics; data are in memory, and each path's parameters are one tensor to the optimizer.
The published loss is of paths A and B of v5.5 alone: `soundness` refuses any other architecture.
"""

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

import torch
import torch.nn.functional as F
from torch import Tensor

from ternary_sdk.signature import STANDARD
from ternary_trainer import published, score, seeds, split
from ternary_trainer.dials import Dials, turned
from ternary_trainer.flat import flattened
from ternary_trainer.history import EpochRecord
from ternary_trainer.loss_hook import Term, seen
from ternary_trainer.mechanisms.state_net import LearningStateNet
from ternary_trainer.method import Figures, PathFigures
from ternary_trainer.model import TernaryVAE
from ternary_trainer.settings import Coupled, Recipe, Surge
from ternary_trainer.split import Operations

_BALANCE: Final = (0.8, 1.2)
_BINS: Final = 50
_PATHS: Final = STANDARD.paths
_PURPOSE: Final = "training of both paths"


@dataclass(frozen=True, kw_only=True)
class Balance:
    """What the recipe adapts while it trains."""

    rho: float = 0.1
    """Share of the other path in the latents that a decoder sees."""
    l1: float = 0.7
    """Weight of path A's loss, 0.5 to 0.95."""
    l2: float = 0.7
    """Weight of path B's loss, 0.5 to 0.95."""
    l3: float = 0.3
    """Weight of the entropy difference."""
    gradient_ratio: float = 1.0
    """Moving average of B's gradient norm over A's, at the epoch's start."""

    @property
    def balanced(self) -> bool:
        """Whether the ratio is within 0.8 to 1.2."""
        return _BALANCE[0] <= self.gradient_ratio <= _BALANCE[1]


def adapted(balance: Balance, epoch: int, ratio: float, last: EpochRecord | None) -> Balance:
    """The weights for an epoch, from those of the one before, the gradient ratio and the last coverages."""
    now = replace(balance, gradient_ratio=ratio, l3=published.l3(epoch))
    now = replace(now, rho=published.rho(epoch, balance.rho, now.balanced))
    if not now.balanced:
        step = 0.02 if ratio < _BALANCE[0] else -0.02
        return replace(now, l1=_weight(now.l1 + step), l2=_weight(now.l2 - step))
    coverages = last.paths["B"].headline / last.paths["A"].headline if last else 1.0
    if coverages > 1.5:
        return replace(now, l1=_weight(now.l1 * 1.05), l2=_weight(now.l2 * 0.95))
    if coverages < 0.67:
        return replace(now, l1=_weight(now.l1 * 0.95), l2=_weight(now.l2 * 1.05))
    return now


def _weight(value: float) -> float:
    return min(0.95, max(0.5, value))


@dataclass(frozen=True, kw_only=True)
class Side:
    """One path's part of a batch's loss."""

    ce: Tensor
    """Cross-entropy over nine trits, nats, mean over the batch."""
    kl: Tensor
    """KL to the prior, all of it, nats, mean over the batch."""
    paid: Tensor
    """The same with free bits."""
    latents: Tensor
    """Before injection, shape (n, 16)."""
    logits: Tensor
    """Shape (n, 27)."""


class CoupledTraining:
    """The `Method` of recipes with a table `coupled`."""

    def __init__(
        self, model: TernaryVAE, recipe: Recipe, settings: Coupled, seed: int, term: Term | None = None
    ) -> None:
        self._term = term
        self._model, self._recipe, self._settings, self._seed = model, recipe, settings, seed
        self._flat = {path: flattened(model.parameters_of(path)) for path in _PATHS}
        self._optimizer = torch.optim.AdamW(self._flat.values(), weight_decay=recipe.weight_decay, fused=True)
        device = next(model.parameters()).device
        self._data = split.training(recipe.space, device, recipe.holdout_family, recipe.training_operations)
        self._random = seeds.generator(seed, _PURPOSE, device)
        rate = settings.state_net_rate
        self._learning = LearningStateNet(model.state_net, rate) if rate else None
        self._balance = Balance()
        self._norms = dict.fromkeys(_PATHS, 1.0)
        self._dials = {path: Dials(rate=0.0, beta=0.0) for path in _PATHS}

    def run_epoch(self, epoch: int, surge: Surge | None, last: EpochRecord | None) -> Figures:
        """Train both paths for one epoch."""
        self._balance = adapted(self._balance, epoch, self._norms["B"] / self._norms["A"], last)
        self._dials = self._schedule(epoch, surge)
        sums = torch.zeros(4)
        for step, batch in enumerate(self._batches()):
            self._optimizer.zero_grad(set_to_none=False)
            loss, a, b = self._loss(batch, self._random)
            loss.backward()  # type: ignore[no-untyped-call]
            if step == 0 and self._settings.state_net:
                self._correct(a, b)
            if self._learning:
                self._learning.stepping(list(self._flat.values()))
            self._step()
            sums += torch.stack([a.ce, a.kl, b.ce, b.kl]).detach().cpu()
        if self._learning:
            self._learning.learn()
        return self._figures(epoch, (sums / (step + 1)).tolist())

    def _schedule(self, epoch: int, surge: Surge | None) -> dict[str, Dials]:
        rate, disruption = published.rate(epoch), self._settings.disruption
        beta: dict[str, float] = {"A": published.beta_a(epoch), "B": published.beta_b(epoch, disruption)}
        noise: dict[str, float] = {
            "A": published.temperature_a(epoch),
            "B": published.temperature_b(epoch),
        }
        return {
            path: turned(Dials(rate=rate, beta=beta[path], noise=noise[path], exploration=1.0), surge)
            for path in _PATHS
        }

    def _batches(self) -> Iterator[Operations]:
        order = torch.randperm(len(self._data), generator=self._random, device=self._random.device)
        shuffled = self._data.take(order)
        for start in range(0, len(order), self._recipe.batch):
            yield shuffled.take(slice(start, start + self._recipe.batch))

    def _loss(self, batch: Operations, random: torch.Generator) -> tuple[Tensor, Side, Side]:
        latents, kls, posteriors = {}, {}, {}
        for path in _PATHS:
            mean, logvar = self._model.encoder(path)(batch.tables)
            noise = score.latents(len(batch), STANDARD.latent_size, random)
            latents[path] = mean + self._dials[path].noise * noise * (logvar / 2).exp()
            kls[path], posteriors[path] = score.kl_to_prior(mean, logvar), (mean, logvar)
        a = self._side("A", latents["A"], latents["B"], kls["A"], batch)
        b = self._side("B", latents["B"], latents["A"], kls["B"], batch)
        total = self._total(a, b)
        if self._term:
            for path, side in zip(_PATHS, (a, b), strict=True):
                total = total + self._term(seen(path, batch, *posteriors[path], side.logits))
        return total, a, b

    def _side(self, path: str, own: Tensor, other: Tensor, kl: Tensor, batch: Operations) -> Side:
        mixed = torch.lerp(own, other.detach(), self._balance.rho)
        logits = self._model.decoder(path)(mixed)
        ce = score.cross_entropy(logits, batch) / len(batch)
        paid = kl.clamp(min=self._settings.free_bits).sum(1).mean()
        return Side(ce=ce, kl=kl.detach().sum(1).mean(), paid=paid, latents=own, logits=logits)

    def _total(self, a: Side, b: Side) -> Tensor:
        balance, settings, dials = self._balance, self._settings, self._dials
        scale = min(2.0, max(0.5, self._norms["B"] / self._norms["A"]))
        explored = settings.repulsion * repulsion(b.latents) - settings.entropy * mean_entropy(b.logits)
        path_a = a.ce + dials["A"].beta * a.paid
        path_b = b.ce + dials["B"].beta * b.paid + dials["B"].exploration * explored
        return balance.l1 * scale * path_a + balance.l2 / scale * path_b

    def _correct(self, a: Side, b: Side) -> None:
        balance = self._balance
        state = [histogram_entropy(a.latents), histogram_entropy(b.latents), float(a.kl), float(b.kl)]
        state += [balance.gradient_ratio, balance.rho, balance.l1, balance.l2, balance.l3]
        with torch.no_grad():
            given = torch.tensor([state], device=a.latents.device)
            if self._learning:
                self._learning.corrected(given)
            rate, l1, l2, l3 = self._model.state_net(given)[0].tolist()
        self._balance = replace(
            balance,
            l1=_weight(balance.l1 + 0.01 * l1),
            l2=_weight(balance.l2 + 0.01 * l2),
            l3=balance.l3 + 0.01 * l3,
        )
        self._dials = {p: replace(d, rate=d.rate * (1 + 0.05 * rate)) for p, d in self._dials.items()}

    def _step(self) -> None:
        norms: dict[str, float] = {path: float(_gradient(self._flat[path]).norm()) for path in _PATHS}
        clipped = min(1.0, self._recipe.clip / (math.hypot(*norms.values()) + 1e-6))
        momentum = 0.95 if self._balance.balanced else 0.5
        for path, norm in norms.items():
            _gradient(self._flat[path]).mul_(clipped)
            self._norms[path] = momentum * self._norms[path] + (1 - momentum) * clipped * norm
        self._optimizer.param_groups[0]["lr"] = self._dials["A"].rate
        self._optimizer.step()

    def _figures(self, epoch: int, means: list[float]) -> Figures:
        self._model.grad_norm_A_ema.fill_(self._norms["A"])
        self._model.grad_norm_B_ema.fill_(self._norms["B"])
        return Figures(
            phase=published.phase(epoch),
            paths={
                "A": PathFigures(reconstruction=means[0], kl=means[1], dials=self._dials["A"]),
                "B": PathFigures(reconstruction=means[2], kl=means[3], dials=self._dials["B"]),
            },
            coupling=asdict(self._balance),
        )

    @torch.no_grad()
    def validation_loss(self, operations: Operations, random: torch.Generator) -> float:
        """The published loss, with this epoch's betas and temperatures, and the term without gradient."""
        loss, a, b = self._loss(operations, random)
        apart = abs(histogram_entropy(a.latents) - histogram_entropy(b.latents))
        return float(loss) + self._balance.l3 * apart

    def state(self) -> dict[str, Any]:
        """All that a resumed run needs besides the weights."""
        return {
            "optimizer": self._optimizer.state_dict(),
            "random": self._random.get_state(),
            "balance": asdict(self._balance),
            "norms": dict(self._norms),
            **({"state_net": self._learning.state()} if self._learning else {}),
        }

    def restore(self, state: dict[str, Any], *, moved: str = "") -> None:
        """Go on from `state`."""
        self._optimizer.load_state_dict(state["optimizer"])
        seeds.go_on(self._random, state["random"], self._seed, moved and f"{_PURPOSE}, {moved}")
        self._balance = Balance(**state["balance"])
        self._norms = state["norms"]
        if self._learning:
            self._learning.restore(state["state_net"])


def _gradient(flat: Tensor) -> Tensor:
    if flat.grad is None:
        raise RuntimeError("the gradient of a flat parameter was replaced")
    return flat.grad


def mean_entropy(logits: Tensor) -> Tensor:
    """Entropy of the batch's mean softmax, nats, mean over trits; logits of shape (n, 27)."""
    chances = logits.view(len(logits), -1, STANDARD.space.radix).softmax(-1).mean(0)
    # Within 1e-10 of p·ln p, whose own gradient is infinite where a class has died out.
    return -(chances * (chances + 1e-10).log()).sum(-1).mean()


def repulsion(latents: Tensor) -> Tensor:
    """Mean over pairs of exp(-d²/0.25), in [0, 1]; latents of shape (n, 16), 0 for a single one."""
    squares = latents.square().sum(1)
    # Pairs further apart than this add less than 1e-34; left in, they would be denormal, and slow.
    distances = (squares[:, None] + squares - 2 * latents @ latents.t()).clamp(0, 20)
    count = len(latents)
    return ((-distances / 0.25).exp().sum() - count) / max(1, count * (count - 1))


@torch.no_grad()
def histogram_entropy(latents: Tensor) -> float:
    """Mean entropy of the dimensions' histograms, 50 bins on [-3, 3], nats; shape (n, 16)."""
    edges = torch.linspace(-3, 3, _BINS + 1, device=latents.device)
    bins = torch.bucketize(latents, edges)  # 0 and 51 are outside, and left out as in the published program
    counts = F.one_hot(bins, _BINS + 2)[..., 1:-1].sum(0).double()
    shares = counts / counts.sum(1, keepdim=True).clamp(min=1)
    return float(-torch.xlogy(shares, shares).sum(1).mean())
