"""
Drawing a run's dynamics to PNG or SVG. Needs matplotlib, which the extra `plot` installs.
"""

from collections.abc import Callable, Sequence
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from ternary_sdk._internal import whole_file
from ternary_sdk._internal.wheels import pip_install
from ternary_sdk.coverage import headline_draws
from ternary_sdk.errors import InputError
from ternary_sdk.space import Space
from ternary_trainer.disrupt import effects
from ternary_trainer.history import EpochRecord, PathRecord
from ternary_trainer.orders import uniform_entropy, uniform_entropy_shown
from ternary_trainer.run import Run

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Sheet

SUFFIXES: Final = (".png", ".svg")
_COLOURS: Final = ("blue", "orange", "green", "purple", "brown", "pink", "olive", "cyan")
_Place = Literal["lower right", "center right", "upper right"]
_LEGENDS: Final[tuple[_Place, ...]] = (
    "lower right", "center right", "lower right", "lower right", "lower right", "upper right",
)  # fmt: skip

_EVENNESS: Final = "evenness: e to the minus KL of cells, pairs and triples, %"

Reading = Callable[[PathRecord], float]


def draw(run: Run, path: Path) -> None:
    """Write ``picture`` to a file, which is replaced.

    Raises:
        InputError: As ``picture``, or if the file cannot be written.
    """
    whole_file.write(path, picture(run, path))


def picture(run: Run, path: Path) -> bytes:
    """Draw coverage and perfect draws, losses, KL, betas, entropies and divergences over the epochs of a run.

    Phases are marked by their names, surges by shaded epochs.

    Args:
        run: With at least one epoch.
        path: Where it is to be; its suffix, .png or .svg, decides the format. Nothing is written.
    Returns:
        The file's content. The same epochs give the same bytes.
    Raises:
        InputError: If matplotlib is missing, the suffix is another, or there is nothing to draw.
    """
    require(path, [run])
    sheet = new_sheet(12, 9)
    panels = sheet.subplots(3, 2, sharex=True).flatten()
    _panels(list(panels), run.history, run.recipe.space)
    for panel in panels:
        _mark(panel, run.history)
    sheet.suptitle(f"{run.recipe.name}, seed {run.seed}: {len(run.history)} epochs")
    return rendered(sheet, path)


def require(path: Path, runs: Sequence[Run]) -> None:
    """Refuse what cannot be drawn.

    Raises:
        InputError: If matplotlib is missing, the suffix is neither .png nor .svg, or a run has no epochs.
    """
    if path.suffix not in SUFFIXES:
        raise InputError(f"{path}: suffix is '{path.suffix}', expected {' or '.join(SUFFIXES)}")
    for run in runs:
        if not run.history:
            raise InputError(f"{run.path}: has no epochs to draw yet")
    if find_spec("matplotlib") is None:
        raise InputError(f"matplotlib is not installed; run: {pip_install('ternary-trainer', 'plot')}")


def new_sheet(width: float, height: float) -> "Sheet":
    """An empty sheet, in inches, that no window shows."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    sheet = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(sheet)
    return sheet


def rendered(sheet: "Sheet", path: Path) -> bytes:
    """A sheet in the format of a file's suffix; the same sheet gives the same bytes."""
    from matplotlib import rc_context

    drawn, undated = BytesIO(), {"Date": None} if path.suffix == ".svg" else {}
    with rc_context({"svg.hashsalt": "ternary"}):
        sheet.savefig(drawn, dpi=120, format=path.suffix[1:], metadata=undated)
    return drawn.getvalue()


def _panels(panels: Sequence["Axes"], history: Sequence[EpochRecord], space: Space) -> None:
    floor, shown = uniform_entropy(space), uniform_entropy_shown(space)
    coverage, loss, kl, beta, entropy, divergence = panels
    title = f"hash coverage at {headline_draws(space):,}, %" if space.listed else _EVENNESS
    perfect = 100 if (limit := history[0].limit) is None else 100 * limit
    _lines(coverage, history, title, lambda path: 100 * path.headline)
    words = f"perfect draws {perfect:.3f} %"
    coverage.axhline(perfect, color="black", linestyle="--", linewidth=1, label=words)
    coverage.set_ylim(
        bottom=max(0, min(100 * record.headline for record in history[len(history) // 3 :]) - 2)
    )
    _lines(loss, history, "negative ELBO at beta 1 (solid), CE (dotted), nats", lambda path: path.elbo)
    _lines(loss, history, None, lambda path: path.reconstruction, "dotted")
    own = [record.loss for record in history]
    loss.plot(range(len(own)), own, color="tab:green", linewidth=1, label="the recipe's own loss")
    loss.axhline(floor, color="black", linestyle="--", linewidth=1, label=f"floor {shown}")
    loss.set_yscale("log")
    _lines(kl, history, "KL to the prior (solid), nats; active dimensions (dotted)", lambda path: path.kl)
    _lines(kl, history, None, lambda path: path.active, "dotted")
    kl.set_yscale("log")
    _lines(beta, history, "beta (solid), weight of the prior's term (dotted)", lambda path: path.beta)
    _lines(beta, history, None, lambda path: path.weight, "dotted")
    beta.set_yscale("symlog", linthresh=0.05)  # beta is a few hundredths where the other weight is above ten
    if space.listed:
        _lines(entropy, history, "entropy of the drawn distribution, nats", lambda path: path.entropy or 0.0)
        entropy.axhline(floor, color="black", linestyle="--", linewidth=1, label=f"uniform {shown}")
    else:
        _lines(entropy, history, "validation operations exact, %", lambda path: 100 * path.exact)
    _lines(divergence, history, "KL to uniform: single (solid), pairs (dashed), higher (dotted)", _single)
    _lines(divergence, history, None, lambda path: max(1e-5, path.kl_pairs), "dashed")
    _lines(divergence, history, None, lambda path: max(1e-5, path.kl_higher), "dotted")
    divergence.set_yscale("log")
    for panel in (entropy, divergence):
        panel.set_xlabel("epoch")
    # Not where they fit best: looking for that place takes time, and Matplotlib warns if it is long.
    for panel, place in zip(panels, _LEGENDS, strict=True):
        panel.legend(fontsize="small", loc=place)


def _single(path: PathRecord) -> float:
    return max(1e-5, path.kl_single)


def _lines(
    panel: "Axes", history: Sequence[EpochRecord], title: str | None, figure: Reading, style: str = "solid"
) -> None:
    epochs = [record.epoch for record in history]
    for name, colour in zip(history[0].paths, _COLOURS, strict=False):
        values = [figure(record.paths[name]) for record in history]
        panel.plot(epochs, values, color=f"tab:{colour}", linestyle=style, label=name if title else None)
    if title:
        panel.set_title(title, fontsize="medium")


def _mark(panel: "Axes", history: Sequence[EpochRecord]) -> None:
    for surge in effects(history):
        panel.axvspan(surge.epoch - 0.5, surge.epoch + surge.epochs - 0.5, color="tab:red", alpha=0.15)
    for before, record in zip([None, *history], history, strict=False):
        if before is None or before.phase != record.phase:
            panel.axvline(record.epoch - 0.5, color="grey", linewidth=0.8)
            panel.text(record.epoch, 1.0, f" {record.phase}", fontsize="x-small", color="grey", va="top",
                       transform=panel.get_xaxis_transform())  # fmt: skip
