"""
A run directory before its first epoch: made with all that is needed to repeat the run, or fit to be resumed.

`run.json` is written last. A directory without it was never begun, whatever killed the one who tried.
"""

import os
import platform
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ternary_sdk._internal import whole_file
from ternary_sdk.errors import InputError
from ternary_trainer import device, loss_hook, run, seeds
from ternary_trainer import recipe as recipes
from ternary_trainer.run import Run
from ternary_trainer.settings import Recipe


def prepare(recipe: Recipe, seed: int, out: Path, place: torch.device, *, resume: bool) -> None:
    """Make a run directory, or check that the one to resume is of the same recipe and seed.

    Raises:
        InputError: If `out` holds anything, or another recipe or seed is resumed, or it cannot be written.
        FormatError: If what is resumed is no run.
    """
    if resume:
        _check_same(run.open(out), recipe, seed)
        return
    if out.exists() and (not out.is_dir() or _holds_anything(out, recipe)):
        raise InputError(
            f"{out}: exists and is not an empty directory; resume the run in it, or name another"
        )
    seeds.derive(seed, "initial weights")  # refuses a seed out of range before anything is written
    try:
        (out / "snapshots").mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{out}: cannot be made ({error.strerror})") from None
    if recipe.hook:
        file = Path(recipe.hook.file)
        whole_file.write(out / file.name, loss_hook.code(recipe.hook, file))
    whole_file.write(out / run.RECIPE, recipes.dump(recipe).encode())
    facts = {
        "format": run.FORMAT,
        "signature": recipe.signature.to_json(),
        "seed": seed,
        "operations": run.operations_of(recipe),
        **({"hook": recipe.hook.sha256} if recipe.hook else {}),
    }
    run.write_facts(out, {**facts, **_versions(place)})


def _holds_anything(out: Path, recipe: Recipe) -> bool:
    hook = [Path(recipe.hook.file).name] if recipe.hook else []

    def begun(name: str) -> bool:
        drafted = any(whole_file.is_draft(name, of=file) for file in (run.RECIPE, run.FACTS, *hook))
        return drafted or name in ("snapshots", run.RECIPE, *hook)

    return not all(begun(entry.name) for entry in out.iterdir())


def _check_same(earlier: Run, recipe: Recipe, seed: int) -> None:
    if earlier.seed != seed:
        raise InputError(
            f"{earlier.path}: was started with seed {earlier.seed}, cannot resume it with {seed}"
        )
    if earlier.recipe != recipe:
        old, new = recipes.dump(earlier.recipe).splitlines(), recipes.dump(recipe).splitlines()
        was, now = next(
            (pair for pair in zip(old, new, strict=False) if pair[0] != pair[1]), ("shorter", "longer")
        )
        raise InputError(f"{earlier.path}: its recipe says '{was}', cannot resume it with '{now}'")


def _versions(place: torch.device) -> dict[str, Any]:
    return {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": np.__version__,
        "machine": platform.machine(),
        "cores": os.cpu_count(),
        "device": device.name(place),
    }
