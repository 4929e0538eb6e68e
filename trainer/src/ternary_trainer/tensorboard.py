"""
Figures for TensorBoard. Needs the extra `tensorboard`.

    with tensorboard.writing(Path("runs/first")) as on_epoch:
        train(recipe, seed=1, out=Path("runs/first"), on_epoch=on_epoch)
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from ternary_sdk._internal.wheels import pip_install
from ternary_sdk.errors import InputError
from ternary_trainer.history import EpochRecord
from ternary_trainer.run import Run

FOLDER: Final = "tensorboard"
"""In a run directory."""


@contextmanager
def writing(run_dir: Path) -> Iterator[Callable[[EpochRecord], None]]:
    """Give an `on_epoch` that writes every figure of a record below `run_dir/tensorboard`.

    Nothing is made before the first record: a training begins in a directory that does not exist or is empty.

    Raises:
        InputError: If TensorBoard is missing.
    """
    if find_spec("tensorboard") is None:
        raise InputError(
            f"tensorboard is not installed; run: {pip_install('ternary-trainer', 'tensorboard')}"
        )
    from torch.utils.tensorboard import SummaryWriter

    with ExitStack() as ending:

        @cache
        def writer() -> Any:
            made: Any = SummaryWriter(str(run_dir / FOLDER))
            ending.callback(made.close)
            return made

        yield lambda record: _write(writer(), record)


def convert(run: Run) -> Path:
    """Write the figures of all epochs of a run, as `writing` would have while it trained.

    Returns:
        The folder of the event files, `tensorboard` in the run directory.
    Raises:
        InputError: If TensorBoard is missing, the run has no epochs, or the folder holds anything, because
            TensorBoard would show the epochs twice.
    """
    folder = run.path / FOLDER
    if not run.history:
        raise InputError(f"{run.path}: has no epochs to write yet")
    with writing(run.path) as on_epoch:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise InputError(
                f"{folder}: exists and is not an empty directory; remove it, or read what it holds"
            )
        try:
            for record in run.history:
                on_epoch(record)
        except OSError as error:
            raise InputError(f"{folder}: cannot be written ({error.strerror})") from None
    return folder


def figures(record: EpochRecord) -> dict[str, float]:
    """Every number of a record by a slashed name, as in `coverage/A`."""
    flat = {"loss": record.loss, "surge": record.surge, "seconds": record.seconds}
    if record.core_seconds is not None:
        flat["core_seconds"] = record.core_seconds
    for path, figures in record.paths.items():
        known = {name: value for name, value in asdict(figures).items() if value is not None}
        flat |= {f"{name}/{path}": float(value) for name, value in known.items()}
        if figures.coverage is None:
            flat[f"evenness/{path}"] = figures.evenness
    return flat | {f"coupling/{name}": value for name, value in (record.coupling or {}).items()}


def _write(writer: Any, record: EpochRecord) -> None:
    for name, value in figures(record).items():
        writer.add_scalar(name, value, record.epoch)
    writer.flush()
