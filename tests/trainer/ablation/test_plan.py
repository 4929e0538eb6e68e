"""Plans: what they say, and what is refused by name."""

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.trainer.ablation.conftest import TEXT

from ternary_sdk.errors import InputError
from ternary_trainer import recipe as recipes
from ternary_trainer.ablation import commands
from ternary_trainer.ablation import plan as plans
from ternary_trainer.ablation.plan import Plan

ROOT = Path(__file__).parents[3]


def test_an_option_is_the_base_with_its_settings(tiny_plan: Plan) -> None:
    base, linear, low = tiny_plan.options
    assert (base.name, linear.name, low.name) == ("base", "linear-a", "low-beta")
    assert tiny_plan.seeds == (1, 2, 3)
    assert tiny_plan.measures == ("coverage", "exact", "active", "core_seconds")
    assert base.recipe.epochs == linear.recipe.epochs == 3
    assert linear.recipe == recipes.load("boolean-3", {**base.settings, "networks.A.decoder": "[]"})
    assert commands.train(tiny_plan, linear, 2) == (
        "ternary train --recipe boolean-3 --set epochs=3 --set separate.learn.epochs=1"
        " --set separate.learn.passes=4 --set separate.paths.A.passes=2 --set separate.paths.B.passes=2"
        " --set scoring.draws=4096 --set scoring.report_draws=4096 --set 'networks.A.decoder=[]' --seed 2"
    )


def test_an_option_may_take_a_setting_of_all_back(written: Callable[[str], Path]) -> None:
    plan = plans.read(written(TEXT + "[options.longer]\nset = { epochs = 5 }\n"))
    assert plan.options[3].recipe.epochs == 5


def test_a_file_as_base_is_looked_for_beside_the_plan(written: Callable[[str], Path], tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(recipes.dump(recipes.load("boolean-3")))
    plan = plans.read(written(TEXT.replace('"boolean-3"', '"mine.toml"')))
    assert plan.recipe == str(tmp_path / "mine.toml")
    assert plan.options[0].recipe.name == "boolean-3"


def test_a_vast_space_is_compared_by_evenness(written: Callable[[str], Path]) -> None:
    text = 'format = "ternary-ablation/1"\nbase = "quaternary"\nseeds = [7, 0, 9]\n'
    plan = plans.read(written(text + "[options.wide]\nset = { batch = 1024 }\n"))
    assert (plan.measures[0], plan.seeds) == ("evenness", (7, 0, 9))


def test_the_first_measure_of_a_plan_is_what_verdicts_are_about(written: Callable[[str], Path]) -> None:
    plan = plans.read(written(TEXT.replace("seeds = 3", 'seeds = 3\nmeasures = ["exact", "coverage"]')))
    assert plan.measures == ("exact", "coverage")


@pytest.mark.parametrize("file", sorted((ROOT / "maintenance" / "ablations").glob("*.toml")))
def test_the_plans_of_this_repository_are_read(file: Path) -> None:
    assert len(plans.read(file).options) > 2


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ('format = "ternary-ablation/1"\n', "",
         "format is None, expected 'ternary-ablation/1'"),
        ("seeds = 3", "seed = 3",
         "key 'seed' is unknown, expected one of format, base, seeds, measures, set, options"),
        ('base = "boolean-3"\n', "",
         "base is missing, expected the name of a recipe or the path of its file"),
        ('base = "boolean-3"', "base = 3",
         "base is 3, expected the name of a recipe or the path of its file"),
        ("seeds = 3", "seeds = 2",
         "seeds is 2, expected 3 to 16, or a list of so many different whole numbers from 0"),
        ("seeds = 3", "seeds = true",
         "seeds is True, expected 3 to 16, or a list of so many different whole numbers from 0"),
        ("seeds = 3", "seeds = [1, 2, 2]",
         "seeds is [1, 2, 2], expected 3 to 16, or a list of so many different whole numbers from 0"),
        ("seeds = 3", "seeds = [1, -2, 3]",
         "seeds is [1, -2, 3], expected 3 to 16, or a list of so many different whole numbers from 0"),
        ("seeds = 3", 'measures = ["active", "exact"]',
         "measures is ['active', 'exact'], expected a list that begins with one of coverage, exact, and has"
         " any of coverage, exact, active, core_seconds"),
        ("seeds = 3", 'measures = ["coverage", "evenness"]',
         "measures is ['coverage', 'evenness'], expected a list that begins with one of coverage, exact, and"
         " has any of coverage, exact, active, core_seconds"),
        ("epochs = 3", "epochs = 1979-05-27",
         "set: 1979-05-27 is a date or time, expected a number, a string, a list or a table"),
        ("[options.linear-a]", "[options.Linear]",
         "option 'Linear': expected a name of 1 to 40 small letters, digits, dots, underscores and hyphens,"
         " other than 'base'"),
        ("[options.linear-a]", "[options.base]",
         "option 'base': expected a name of 1 to 40 small letters, digits, dots, underscores and hyphens,"
         " other than 'base'"),
        ("[options.linear-a]", "[options.linear-a]\nseeds = 3",
         "option 'linear-a': key 'seeds' is unknown, expected one of set"),
        ('set = { "networks.A.decoder" = [] }', "set = 3",
         "option 'linear-a': set is 3, expected a table of settings"),
        ("networks.A.decoder", "networks.A.decodr",
         "option 'linear-a': recipe 'boolean-3': setting 'networks.A.decodr' is unknown, expected one of"
         " encoder, decoder, skip"),
        ('"separate.learn.beta" = 0.05', '"separate.learn.beta" = 0.2',
         "option 'low-beta' has the settings of the base, expected others"),
        ('"separate.learn.beta" = 0.05', '"networks.A.decoder" = []',
         "option 'low-beta' has the settings of option 'linear-a', expected others"),
        ('"separate.learn.beta" = 0.05',
         'space = "2,4", batch = 512, "scoring.draws" = 200_000, "scoring.report_draws" = 200_000',
         "option 'low-beta' is of the space 2,4, the base of 2,3; figures of different spaces cannot be"
         " compared"),
    ],
)  # fmt: skip
def test_a_plan_that_is_wrong_is_refused_by_the_key(
    written: Callable[[str], Path], old: str, new: str, problem: str
) -> None:
    assert old in TEXT
    file = written(TEXT.replace(old, new))
    with pytest.raises(InputError) as refused:
        plans.read(file)
    assert str(refused.value) == f"{file}: {problem}"


def test_a_plan_without_options_is_refused(written: Callable[[str], Path]) -> None:
    file = written(TEXT.partition("[options")[0])
    with pytest.raises(InputError) as refused:
        plans.read(file)
    assert str(refused.value) == f"{file}: options is missing, expected 1 to 32 tables [options.NAME]"
