"""
A term of one's own in the loss: the function ``loss`` of a Python file that a recipe names.

    def loss(batch):
        return batch.mean.square().sum(1).mean()

The file is code. Nothing confines it: it may do whatever the user may who trains. Reading a recipe or a run
computes the file's SHA-256 and runs nothing; only a training runs it, from the copy in its run directory, and
only while it has the SHA-256 that was recorded.

The function is called once for each path and step, from a thread for each path under `separate`, and again
without gradients for the validation loss. What it draws at random from torch's own generators differs between
a run that was resumed and one that was not.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor

from ternary_sdk._internal import source
from ternary_sdk.errors import InputError
from ternary_sdk.space import Space
from ternary_trainer.settings import Hook
from ternary_trainer.split import Operations

MOST: Final = 1 << 20
"""Of the file, in bytes."""


@dataclass(frozen=True, kw_only=True)
class Batch:
    """What the function is given: one path's share of a training step over n operations."""

    path: str
    """The path's letter."""
    space: Space
    """Of the operations."""
    tables: Tensor
    """Truth tables, float32, shape (n, cells)."""
    classes: Tensor
    """Their digits from 0 to radix - 1, int64, shape (n, cells)."""
    mean: Tensor
    """Of the posterior, shape (n, latent size)."""
    logvar: Tensor
    """Logarithm of its variance, shape (n, latent size)."""
    logits: Tensor
    """Of a posterior sample, shape (n, cells, radix)."""


Term = Callable[[Batch], Tensor]


def seen(path: str, operations: Operations, mean: Tensor, logvar: Tensor, logits: Tensor) -> Batch:
    """A path's operations, posterior and logits, shape (n, cells·radix), as the function is given them."""
    return Batch(
        path=path,
        space=operations.space,
        tables=operations.tables,
        classes=operations.classes,
        mean=mean,
        logvar=logvar,
        logits=logits.view(len(operations), operations.space.cells, operations.space.radix),
    )


def found(hook: Hook, folder: Path) -> Hook:
    """A recipe's hook with the path of its file and the file's SHA-256.

    Args:
        hook: As the recipe states it.
        folder: Of the recipe's file.
    Raises:
        InputError: If the file has no name of a Python file, cannot be read, or has another SHA-256 than the
            recipe states.
    """
    path = folder / hook.file
    if path.suffix != ".py" or path.name.startswith("."):
        raise InputError(f"setting 'hook.file' is {hook.file!r}, expected the path of a Python file, NAME.py")
    sha256 = hashlib.sha256(source.read(path, MOST)).hexdigest()
    if hook.sha256 not in ("", sha256):
        raise _changed(path, sha256, hook)
    return replace(hook, file=str(path), sha256=sha256)


def code(hook: Hook, path: Path) -> bytes:
    """The file's bytes, if they are those that the hook is of.

    Args:
        hook: As `found` gives it.
        path: The file, or its copy in a run directory.
    Raises:
        InputError: If it cannot be read or has another SHA-256.
    """
    data = source.read(path, MOST)
    sha256 = hashlib.sha256(data).hexdigest()
    if sha256 != hook.sha256:
        raise _changed(path, sha256, hook)
    return data


def _changed(path: Path, sha256: str, hook: Hook) -> InputError:
    return InputError(f"{path}: sha256 is {sha256}, the recipe says {hook.sha256}; put the file back")


def term(hook: Hook | None, folder: Path) -> Term | None:
    """Run a hook's file, from its copy in a run directory, and give its function, weighted; None for none.

    Raises:
        InputError: If the file has changed, fails as it is run, or has no function `loss`.
    """
    if hook is None:
        return None
    path = folder / Path(hook.file).name
    names: dict[str, Any] = {"__name__": path.stem, "__file__": str(path)}
    text = code(hook, path)
    try:
        exec(compile(text, str(path), "exec"), names)
    except Exception as error:
        raise InputError(f"{path}: fails as it is run ({type(error).__name__}: {error})") from error
    function = names.get("loss")
    if not callable(function):
        raise InputError(f"{path}: has no function 'loss', expected one that takes a batch")
    return lambda batch: hook.weight * _scalar(function, batch, path)


def _scalar(function: Callable[[Batch], Any], batch: Batch, path: Path) -> Tensor:
    try:
        value = function(batch)
    except Exception as error:
        raise InputError(f"{path}: loss fails ({type(error).__name__}: {error})") from error
    if not isinstance(value, torch.Tensor) or value.ndim or not value.is_floating_point():
        shape = f"shape {tuple(value.shape)}" if isinstance(value, torch.Tensor) else type(value).__name__
        raise InputError(f"{path}: loss gives {shape}, expected a tensor of one number, shape ()")
    return value
