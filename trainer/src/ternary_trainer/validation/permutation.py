"""
Check `permutation-robustness`: is an operation also given back when its inputs are permuted or its values
relabelled, and does the latent move in a regular way?

The image of an operation is an operation of the same space, and most images were trained on. So the first
question is about gaps that follow a pattern, and a model that gives back everything passes it. The second is
shown only: a product that decodes exactly needs no regular latents.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ternary_sdk._internal.packages.validation import Figure
from ternary_sdk.space import Space
from ternary_trainer.relabelling import Relabelling, generators
from ternary_trainer.validation import intervals
from ternary_trainer.validation.outcome import Method, Outcome, decided, share, shown, too_few
from ternary_trainer.validation.subject import Floats, Network, Subject, reconstruct, tables
from ternary_trainer.validation.thresholds import Thresholds
from ternary_trainer.validation.vast_subject import VastSubject

FITTED = 1 << 14
"""Operations that a map between latents is fitted to, at most, and tested on, at most."""

Reals = npt.NDArray[np.float64]


def permutation_robustness(subject: Subject, thresholds: Thresholds) -> Outcome:
    """Images of the true holdout, and latents of training operations beside those of their images."""
    held_out, training = tables(subject.split.holdout), tables(subject.split.training)
    order = np.random.default_rng(0).permutation(len(training))[:FITTED]
    return _asked(subject.networks, training[order], held_out, subject.space, thresholds, intervals.share)


def of_vast(subject: VastSubject, thresholds: Thresholds) -> Outcome:
    """The same of samples."""
    training, held_out = subject.trained_on.tables[:FITTED], subject.held_out.tables
    return _asked(subject.networks, training, held_out, subject.space, thresholds, intervals.exact)


def _asked(
    networks: dict[str, Network],
    training: Floats,
    held_out: Floats,
    space: Space,
    thresholds: Thresholds,
    of: Method,
) -> Outcome:
    images = [_Images(change, held_out) for change in generators(space)]
    figures: list[Figure] = []
    judging: list[Figure] = []
    for path, network in networks.items():
        shares = list(_given_back(path, network, images, space, thresholds.permuted, of))
        judging += shares
        right = _right(network, held_out, space)
        figures += [shown("exact as they are", path, right / max(1, len(held_out))), *shares]
        figures += _regularity(path, network, images, training, space)
    few = too_few(min(len(each.after) for each in images), "changed operations", thresholds.permuted, of=of)
    good = "Held-out operations with their inputs permuted or their values relabelled decode to themselves."
    return decided(figures, good + _moves(figures), few=few, shares=judging)


class _Images:
    """Operations that a map changes, before and after it."""

    def __init__(self, change: Relabelling, operations: Floats) -> None:
        after = change(operations)
        moved = (after != operations).any(axis=1)
        self.change, self.before, self.after = change, operations[moved], after[moved]


def _given_back(
    path: str, network: Network, images: list[_Images], space: Space, bound: float, of: Method
) -> Iterator[Figure]:
    for each in images:
        right, total = _right(network, each.after, space), len(each.after)
        yield share(f"exact with {each.change.name}, of {total:,}", path, right, total, bound, of=of)


def _right(network: Network, inputs: Floats, space: Space) -> int:
    return int((reconstruct(network, inputs) == space.to_index(inputs)).sum())


@dataclass(frozen=True, kw_only=True)
class _Move:
    """How well an affine map takes latents of held-out operations to those of their images."""

    name: str
    explained: float
    """Share of the variance, at most 1."""
    shuffled: float
    """The same by a map that was fitted to pairs that do not belong together."""
    exact: float
    """Share of moved latents that decode to the image."""


def _regularity(
    path: str, network: Network, images: list[_Images], training: Floats, space: Space
) -> Iterator[Figure]:
    if not len(training):
        return
    start = network.encode(training)
    if len(start) < 2 * (start.shape[1] + 1):
        return
    found = [_moved(network, each, training, start, space) for each in images if len(each.after)]
    for what, values in (
        ("variance that an affine map explains", {move.name: move.explained for move in found}),
        ("exact after an affine map of the latent", {move.name: move.exact for move in found}),
    ):
        for extreme, name in (("least", min(values, key=values.__getitem__)), ("greatest", _most(values))):
            yield shown(f"{what}, {extreme}: {name}", path, values[name])
    yield shown("the same variance by shuffled pairs, greatest", path, max(move.shuffled for move in found))


def _most(values: dict[str, float]) -> str:
    return max(values, key=values.__getitem__)


def _moved(network: Network, images: _Images, training: Floats, start: Floats, space: Space) -> _Move:
    goal = network.encode(images.change(training))
    before, after = images.before[:FITTED], images.after[:FITTED]
    tried, target = _with_one(network.encode(before)), network.encode(after).astype(np.float64)
    fitted = np.linalg.lstsq(_with_one(start), goal.astype(np.float64))[0]
    strangers = np.random.default_rng(0).permutation(len(goal))
    shuffled = np.linalg.lstsq(_with_one(start), goal[strangers].astype(np.float64))[0]
    decoded = network.index((tried @ fitted).astype(np.float32))
    return _Move(
        name=images.change.name,
        explained=_explained(tried @ fitted, target),
        shuffled=_explained(tried @ shuffled, target),
        exact=float((decoded == space.to_index(after)).mean()),
    )


def _with_one(latents: Floats) -> Reals:
    result: Reals = np.c_[latents.astype(np.float64), np.ones(len(latents))]
    return result


def _explained(predicted: Reals, target: Reals) -> float:
    whole = float(np.square(target - target.mean(axis=0)).sum())
    return 1 - float(np.square(target - predicted).sum()) / whole if whole > 0 else 0.0


def _moves(figures: list[Figure]) -> str:
    """What was found of the latents, as a sentence; empty if nothing was."""
    least = [float(figure.value) for figure in figures if figure.name.startswith("exact after an affine")]
    if not least:
        return ""
    return (
        " An affine map of the latent that was fitted to training operations gives the changed operation in a"
        f" share of {min(least):.4g} to {max(least):.4g}, depending on the change and the path."
    )
