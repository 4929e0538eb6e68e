from importlib.resources import files
from pathlib import Path

import pytest

from ternary_sdk.errors import InputError
from ternary_sdk.signature import Signature
from ternary_sdk.space import Space
from ternary_trainer import recipe, toml_file
from ternary_trainer.architecture import V55, Network
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
    assert recipe.names() == [
        "boolean-3", "boolean-4", "coverage", "coverage-max", "quaternary", "quinary-1", "ternary-3", "v5.5",
    ]  # fmt: skip
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
        "recipe 'covrage': not found, expected boolean-3, boolean-4, coverage, coverage-max, quaternary,"
        " quinary-1, ternary-3, v5.5 or the path of a TOML file"
    )


def test_an_unknown_setting_is_refused_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    text = recipe.dump(recipe.load("v5.5")).replace("free_bits", "free_bytes")
    file.write_text(text)
    line = text.splitlines().index("free_bytes = 0.5") + 1
    assert refusal(str(file)) == (
        f"{file}, line {line}: setting 'coupled.free_bytes' is unknown,"
        " expected one of free_bits, entropy, repulsion, disruption, state_net,"
        " state_net_rate"
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


@pytest.mark.parametrize(
    ("text", "setting", "problem"),
    [
        ("clip = 5.0", "clip = 0.0", "setting 'clip' is 0.0, expected 1e-06 to 1e+06"),
        ("window = [200e3, 1e6]", "window = [0.5, 1e6]",
         "setting 'separate.spread.window' is 0.5, expected 1 to 1e+12"),
        ("strength = 0.5", "strength = 11.0", "setting 'surge[0].strength' is 11.0, expected 0 to 10"),
    ],
)  # fmt: skip
def test_a_setting_out_of_range_is_refused_with_its_line(
    tmp_path: Path, text: str, setting: str, problem: str
) -> None:
    file = tmp_path / "mine.toml"
    shipped = (files("ternary_trainer") / "recipes" / "coverage.toml").read_text("utf-8")
    file.write_text(shipped.replace(text, setting))
    line = file.read_text().splitlines().index(setting) + 1
    assert refusal(str(file)) == f"{file}, line {line}: {problem}"


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


TINY = {"space": "2,3", "latent_size": "8", "batch": "32"}


def test_a_recipe_of_another_space_keeps_space_latents_and_networks(tmp_path: Path) -> None:
    changes = TINY | {"networks.A.encoder": "[64]", "networks.B.decoder": "[16, 16]"}
    loaded = recipe.load("coverage", changes)
    assert loaded.signature == Signature(Space(2, 3), 8, ("A", "B"))
    assert loaded.networks == {
        "A": Network(encoder=(64,), decoder=()),
        "B": Network(encoder=(256, 128, 64), decoder=(16, 16)),
    }
    file = tmp_path / "coverage.toml"
    file.write_text(recipe.dump(loaded))
    assert recipe.load(str(file)) == loaded


def test_a_recipe_that_says_nothing_is_of_v5_5s_architecture() -> None:
    of_v55 = [name for name in recipe.names() if recipe.load(name).architecture == V55]
    assert of_v55 == ["coverage-max", "v5.5"]


def test_paths_are_what_the_recipe_names(tmp_path: Path) -> None:
    file, text = tmp_path / "mine.toml", recipe.dump(recipe.load("coverage"))
    networks = text[text.index("[networks.A]") : text.index("[scoring]")]
    alone = text[: text.index("[separate.paths.B]")].replace(networks, "[networks.A]\ndecoder = []\n")
    file.write_text(alone)
    loaded = recipe.load(str(file))
    assert loaded.signature.paths == ("A",)
    assert loaded.networks == {"A": Network(encoder=(256, 128, 64), decoder=())}
    file.write_text(text.replace("paths.B", "paths.C").replace("networks.B", "networks.C"))
    assert recipe.load(str(file)).signature.paths == ("A", "C")


NO_SPACE = "expected a radix and a number of inputs, such as 3,2)"


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"space": "4,2"},
         "setting 'scoring.operations' is missing"),
        ({"space": "2,1"}, "setting 'space' is 2,1, of 4 operations, expected at least 16 to train on"),
        ({"space": "three"}, f"setting 'space' is no space (space: 'three', {NO_SPACE}"),
        ({"space": "5"}, f"setting 'space' is no space (space: '5', {NO_SPACE}"),
        ({"latent_size": "12"}, "latent size: 12, expected a multiple of 8 from 8 to 64"),
        ({"networks.A.encoder": "[]"}, "networks.A.encoder: 0 hidden layers, expected 1 to 16"),
        ({"networks.A.decoder": "[0]"}, "networks.A.decoder: 0, expected 1 to 4096"),
        ({"networks.B.decoder": "{width = 8, blocks = 99}"},
         "networks.B.decoder.blocks: 99, expected 1 to 16"),
        ({"networks.B.decoder": "{width = 8}"}, "setting 'networks.B.decoder.blocks' is missing"),
        ({"networks.A.decoder": "wide"}, "setting 'networks.A.decoder' is 'wide', expected a list"),
        ({"networks.C": "{encoder = [8], decoder = [8]}"},
         "setting 'networks' has paths A, B, C, expected A, B"),
        ({"networks": "3"}, "setting 'networks' is 3, expected a table of settings"),
        ({"separate.paths": "3"}, "setting 'separate.paths' is 3, expected a table of settings"),
        ({"separate.paths.ab": "{}"}, "setting 'separate.paths.ab.draws' is missing"),
        (TINY | {"batch": "205"}, "setting 'batch' is 205, expected 2 to 204"),
        (TINY | {"scoring.draws": "649"}, "setting 'scoring.draws' is 649, expected 650 to 1e+09"),
        (TINY | {"space": "5,1", "holdout_family": "commutative"},
         "setting 'holdout_family': family 'commutative': needs two inputs or more,"
         " operations of 5,1 have one"),
    ],
)  # fmt: skip
def test_what_cannot_be_trained_is_refused(changes: dict[str, str], problem: str) -> None:
    with pytest.raises(InputError) as caught:
        recipe.load("coverage", changes)
    assert str(caught.value) == f"recipe 'coverage': {problem}"


def test_the_published_method_trains_the_published_networks_alone() -> None:
    published = (
        "table 'coupled': trains the networks of v5.5 alone (ternary-2-input, 16 latent dimensions,"
        " paths A, B), expected 'separate'"
    )
    for change in ({"space": "2,4"}, {"latent_size": "8"}, {"networks.A.decoder": "[32]"}):
        with pytest.raises(InputError) as caught:
            recipe.load("v5.5", change)
        assert str(caught.value) == f"recipe 'v5.5': {published}"
