"""
Studies that train a recipe again: with other seeds, and with beta multiplied by a factor.

Each training is an ordinary run directory in the study's folder. One that is there already is reused whatever
its name, if its recipe and seed are the same; others are named by what decides them. One that was interrupted
goes on where it stopped, so a study may be killed at any moment.
"""

import dataclasses
import hashlib
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ProcessPoolExecutor, wait
from contextlib import nullcontext
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Final

import torch

from ternary_sdk._internal.inference.cores import usable_cores
from ternary_sdk.coverage import percent
from ternary_sdk.errors import FormatError, InputError
from ternary_trainer import history
from ternary_trainer import recipe as recipes
from ternary_trainer import run as runs
from ternary_trainer.history import EpochRecord, place
from ternary_trainer.report import PathReport
from ternary_trainer.run import Run
from ternary_trainer.settings import Recipe, Surge
from ternary_trainer.train import OnEpoch, train
from ternary_trainer.vast_report import VastPathReport

SEEDS: Final = 3
"""Trainings of a seed study, the run itself among them, unless asked for more."""
MOST_SEEDS: Final = 10
FACTORS: Final = (0.25, 0.5, 2.0, 4.0, 16.0)
"""By which a sweep multiplies beta."""
_THREADS_A_RUN: Final = 2
_PULSE: Final = 2.0


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One retraining's best snapshot."""

    seed: int
    factor: float
    """On beta; 1 is the recipe as it is."""
    paths: Mapping[str, PathReport | VastPathReport]
    """Of a listed space the first, of a vast one the second."""


@dataclass(frozen=True, kw_only=True)
class Study:
    """Retrainings of one recipe."""

    trials: tuple[Trial, ...]


@dataclass(frozen=True, kw_only=True)
class Job:
    """One training of a study."""

    recipe: Recipe
    seed: int
    factor: float
    out: Path


def seed_jobs(run: Run, folder: Path, count: int = SEEDS) -> list[Job]:
    """A run and retrainings of its recipe with the first other seeds from 1 on, `count` in all.

    Raises:
        InputError: If `count` is not from 3 to 10.
    """
    if not SEEDS <= count <= MOST_SEEDS:
        raise InputError(f"seeds: {count} trainings, expected {SEEDS} to {MOST_SEEDS}")
    others = [seed for seed in range(1, count + 1) if seed != run.seed][: count - 1]
    kept = _kept(folder)
    return [
        _itself(run),
        *(_job(kept, folder / f"{_label(run.recipe)}-seed-{seed}", run.recipe, seed) for seed in others),
    ]


def beta_jobs(run: Run, folder: Path, factors: Sequence[float] = FACTORS) -> list[Job]:
    """A run and retrainings with its recipe and seed, but beta multiplied throughout.

    The factor is one surge that lasts the whole training and turns nothing but beta; the recipe's own surges
    are left out, because two cannot be on at once.
    """
    kept, label = _kept(folder), f"{_label(run.recipe)}-seed-{run.seed}"
    return [
        _itself(run),
        *(
            _job(kept, folder / f"{label}-beta-{factor:g}", _scaled(run.recipe, factor), run.seed, factor)
            for factor in factors
        ),
    ]


def _job(
    kept: Mapping[tuple[int, str], Path], otherwise: Path, recipe: Recipe, seed: int, factor: float = 1.0
) -> Job:
    out = kept.get((seed, settings_alone(recipe)), otherwise)
    return Job(recipe=recipe, seed=seed, factor=factor, out=out)


def _kept(folder: Path) -> dict[tuple[int, str], Path]:
    """The runs in a folder by what decides them, a finished one before one that is not."""
    found: dict[tuple[int, str], Path] = {}
    for entry in sorted(folder.glob(f"*/{runs.FACTS}")):
        try:
            run = runs.open(entry.parent)
            ended = bool(run.summary().choices)
        except FormatError:
            continue  # Not a run, or a damaged one: it is nobody's to reuse.
        key = (run.seed, settings_alone(run.recipe))
        if ended or key not in found:
            found[key] = run.path
    return found


def _itself(run: Run) -> Job:
    return Job(recipe=run.recipe, seed=run.seed, factor=1.0, out=run.path)


