"""Figures for TensorBoard, read back by TensorBoard's own reader."""

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from ternary_sdk.errors import InputError
from ternary_trainer import run as runs
from ternary_trainer import tensorboard
from ternary_trainer.run import Run
from ternary_trainer.settings import Recipe
from ternary_trainer.train import train


def scalars(folder: Path) -> dict[str, list[tuple[int, float]]]:
    events = EventAccumulator(str(folder)).Reload()
    return {
        name: [(event.step, event.value) for event in events.Scalars(name)]
        for name in events.Tags()["scalars"]
    }


def test_every_figure_of_every_epoch_is_read_back(finished: Run, tmp_path: Path) -> None:
    with tensorboard.writing(tmp_path) as on_epoch:
        for record in finished.history:
            on_epoch(record)
    found = scalars(tmp_path / "tensorboard")
    expected = [tensorboard.figures(record) for record in finished.history]
    assert found.keys() == expected[0].keys()
    for name, values in found.items():
        assert values == [(epoch, pytest.approx(figures[name])) for epoch, figures in enumerate(expected)]


def test_a_training_writes_into_its_own_fresh_directory(tiny: Recipe, tmp_path: Path) -> None:
    short = replace(tiny, epochs=2, surge=())
    with tensorboard.writing(tmp_path / "run") as on_epoch:
        trained = train(short, seed=3, out=tmp_path / "run", on_epoch=on_epoch)
    coverage = [(record.epoch, pytest.approx(record.paths["A"].coverage)) for record in trained.history]
    assert scalars(tmp_path / "run" / "tensorboard")["coverage/A"] == coverage


def test_a_finished_run_is_written_afterwards_but_not_twice(copied: Callable[[], Path]) -> None:
    run = runs.open(copied())
    folder = tensorboard.convert(run)
    coverage = [(record.epoch, pytest.approx(record.paths["A"].coverage)) for record in run.history]
    assert folder == run.path / "tensorboard"
    assert scalars(folder)["coverage/A"] == coverage
    with pytest.raises(InputError) as caught:
        tensorboard.convert(run)
    assert str(caught.value) == (
        f"{folder}: exists and is not an empty directory; remove it, or read what it holds"
    )


def test_a_run_without_epochs_has_nothing_to_write(copied: Callable[[], Path]) -> None:
    run = replace(runs.open(copied()), history=[])
    with pytest.raises(InputError) as caught:
        tensorboard.convert(run)
    assert str(caught.value) == f"{run.path}: has no epochs to write yet"


def test_without_the_extra_it_is_refused_with_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "tensorboard", None)
    with pytest.raises(InputError) as caught, tensorboard.writing(tmp_path):
        pass
    assert str(caught.value) == (
        "tensorboard is not installed; run: "
        "pip install 'wheels/ternary_trainer-0.1.0-py3-none-any.whl[tensorboard]' "
        "(wheels: what 'make wheels' made, or your vendor sent)"
    )
