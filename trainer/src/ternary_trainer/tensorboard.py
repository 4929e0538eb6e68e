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
from typing import Any

from ternary_sdk._internal.wheels import pip_install
from ternary_sdk.errors import InputError
from ternary_trainer.history import EpochRecord


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
            made: Any = SummaryWriter(str(run_dir / "tensorboard"))
            ending.callback(made.close)
            return made

        yield lambda record: _write(writer(), record)


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
