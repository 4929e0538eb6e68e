"""
What measures each figure: steps, each of which ends in figures that belong together.

A step measures nothing of its own where a benchmark, the trainer or a package's certificate has the figure.
Its training runs are kept in a folder, so a killed step goes on where it was.
"""

import json
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np
from benchmarks import loops

from ternary_sdk import Model
from ternary_sdk.coverage import expected_coverage, headline_draws, iid_deviation, iid_limit, percent
from ternary_sdk.space import TERNARY_2
from ternary_trainer import run as runs
from ternary_trainer.validation.intervals import jackknife

_BATCHES: Final = 100
_HEADLINE: Final = headline_draws(TERNARY_2)
_PLAIN_VAE: Final = Path(__file__).parents[2] / "examples" / "own_decoder.py"


@dataclass(frozen=True, kw_only=True)
class Measured:
    """A figure as a step measures it; ``Figure`` has where and when besides."""

    kind: str
    value: str
    unit: str
    low: str = ""
    high: str = ""
    spread: str = ""


Results = Mapping[str, Measured]


@dataclass(frozen=True, kw_only=True)
class Step:
    """Figures that are measured together."""

    name: str
    quick: bool
    """Whether ``--quick`` measures it: seconds, not minutes."""
    measure: Callable[[Path], Results]
    """From the folder of training runs."""


def _perfect(_: Path) -> Results:
    mean, deviation = 100 * iid_limit(_HEADLINE), 100 * iid_deviation(_HEADLINE)
    return {
        "perfect": Measured(
            kind="perfect draws",
            value=f"{mean:.3f}",
            low=f"{mean - deviation:.3f}",
            high=f"{mean + deviation:.3f}",
            spread="one standard deviation of a count of 50,000 draws to either side",
            unit="%",
        )
    }


def _certificate(_: Path) -> Results:
    stated = json.loads(_ternary("info", "--json"))
    figures = {"evaluation.bytes": Measured(kind="bytes", value=str(stated["bytes"]), unit="bytes")}
    for letter, path in stated["paths"].items():
        shares = {counted["draws"]: counted["percent"] for counted in path["prior"]}
        figures[f"evaluation.certified.{letter.lower()}"] = Measured(
            kind="certificate's count", value=shares[_HEADLINE], unit="%"
        )
    return figures


def _evaluation(_: Path) -> Results:
    with Model.evaluation() as model:
        return {f"evaluation.expected.{path.lower()}": _expected(model, path) for path in "AB"}


def _expected(model: Model, path: str) -> Measured:
    """From 5 million draws, in batches of 50,000 with a seed each."""
    counts = np.stack(
        [
            np.bincount(model.sample(_HEADLINE, seed=1000 + batch, path=path).index, minlength=TERNARY_2.size)
            for batch in range(_BATCHES)
        ]
    )
    low, high = jackknife(counts, partial(expected_coverage, draws=_HEADLINE))
    return Measured(
        kind="expected coverage",
        value=percent(expected_coverage(counts.sum(axis=0), _HEADLINE)),
        low=percent(low),
        high=_up(100 * high),
        spread="95 % interval, by the jackknife over 100 batches of 50,000 draws",
        unit="%",
    )


def _plain_vae(folder: Path) -> Results:
    """The example's VAE, trained as it is by default; one seed. A trained one is taken as it is."""
    own = folder / "plain-vae"
    if not (own / "own.license").exists():
        subprocess.run([sys.executable, str(_PLAIN_VAE), str(own)], check=True, stdout=subprocess.DEVNULL)
    with Model.open(
        own / "own-1.0.0.ternary", license=own / "own.license", trust=own / "keys" / "vendor.trust"
    ) as model:
        return {"plain-vae.expected": _expected(model, "A")}


def _loops(_runs: Path) -> Results:
    listing, numpy, _, sample = loops.measurements()
    return {
        "loop.listing": Measured(kind="seconds", value=f"{listing.value:.1f}", unit="ms"),
        "loop.numpy": Measured(kind="rate", value=f"{numpy.value:.0f}", unit="million a second"),
        "sample.rate": Measured(kind="rate", value=f"{sample.value:.1f}", unit="million a second"),
    }


def _trained(recipe: str, seeds: Iterable[int], folder: Path) -> Results:
    """Expected coverage of the worst seed and the range over seeds, and the seconds of all epochs."""
    each = [_run(recipe, seed, folder) for seed in seeds]
    name, summaries = recipe.replace(".", "-"), [run.summary() for run in each]
    seconds = [f"{summary.seconds:.0f}" for summary in summaries]
    spread = f"range over seeds {', '.join(str(run.seed) for run in each)}"
    figures = {f"{name}.seconds": _range("seconds", [Decimal(value) for value in seconds], max, spread, "s")}
    for path in summaries[0].choices["coverage"].counted:
        shares = [summary.choices["coverage"].counted[path].coverage for summary in summaries]
        values = [Decimal(percent(share)) for share in shares]
        figures[f"{name}.expected.{path.lower()}"] = _range("expected coverage", values, min, spread, "%")
    return figures


def _range(
    kind: str, values: list[Decimal], worst: Callable[[list[Decimal]], Decimal], spread: str, unit: str
) -> Measured:
    low, high = min(values), max(values)
    said = spread if low != high else ""
    return Measured(kind=kind, value=str(worst(values)), low=str(low), high=str(high), spread=said, unit=unit)


def _run(recipe: str, seed: int, folder: Path) -> runs.Run:
    """Train by the vendor's command, or go on with it; a finished run is taken as it is."""
    out = folder / f"{recipe}-{seed}"
    words = ["train", "--recipe", recipe, "--seed", str(seed), "--out", str(out)]
    words += ["--set", "scoring.report_draws=5_000_000"]
    if (out / runs.FACTS).exists():
        if runs.open(out).summary().status in ("complete", "plateau"):
            return runs.open(out)
        words = ["train", "--resume", str(out)]
    _ternary(*words)
    return runs.open(out)


def _ternary(*words: str) -> str:
    """What the command prints; its messages go on to standard error."""
    command = [str(Path(sys.executable).with_name("ternary")), *words]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, encoding="utf-8").stdout


def _up(value: float) -> str:
    return str(Decimal(f"{value:.6f}").quantize(Decimal("0.01"), ROUND_CEILING))


def steps() -> Iterator[Step]:
    """All steps, the quick ones first."""
    yield Step(name="perfect", quick=True, measure=_perfect)
    yield Step(name="certificate", quick=True, measure=_certificate)
    yield Step(name="evaluation", quick=True, measure=_evaluation)
    yield Step(name="loops", quick=True, measure=_loops)
    yield Step(name="plain-vae", quick=False, measure=_plain_vae)
    for recipe, seeds in (("coverage", range(1, 6)), ("v5.5", range(1, 4)), ("coverage-max", (1,))):
        yield Step(name=recipe, quick=False, measure=partial(_trained, recipe, seeds))
