"""What a researcher waits for: seconds an epoch, and to 90 % and 91 % coverage of both paths."""

import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from benchmarks.measurement import Measurement
from ternary_trainer import recipe as recipes
from ternary_trainer.history import EpochRecord
from ternary_trainer.run import Run
from ternary_trainer.train import train

_ORIGINAL = 473 / 105
"""Seconds an epoch of the program that v5.5 was published with."""
_LAST_ASKED = 0.91


def measurements() -> Iterator[Measurement]:
    """Train the default recipe to its end, the others as far as is needed."""
    whole = _trained("coverage")
    yield from _to_coverage(whole)
    seconds = sum(record.seconds for record in whole.history)
    yield Measurement(name="recipe coverage, all epochs", value=seconds, unit="s", most=180, detail="aim 90")
    best = 100 * max(record.headline for record in whole.history)
    yield Measurement(name="recipe coverage, weaker path at 50,000", value=best, unit="percent", least=91.2)
    yield from _to_coverage(_trained("coverage-max", lambda record: record.headline >= _LAST_ASKED))
    published = _trained("v5.5", lambda record: record.epoch == 11)
    seconds = _epoch_seconds(published)
    yield Measurement(name="an epoch of recipe v5.5", value=seconds, unit="s", detail="it never reaches 90 %")
    detail = f"its {_ORIGINAL:.2f} s were measured once, on two cores of which one was busy"
    share = seconds / _ORIGINAL
    yield Measurement(
        name="the same, of the original's", value=share, unit="share", most=1 / 3, detail=detail
    )


def _trained(name: str, enough: Callable[[EpochRecord], bool] = lambda _: False) -> Run:
    def stop(record: EpochRecord) -> None:
        if enough(record):
            signal.raise_signal(signal.SIGINT)  # what Ctrl-C does: the run ends after this epoch

    with TemporaryDirectory() as folder:
        return train(recipes.load(name), seed=1, out=Path(folder) / name, on_epoch=stop)


def _to_coverage(run: Run) -> Iterator[Measurement]:
    name = run.recipe.name
    yield Measurement(name=f"an epoch of recipe {name}", value=_epoch_seconds(run), unit="s")
    for share in (0.90, _LAST_ASKED):
        seconds = run.seconds_to(share)
        if seconds is None:
            raise SystemExit(f"recipe {name}: never covered {share:.0%} with both paths")
        yield Measurement(name=f"recipe {name} to {share:.0%} with both paths", value=seconds, unit="s")


def _epoch_seconds(run: Run) -> float:
    return median(record.seconds for record in run.history)
