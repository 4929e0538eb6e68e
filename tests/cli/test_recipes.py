"""``ternary recipes --show`` and ``ternary tensorboard``."""

import json

from ternary_trainer import recipe as recipes


def test_a_recipe_is_shown_as_resolved(ternary, tmp_path):
    (tmp_path / "mine.toml").write_text('base = "boolean-3"\nepochs = 12\n')
    done = ternary("recipes", "--show", tmp_path / "mine.toml")
    resolved = recipes.load(str(tmp_path / "mine.toml"))
    assert (done.status, done.text) == (0, recipes.explained(resolved))
    told = json.loads(ternary("recipes", "--show", tmp_path / "mine.toml", "--json").text)
    assert (told["name"], told["epochs"], told["separate"]["learn"]["passes"]) == ("mine", 12, 60)


def test_a_recipe_that_is_not_there_is_not_shown(ternary):
    done = ternary("recipes", "--show", "covrage")
    assert (done.status, done.out) == (1, b"")
    assert done.err == (
        f"error: recipe 'covrage': not found, expected {', '.join(recipes.names())}"
        " or the path of a TOML file\n"
    )


def test_what_is_no_run_has_nothing_for_tensorboard(ternary, tmp_path):
    done = ternary("tensorboard", tmp_path)
    assert done.status == 1
    assert done.err == (f"error: {tmp_path / 'run.json'}: cannot be read, expected the directory of a run\n")
