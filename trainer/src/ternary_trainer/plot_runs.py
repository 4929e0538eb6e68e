"""
Drawing runs side by side: what each epoch of each run covers, loses and costs.
"""

from collections.abc import Callable, Sequence
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ternary_sdk.coverage import headline_draws
from ternary_sdk.errors import InputError
from ternary_trainer.history import EpochRecord
from ternary_trainer.plot import new_sheet, rendered, require
from ternary_trainer.run import Run

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST: Final = 10
"""Runs in one picture: more colours cannot be told apart."""


def picture(runs: Sequence[Run], path: Path) -> bytes:
    """Draw what each run's weakest path covers, by epoch and by seconds, its reconstruction and its loss.

    Args:
        runs: Two to ten, all of listed or all of vast spaces, each with at least one epoch.
        path: Where it is to be; its suffix, .png or .svg, decides the format. Nothing is written.
    Returns:
        The file's content. The same runs give the same bytes.
    Raises:
        InputError: If matplotlib is missing, the suffix is another, or the runs have nothing in common.
    """
    require(path, runs)
    from matplotlib.ticker import ScalarFormatter

    if len(runs) > MOST:
        raise InputError(f"{len(runs)} runs to draw, expected at most {MOST}: more colours look alike")
    if len({run.recipe.space.listed for run in runs}) > 1:
        raise InputError("runs of listed and of vast spaces have no figure in common to draw")
    sheet = new_sheet(12, 7)
    by_epoch, by_seconds, exact, loss = sheet.subplots(2, 2).flatten()
    headline, title = _percent(lambda record: record.headline), _headline(runs)
    _lines(by_epoch, runs, _epochs, headline, f"{title}, by epoch")
    _lines(by_seconds, runs, _seconds, headline, f"{title}, by seconds of training")
    _lines(
        exact,
        runs,
        _epochs,
        _percent(lambda record: record.exact),
        "validation operations exact, %, by epoch",
    )
    _lines(loss, runs, _epochs, lambda record: record.elbo, "negative ELBO at beta 1, nats, by epoch")
    loss.set_yscale("log")
    loss.yaxis.set_major_formatter(ScalarFormatter())
    loss.yaxis.set_minor_formatter(ScalarFormatter())
    for panel in (by_epoch, by_seconds):
        _cut(panel, runs)
    handles, names = by_epoch.get_legend_handles_labels()
    sheet.legend(handles, names, loc="outside lower center", ncols=min(5, len(runs)), fontsize="small")
    sheet.suptitle(f"{len(runs)} runs, each by its weakest path")
    return rendered(sheet, path)


Reading = Callable[[EpochRecord], float]


def _percent(share: Reading) -> Reading:
    return lambda record: 100 * share(record)


def _headline(runs: Sequence[Run]) -> str:
    if not runs[0].recipe.space.listed:
        return "evenness, %"
    draws = {headline_draws(run.recipe.space) for run in runs}
    return f"hash coverage at {draws.pop():,} draws, %" if len(draws) == 1 else "hash coverage, %"


def _epochs(history: Sequence[EpochRecord]) -> list[float]:
    return [record.epoch for record in history]


def _seconds(history: Sequence[EpochRecord]) -> list[float]:
    return list(accumulate(record.seconds for record in history))


def _lines(
    panel: "Axes",
    runs: Sequence[Run],
    places: Callable[[Sequence[EpochRecord]], list[float]],
    figure: Reading,
    title: str,
) -> None:
    for number, run in enumerate(runs):
        values = [figure(record) for record in run.history]
        marker = "." if len(values) == 1 else ""
        panel.plot(places(run.history), values, color=f"C{number}", label=str(run.path), marker=marker)
    panel.set_title(title, fontsize="medium")


def _cut(panel: "Axes", runs: Sequence[Run]) -> None:
    """Leave out the steep beginning, which would flatten where runs differ."""
    late = [record.headline for run in runs for record in run.history[len(run.history) // 3 :]]
    panel.set_ylim(bottom=max(0, 100 * min(late) - 2))
