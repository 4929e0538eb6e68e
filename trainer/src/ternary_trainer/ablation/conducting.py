"""
An ablation from its plan to its report: check, estimate, train, compare, write.

1. The folder is held; no other ablation works in it.
2. What is there must be what the plan says.
3. The time of what is left is measured and told.
4. Trainings are made side by side, each an ordinary run; a killed one goes on where it stopped.
5. Finished runs are compared seed by seed, and the report is written.
"""

from collections.abc import Callable
from pathlib import Path

import torch

from ternary_sdk._internal import whole_file
from ternary_sdk._internal.inference.cores import usable_cores
from ternary_sdk.errors import InputError
from ternary_trainer.ablation import document, markdown, picture
from ternary_trainer.ablation.folder import held, jobs
from ternary_trainer.ablation.plan import Plan
from ternary_trainer.ablation.result import Ablation, compare
from ternary_trainer.ablation.timing import Estimate, estimate
from ternary_trainer.validation.studies import conduct

MOST_JOBS = 256
"""Trainings side by side."""
_CORES_A_JOB = 2


def ablate(
    plan: Plan,
    folder: Path,
    *,
    at_once: int | None = None,
    before: Callable[[Estimate], None] = lambda _: None,
    tell: Callable[[str], None] = lambda _: None,
    place: torch.device | None = None,
) -> Ablation:
    """Train what is not finished, compare, and write ``ablation.json``, ``ablation.md`` and ``ablation.svg``.

    Args:
        plan: What to train.
        folder: Where the runs and the report go; made if it is not there.
        at_once: Trainings side by side; by default one for every two cores this process may use.
        before: Called with the measured time before the first training begins.
        tell: Called with a line when a training begins, is reused, has come an epoch further, or ends.
        place: Where to compute, as in `train`.
    Raises:
        InputError: If matplotlib is missing, `at_once` is out of range, the folder is held, holds other
            trainings or cannot be written, or a training is interrupted.
        FormatError: If a run in the folder is damaged.
    """
    if at_once is not None and not 1 <= at_once <= MOST_JOBS:
        raise InputError(f"jobs: {at_once} side by side, expected 1 to {MOST_JOBS}")
    picture.check_installed()
    with held(folder):
        needed = jobs(plan, folder)
        everything = [job for those in needed.values() for job in those]
        side_by_side = at_once or max(1, usable_cores() // _CORES_A_JOB)
        measured = estimate(everything, side_by_side, place)
        before(measured)
        conduct(everything, workers=side_by_side, tell=tell, place=place)
        found = compare(plan, needed)
        whole_file.write_all(
            {
                folder / "ablation.json": document.to_bytes(found),
                folder / "ablation.md": markdown.text(found).encode(),
                folder / "ablation.svg": picture.svg(found),
            }
        )
    return found
