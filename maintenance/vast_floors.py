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
from ternary_trainer import run as runs
from ternary_trainer.run import Summary

RECIPES: Final = ("quaternary", "ternary-3")
SEEDS: Final = (1, 2, 3)
STEPS: Final = ("training", "exporting", "certifying")
"""All trainings first: they are timed, and exporting is short."""
QUICK: Final = "1e5"


@dataclass(frozen=True)
class Case:
    """One training and its certificate."""

    recipe: str
    seed: int
    draws: str
    """Prior draws of path A that are certified, as ``--draws`` reads them."""
    others: str
    """Those of path B, whose decoder takes five times as long."""
    operations: str
    """Uniform operations that are tried, as ``--operations`` reads them."""
    out: Path

    @property
    def run(self) -> Path:
        """The folder of its training."""
        return self.out / f"{Path(self.recipe).stem}-{self.seed}"

    @property
    def build(self) -> Path:
        """The folder of what is certified."""
        return self.run.with_name(f"{self.run.name}.build")

    def training(self) -> list[str]:
        """The arguments that train it or go on with that; none once it is trained."""
        if not (self.run / runs.FACTS).exists():
            return ["train", "--recipe", self.recipe, "--seed", str(self.seed), "--out", str(self.run)]
        ended = runs.open(self.run).summary().status in ("complete", "plateau")
        return [] if ended else ["train", "--resume", str(self.run)]

    def exporting(self) -> list[str]:
        """The arguments that export it, with few draws; none once there is a build."""
        quick = ["--draws", QUICK, "--operations", QUICK]
        return [] if self.build.exists() else ["export", str(self.run), "--out", str(self.build), *quick]

    def certifying(self) -> list[str]:
        """The arguments that certify it or go on with that; none once it is certified for the draws."""
        wanted = {"A": self.draws, "B": self.others}
        done = all(claim.evenness.draws == int(float(wanted[claim.path])) for claim in self.claims())
        counted = ["--draws", f"A={self.draws},B={self.others}", "--operations", self.operations]
        return [] if done else ["certify", str(self.build), *counted]

    def claims(self) -> list[VastPath]:
        """What is certified of each path."""
        claims = Build.read(self.build).certificate.paths if self.build.exists() else ()
        return [claim for claim in claims if isinstance(claim, VastPath)]

    def rows(self) -> Iterator[list[str]]:
        """What was certified of each path, for the table; nothing before it is."""
        for claim in self.claims():
            summary = runs.open(self.run).summary()
            measured = _measured(claim.evenness, claim.reachable)
            yield [
                Path(self.recipe).stem,
                str(self.seed),
                claim.path,
                *measured,
                *_trained(summary, claim.path),
            ]


HEAD: Final = (
    "recipe", "seed", "path", "draws",
    "effective, % of N", "perfect", "different, % of N", "perfect", "not reached",
    "held out exact, %", "families exact, %", "training, s",
)  # fmt: skip


def _measured(evenness: Evenness, reachable: ReachableShare | None) -> list[str]:
    size = evenness.space.size
    return [
        f"{evenness.draws:,}",
        *_percents(evenness.effective_number, evenness.perfect_effective_number, size),
        *_percents(evenness.distinct, evenness.perfect_distinct, size),
        f"{reachable.failures} of {reachable.operations:,}" if reachable else "no encoder",
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


def cases(arguments: list[str] | None = None) -> tuple[list[Case], bool]:
    """The cases that a command line asks for, and whether anything is to be started."""
    parser = argparse.ArgumentParser(prog="python -m maintenance.vast_floors", description=__doc__)
    parser.add_argument("out", type=Path, metavar="OUT", help="folder of runs and builds; needs up to 12 GB")
    parser.add_argument("--recipe", action="append", help=f"by default {' and '.join(RECIPES)}")
    parser.add_argument("--seed", type=int, action="append", help="by default 1, 2 and 3")
    parser.add_argument("--draws", default="1e9", help="of the first seed's path A; by default 1e9")
    parser.add_argument("--others", default="1e8", help="of all other paths; by default 1e8")
    parser.add_argument("--operations", default="1e7", help="tried of each path; by default 1e7")
    parser.add_argument("--table", action="store_true", help="print what there is, start nothing")
    chosen = parser.parse_args(arguments)
    seeds = chosen.seed or SEEDS
    wanted = [
        Case(
            recipe,
            seed,
            chosen.draws if seed == seeds[0] else chosen.others,
            chosen.others,
            chosen.operations,
            chosen.out,
        )
        for recipe in chosen.recipe or RECIPES
        for seed in seeds
    ]
    return wanted, not chosen.table


def main(arguments: list[str] | None = None) -> int:
    """Do what is left of all cases, then print the table."""
    wanted, start = cases(arguments)
    steps = [getattr(case, step) for step in STEPS for case in wanted] if start else []
    for step in steps:
        if command := step():
            wanted[0].out.mkdir(parents=True, exist_ok=True)
            done = subprocess.run([Path(sys.executable).with_name("ternary"), *command], check=False)
            if done.returncode:
                return done.returncode
    sys.stdout.write(f"{table(wanted)}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
