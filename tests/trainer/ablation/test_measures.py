"""Figures that runs are compared by."""

from pathlib import Path

import pytest

from ternary_export.reach import margins
from ternary_sdk.errors import InputError
from ternary_trainer import recipe as recipes
from ternary_trainer.ablation import measures
from ternary_trainer.families import members
from ternary_trainer.train import train
from ternary_trainer.validation import opening
from ternary_trainer.validation.subject import reconstruct, tables

SHORT = {
    "epochs": "3",
    "separate.learn.epochs": "1",
    "separate.learn.passes": "30",
    "separate.paths.A.passes": "2",
    "separate.paths.B.passes": "2",
    "scoring.draws": "4096",
    "scoring.report_draws": "4096",
}


def test_a_family_held_out_is_counted_over_all_its_members(tmp_path: Path) -> None:
    recipe = recipes.load("boolean-3", {**SHORT, "holdout_family": "self-dual"})
    assert measures.known(recipe) == ("coverage", "exact", "family", "active", "core_seconds")
    run = train(recipe, seed=3, out=tmp_path / "run")
    subject = opening.run_subject(run, margins)
    family = members("self-dual", recipe.space)
    shares = [
        float((reconstruct(network, tables(family)) == family.indices).mean())
        for network in subject.paths.values()
    ]
    assert measures.read(run, "family") == pytest.approx(min(shares))
    assert min(shares) < max(shares)


def test_a_run_that_holds_out_no_family_has_no_such_figure(tmp_path: Path) -> None:
    recipe = recipes.load("boolean-3", SHORT)
    run = train(recipe, seed=3, out=tmp_path / "run")
    with pytest.raises(InputError) as caught:
        measures.read(run, "family")
    assert str(caught.value) == (f"{run.path}: holds out no family, expected a recipe with 'holdout_family'")
