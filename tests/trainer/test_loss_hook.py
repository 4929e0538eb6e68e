"""A term of one's own in the loss: trained with, recorded, and refused where its file has changed."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from ternary_sdk.errors import FormatError, InputError
from ternary_trainer import recipe as recipes
from ternary_trainer import run as runs
from ternary_trainer.run import FACTS, STATE, SUMMARY
from ternary_trainer.settings import Recipe
from ternary_trainer.train import train

TINY: Mapping[str, str] = {
    "epochs": "2",
    "separate.learn.epochs": "1",
    "separate.learn.passes": "2",
    "separate.paths.A.passes": "1",
    "separate.paths.B.passes": "1",
    "scoring.draws": "4096",
    "scoring.report_draws": "4096",
}
PULL = """\
def loss(batch):
    n, cells = batch.tables.shape
    assert batch.path in ("A", "B") and str(batch.space) == "2,3"
    assert batch.classes.shape == (n, cells) and batch.logits.shape == (n, cells, 2)
    assert batch.mean.shape == batch.logvar.shape == (n, 8)
    return batch.mean.square().sum(1).mean()
"""


def written(folder: Path, code: str, weight: float = 1.0) -> Recipe:
    """A recipe of a second with a hook of this code beside it."""
    folder.mkdir(exist_ok=True)
    (folder / "my_loss.py").write_text(code)
    text = f'base = "boolean-3"\n[hook]\nfile = "my_loss.py"\nweight = {weight}\n'
    (folder / "mine.toml").write_text(text)
    return recipes.load(str(folder / "mine.toml"), TINY)


def test_a_term_is_trained_with_and_its_file_is_kept_and_recorded(tmp_path: Path) -> None:
    plain = train(recipes.load("boolean-3", TINY), seed=1, out=tmp_path / "plain")
    run = train(written(tmp_path / "mine", PULL, 10.0), seed=1, out=tmp_path / "run")
    sha256 = hashlib.sha256(PULL.encode()).hexdigest()
    assert json.loads((run.path / FACTS).read_text())["hook"] == sha256
    assert (run.path / "my_loss.py").read_text() == PULL
    assert f'[hook]\nfile = "my_loss.py"\nweight = 10.0\nsha256 = "{sha256}"\n' in (
        (run.path / "recipe.toml").read_text()
    )
    for path in "AB":  # pulled to zero, latents have less to say
        assert run.history[-1].paths[path].kl < plain.history[-1].paths[path].kl
    light = train(written(tmp_path / "light", PULL, 1e-6), seed=1, out=tmp_path / "out")
    assert light.history[-1].paths["A"].kl == pytest.approx(plain.history[-1].paths["A"].kl, rel=0.01)


def test_a_run_with_a_term_goes_on_without_the_original_file(tmp_path: Path) -> None:
    whole = train(written(tmp_path / "mine", PULL), seed=1, out=tmp_path / "run")
    (tmp_path / "mine" / "my_loss.py").unlink()
    for name in (SUMMARY, STATE):
        (whole.path / name).unlink()
    again = train(runs.open(whole.path).recipe, seed=1, out=whole.path, resume=True)
    kl = [record.paths["A"].kl for record in whole.history]
    assert [record.paths["A"].kl for record in again.history] == kl


def test_a_file_that_changed_is_refused(tmp_path: Path) -> None:
    run = train(written(tmp_path / "mine", PULL), seed=1, out=tmp_path / "run")
    other = PULL.replace("sum(1)", "sum(0)")
    (run.path / "my_loss.py").write_text(other)
    old, new = (hashlib.sha256(text.encode()).hexdigest() for text in (PULL, other))
    with pytest.raises(FormatError) as refused:
        runs.open(run.path)
    assert str(refused.value) == (
        f"{run.path / 'my_loss.py'}: sha256 is {new}, the recipe says {old}; put the file back"
    )
    recipe = (run.path / "recipe.toml").read_text()
    (run.path / "recipe.toml").write_text(recipe.replace(old, new))
    with pytest.raises(FormatError) as refused:
        runs.open(run.path)
    assert str(refused.value) == (
        f"{run.path / FACTS}: hook is '{old}', the hook of recipe.toml has sha256 {new};"
        " the recipe was changed after the training began, put it back"
    )


@pytest.mark.parametrize(
    ("code", "problem"),
    [
        ("loss = 3\n", "has no function 'loss', expected one that takes a batch"),
        ("def loss(batch:\n", "fails as it is run (SyntaxError: '(' was never closed (my_loss.py, line 1))"),
        ("import none_such\n", "fails as it is run (ModuleNotFoundError: No module named 'none_such')"),
        ("def loss(batch): return 1 / 0\n", "loss fails (ZeroDivisionError: division by zero)"),
        ("def loss(batch): return 0.0\n", "loss gives float, expected a tensor of one number, shape ()"),
        ("def loss(batch): return batch.mean\n",
         "loss gives shape (64, 8), expected a tensor of one number, shape ()"),
    ],
)  # fmt: skip
def test_code_that_gives_no_term_is_refused(tmp_path: Path, code: str, problem: str) -> None:
    recipe = written(tmp_path / "mine", code)
    with pytest.raises(InputError) as refused:
        train(recipe, seed=1, out=tmp_path / "run")
    assert str(refused.value) == f"{tmp_path / 'run' / 'my_loss.py'}: {problem}"


def test_reading_a_recipe_runs_nothing(tmp_path: Path) -> None:
    recipe = written(tmp_path / "mine", f"open({str(tmp_path / 'ran')!r}, 'w')\n")
    assert recipe.hook is not None
    assert not (tmp_path / "ran").exists()


def test_a_file_that_is_missing_or_not_pythons_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text('base = "boolean-3"\n[hook]\nfile = "none.py"\n')
    with pytest.raises(InputError) as refused:
        recipes.load(str(tmp_path / "mine.toml"))
    assert str(refused.value) == f"{tmp_path / 'none.py'}: cannot be read (No such file or directory)"
    with pytest.raises(InputError) as refused:
        recipes.load("coverage", {"hook.file": "mine.toml"})
    assert str(refused.value) == (
        "setting 'hook.file' is 'mine.toml', expected the path of a Python file, NAME.py"
    )


def test_the_published_method_takes_a_term_too(tmp_path: Path) -> None:
    (tmp_path / "my_loss.py").write_text("def loss(batch): return batch.logits.square().mean()\n")
    settings = {"epochs": "1", "batch": "8192", "scoring.draws": "50_000", "scoring.exact": "0.0"}
    few = {"scoring.report_draws": "50_000", "scoring.sampling_draws": "1_000"}
    hook = {"hook.file": str(tmp_path / "my_loss.py"), "hook.weight": "5.0"}
    with_term = train(recipes.load("v5.5", settings | few | hook), seed=1, out=tmp_path / "run")
    without = train(recipes.load("v5.5", settings | few), seed=1, out=tmp_path / "plain")
    assert with_term.history[0].loss > without.history[0].loss
