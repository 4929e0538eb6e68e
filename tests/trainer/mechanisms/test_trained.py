"""Mechanisms in a training that stops and goes on; few operations; a StateNet that learns."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn

from ternary_sdk.errors import InputError
from ternary_sdk.operations import OperationSet
from ternary_sdk.space import Space
from ternary_trainer import checkpoint, recipe, run, seeds, soundness, split
from ternary_trainer.mechanism_settings import Changes
from ternary_trainer.mechanisms.state_net import LearningStateNet
from ternary_trainer.model import initial
from ternary_trainer.settings import Recipe
from ternary_trainer.train import train

ALL = {
    "epochs": "4",
    "separate.learn.epochs": "2",
    "separate.learn.passes": "4",
    "separate.paths.A.passes": "2",
    "separate.paths.B.passes": "2",
    "scoring.draws": "4096",
    "scoring.report_draws": "4096",
    "training_operations": "150",
    "separate.permutation.changes": "all",
    "separate.composition.weight": "0.5",
}


def weights(path: Path) -> dict[str, torch.Tensor]:
    state: dict[str, torch.Tensor] = checkpoint.read(path / run.STATE)["model"]
    return state


def stopped_and_resumed(settings: Recipe, folder: Path) -> tuple[Path, Path]:
    """The same training, whole and stopped after two epochs."""
    whole = train(settings, seed=3, out=folder / "whole").path

    def stop(record: object) -> None:
        if getattr(record, "epoch", 0) == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(settings, seed=3, out=folder / "stopped", on_epoch=stop)
    return whole, train(settings, seed=3, out=folder / "stopped", resume=True).path


def test_a_training_with_every_mechanism_goes_on_as_if_it_had_not_stopped(tmp_path: Path) -> None:
    settings = recipe.load("boolean-3", ALL)
    whole, resumed = stopped_and_resumed(settings, tmp_path)
    expected, given = weights(whole), weights(resumed)
    assert [name for name in expected if not torch.equal(expected[name], given[name])] == []
    assert recipe.load(str(resumed / run.RECIPE)) == settings


def test_every_mechanism_changes_the_weights(tmp_path: Path) -> None:
    plain = {key: value for key, value in ALL.items() if not key.startswith("separate.") or "passes" in key}
    plain |= {"epochs": "2", "separate.learn.epochs": "1"}
    base = weights(train(recipe.load("boolean-3", plain), seed=3, out=tmp_path / "base").path)
    options = [
        {"separate.permutation.chance": "0.5"},
        {"separate.composition.weight": "0.5"},
    ]
    name = "encoder_A.fc_mu.weight"
    for number, option in enumerate(options):
        other = train(recipe.load("boolean-3", plain | option), seed=3, out=tmp_path / str(number))
        assert not torch.equal(base[name], weights(other.path)[name]), option


def test_a_run_of_few_operations_records_which(tmp_path: Path) -> None:
    settings = recipe.load("boolean-3", {**ALL, "epochs": "3"})
    trained = train(settings, seed=3, out=tmp_path / "run")
    facts = json.loads((trained.path / run.FACTS).read_text())
    assert facts["operations"] == split.sets(settings.space, count=150).digests
    assert facts["operations"]["holdout"] == split.sets(settings.space).digests["holdout"]


def test_few_operations_are_the_first_ones_and_an_eighth_as_many_are_chosen_by() -> None:
    training, validation, holdout = split.rows()
    few = split.rows(count=197)
    assert torch.equal(few[0], training[:197])
    assert torch.equal(few[1], validation[:24])
    assert torch.equal(few[2], holdout)
    assert len(split.rows(count=2)[1]) == split.LEAST
    assert split.sets(count=197).training == OperationSet.of(training[:197].numpy())


@pytest.mark.parametrize(
    ("name", "settings", "problem"),
    [
        ("coverage", {"training_operations": "15_747"},
         "recipe 'coverage': setting 'training_operations' is 15747, expected 2 to 15746"),
        ("coverage", {"training_operations": "197"},
         "recipe 'coverage': setting 'batch' is 256, expected 2 to 197"),
        ("coverage", {"training_operations": "1"},
         "recipe 'coverage': setting 'training_operations' is 1, expected 2 to 1e+08"),
        ("quaternary", {"training_operations": "1000"},
         "recipe 'quaternary': setting 'training_operations' is of listed spaces, but 4,2 is vast; leave"
         " it out"),
        ("coverage", {"separate.permutation.chance": "1.5"},
         "recipe 'coverage': setting 'separate.permutation.chance' is 1.5, expected 0 to 1"),
        ("coverage", {"separate.composition": "{}"},
         "recipe 'coverage': setting 'separate.composition.weight' is missing"),
        ("coverage", {"separate.permutation.changes": "cells"},
         "recipe 'coverage': setting 'separate.permutation.changes' is 'cells', expected one of 'inputs',"
         " 'values', 'all'"),
        ("v5.5", {"coupled.state_net": "false", "coupled.state_net_rate": "0.001"},
         "recipe 'v5.5': setting 'coupled.state_net_rate' needs 'coupled.state_net' to be true"),
        ("quinary-1", {"separate.permutation.changes": "inputs"},
         "recipe 'quinary-1': setting 'separate.permutation.changes' is 'inputs', but operations of 5,1 have"
         " one input"),
    ],
)  # fmt: skip
def test_settings_that_cannot_be_are_refused(name: str, settings: dict[str, str], problem: str) -> None:
    with pytest.raises(InputError) as caught:
        recipe.load(name, settings)
    assert str(caught.value) == problem


@pytest.mark.parametrize("changes", ["values", "all"])
def test_more_orders_of_values_than_can_be_listed_are_refused(changes: Changes) -> None:
    known = recipe.load("quaternary", {"separate.permutation.changes": changes})
    problem = soundness.check(replace(known, space=Space(12, 1)))
    assert problem == (
        f"setting 'separate.permutation.changes' is '{changes}', which lists all 479,001,600 orders of the 12"
        " values of 12,1, expected at most 8 values"
    )
    assert soundness.check(replace(known, space=Space(8, 1))) is None


class Rate(nn.Module):
    """A StateNet of one number."""

    def __init__(self) -> None:
        super().__init__()
        self.number = nn.Parameter(torch.zeros(1))

    def forward(self, state: torch.Tensor) -> torch.Tensor:
        return torch.tanh(self.number).expand(len(state), 4)


def descend(rate: float) -> float:
    """What a learning StateNet proposes after an epoch of gradient descent on x²/2 from 1."""
    net, place = Rate(), nn.Parameter(torch.ones(1))
    learning = LearningStateNet(net, 0.1)
    learning.corrected(torch.zeros(1, 9))
    for _ in range(4):
        place.grad = place.detach().clone()
        learning.stepping([place])
        place.data -= rate * place.grad
    learning.learn()
    return float(net(torch.zeros(1, 9)).detach()[0, 0])


def test_steps_that_go_on_in_their_direction_raise_the_rate_and_overshooting_lowers_it() -> None:
    assert descend(0.1) > 0.05
    assert descend(1.9) < -0.05


def test_a_learning_state_net_changes_its_weights_and_goes_on_as_if_it_had_not_stopped(
    tmp_path: Path, short_v55: Recipe
) -> None:
    whole, resumed = stopped_and_resumed(short_v55, tmp_path)
    expected, given = weights(whole), weights(resumed)
    assert [name for name in expected if not torch.equal(expected[name], given[name])] == []
    learned = expected["state_net.decoder.2.weight"]
    assert not torch.equal(learned, _initial(short_v55))


def _initial(settings: Recipe) -> torch.Tensor:
    model = initial(seeds.derive(3, "initial weights"), settings.architecture)
    weight: torch.Tensor = model.state_dict()["state_net.decoder.2.weight"]
    return weight


@pytest.fixture
def short_v55() -> Recipe:
    """The published recipe, two steps in each of three epochs, with a StateNet that learns."""
    return recipe.load(
        "v5.5",
        {
            "epochs": "3",
            "training_operations": "128",
            "coupled.state_net_rate": "0.01",
            "scoring.draws": "50_000",
            "scoring.report_draws": "50_000",
            "scoring.sampling_draws": "1_000",
        },
    )
