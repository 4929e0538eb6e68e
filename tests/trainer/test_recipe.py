from pathlib import Path

import pytest

from ternary_sdk.errors import InputError
from ternary_trainer import recipe, toml_file
from ternary_trainer.validation import thresholds


def refusal(name: str, **overrides: str) -> str:
    with pytest.raises(InputError) as caught:
        recipe.load(name, {key.replace("__", "."): value for key, value in overrides.items()})
    return str(caught.value)


@pytest.mark.parametrize("name", recipe.names())
def test_a_recipe_written_out_reads_back_as_itself(name: str, tmp_path: Path) -> None:
    loaded = recipe.load(name)
    file = tmp_path / "other.toml"
    file.write_text(recipe.dump(loaded))
    assert recipe.load(str(file)) == loaded


def test_the_recipes_that_come_along() -> None:
    assert recipe.names() == ["coverage", "coverage-max", "v5.5"]
    assert all(recipe.load(name).name == name and recipe.load(name).about for name in recipe.names())


def test_an_override_changes_one_setting_only() -> None:
    plain, changed = recipe.load("v5.5"), recipe.load("v5.5", {"coupled.disruption": "60"})
    assert changed.coupled is not None
    assert changed.coupled.disruption == 60
    assert recipe.dump(changed) == recipe.dump(plain).replace("disruption = 50", "disruption = 60")


def test_a_surge_can_be_set() -> None:
    (surge,) = recipe.load("v5.5", {"surge": "[{epoch = 9, epochs = 2, strength = 1.5}]"}).surge
    assert (surge.epoch, surge.epochs, surge.strength, surge.noise) == (9, 2, 1.5, 1.5)


def test_an_unknown_recipe_is_refused_with_those_there_are() -> None:
    assert refusal("covrage") == (
        "recipe 'covrage': not found, expected coverage, coverage-max, v5.5 or the path of a TOML file"
    )


def test_an_unknown_setting_is_refused_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    text = recipe.dump(recipe.load("v5.5")).replace("free_bits", "free_bytes")
    file.write_text(text)
    line = text.splitlines().index("free_bytes = 0.5") + 1
    assert refusal(str(file)) == (
        f"{file}, line {line}: setting 'coupled.free_bytes' is unknown,"
        " expected one of free_bits, entropy, repulsion, disruption, state_net"
    )


