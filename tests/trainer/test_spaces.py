"""Models of other spaces than (3, 2): trained, resumed, surged, drawn, chosen and reported as any other."""

import json
import signal
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch

from ternary_export.reach import reach
from ternary_sdk.coverage import headline_draws, iid_limit
from ternary_sdk.errors import FormatError
from ternary_trainer import checkpoint, plot, progress, recipe, run
from ternary_trainer.run import Run
from ternary_trainer.settings import Recipe
from ternary_trainer.train import train

SHORT = {
    "epochs": "3",
    "scoring.exact": "0.0",
    "separate.learn.epochs": "1",
    "separate.learn.passes": "2",
    "surge": "[{epoch = 1, strength = 0.5}]",
} | {f"separate.paths.{path}.passes": "1" for path in "AB"}
ALONE = """
about = "One path alone."
space = "2,3"
latent_size = 8
epochs = 3
batch = 64
weight_decay = 1e-4
clip = 5.0

[networks.C]
encoder = [16]
decoder = []
"""


@pytest.fixture(scope="module", params=["boolean-3", "quinary-1"])
def short(request: pytest.FixtureRequest) -> Recipe:
    """A recipe that ships, in three epochs of a second or less, with a surge in the second."""
    return recipe.load(request.param, SHORT)


@pytest.fixture(scope="module")
def trained(short: Recipe, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run of it that no test changes."""
    return train(short, seed=5, out=tmp_path_factory.mktemp("run") / short.name)


def test_a_run_says_what_its_model_is_of(trained: Run, short: Recipe) -> None:
    facts = json.loads((trained.path / "run.json").read_text())
    assert facts["format"] == "ternary-run/2"
    assert facts["signature"] == short.signature.to_json()
    assert run.open(trained.path).recipe == short
    assert trained.best().architecture == short.architecture
    assert checkpoint.load(run.snapshot_file(trained.path, "elbo")).architecture == short.architecture


def test_figures_are_those_of_the_space(trained: Run, short: Recipe) -> None:
    space, size = short.space, short.latent_size
    draws = headline_draws(space)
    for record in trained.history:
        assert record.limit == iid_limit(draws, space)
        assert all(0 < path.coverage <= 1 and path.active <= size for path in record.paths.values())
        assert all(path.elbo > 0.9 * path.entropy for path in record.paths.values())
    assert f"hash coverage at {draws:,} draws is " in trained.best().reason
    (surge,) = trained.summary().surges
    assert (surge.epoch, surge.strength) == (1, 0.5)
    view = progress.view(trained.history[-1], 0.0, short.signature)
    assert view is not None


def test_an_interrupted_training_of_another_space_goes_on_to_the_same_weights(
    trained: Run, short: Recipe, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    part = train(short, seed=5, out=out, on_epoch=lambda _: signal.raise_signal(signal.SIGINT))
    assert len(part.history) == 1
    resumed = train(short, seed=5, out=out, resume=True)
    one, other = (checkpoint.read(path / run.STATE)["model"] for path in (trained.path, resumed.path))
    assert [name for name in one if not torch.equal(one[name], other[name])] == []
    assert [replace(record, seconds=0.0, core_seconds=None) for record in resumed.history] == [
        replace(record, seconds=0.0, core_seconds=None) for record in trained.history
    ]


@pytest.mark.skipif(find_spec("matplotlib") is None, reason="the extra `plot` is not installed")
def test_a_run_of_another_space_is_drawn_with_its_own_figures(trained: Run, tmp_path: Path) -> None:
    plot.draw(trained, tmp_path / "run.svg")
    drawn = (tmp_path / "run.svg").read_text()
    floor = {"boolean-3": "5.545", "quinary-1": "8.047"}[trained.recipe.name]
    for expected in (f"hash coverage at {headline_draws(trained.recipe.space):,}, %", f"floor {floor}"):
        assert f"<!-- {expected} -->" in drawn


def test_a_snapshot_of_another_space_is_certified(trained: Run, short: Recipe) -> None:
    found = reach(trained.best().state)
    assert tuple(found) == short.signature.paths
    assert all(each.margins.shape == (short.space.size,) for each in found.values())


def test_a_model_with_one_path_is_trained_and_read_back(tmp_path: Path) -> None:
    shipped = recipe.dump(recipe.load("boolean-3", SHORT))
    method = shipped[shipped.index("[scoring]") : shipped.index("[separate.paths.B]")]
    file = tmp_path / "alone.toml"
    file.write_text(ALONE + method.replace("[separate.paths.A]", "[separate.paths.C]"))
    alone = train(recipe.load(str(file)), seed=1, out=tmp_path / "run")
    assert alone.recipe.signature.paths == ("C",)
    assert set(alone.best().state) == {
        f"{layer}.{kind}"
        for layer in ("encoder_C.encoder.0", "encoder_C.fc_mu", "encoder_C.fc_logvar", "decoder_C.decoder.0")
        for kind in ("weight", "bias")
    }
    assert tuple(alone.summary().choices["coverage"].paths) == ("C",)
    assert "chosen for the highest coverage of the path, given" in alone.best().reason


def test_a_run_whose_recipe_was_changed_to_another_space_is_refused(trained: Run, tmp_path: Path) -> None:
    for name in ("recipe.toml", "run.json"):
        (tmp_path / name).write_text((trained.path / name).read_text())
    facts = json.loads((tmp_path / "run.json").read_text())
    (tmp_path / "run.json").write_text(json.dumps(facts | {"signature": {"latent_size": 16}}))
    with pytest.raises(FormatError) as refused:
        run.open(tmp_path)
    assert str(refused.value) == (
        f"{tmp_path / 'run.json'}: signature is {{'latent_size': 16}}, that of recipe.toml is "
        f"{trained.recipe.signature.to_json()}; the recipe was changed after the training began, put it back"
    )
    (tmp_path / "run.json").write_text(json.dumps(facts | {"format": "ternary-run/3"}))
    with pytest.raises(FormatError) as refused:
        run.open(tmp_path)
    assert str(refused.value) == (
        f"{tmp_path / 'run.json'}: format is 'ternary-run/3', expected 'ternary-run/2'"
    )


@pytest.mark.slow
@pytest.mark.parametrize("name", ["boolean-3", pytest.param("quinary-1", marks=pytest.mark.stress)])
def test_a_small_space_is_reached_whole_and_drawn_nearly_as_by_perfect_draws(
    name: str, tmp_path: Path
) -> None:
    whole = train(recipe.load(name), seed=1, out=tmp_path / name)
    best, space = whole.summary().choices["coverage"], whole.recipe.space
    for path, found in reach(whole.best().state).items():
        assert len(found.claim.reachable.operations) == space.size
        assert best.paths[path].coverage > iid_limit(headline_draws(space), space) - 0.01
