"""
Watching a training: a live view on a terminal, plain lines where there is none. All of it goes to one stream.

    with progress.watching(recipe.signature) as on_epoch:
        train(recipe, seed=1, out=Path("runs/first"), on_epoch=on_epoch)
"""

import sys
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TextIO

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from ternary_sdk.coverage import headline_draws, percent
from ternary_sdk.signature import Signature
from ternary_trainer.history import EpochRecord, PathRecord, place

OnEpoch = Callable[[EpochRecord], None]
_RECENT = 5


@contextmanager
def watching(signature: Signature, stream: TextIO | None = None) -> Iterator[OnEpoch]:
    """Show each epoch of one training; a stream that takes no more of it ends nothing.

    Args:
        signature: Of the model that is trained.
        stream: Where to; standard error if not given. A terminal gets a view that is redrawn in place,
            anything else one line an epoch.
    """
    console = _Console(file=stream or sys.stderr, highlight=False, soft_wrap=True)
    clock = Remaining()
    if not console.is_terminal:
        yield _if_possible(lambda record: console.print(line(record, clock.after(record)), markup=False))
        return
    with Live(Text("first epoch …", style="dim"), console=console, auto_refresh=False) as live:
        yield _if_possible(
            lambda record: live.update(view(record, clock.after(record), signature), refresh=True)
        )


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """Print no more; rich itself would end the program."""
        self.quiet = True


def _if_possible(tell: OnEpoch) -> OnEpoch:
    def on_epoch(record: EpochRecord) -> None:
        with suppress(OSError):  # as of a full disk that holds the log: the training is worth more
            tell(record)

    return on_epoch


class Remaining:
    """Guesses the time left from the last epochs, because later phases take longer than earlier ones."""

    def __init__(self) -> None:
        self._recent: deque[float] = deque(maxlen=_RECENT)

    def after(self, record: EpochRecord) -> float:
        """Seconds left after an epoch, if all are trained; epochs are given in order."""
        self._recent.append(record.seconds)
        return (record.epochs - record.epoch - 1) * sum(self._recent) / len(self._recent)


def line(record: EpochRecord, seconds_left: float) -> str:
    """One epoch as one line of text."""
    paths = "  ".join(_path(name, path) for name, path in record.paths.items())
    surge = f"  surge {record.surge:g}" if record.surge_origin else ""
    return (
        f"{place(record)} {record.phase}{surge}  {paths}"
        f"  perfect {_perfect(record)}  loss {record.loss:.3f}  {duration(seconds_left)} left"
    )


def _path(name: str, path: PathRecord) -> str:
    covered, exact = f"{percent(path.coverage)} %", f"{percent(path.exact)} %"
    return f"{name} {covered} exact {exact} KL {path.kl:.1f} active {path.active}"


def _perfect(record: EpochRecord) -> str:
    return f"{100 * record.limit:.3f} %"


def duration(seconds: float) -> str:
    """Minutes and seconds, as in 2:05."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d}"


def view(record: EpochRecord, seconds_left: float, signature: Signature) -> RenderableType:
    """One epoch as a small table under a bar."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    draws = f"coverage at {headline_draws(signature.space):,}"
    for heading in ("path", draws, "of perfect draws", "exact", "CE", "KL", "rate", "beta", "active"):
        table.add_column(heading, justify="left" if heading == "path" else "right")
    for name, path in record.paths.items():
        table.add_row(
            name,
            f"{percent(path.coverage)} %",
            f"{percent(path.coverage / record.limit)} %",
            f"{percent(path.exact)} %",
            f"{path.reconstruction:.3f}",
            f"{path.kl:.2f}",
            f"{path.rate:.1e}",
            f"{path.beta:.3f}",
            f"{path.active}/{signature.latent_size}",
        )
    done = record.epoch + 1
    title = Text(f"{place(record)}  {record.phase}", style="bold")
    if record.surge_origin:
        title.append(f"  surge {record.surge:g} ({record.surge_origin})", style="bold magenta")
    figures = f"perfect draws, on average {_perfect(record)}   loss {record.loss:.4f}   "
    footer = Text(f"{figures}{duration(seconds_left)} left", style="dim")
    bar = Table.grid()  # a bar ends no line by itself, a row of a table does
    bar.add_row(ProgressBar(total=record.epochs, completed=done, width=60))
    return Group(title, bar, table, footer)
