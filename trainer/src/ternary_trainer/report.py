"""
What a run's kept snapshots are worth, measured once at its end; of a listed space here.

Of a training, this is the only part that looks at the true holdout; the checks of `validation` do too.
"""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import torch
from torch import Tensor

from ternary_sdk.errors import InputError
from ternary_sdk.space import Space
from ternary_trainer import score, seeds, split, vast_report
from ternary_trainer.decoding import places
from ternary_trainer.model import Decoder, TernaryVAE, restored
from ternary_trainer.settings import Scoring
from ternary_trainer.vast_report import VastPathReport


@dataclass(frozen=True, kw_only=True)
class PathReport:
    """One path of a snapshot."""

    coverage: float
    """Expected share of the space at its headline draws, in [0, 1], from draws of their own stream."""
    entropy: float
    """Of the drawn distribution, nats; uniform is ln size (9.887 for (3, 2))."""
    kl_single: float
    """KL to uniform of single cells, nats."""
    kl_pairs: float
    """Mutual information in pairs of cells, nats."""
    kl_higher: float
    """Dependence of three and more cells, nats."""
    sampling_coverage: float
    """For comparison with older figures: share reached by `sampling_draws`, expected values rounded."""
    holdout_exact: float
    """Share of the true holdout that decodes from its posterior mean exactly, in [0, 1]."""
    all_exact: float
    """The same over all operations."""
    margin: float
    """Smallest gap between the two largest logits over all operations' posterior means."""
    active: int
    """Dimensions whose mean varies by more than 0.1 over all operations."""
    least_variance: float
    """Of those variances, the smallest."""


def report(
    state: Mapping[str, Tensor], seed: int, scoring: Scoring
) -> Mapping[str, PathReport | VastPathReport]:
    """Measure every path of a snapshot, side by side.

    Args:
        state: As `TernaryVAE.state_dict()` gives it.
        seed: The run's; the draws are of its report stream.
        scoring: How many draws to decode.
    """
    model = restored(state)
    paths = model.signature.paths
    with ThreadPoolExecutor(len(paths)) as threads:
        if not model.signature.space.listed:
            vast = threads.map(lambda path: vast_report.measure(model, path, seed, scoring), paths)
            return dict(zip(paths, vast, strict=True))
        draws, older = scoring.report_draws, scoring.sampling_draws or 0
        prior = score.latents(max(draws, older), model.signature.latent_size, seeds.generator(seed, "report"))
        measured = threads.map(lambda path: _report(model, path, prior[:draws], prior[:older]), paths)
        return dict(zip(paths, measured, strict=True))


def _report(model: TernaryVAE, path: str, prior: Tensor, older: Tensor) -> PathReport:
    encoder, decoder, space = model.encoder(path), model.decoder(path), model.signature.space
    drawn = score.coverage(decoder, prior, space)
    whole, held = (
        score.reconstruct(encoder, decoder, operations, torch.zeros(len(operations), prior.shape[1]))
        for operations in (split.all_operations(space), split.holdout(space))
    )
    if drawn.share is None or drawn.divergence.entropy is None:
        raise InputError(f"{space}: is vast, `vast_report` measures its paths")
    return PathReport(
        coverage=drawn.share,
        entropy=drawn.divergence.entropy,
        kl_single=drawn.divergence.single,
        kl_pairs=drawn.divergence.pairs,
        kl_higher=drawn.divergence.higher,
        sampling_coverage=sampling_coverage(decoder, older, space),
        holdout_exact=held.exact,
        all_exact=whole.exact,
        margin=whole.margin,
        active=whole.active,
        least_variance=float(whole.variances.min()),
    )


@torch.no_grad()
def sampling_coverage(decoder: Decoder, prior: Tensor, space: Space) -> float:
    """Share of operations reached when each cell is its expectation under the softmax, rounded."""
    values, place = torch.tensor(space.values), places(space, prior.device)[:, 0]
    reached = torch.zeros(space.size, dtype=torch.bool)
    for block in torch.split(prior, 4096):
        chances = decoder(block).view(-1, space.cells, space.radix).softmax(-1)
        expected = (chances * values).sum(-1).round().long()
        reached[((expected - space.lowest) * place).sum(1)] = True
    return float(reached.float().mean())