def test_a_missing_setting_is_refused_by_name(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(recipe.dump(recipe.load("v5.5")).replace("clip = 1.0\n", ""))
    assert refusal(str(file)) == f"{file}: setting 'clip' is missing"


def test_text_that_is_no_toml_is_refused_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text("epochs = 3\nbatch =\n")
    assert refusal(str(file)) == f"{file}: Invalid value (at line 2, column 8), expected TOML"


@pytest.mark.parametrize(
    ("setting", "value", "problem"),
    [
        ("epochs", "2.5", "setting 'epochs' is 2.5, expected a whole number"),
        ("epochs", "true", "setting 'epochs' is True, expected a whole number"),
        ("clip", "nan", "setting 'clip' is nan, expected a finite number"),
        ("coupled.state_net", "1", "setting 'coupled.state_net' is 1, expected true or false"),
        ("about", "3", "setting 'about' is 3, expected a string"),
        ("coupled", "3", "setting 'coupled' is 3, expected a table of settings"),
        ("plateau.score", "luck",
         "setting 'plateau.score' is 'luck', expected one of 'coverage', 'elbo', 'loss'"),
        ("surge", "5", "setting 'surge' is 5, expected a list"),
        ("epochs", "0", "setting 'epochs' is 0, expected 1 to 100000"),
        ("batch", "1", "setting 'batch' is 1, expected 2 to 15746"),
        ("scoring.draws", "49_999", "setting 'scoring.draws' is 49999, expected 50000 to 1e+09"),
        ("surge", "[{epoch = -1}]", "setting 'surge[0].epoch' is -1, expected 0 to 100000"),
        ("surge", "[{epoch = 1, strength = -1.0}]", "setting 'surge[0].strength' is -1.0, expected 0 to 10"),
    ],
)  # fmt: skip
def test_a_setting_of_the_wrong_kind_or_range_is_refused(setting: str, value: str, problem: str) -> None:
    with pytest.raises(InputError) as caught:
        recipe.load("v5.5", {setting: value})
    assert str(caught.value) == f"recipe 'v5.5': {problem}"


def test_settings_that_contradict_each_other_are_refused() -> None:
    overlap = "[{epoch = 3, epochs = 4}, {epoch = 5}]"
    assert "two surges overlap at epoch 5" in refusal("v5.5", surge=overlap)
    assert "'separate.learn.epochs' is 99" in refusal("coverage", separate__learn__epochs="99")
    assert "'separate.paths.A.pushed' is 9999999" in refusal(
        "coverage", separate__paths__A__pushed="9_999_999"
    )
    assert "'separate.paths.B.rate' is 0.5" in refusal("coverage", separate__paths__B__rate="[1e-3, 0.5]")


def test_a_recipe_has_one_method(tmp_path: Path) -> None:
    both = recipe.dump(recipe.load("coverage")) + recipe.dump(recipe.load("v5.5")).partition("[coupled]")[2]
    file = tmp_path / "both.toml"
    file.write_text(both.replace("\nfree_bits = 0.5\nentropy", "\n[coupled]\nfree_bits = 0.5\nentropy"))
    assert "tables 'separate' and 'coupled': expected exactly one of them" in refusal(str(file))


def test_a_family_can_be_held_out_and_is_dumped_only_then() -> None:
    held = recipe.load("coverage", {"holdout_family": "self-dual"})
    assert held.holdout_family == "self-dual"
    assert recipe.dump(held) == recipe.dump(recipe.load("coverage")).replace(
        "clip = 5.0\n", 'clip = 5.0\nholdout_family = "self-dual"\n'
    )


def test_a_family_that_does_not_exist_is_refused_with_those_that_do() -> None:
    assert refusal("coverage", holdout_family="symmetric") == (
        "recipe 'coverage': setting 'holdout_family' is 'symmetric', expected one of 'commutative',"
        " 'self-dual', 'essentially-unary', 'monotone', 'idempotent', 'balanced', 'non-surjective'"
    )


def test_a_batch_is_no_larger_than_what_a_held_out_family_leaves() -> None:
    assert refusal("coverage", holdout_family="balanced", batch="15_000") == (
        "recipe 'coverage': setting 'batch' is 15000, expected 2 to 14380"
    )


def test_a_value_below_a_value_is_refused() -> None:
    assert (
        refusal("v5.5", epochs__deep="3")
        == "setting 'epochs.deep': 'epochs' is a value, not a table of settings"
    )


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (
            b"\xff\xfe" + "epochs = 3".encode("utf-16-le"),
            "UTF-16 text, as PowerShell's '>' writes it, expected UTF-8",
        ),
        (b"about = '\xe9'", "not UTF-8 text"),
        (b"#" * (toml_file.MOST + 1), "more than 1,048,576 bytes, expected at most that many"),
        (b"a = " + b"[" * 5000, "nested too deeply, expected TOML"),
        (b"epochs = " + b"9" * 5000, "an integer has more than 64 bits, expected TOML"),
        (b"epochs = 0x" + b"f" * 5000, "an integer has more than 64 bits, expected TOML"),
        (b"clip = 1" + b"0" * 400, "an integer has more than 64 bits, expected TOML"),
    ],
)
def test_a_file_that_is_no_toml_of_a_recipe_is_refused(tmp_path: Path, data: bytes, found: str) -> None:
    file = tmp_path / "mine.toml"
    file.write_bytes(data)
    assert refusal(str(file)) == f"{file}: {found}"
    with pytest.raises(InputError) as refused:
        thresholds.load(file)
    assert str(refused.value) == f"{file}: {found}"


def test_a_byte_order_mark_before_a_recipe_is_no_part_of_it(tmp_path: Path) -> None:
    (tmp_path / "v5.5.toml").write_text("\ufeff" + recipe.dump(recipe.load("v5.5")), "utf-8")
    assert recipe.load(str(tmp_path / "v5.5.toml")) == recipe.load("v5.5")


def test_a_device_without_an_end_is_refused() -> None:
    assert refusal("/dev/zero") == "/dev/zero: more than 1,048,576 bytes, expected at most that many"


def test_an_override_that_is_no_toml_of_ours_is_taken_as_text() -> None:
    for text in ("[" * 5000, "9" * 5000, "0x" + "f" * 5000):
        assert refusal("v5.5", epochs=text).endswith(", expected a whole number")
