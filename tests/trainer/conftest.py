"""A recipe cut to seconds, and one run of it that no test changes."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.sharing import made_once

from ternary_trainer import recipe as recipes
from ternary_trainer import run as runs
from ternary_trainer.run import Run
from ternary_trainer.settings import Recipe
from ternary_trainer.train import train

TINY = {
    "epochs": "4",
    "batch": "1024",
    # As the default was when `run_1` and `run_2` were written: with hidden layers.
    "about": "Even draws from both paths in about a minute on two cores.",
    "networks.A.decoder": "[32, 64]",
    "networks.B.decoder": "{width = 128, blocks = 2}",
    "separate.paths.B.rate": "[1e-3, 2e-5]",
    "separate.paths.B.low_window": "4e3",
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


VAST_TINY = {
    "space": "8,1",
    "latent_size": "8",
    "epochs": "3",
    "batch": "128",
    "networks.A": "{encoder = [32], decoder = [32]}",
    "networks.B": "{encoder = [32], decoder = {width = 24, blocks = 1}, skip = true}",
    "separate.spread.window": "[2_000, 10_000]",
    "separate.spread.low_window": "[1_000, 2_000]",
    "separate.learn.epochs": "1",
    "separate.learn.steps": "30",
    "scoring.draws": "20_000",
    "scoring.exact": "0.0",
    "scoring.operations": "500",
    "scoring.report_draws": "30_000",
    "scoring.report_operations": "800",
    "surge": "[{epoch = 1, strength = 0.5}]",
} | {
    f"separate.paths.{path}.{name}": value
    for path in "AB"
    for name, value in (("steps", "20"), ("draws", "256"), ("pushed", "128"))
}


@pytest.fixture(scope="session")
def tiny() -> Recipe:
    """The default recipe with hidden layers, in four epochs of a second or less, with a surge in the third."""
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


@pytest.fixture(scope="session")
def short() -> Recipe:
    """The recipe of two-input quaternary operations, cut to a second and to a space of 2^24 operations."""
    return recipes.load("quaternary", VAST_TINY)


@pytest.fixture(scope="session")
def trained(short: Recipe, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run of it that no test changes; the processes of one test session share it."""
    folder = made_once("vast-run", tmp_path_factory, lambda made: _train_into(made, short))
    return runs.open(folder / "vast")


def _train_into(folder: Path, recipe: Recipe) -> None:
    train(recipe, seed=5, out=folder / "vast")
