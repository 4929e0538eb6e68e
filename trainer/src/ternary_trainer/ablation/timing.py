"""
How long the trainings of a plan will take: measured, before they begin.
"""

import dataclasses
import math
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from ternary_sdk.errors import InputError
from ternary_trainer import run as runs
from ternary_trainer.run import Run
from ternary_trainer.settings import Recipe
from ternary_trainer.train import train
from ternary_trainer.validation.studies import Job, finished


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """What is left to train."""

    trainings: int
    """Not finished yet."""
    at_once: int
    """Side by side."""
    each: float
    """Wall seconds of one, measured by itself or beside others as they were trained."""
    measured: str
    """What was measured."""

    @property
    def seconds(self) -> float:
        """Wall time of all."""
        return self.each * math.ceil(self.trainings / self.at_once)


def estimate(jobs: Sequence[Job], at_once: int, place: torch.device | None = None) -> Estimate:
    """Estimate the time of the trainings that are not finished, from those that are, or by timing the first.

    Args:
        jobs: All trainings of a plan, those of the base first.
        at_once: How many are made side by side.
        place: Where to compute, as in `train`.
    Raises:
        InputError: If the timing is interrupted.
    """
    done = [runs.open(job.out) for job in jobs if finished(job)]
    waiting = len(jobs) - len(done)
    if waiting == 0:
        each, measured = 0.0, "nothing is left to train"
    elif done:
        each = sum(map(_seconds, done)) / len(done)
        measured = f"the mean of {len(done)} finished trainings"
    else:
        each, measured = _timed(jobs[0], place)
    return Estimate(trainings=waiting, at_once=max(1, min(at_once, waiting)), each=each, measured=measured)


def _seconds(run: Run) -> float:
    return sum(record.seconds for record in run.history)


def _timed(job: Job, place: torch.device | None) -> tuple[float, str]:
    """Seconds of one training: an epoch of each phase times how many there are, and what is done once."""
    short = _cut(job.recipe)
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        run = train(short, seed=job.seed, out=Path(folder) / "timed", place=place)
        took = time.perf_counter() - started
        if run.summary().status == "interrupted":
            raise InputError("the timing of the base was interrupted; run the same command again")
    first, *rest = (record.seconds for record in run.history)
    once = took - _seconds(run)
    epochs, learning = job.recipe.epochs, job.recipe.separate.learn.epochs if job.recipe.separate else None
    if learning is None:
        return once + first * epochs, "one epoch of the base, all epochs taken to be alike"
    return once + first * learning + rest[0] * (epochs - learning), "one epoch of each phase of the base"


def _cut(recipe: Recipe) -> Recipe:
    if recipe.separate is None:
        return dataclasses.replace(recipe, epochs=1, surge=())
    learn = dataclasses.replace(recipe.separate.learn, epochs=1)
    separate = dataclasses.replace(recipe.separate, learn=learn)
    return dataclasses.replace(recipe, epochs=2, separate=separate, surge=())
