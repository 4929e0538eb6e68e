"""
What a run's kept snapshots are worth, measured once at its end.

Of a training, this is the only part that looks at the true holdout; the checks of `validation` do too.
"""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import torch
from torch import Tensor

from ternary_sdk.operations import OPERATIONS, TRITS
from ternary_trainer import score, seeds, split
from ternary_trainer.model import CLASSES, LATENT, PATHS, DecoderA, DecoderB, PathName, TernaryVAE, restored
from ternary_trainer.settings import Scoring


@dataclass(frozen=True, kw_only=True)
class PathReport:
    """One path of a snapshot."""

    coverage: float
    """Expected share of the space at 50,000 draws, in [0, 1], from draws of their own stream."""
    entropy: float
    """Of the drawn distribution, nats; uniform is 9.887."""
    kl_single: float
    """KL to uniform of single trits, nats."""
    kl_pairs: float
    """Mutual information in pairs of trits, nats."""
    kl_higher: float
    """Dependence of three and more trits, nats."""
    sampling_coverage: float
    """For comparison with older figures: share reached by `sampling_draws`, expected trits rounded."""
    holdout_exact: float
    """Share of the true holdout that decodes from its posterior mean exactly, in [0, 1]."""
    all_exact: float
    """The same over all 19,683 operations."""
    margin: float
    """Smallest gap between the two largest logits over all operations' posterior means."""
    active: int
    """Dimensions whose mean varies by more than 0.1 over all operations."""
    least_variance: float
    """Of those 16 variances, the smallest."""


def report(state: Mapping[str, Tensor], seed: int, scoring: Scoring) -> dict[str, PathReport]:
    """Measure every path of a snapshot, side by side.

    Args:
        state: As `TernaryVAE.state_dict()` gives it.
        seed: The run's; the draws are of its report stream.
        scoring: How many draws to decode.
    """
    model = restored(state)
    draws, older = scoring.report_draws, scoring.sampling_draws
    prior = score.latents(max(draws, older), seeds.generator(seed, "report"))
    with ThreadPoolExecutor(len(PATHS)) as threads:
        measured = threads.map(lambda path: _report(model, path, prior[:draws], prior[:older]), PATHS)
        return dict(zip(PATHS, measured, strict=True))


def _report(model: TernaryVAE, path: PathName, prior: Tensor, older: Tensor) -> PathReport:
    encoder, decoder = model.encoder(path), model.decoder(path)
    drawn = score.coverage(decoder, prior)
    whole = score.reconstruct(encoder, decoder, split.all_operations(), torch.zeros(OPERATIONS, LATENT))
    held = score.reconstruct(encoder, decoder, split.holdout(), torch.zeros(split.HOLDOUT, LATENT))
    return PathReport(
        coverage=drawn.share,
        entropy=drawn.divergence.entropy,
        kl_single=drawn.divergence.single,
        kl_pairs=drawn.divergence.pairs,
        kl_higher=drawn.divergence.higher,
        sampling_coverage=sampling_coverage(decoder, older),
        holdout_exact=held.exact,
        all_exact=whole.exact,
        margin=whole.margin,
        active=whole.active,
        least_variance=float(whole.variances.min()),
    )


@torch.no_grad()
def sampling_coverage(decoder: DecoderA | DecoderB, prior: Tensor) -> float:
    """Share of operations reached when each trit is its expectation under the softmax, rounded."""
    steps = 3 ** torch.arange(TRITS)
    reached = torch.zeros(OPERATIONS, dtype=torch.bool)
    for block in torch.split(prior, 4096):
        chances = decoder(block).view(-1, TRITS, CLASSES).softmax(-1)
        trits = (chances[..., 2] - chances[..., 0]).round().long()
        reached[((trits + 1) * steps).sum(1)] = True
    return float(reached.float().mean())
