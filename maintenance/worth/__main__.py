"""
``python -m maintenance.worth PART… [--cache DIR] [--out FILE] [--quick]``: measure what latents are worth.

Parts: costs, downstream, search, search-3, search-3-again, compression, or all. What took long is kept in the
cache folder, outside the repository, and gone on with. Results go into one JSON file, each part into its own
member.
``--quick`` makes every step with little, for a test; its figures mean nothing.
"""

import argparse
import json
import platform
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import torch

from maintenance.worth import compression, downstream, predictors, searching, specifications, three_inputs
from maintenance.worth.features import CELLS, SETS, latents, one_hot
from maintenance.worth.pricing import all_costs
from maintenance.worth.synthesis import INSTALL, SCRIPT, SHORT, Cached, program
from ternary_cli.terminal import note
from ternary_sdk import Model
from ternary_sdk.errors import TernaryError
from ternary_sdk.space import TERNARY_2, Space

PARTS: Final = ("costs", "downstream", "search", "search-3", "search-3-again", "compression")
BUDGET: Final = 500
SEEDS: Final = 5
BUDGET_3: Final = 120
SEEDS_3: Final = 2
STEPS_3: Final = 10_000


class Work:
    """What the parts share."""

    def __init__(self, cache: Path, quick: bool) -> None:
        self.cache, self.quick = cache, quick
        cache.mkdir(parents=True, exist_ok=True)
        self.model = Model.evaluation(threads=1)
        self.means = latents(self.model)

    def all_costs(self) -> npt.NDArray[np.int64]:
        """Of (3, 2)."""
        return all_costs(self.cache / "costs-3-2.npz", note)


def costs(work: Work) -> dict[str, Any]:
    """How costs are distributed over the space; a few only if it must be quick."""
    if work.quick:
        known = Cached(work.cache / "costs-3-2.npz", TERNARY_2)(range(0, TERNARY_2.size, 997))
    else:
        known = work.all_costs()
    return {
        "operations": len(known),
        "nodes": {str(nodes): int(count) for nodes, count in enumerate(np.bincount(known)) if count},
        "mean": float(known.mean()),
        "standard deviation": float(known.std()),
        "script": SCRIPT,
    }


def predict(work: Work) -> dict[str, Any]:
    """Properties and costs from latents, cells and random features."""
    chosen, steps, sets = list(downstream.splits()), predictors.STEPS, list(SETS)
    if work.quick:
        chosen, steps, sets = chosen[:2], predictors.LOOK_EVERY, ["latents A", CELLS]
        known = np.abs(TERNARY_2.tables).sum(1).astype(np.int64)  # a stand-in: the nodes take minutes
    else:
        known = work.all_costs()
    file = work.cache / ("downstream-quick.json" if work.quick else "downstream.json")
    scores = downstream.measure(work.means, known, chosen, file, note, sets=sets, steps=steps)
    return {
        "summary": downstream.summary(scores, chosen, sets),
        "linear share": linear_share(work),
        "scores": scores,
        "steps": steps,
    }


def linear_share(work: Work) -> dict[str, dict[str, float]]:
    """Which share of the variance of each path's latents is linear in the trits, and in the one-hot cells."""
    shares: dict[str, dict[str, float]] = {}
    tables = TERNARY_2.tables
    for path, means in work.means.items():
        shares[path] = {}
        for name, cells in (("trits", tables.astype(np.float64)), (CELLS, one_hot(tables))):
            design = np.hstack([np.ones((len(cells), 1)), cells])
            left = means - design @ np.linalg.lstsq(design, means, rcond=None)[0]
            shares[path][name] = 1 - float(np.square(left).sum() / np.square(means - means.mean(0)).sum())
    return shares


def search_two(work: Work) -> dict[str, Any]:
    """Cheap operations in (3, 2), where the optimum is known."""
    model = searching.shipped(work.model, work.means["latents A"], "A")
    wanted = specifications.two_inputs(each=1 if work.quick else 10)
    budget, seeds = (10, 1) if work.quick else (BUDGET, SEEDS)
    price: Callable[..., npt.NDArray[np.int64]]
    if work.quick:
        price, optimum = searching.keeping(Cached(work.cache / "costs-3-2.npz", TERNARY_2), note), None
        wanted = wanted[2:4]
    else:
        known = work.all_costs()
        price, optimum = (lambda indices: known[np.array(indices)]), searching.least_cost(known)
    rows = searching.search(wanted, model, price, budget=budget, seeds=seeds, optimum=optimum)
    return _searched(rows, (5, 10) if work.quick else (20, 50, 100), budget, seeds)


def search_three(work: Work) -> dict[str, Any]:
    """Cheap operations in (3, 3), where no optimum is known."""
    return _in_three(work, specifications.three_inputs(each=1 if work.quick else 5), seeds=SEEDS_3)


