"""
The floors of the vast recipes, measured: ``python -m maintenance.vast_floors OUT``, from a checkout.

For each recipe and seed it trains, exports and certifies, as a vendor does and by the vendor's commands. What
is done is kept: given again, it goes on where it was. ``--table`` prints what there is and starts nothing.
"""

import argparse
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ternary_export.build import Build
from ternary_sdk._internal.certificates.evenness import Evenness
from ternary_sdk._internal.certificates.vast_path import ReachableShare, VastPath
from ternary_sdk.errors import InputError
from ternary_trainer import run as runs
from ternary_trainer.run import Summary

RECIPES: Final = ("quaternary", "ternary-3")
SEEDS: Final = (1, 2, 3)
OPERATIONS: Final = "1e7"


@dataclass(frozen=True)
class Case:
    """One training and its certificate."""

    recipe: str
    seed: int
    draws: str
    """Prior draws that are certified, as ``--draws`` reads them."""
    out: Path

    @property
    def run(self) -> Path:
        """The folder of its training."""
        return self.out / f"{self.recipe}-{self.seed}"

    @property
    def build(self) -> Path:
        """The folder of what is certified."""
        return self.out / f"{self.recipe}-{self.seed}.build"

    def training(self) -> list[str]:
        """The arguments that train it or go on with that; none once it is trained."""
        if not (self.run / runs.FACTS).exists():
            return ["train", "--recipe", self.recipe, "--seed", str(self.seed), "--out", str(self.run)]
        ended = runs.open(self.run).summary().status in ("complete", "plateau")
        return [] if ended else ["train", "--resume", str(self.run)]

    def certifying(self) -> list[str]:
        """The arguments that export and certify it or go on with that; none once it is certified."""
        counted = ["--draws", self.draws, "--operations", OPERATIONS]
        done = self.build.exists()
        return [] if done else ["export", str(self.run), "--out", str(self.build), *counted]

    def rows(self) -> Iterator[list[str]]:
        """What was certified of each path, for the table; nothing before it is."""
        if not self.build.exists():
            return
        summary = runs.open(self.run).summary()
        for claim in Build.read(self.build).certificate.paths:
            if not isinstance(claim, VastPath) or claim.reachable is None:
                raise InputError(f"{self.build}: path {claim.path} is not of a vast space with an encoder")
            measured = _measured(claim.evenness, claim.reachable)
            yield [self.recipe, str(self.seed), claim.path, *measured, *_trained(summary, claim.path)]


HEAD: Final = (
    "recipe", "seed", "path", "draws",
    "effective, % of N", "perfect", "different, % of N", "perfect", "not reached",
    "held out exact, %", "families exact, %", "training, s",
)  # fmt: skip


def _measured(evenness: Evenness, reachable: ReachableShare) -> list[str]:
    size = evenness.space.size
    return [
        f"{evenness.draws:,}",
        *_percents(evenness.effective_number, evenness.perfect_effective_number, size),
        *_percents(evenness.distinct, evenness.perfect_distinct, size),
        f"{reachable.failures} of {reachable.operations:,}",
    ]


def _percents(found: int, perfect: int, size: int) -> list[str]:
    return [f"{100 * number / size:.3f}" for number in (found, perfect)]


def _trained(summary: Summary, path: str) -> list[str]:
    report = summary.choices["coverage"].sampled[path]
    families = ", ".join(f"{100 * share:.4f} {name}" for name, share in report.families_exact.items())
    return [f"{100 * report.holdout_exact:.4f}", families, f"{summary.seconds:.0f}"]


def table(cases: list[Case]) -> str:
    """Markdown, one row for each path that was certified."""
    lines = [HEAD, ["---"] * len(HEAD), *(row for case in cases for row in case.rows())]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def main(given: list[str] | None = None) -> int:
    """Do what is left of all cases, then print the table."""
    parser = argparse.ArgumentParser(prog="python -m maintenance.vast_floors", description=__doc__)
    parser.add_argument("out", type=Path, metavar="OUT", help="folder of runs and builds, 12 GB")
    parser.add_argument("--recipe", choices=RECIPES, help="this one only")
    parser.add_argument("--seed", type=int, choices=SEEDS, help="this one only")
    parser.add_argument("--table", action="store_true", help="print what there is, start nothing")
    chosen = parser.parse_args(given)
    cases = [
        Case(recipe, seed, "1e9" if seed == SEEDS[0] else "1e8", chosen.out)
        for recipe in RECIPES
        for seed in SEEDS
        if chosen.recipe in (None, recipe) and chosen.seed in (None, seed)
    ]
    chosen.out.mkdir(parents=True, exist_ok=True)
    steps = [] if chosen.table else [case.training for case in cases] + [case.certifying for case in cases]
    for step in steps:
        if arguments := step():
            done = subprocess.run([Path(sys.executable).with_name("ternary"), *arguments], check=False)
            if done.returncode:
                return done.returncode
    sys.stdout.write(f"{table(cases)}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
