"""
``python -m maintenance.hybrid OUT [--seed N]… [--case NAME]… [--table]``, from a checkout: train and measure.

Each training has its own file in OUT; given again, what is there is not trained again. ``--table`` prints
what there is and trains nothing.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import torch

from maintenance.hybrid.cases import CASES, Case, measured
from maintenance.hybrid.tables import table
from ternary_sdk._internal import whole_file
from ternary_trainer import recipe as recipes
from ternary_trainer.settings import Recipe

SEEDS: Final = (1, 2, 3)
CHANGED: Final[dict[str, Any]] = {"epochs": 10, "surge": [], "scoring.report_draws": 1 << 20}
"""What differs from the recipe `coverage`: half of its epochs, no surge in the seventh, and coverage from
more draws."""


def kept(out: Path, case: Case, seed: int) -> Path:
    """The file of one training."""
    return out / f"{case.name.replace(', ', '-').replace(' ', '-')}-{seed}.json"


def work(out: Path, wanted: Sequence[tuple[Case, int]], recipe: Recipe) -> None:
    """Train and measure what has no file yet."""
    out.mkdir(parents=True, exist_ok=True)
    for case, seed in wanted:
        file = kept(out, case, seed)
        if not file.exists():
            text = json.dumps(measured(case, seed, recipe), indent=1, sort_keys=True)
            whole_file.write(file, f"{text}\n".encode())


def read(out: Path, wanted: Sequence[tuple[Case, int]]) -> dict[str, list[dict[str, Any]]]:
    """The figures that there are, by case."""
    found: dict[str, list[dict[str, Any]]] = {}
    for case, seed in wanted:
        file = kept(out, case, seed)
        if file.exists():
            found.setdefault(case.name, []).append(json.loads(file.read_text("utf-8")))
    return found


def main(words: Sequence[str] | None = None, recipe: Recipe | None = None) -> int:
    """Do what is left, then print the tables.

    Args:
        words: Of the command line.
        recipe: To train instead of `coverage` with ``CHANGED``.
    """
    names = [case.name for case in CASES]
    parser = argparse.ArgumentParser(prog="python -m maintenance.hybrid", description=__doc__)
    parser.add_argument("out", type=Path, metavar="OUT", help="folder of the figures")
    parser.add_argument("--seed", type=int, action="append", help="by default 1, 2 and 3")
    parser.add_argument(
        "--case", choices=names, action="append", metavar="NAME", help=f"of {'; '.join(names)}"
    )
    parser.add_argument("--table", action="store_true", help="print what there is, train nothing")
    chosen = parser.parse_args(words)
    wanted = [
        (case, seed) for case in CASES if case.name in (chosen.case or names) for seed in chosen.seed or SEEDS
    ]
    if not chosen.table:
        torch.set_num_threads(1)  # the networks are too small to share one operation between cores
        work(chosen.out, wanted, recipe or recipes.load("coverage", CHANGED))
    sys.stdout.write(table(read(chosen.out, wanted)))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
