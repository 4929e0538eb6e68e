"""A recipe cut to seconds, and one run of it that no test changes."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from ternary_trainer import recipe as recipes
from ternary_trainer.run import Run
from ternary_trainer.settings import Recipe
from ternary_trainer.train import train

TINY = {
    "epochs": "4",
    "batch": "1024",
    "scoring.draws": "50_000",
    "scoring.report_draws": "50_000",
    "scoring.sampling_draws": "1_000",
    "scoring.exact": "0.0",
    "separate.learn.epochs": "1",
    "separate.learn.passes": "1",
    "surge": "[{epoch = 2, strength = 0.5}]",
} | {
    f"separate.paths.{path}.{name}": value
    for path in "AB"
    for name, value in (("passes", "1"), ("draws", "512"), ("pushed", "256"))
}


@pytest.fixture(scope="session")
def tiny() -> Recipe:
    """The default recipe in four epochs of a second or less, with a surge in the third."""
    return recipes.load("coverage", TINY)


@pytest.fixture(scope="session")
def finished(tiny: Recipe, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run of the tiny recipe with seed 3, trained without interruption."""
    return train(tiny, seed=3, out=tmp_path_factory.mktemp("run") / "finished")


@pytest.fixture
def copied(finished: Run, tmp_path: Path) -> Callable[[], Path]:
    """Makes a copy of the finished run that a test may damage."""

    def make() -> Path:
        return Path(shutil.copytree(finished.path, tmp_path / "copy"))

    return make
