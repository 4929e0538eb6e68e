"""
An ablation's folder: a run directory for each option and seed, and the report beside them.

    NAME-SEED/      of every option and of `base`: a run of `ternary train`
    ablation.json, ablation.md, ablation.svg

What is there already is reused if it is what the plan says, and refused by name if it is not. One process
at a time works in a folder.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from ternary_sdk._internal.licensing import file_lock
from ternary_sdk.errors import InputError
from ternary_trainer import run as runs
from ternary_trainer.ablation.plan import BASE, Option, Plan
from ternary_trainer.comparing import settings
from ternary_trainer.validation.studies import Job

_LOCK: Final = ".lock"


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Make a folder where there is none, and hold it; the lock ends with the process, however it ends.

    Where the file system knows no locks, nothing is held.

    Raises:
        InputError: If it cannot be made, or another process holds it.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / _LOCK).open("wb")
    except OSError as error:
        raise InputError(f"{folder}: cannot be made or written ({error.strerror})") from None
    with lock:
        with suppress(OSError):
            if not file_lock.take(lock.fileno()):
                raise InputError(f"{folder}: another 'ternary ablate' is at work there")
        yield


def jobs(plan: Plan, folder: Path) -> Mapping[str, list[Job]]:
    """The trainings of a plan, by the option's name: one for each seed.

    Raises:
        InputError: If the folder has a run under the name of one that is another.
        FormatError: If a run there is damaged.
    """
    found = {
        option.name: [
            Job(recipe=option.recipe, seed=seed, factor=1.0, out=folder / f"{option.name}-{seed}")
            for seed in plan.seeds
        ]
        for option in plan.options
    }
    for option in plan.options:
        for job in found[option.name]:
            _check(job, option, plan.source)
    return found


def _check(job: Job, option: Option, source: str) -> None:
    if not (job.out / runs.FACTS).exists():
        return
    earlier = runs.open(job.out)
    if earlier.seed != job.seed:
        raise InputError(f"{job.out}: was trained with seed {earlier.seed}, expected {job.seed}; remove it")
    old, new = settings(earlier.recipe), settings(job.recipe)
    for key in {**old, **new}:
        if old.get(key) != new.get(key):
            named = "the base" if option.name == BASE else f"option '{option.name}'"
            raise InputError(
                f"{job.out}: was trained with {key} {old.get(key, 'left out')}, {named} of {source} has"
                f" {new.get(key, 'none')}; put the plan back, or name another folder"
            )
