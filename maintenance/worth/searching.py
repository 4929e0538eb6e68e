"""Whether steps in latent space find cheap operations sooner than steps on tables."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import torch

from maintenance.worth.features import Floats
from maintenance.worth.running import Run, drive
from maintenance.worth.searchers import Latents, methods
from maintenance.worth.specifications import Digits, Specification
from maintenance.worth.statistics import paired
from maintenance.worth.synthesis import Cached
from maintenance.worth.three_inputs import LATENT, ThreeInputs
from ternary_sdk import Model
from ternary_sdk.space import TERNARY_2
from ternary_trainer.ablation.pairing import holm

KEEP_EVERY_S: Final = 60.0
PRIMARY: Final = {
    "latents, local": "table, local",
    "latents, CMA-ES": "table, local",
    "latents, surrogate": "table, surrogate",
}
"""Each way through latents, and the way on tables that it stands against."""


def shipped(model: Model, means: Floats, path: str) -> Latents:
    """A path of the evaluation model; its means are looked up, since all are known."""
    places = TERNARY_2.places

    def decode(latents: Floats) -> Digits:
        return model.decode(latents, path=path).astype(np.int64) + 1

    return Latents(size=means.shape[1], encode=lambda digits: means[digits @ places], decode=decode)


@torch.no_grad()
def _encode(model: ThreeInputs, digits: Digits) -> Floats:
    return model.encode(torch.from_numpy(digits))[0].double().numpy()


@torch.no_grad()
def _decode(model: ThreeInputs, latents: Floats) -> Digits:
    return model.decode(torch.from_numpy(latents).float()).argmax(2).numpy()


def of_three(model: ThreeInputs) -> Latents:
    """The three-input model as a search sees it."""
    return Latents(
        size=LATENT,
        encode=lambda digits: _encode(model, digits),
        decode=lambda latents: _decode(model, latents),
    )


def search(
    specifications: Sequence[Specification],
    model: Latents,
    price: Callable[[Sequence[int]], npt.NDArray[np.int64]],
    *,
    budget: int,
    seeds: int,
    optimum: Callable[[Specification], int] | None,
) -> list[dict[str, Any]]:
    """Every method on every specification, from several seeds, each with the same budget of evaluations.

    Returns:
        For each specification its kind, its completions, its optimum where it is known, and for each method
        the runs: evaluations, and the best cost after each.
    """
    rows: list[dict[str, Any]] = []
    runs: list[tuple[int, Run]] = []
    for number, wanted in enumerate(specifications):
        least = optimum(wanted) if optimum is not None else None
        rows.append({"kind": wanted.kind, "completions": wanted.completions, "optimum": least, "runs": {}})
        for place, (name, method) in enumerate(methods(model).items()):
            for seed in range(seeds):
                random = np.random.default_rng([number, place, seed])
                runs.append((number, Run(name, method(wanted, random), budget, least)))
    drive([run for _, run in runs], specifications[0].space, price)
    for number, run in runs:
        told = {"evaluations": run.evaluations, "found": run.found, "best": run.best}
        rows[number]["runs"].setdefault(run.name, []).append(told)
    return rows


def keeping(cached: Cached, tell: Callable[[str], None]) -> Callable[[Sequence[int]], npt.NDArray[np.int64]]:
    """Prices that are kept while they are computed: a search that is run again asks for the same ones."""
    kept = [time.monotonic()]

    def price(indices: Sequence[int]) -> npt.NDArray[np.int64]:
        found = cached(indices)
        if time.monotonic() - kept[0] > KEEP_EVERY_S:
            cached.keep()
            kept[0] = time.monotonic()
            tell(f"costs: {len(cached):,} known")
        return found

    return price


def least_cost(costs: npt.NDArray[np.int64]) -> Callable[[Specification], int]:
    """The optimum of a specification in (3, 2), by looking at all its completions."""
    return lambda wanted: int(costs[wanted.every() @ TERNARY_2.places].min())


def summary(rows: Sequence[Mapping[str, Any]], after: Sequence[int]) -> dict[str, Any]:
    """Means over specifications, and differences paired by specification, Holm-corrected.

    Args:
        rows: What ``search`` gives.
        after: Evaluations at which the best cost is compared.
    Returns:
        For each figure the mean of each method, and of ``PRIMARY`` the differences.
        ``log2 evaluations`` is there only where all optima are known.
    """
    figures: dict[str, Callable[[Mapping[str, Any], int], float]] = {
        f"best cost after {n}": (lambda run, least, n=n: run["best"][min(n, len(run["best"])) - 1] - least)
        for n in after
    }
    known = all(row["optimum"] is not None for row in rows)
    if known:
        figures["log2 evaluations"] = lambda run, _: float(np.log2(run["evaluations"]))
        figures["optimum found"] = lambda run, _: float(run["found"])
    result: dict[str, Any] = {}
    p: dict[str, float] = {}
    for figure, value in figures.items():
        means = {
            name: np.array(
                [np.mean([value(run, row["optimum"] or 0) for run in row["runs"][name]]) for row in rows]
            )
            for name in rows[0]["runs"]
        }
        result[figure] = {"mean": {name: float(array.mean()) for name, array in means.items()}}
        pairs = {name: (name, other) for name, other in PRIMARY.items()}
        for name, (mine, other) in pairs.items():
            gap = paired(means[mine] - means[other])
            result[figure][f"{name} less {other}"] = gap.to_json()
            p[f"{figure}/{name} less {other}"] = gap.p
        gap = paired(means["table, local"] - means["random"])
        result[figure]["table, local less random"] = gap.to_json()
    for place, corrected in holm(p).items():
        figure, name = place.split("/")
        result[figure][name]["p, Holm"] = corrected
    return result
