"""Recipes that are another with changes only."""

from pathlib import Path

import pytest

from ternary_sdk.errors import InputError
from ternary_trainer import recipe, recipe_file, setting_meanings
from ternary_trainer.settings import Surge


def written(file: Path, text: str) -> str:
    file.parent.mkdir(exist_ok=True)
    file.write_text(text)
    return str(file)


def refusal(name: str) -> str:
    with pytest.raises(InputError) as caught:
        recipe.load(name)
    return str(caught.value)


def test_a_recipe_of_changes_is_its_base_with_them(tmp_path: Path) -> None:
    text = 'base = "coverage"\nepochs = 12\nsurge = []\n\n[separate.paths.A]\ndraws = 8192\n'
    changed = recipe.load(written(tmp_path / "mine.toml", text))
    settings = {"epochs": "12", "surge": "[]", "separate.paths.A.draws": "8192"}
    assert recipe.dump(changed) == recipe.dump(recipe.load("coverage", settings)).replace(
        'name = "coverage"', 'name = "mine"'
    )
    assert "base" not in recipe.dump(changed)


def test_a_file_is_a_base_too_relative_to_the_one_that_names_it(tmp_path: Path) -> None:
    written(tmp_path / "common" / "first.toml", 'base = "coverage"\nepochs = 12\nclip = 2.0\n')
    name = written(tmp_path / "mine" / "second.toml", 'base = "../common/first.toml"\nclip = 3.0\n')
    found = recipe.load(name, {"batch": "512"})
    assert (found.name, found.epochs, found.clip, found.batch) == ("second", 12, 3.0, 512)


def test_a_network_of_another_kind_replaces_that_of_the_base(tmp_path: Path) -> None:
    text = 'base = "coverage"\n[networks.B]\ndecoder = []\nskip = true\n'
    found = recipe.load(written(tmp_path / "mine.toml", text))
    assert (found.networks["B"].decoder, found.networks["B"].skip) == ((), True)
    assert found.networks["B"].encoder == (256, 128, 64)


def test_a_base_that_is_not_there_is_refused(tmp_path: Path) -> None:
    name = written(tmp_path / "mine.toml", 'base = "covrage"\n')
    assert refusal(name) == (
        f"{name}: setting 'base' is 'covrage': not found, expected {', '.join(recipe.names())} or the path of"
        " a TOML file"
    )
    name = written(tmp_path / "mine.toml", "base = 3\n")
    assert refusal(name) == f"{name}: setting 'base' is 3, expected a recipe's name or a path"


def test_bases_that_lead_back_are_refused(tmp_path: Path) -> None:
    one = written(tmp_path / "one.toml", 'base = "two.toml"\n')
    two = written(tmp_path / "two.toml", 'base = "one.toml"\n')
    assert refusal(one) == f"{two}: setting 'base' leads back: {one} -> {two} -> {one}"


def test_too_many_bases_are_refused(tmp_path: Path) -> None:
    last = recipe_file.MOST_BASES + 2
    for number in range(last):
        written(tmp_path / f"{number}.toml", f'base = "{number + 1}.toml"\n')
    written(tmp_path / f"{last}.toml", 'base = "coverage"\n')
    name = str(tmp_path / "0.toml")
    assert refusal(name) == f"{name}: has more than 16 bases one after another"


def test_what_is_wrong_is_said_of_the_file_that_says_it(tmp_path: Path) -> None:
    first = written(tmp_path / "first.toml", 'base = "coverage"\nclip = 0.0\n')
    second = written(tmp_path / "second.toml", 'base = "first.toml"\nepochs = 9\n')
    assert refusal(second) == f"{first}, line 2: setting 'clip' is 0.0, expected 1e-06 to 1e+06"
    third = written(tmp_path / "third.toml", 'base = "coverage"\n[separate]\nfree_bytes = 1.0\n')
    assert refusal(third).startswith(f"{third}, line 3: setting 'separate.free_bytes' is unknown, ")


@pytest.mark.parametrize("name", recipe.names())
def test_a_recipe_is_shown_with_every_setting_explained_and_reads_back(name: str, tmp_path: Path) -> None:
    loaded = recipe.load(name)
    shown = recipe.explained(loaded)
    assert recipe.load(written(tmp_path / f"{name}.toml", shown)) == loaded
    lines = shown.splitlines()
    for before, line in zip(["", *lines], lines, strict=False):
        if line and not line.startswith("#"):
            assert before.startswith("# "), line


def test_a_meaning_is_the_first_paragraph_under_the_field() -> None:
    assert setting_meanings.fields(Surge)["epoch"] == "First epoch, counted from 0."