def conduct(
    jobs: Sequence[Job],
    *,
    workers: int | None = None,
    executor: Executor | None = None,
    tell: Callable[[str], None] = lambda _: None,
    place: torch.device | None = None,
) -> Study:
    """Make every training that is not finished yet, and read all of them.

    Args:
        jobs: What to train.
        workers: Trainings at a time; by default one for every two cores this process may use.
        executor: What trains, such as a cluster whose workers see the jobs' folders; by default processes, or
            this one where there is one training at a time.
        tell: Called with a line when a training begins, is reused, has come an epoch further, or ends.
        place: Where to compute, as in `train`.
    Raises:
        InputError: If a folder cannot be written or holds another run, or a training was interrupted.
        FormatError: If a finished run is damaged.
    """
    waiting = []
    for job in jobs:
        if finished(job):
            tell(f"{job.out.name}: reused")
        else:
            waiting.append(job)
    count = min(len(waiting), workers or max(1, usable_cores() // _THREADS_A_RUN))
    if waiting:
        tell(f"{len(waiting)} trainings to make, {count} at a time")
        _train_all(waiting, count, executor, tell, place)
    return Study(trials=tuple(_trial(job) for job in jobs))


def finished(job: Job) -> bool:
    """Whether the training ended by itself.

    Raises:
        InputError: If the folder holds a run of another recipe or seed.
        FormatError: If it holds a damaged one.
    """
    if not (job.out / runs.FACTS).exists():
        return False
    earlier = runs.open(job.out)
    if (earlier.seed, settings_alone(earlier.recipe)) != (job.seed, settings_alone(job.recipe)):
        raise InputError(f"{job.out}: holds another training; choose another folder for the studies")
    return bool(earlier.summary().choices)


def perform(job: Job, on_epoch: OnEpoch | None = None, place: torch.device | None = None) -> str:
    """Train one job, from its start or from where it stopped; what came of it, in one line.

    Raises:
        InputError: If it was interrupted.
    """
    resume = (job.out / runs.FACTS).exists()
    recipe = runs.open(job.out).recipe if resume else job.recipe  # its name may be another
    run = train(recipe, seed=job.seed, out=job.out, resume=resume, on_epoch=on_epoch, place=place)
    summary = run.summary()
    if summary.status == "interrupted":
        raise _interrupted(job)
    return f"{job.out.name}: {summary.status} after {summary.epochs} epochs, {summary.seconds:.0f} s"


def _train_all(
    jobs: Sequence[Job],
    count: int,
    executor: Executor | None,
    tell: Callable[[str], None],
    place: torch.device | None,
) -> None:
    if count == 1 and executor is None:
        for job in jobs:
            tell(f"{job.out.name}: training")
            tell(perform(job, _telling(job, tell), place))
        return
    # Spawned, not forked: a forked child inherits torch's thread pool without its threads.
    with (
        nullcontext(executor)
        if executor is not None
        else ProcessPoolExecutor(count, mp_context=get_context("spawn"))
    ) as pool:
        left, pending = list(jobs), set[Future[str]]()
        seen: dict[Path, int] = {}
        while left or pending:
            # No more than can begin: after Ctrl-C or a refusal, nothing that was queued may start.
            while left and len(pending) < count:
                pending.add(pool.submit(perform, left.pop(0), place=place))
            done, pending = wait(pending, timeout=_PULSE, return_when=FIRST_COMPLETED)
            for future in done:
                tell(future.result())
            for job in jobs:
                _look(job, seen, tell)


def _telling(job: Job, tell: Callable[[str], None]) -> OnEpoch:
    return lambda record: tell(_progress(job.out.name, record))


def _look(job: Job, seen: dict[Path, int], tell: Callable[[str], None]) -> None:
    """Tell how far another process has come with a job, if it has come further."""
    if not (job.out / history.NAME).exists():
        return
    records = history.read(job.out)
    if len(records) > seen.get(job.out, 0):
        seen[job.out] = len(records)
        tell(_progress(job.out.name, records[-1]))


def _progress(name: str, record: EpochRecord) -> str:
    quantity = "evenness" if record.limit is None else "coverage"
    return f"{name}: {place(record)}, {quantity} {percent(record.headline)} %"


def _interrupted(job: Job) -> InputError:
    return InputError(f"{job.out}: was interrupted; run the same command again to go on")


def _trial(job: Job) -> Trial:
    choices = runs.open(job.out).summary().choices
    if "coverage" not in choices:
        raise _interrupted(job)
    best = choices["coverage"]
    return Trial(seed=job.seed, factor=job.factor, paths=best.paths)


def _scaled(recipe: Recipe, factor: float) -> Recipe:
    throughout = Surge(
        epoch=0, epochs=recipe.epochs, strength=1.0, noise=1.0, beta=factor, exploration=1.0, rate=1.0
    )
    return dataclasses.replace(recipe, surge=(throughout,))


def _label(recipe: Recipe) -> str:
    return f"{recipe.name}-{hashlib.sha256(recipes.dump(recipe).encode()).hexdigest()[:8]}"


def settings_alone(recipe: Recipe) -> str:
    """The settings alone: recipes that differ only in name and description train the same model."""
    return recipes.dump(dataclasses.replace(recipe, name="", about=""))
