"""``ternary export``, ``certify``, ``package`` and ``info`` of a vast space, and what is refused."""

import json
import re
from pathlib import Path

import pytest
from tests.builds import built
from tests.cli.test_own_decoder import model
from tests.networks import thresholds

import ternary_sdk
from ternary_sdk.signature import Signature
from ternary_sdk.space import Space

EVALUATION = next(iter((Path(ternary_sdk.__file__).parent / "evaluation").glob("*.ternary")))
QUATERNARY = Signature(Space(4, 2), 16, ("A", "B"))


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "decoder.onnx").write_bytes(model(16, 64).SerializeToString())
    return tmp_path


PACKAGE = "package build --name own --version 1.0.0 --keys keys --out own.ternary"
INFO = "info own.ternary --trust keys/vendor.trust"


def test_a_decoder_of_a_vast_space_is_exported_certified_and_packaged(ternary, here):
    words = ("--onnx", "decoder.onnx", "--space", "4,2", "--out", "build")
    done = ternary("export", *words, "--draws", "2e3", "--operations", 50)
    assert done.status == 0
    assert done.err == (
        "reading the model\ncomparing what would be shipped with what was given\n"
        "counting 2,000 draws of path A\n"
    )
    lines = done.text.splitlines()
    assert lines[3] == "encoder   none: nothing gives a latent for a wanted operation"
    assert lines[5].split("  ")[0] == "path"
    assert lines[6].startswith("A     2,000")
    assert re.search(r"\d+ \(\d+\.\d\d %\) +\d+\.\d{7} % or less$", lines[6])
    assert lines[7].endswith("none")
    assert lines[8:] == [
        "An effective number is of the clear draws; near ties are left out.",
        "Each bound is wrong with a probability of 0.000001 at most. Counts of draws are the vendor's.",
        "A quick certificate. More draws prove more: ternary certify build --draws 1e9",
    ]
    assert sorted(path.name for path in here.iterdir()) == ["build", "decoder.onnx"]
    again = ternary("certify", "build", "--draws", 5000, "--json")
    facts = json.loads(again.text)
    assert (facts["state"], facts["paths"]["A"]["draws"]) == ("replaced", 5000)
    assert ternary("keys", "init", "keys", "--vendor", "Own").status == 0
    packaged = ternary(*PACKAGE.split())
    assert packaged.status == 0
    assert packaged.err == (
        "proving path A: all 5,000 draws are computed again, and the draws are counted\n"
        "not validated: the package carries no validation; no least coverage was required; "
        "--require refuses a package that falls short\n"
    )
    told = ternary(*INFO.split(), "--json")
    assert json.loads(told.text)["paths"]["A"]["distinct"] == facts["paths"]["A"]["distinct"]


@pytest.mark.parametrize("words", ["certify build", "export --onnx decoder.onnx --space 4,2 --out other"])
def test_what_certifying_keeps_is_removed_and_nothing_else(ternary, here, words):
    """The folder beside the build may be somebody's own, with other things in it."""
    built(QUATERNARY, thresholds(QUATERNARY), draws=2000, operations=500).write(here / "build")
    folder = here / f"{words.split()[-1]}.counting"
    (folder / "results").mkdir(parents=True)
    (folder / "results" / "notes.txt").write_text("mine")
    done = ternary(*words.split(), "--draws", 2000, "--operations", 500)
    assert done.status == 0
    assert [path.name for path in folder.iterdir()] == ["results"]
    assert (folder / "results" / "notes.txt").read_text() == "mine"


