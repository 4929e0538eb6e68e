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
    clock, noticed = Remaining(), Losses(signature)
    if not console.is_terminal:

        def tell(record: EpochRecord) -> None:
            for text in (line(record, clock.after(record)), *noticed.new(record)):
                console.print(text, markup=False)

        yield _if_possible(tell)
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
    return f"{name} {_headline(path)} exact {percent(path.exact)} % KL {path.kl:.1f} active {path.active}"


def _headline(path: PathRecord) -> str:
    return f"evenness {path.evenness:.4f}" if path.coverage is None else f"{percent(path.coverage)} %"


def _perfect(record: EpochRecord) -> str:
    return "1" if record.limit is None else f"{100 * record.limit:.3f} %"


class Losses:
    """Cells and dimensions that a path has lost: what is lost early is hardly ever found again.

    A model needs as many dimensions as it has cells; more may stay idle.
    """

    def __init__(self, signature: Signature) -> None:
        self._cells = signature.space.cells
        self._needed = min(signature.latent_size, self._cells)
        self._told: dict[str, tuple[int, int]] = {}

    def new(self, record: EpochRecord) -> list[str]:
        """A line for each path that has lost more or less than the last time; none in the first epoch."""
        told = []
        for name, path in record.paths.items() if record.epoch else ():
            lost = path.lost_cells or 0, max(0, self._needed - path.active)
            if lost != self._told.get(name, (0, 0)):
                told.append(f"path {name}: {self._words(*lost)}")
            self._told[name] = lost
        return told

    def _words(self, cells: int, dimensions: int) -> str:
        of = f"{cells} of {self._cells} cells and {dimensions} of {self._needed} dimensions"
        if not cells and not dimensions:
            return "no cell or dimension is lost any more"
        return (
            f"{of} are lost; what is lost early is hardly ever found"
            " again: train longer at first, with a lower beta or another seed"
        )


def duration(seconds: float) -> str:
    """Minutes and seconds, as in 2:05."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d}"


def view(record: EpochRecord, seconds_left: float, signature: Signature) -> RenderableType:
    """One epoch as a small table under a bar."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    listed = signature.space.listed
    drawn = (f"coverage at {headline_draws(signature.space):,}", "of perfect draws")
    drawn = drawn if listed else ("evenness", "KL of cells + pairs + triples")
    for heading in ("path", *drawn, "exact", "CE", "KL", "rate", "beta", "active"):
        table.add_column(heading, justify="left" if heading == "path" else "right")
    for name, path in record.paths.items():
        table.add_row(
            name,
            *_drawn(path, record.limit),
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
    lost = [Text(text, style="bold red") for text in Losses(signature).new(record)]
    bar = Table.grid()  # a bar ends no line by itself, a row of a table does
    bar.add_row(ProgressBar(total=record.epochs, completed=done, width=60))
    return Group(title, bar, table, footer, *lost)


def _drawn(path: PathRecord, limit: float | None) -> tuple[str, str]:
    if path.coverage is None or limit is None:
        return f"{path.evenness:.4f}", f"{path.kl_single:.4f} + {path.kl_pairs:.4f} + {path.kl_higher:.4f}"
    return f"{percent(path.coverage)} %", f"{percent(path.coverage / limit)} %"
