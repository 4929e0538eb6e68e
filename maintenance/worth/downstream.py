"""Whether latents predict properties and costs better than the nine cells do."""

import json
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from maintenance.worth.features import CELLS, Floats, feature_set
from maintenance.worth.predictors import Targets, linear, network
from maintenance.worth.properties import properties
from maintenance.worth.statistics import auc, paired
from ternary_sdk.space import TERNARY_2
from ternary_trainer.ablation.pairing import holm
from ternary_trainer.families import FAMILIES, members

Indices = npt.NDArray[np.int64]

COST: Final = "cost"
PREDICTORS: Final = ("linear", "network")
LEAST_OF_A_CLASS: Final = 5
"""Test operations that each class of a property must have, or the property is left out of that split."""


@dataclass(frozen=True)
class Split:
    """One way to part the operations."""

    regime: str
    name: str
    train: Indices
    test: Indices
    seed: int

    @property
    def overlap(self) -> float:
        """For ``statistics.paired``: only folds that share training operations need it."""
        return len(self.test) / len(self.train) if self.regime == "four fifths" else 0.0


def splits() -> Iterator[Split]:
    """Six disjoint tenths to learn from, five folds of four fifths, and each family held out whole."""
    order = np.random.default_rng(17).permutation(TERNARY_2.size)
    for number, part in enumerate(np.array_split(order, 10)[:6]):
        yield Split("a tenth", str(number), part, np.setdiff1d(order, part), number)
    for number, part in enumerate(np.array_split(order, 5)):
        yield Split("four fifths", str(number), np.setdiff1d(order, part), part, 20 + number)
    for number, family in enumerate(FAMILIES):
        held = members(family).mask
        yield Split("families", family, np.flatnonzero(~held), np.flatnonzero(held), 30 + number)


def measure(
    means: Mapping[str, Floats],
    costs: Indices | None,
    chosen: list[Split],
    file: Path,
    tell: Callable[[str], None],
    *,
    sets: Sequence[str],
    steps: int,
) -> dict[str, Any]:
    """Train and score every predictor on every feature set and split; scores in ``file`` are not made again.

    Args:
        means: Posterior means of all operations, for each path.
        costs: Costs of all operations, or None to leave them out.
        chosen: Which splits.
        file: Keeps the scores.
        tell: Is given a line for each split.
        sets: Which feature sets.
        steps: Of the network.
    Returns:
        Scores by ``regime/split/features/predictor``, then by target: areas under the ROC curve, and for the
        cost the share of its variance over all operations that is explained, so that a family whose costs
        hardly vary is not divided by almost nothing.
    """
    scores: dict[str, Any] = json.loads(file.read_text("utf-8")) if file.exists() else {}
    held = properties(TERNARY_2.tables)
    for split in chosen:
        began = time.process_time()
        for name in sets:
            if f"{split.regime}/{split.name}/{name}/network" in scores:
                continue
            features = feature_set(name, dict(means), split.seed)
            targets, names = _targets(held, costs)
            known = Targets(targets.values[split.train], targets.binary)
            for predictor in PREDICTORS:
                seen, unseen = features[split.train], features[split.test]
                found = (
                    linear(seen, known, unseen, split.seed)
                    if predictor == "linear"
                    else network(seen, known, unseen, split.seed, steps)
                )
                scores[f"{split.regime}/{split.name}/{name}/{predictor}"] = dict(
                    _scored(found, targets.values[split.test], names)
                )
            _keep(scores, file)
        tell(f"{split.regime}, {split.name}: {time.process_time() - began:.0f} s")
    return scores


def _targets(held: Mapping[str, npt.NDArray[np.bool_]], costs: Indices | None) -> tuple[Targets, list[str]]:
    columns = [mask.astype(np.float64) for mask in held.values()]
    names = list(held)
    if costs is not None:
        columns.append((costs - costs.mean()) / costs.std())
        names.append(COST)
    return Targets(np.stack(columns, axis=1), np.array([name != COST for name in names])), names


def _scored(found: Floats, true: Floats, names: list[str]) -> Iterator[tuple[str, float]]:
    for name, mine, target in zip(names, found.T, true.T, strict=True):
        if name == COST:
            yield name, 1 - float(np.square(mine - target).mean())
        else:
            positive = target > 0.5
            if min(int(positive.sum()), int((~positive).sum())) >= LEAST_OF_A_CLASS:
                yield name, auc(mine, positive)


def _keep(scores: Mapping[str, Any], file: Path) -> None:
    scratch = file.with_suffix(".part")
    scratch.write_text(json.dumps(scores), "utf-8")
    scratch.replace(file)


def summary(scores: Mapping[str, Any], chosen: list[Split], sets: Sequence[str]) -> dict[str, Any]:
    """Mean scores, and the paired difference of each feature set to the one-hot cells.

    The areas of a split are averaged over its properties first. P values of the latents are corrected for how
    many of them there are (Holm); the other feature sets are controls.
    """
    result: dict[str, Any] = {}
    p: dict[str, float] = {}
    for regime in dict.fromkeys(split.regime for split in chosen):
        own = [split for split in chosen if split.regime == regime]
        for predictor in PREDICTORS:
            for figure in ("auc", COST):
                rows = {
                    name: [_figure(scores[f"{regime}/{s.name}/{name}/{predictor}"], figure) for s in own]
                    for name in sets
                }
                if np.isnan(list(rows.values())).any():  # some split has no such target
                    continue
                group = f"{regime}/{predictor}/{figure}"
                result[group] = {
                    name: {"mean": float(np.mean(row)), "values": row} for name, row in rows.items()
                }
                for name in sets:
                    if name != CELLS and len(own) > 1:
                        gap = paired(np.subtract(rows[name], rows[CELLS]), overlap=own[0].overlap)
                        result[group][name]["against one-hot cells"] = gap.to_json()
                        if name.startswith("latents"):
                            p[f"{group}/{name}"] = gap.p
    for place, value in holm(p).items():
        group, name = place.rsplit("/", 1)
        result[group][name]["against one-hot cells"]["p, Holm"] = value
    return result


def _figure(scored: Mapping[str, float], figure: str) -> float:
    if figure == COST:
        return scored.get(COST, math.nan)
    return float(np.mean([value for name, value in scored.items() if name != COST]))