def test_info_states_bounds_beside_perfect_draws(ternary, here):
    built(QUATERNARY, thresholds(QUATERNARY), draws=2000, operations=500).write(here / "build")
    ternary("keys", "init", "keys", "--vendor", "Own")
    ternary(*PACKAGE.split())
    told = ternary(*INFO.split()).text.splitlines()
    assert any(re.fullmatch(r"margins +A: \d+ near ties in 2,000 draws; B: .*", line) for line in told)
    paths = json.loads(ternary(*INFO.split(), "--json").text)["paths"]
    assert re.fullmatch(r"[0-9a-f]{16}", paths["A"]["reachable"]["seed"])
    head = next(number for number, line in enumerate(told) if line.startswith("path  draws"))
    assert told[head + 1].startswith("A     2,000")
    assert "97.2747223 % or more" in told[head + 1]  # 10^(-6/500)
    assert told[head + 2].startswith("      perfect draws, average")
    assert told[-1].startswith("This is what the signature states; only bounds were computed here")
    space = "space       4,294,967,296 operations, too many to list: certified by bounds, each with its "
    assert f"{space}confidence" in told


def test_an_atlas_of_a_vast_space_is_refused_and_what_shows_it_is_named(ternary, here):
    built(QUATERNARY, thresholds(QUATERNARY), draws=2000, operations=500).write(here / "build")
    ternary("keys", "init", "keys", "--vendor", "Own")
    ternary(*PACKAGE.split())
    done = ternary("atlas", "own.ternary", "--trust", "keys/vendor.trust", "--out", "atlas.svg")
    assert done.err == (
        "error: own-1.0.0: is of the vast space 4,2, whose 4,294,967,296 operations fit no picture; 'ternary "
        "report' draws its cells and pairs of cells instead, and 'ternary info' states its bounds\n"
    )
    assert not (here / "atlas.svg").exists()


def test_a_vast_package_is_validated_by_so_many_draws(ternary, here):
    built(QUATERNARY, thresholds(QUATERNARY), draws=2000, operations=500).write(here / "build")
    ternary("keys", "init", "keys", "--vendor", "Own")
    ternary(*PACKAGE.split())
    sampled = "--checks", "hash-coverage", "--draws", "1e4", "--operations", 1000
    words = "validate", "own.ternary", "--trust", "keys/vendor.trust", *sampled
    done = ternary(*words, "--json")
    names = [figure["name"] for figure in json.loads(done.text)["checks"][0]["figures"]]
    assert done.status == 0
    assert "effective number by 10,000 draws, least share of the space, error 0.000001" in names
    assert ternary(*words).text.splitlines()[0] == "hash-coverage           passed"


def test_draws_are_not_asked_of_a_listed_space(ternary, here):
    done = ternary("validate", EVALUATION, "--trust", EVALUATION.with_suffix(".trust"), "--draws", "1e4")
    assert done.err.splitlines()[-1] == (
        "error: draws and operations: 3,2 is a listed space, whose operations are all examined; leave the "
        "numbers out"
    )


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (
            ("--space", "2,3", "--draws", "10"),
            "draws: 10 are asked for, but 2,3 is a listed space, whose certificate is of all operations; "
            "leave the number out",
        ),
        (
            ("--space", "4,2", "--draws", "3e3"),
            "draws: 3,000, expected 1, 2 or 5, alone or with zeros after it",
        ),
        (
            ("--space", "4,2", "--operations", "1500"),
            "operations: 1,500, expected 1, 2 or 5, alone or with zeros after it",
        ),
        (("--space", "4,2", "--draws", "1e11"), "draws: 100,000,000,000, expected 1 to 17,179,869,184"),
    ],
)
def test_numbers_that_do_not_fit_are_refused(ternary, here, words, sentence):
    done = ternary("export", "--onnx", "decoder.onnx", *words, "--out", "build")
    assert (done.status, done.out) == (1, b"")
    assert done.err == f"error: {sentence}\n"
    assert not (here / "build").exists()


@pytest.mark.parametrize("number", ["0", "-1", "1.5", "many"])
def test_what_is_no_number_of_draws_is_a_usage_error(ternary, here, number):
    done = ternary("certify", "build", "--draws", number)
    assert done.status == 2