def search_three_again(work: Work) -> dict[str, Any]:
    """The same on more and fresh specifications, one seed each."""
    return _in_three(work, specifications.three_inputs(each=1 if work.quick else 15, seed=3), seeds=1)


def _in_three(work: Work, wanted: list[specifications.Specification], seeds: int) -> dict[str, Any]:
    file = work.cache / ("three-inputs-quick.pt" if work.quick else "three-inputs.pt")
    trained, figures = three_inputs.trained(file, 20 if work.quick else STEPS_3, 1, note)
    budget = BUDGET_3
    if work.quick:
        wanted, budget, seeds = wanted[:1], 5, 1
    cached = Cached(work.cache / "costs-3-3.npz", Space(3, 3), SHORT)
    rows = searching.search(
        wanted,
        searching.of_three(trained),
        searching.keeping(cached, note),
        budget=budget,
        seeds=seeds,
        optimum=None,
    )
    cached.keep()
    model = {
        "exact": figures.exact,
        "KL of single cells, nats": figures.cell_kl,
        "processor seconds": figures.seconds,
    }
    after = (5,) if work.quick else (30, 60, 120)
    return {"model": model, "script": SHORT, **_searched(rows, after, budget, seeds)}


def _searched(rows: list[dict[str, Any]], after: tuple[int, ...], budget: int, seeds: int) -> dict[str, Any]:
    told: dict[str, Any] = {
        "specifications": len(rows),
        "budget": budget,
        "best after": list(after),
        "seeds": seeds,
        "unfinished": sum(len(run["best"]) < budget and not run["found"] for run in _runs(rows)),
    }
    if len(rows) > 1:
        told["summary"] = searching.summary(rows, after)
    for run in _runs(rows):
        run["best"] = [run["best"][min(number, len(run["best"])) - 1] for number in after]
    return {**told, "rows": rows}


def _runs(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [run for row in rows for runs in row["runs"].values() for run in runs]


def compress(work: Work) -> dict[str, Any]:
    """Bits and bytes."""
    if work.quick:
        return compression.measure(work.model, note, noises=1, paths="A")
    return compression.measure(work.model, note)


NEEDS_ABC: Final = frozenset(PARTS) - {"compression"}
MEASURES: Final[dict[str, Callable[[Work], dict[str, Any]]]] = dict(
    zip(PARTS, (costs, predict, search_two, search_three, search_three_again, compress), strict=True)
)


def run(parts: list[str], cache: Path, out: Path, *, quick: bool) -> None:
    """Measure the parts and write each into the result file, beside those that it has already.

    Raises:
        TernaryError: If ABC is needed and not installed, and this is not a quick run, which leaves them out.
    """
    work = Work(cache, quick)
    for part in parts:
        if part in NEEDS_ABC and program() is None and not (quick and part == "downstream"):
            if not quick:
                raise TernaryError(INSTALL)
            note(f"{part} is left out: {INSTALL}")
            continue
        began, worked = time.monotonic(), time.process_time()
        found = MEASURES[part](work)
        found["seconds"] = round(time.monotonic() - began, 1)
        found["processor seconds without ABC"] = round(time.process_time() - worked, 1)
        found["versions"] = {"python": platform.python_version(), "torch": torch.__version__}
        result: dict[str, Any] = json.loads(out.read_text("utf-8")) if out.exists() else {}
        result[part] = found
        out.parent.mkdir(parents=True, exist_ok=True)
        scratch = out.with_suffix(".part")
        scratch.write_text(
            json.dumps(_rounded(result), separators=(",", ":"), sort_keys=True) + "\n", "utf-8"
        )
        scratch.replace(out)
        note(f"{part}: {found['seconds']} s, in {out}")


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _rounded(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(inner) for inner in value]
    return float(f"{value:.5g}") if isinstance(value, float) else value


def main(words: list[str]) -> int:
    """Run the command line; the exit status, as the ``ternary`` command has it."""
    parser = argparse.ArgumentParser(
        prog="python -m maintenance.worth",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("parts", nargs="+", choices=(*PARTS, "all"), metavar="PART")
    parser.add_argument("--cache", type=Path, default=Path("../worth-cache"), metavar="DIR")
    parser.add_argument("--out", type=Path, default=Path("docs/experiments/worth.json"), metavar="FILE")
    parser.add_argument("--quick", action="store_true")
    told = parser.parse_args(words)
    torch.set_num_threads(1)
    try:
        chosen = list(PARTS) if "all" in told.parts else told.parts
        run(chosen, told.cache, told.out, quick=told.quick)
    except TernaryError as refusal:
        note(f"error: {refusal}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
