"""``ternary show``: what one operation is, without a model unless its latent is asked for."""

import json
import subprocess
import sys
from xml.etree import ElementTree

import numpy as np
import pytest
from tests.builds import MOMENT

from ternary_license_server.keys.issue import issue
from ternary_sdk._internal.identity import VersionRange
from ternary_sdk.space import TERNARY_2, Space

MIN = """\
a↓ b→  -  0  +
    -  -  -  -
    0  -  0  0
    +  -  0  +

space            3,2, two-input ternary
index            15633
code             PC0
name             MIN: min(a, b) (S. C. Kleene, On notation for ordinal numbers, 1938); also AND, TAND, \
KLEENE_AND
"""


def shown(done):
    assert (done.status, done.err) == (0, "")
    return json.loads(done.text)


def refused(done):
    assert (done.status, done.out) == (1, b"")
    return done.err.removeprefix("error: ").removesuffix("\n")


def test_an_operation_is_shown_with_all_that_is_known_of_it(ternary):
    done = ternary("show", "min")
    assert (done.status, done.err) == (0, "")
    assert done.text.startswith(MIN)
    assert "\nclass by npn     045, operation 113; 8 operations\n" in done.text
    assert "\nclass by inputs  PC0, operation 15633; no other operation\n" in done.text
    assert "latent" not in done.text


def test_an_operation_without_a_name_says_so(ternary):
    assert "\nname             none\n" in ternary("show", "19530").text


def test_json_has_the_same(ternary):
    found = shown(ternary("show", "PC0", "--json"))
    assert list(found) == ["space", "index", "code", "table", "names", "properties", "classes"]
    assert (found["index"], found["code"], list(found["names"])) == (15633, "PC0", ["MIN"])
    assert found["space"] == {"radix": 3, "inputs": 2, "label": "ternary-2-input"}
    assert found["table"] == TERNARY_2.tables[15633].tolist()
    assert (found["properties"]["commutative"], found["properties"]["balanced"]) == (True, False)
    assert found["classes"]["values"] == {"index": 113, "code": "045", "operations": 216}


@pytest.mark.parametrize(
    "words",
    [
        ["----00-0+"],
        ["--", "----00-0+"],
        ["-1,-1,-1,-1,0,0,-1,0,1"],
        ["--", "-1,-1,-1,-1,0,0,-1,0,1"],
        ["-1, -1, -1, -1, 0, 0, -1, 0, 1"],
        ["000011012"],
        [" MIN "],
    ],
)
def test_signs_and_values_that_begin_with_a_hyphen_are_read(ternary, words):
    assert shown(ternary("show", "--json", *words))["index"] == 15633


@pytest.mark.parametrize(
    ("words", "space", "code"),
    [
        (["SUM3", "--space", "3,3"], Space(3, 3), "B7P7PBPB7"),
        (["--0", "--space", "3,1"], Space(3, 1), "9"),
        (["---", "--space", "ternary-1-input"], Space(3, 1), "0"),
        (["GF4_MUL", "--space", "4,2"], Space(4, 2), "2130132032100000"),
        (["MAJ5", "--space", "2,5"], Space(2, 5), "11111110111010001110100010000000"),
        (["MIN", "--space", "5,2"], Space(5, 2), "4321033210222101111000000"),
    ],
)
def test_an_operation_of_another_space_is_shown(ternary, words, space, code):
    found = shown(ternary("show", "--json", *words))
    assert (found["space"]["label"], found["code"], len(found["table"])) == (space.label, code, space.cells)
    assert space.from_index([found["index"]])[0].tolist() == found["table"]
    assert ternary("show", *words).text.count("\n") > len(found["classes"])


def test_properties_that_mean_nothing_in_a_space_are_left_out(ternary):
    assert "commutative" not in shown(ternary("show", "5", "--space", "3,1", "--json"))["properties"]


@pytest.mark.parametrize("word", ["--no-such-option", "--latnt", "-x"])
def test_a_mistyped_option_is_not_taken_for_an_operation(ternary, word):
    done = ternary("show", word)
    assert done.status == 2
    assert done.err.endswith(f"Error: Invalid value: '{word}' is neither an option nor an operation.\n")
    assert ternary("show", "MIN", word).status == 2


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (
            ["consensus"],
            "'consensus' is ambiguous: the name of operation 16371 (FLOOR_MEAN, RC9) or the name of "
            "operation 16401 (CONS, RDC); write the index",
        ),
        (
            ["MIN3"],
            "'MIN3' is not an operation, expected an index, a code of 3 characters, 9 signs, 9 digits from "
            "0 to 2, 9 values with commas, or a name",
        ),
        (["MIN", "--space", "3"], "space: '3', expected a radix and a number of inputs, such as 3,2"),
        (["MIN", "--package", "x"], "--package: a package is opened only for --latent; add --latent"),
        (["MIN", "--state", "x"], "--state: a package is opened only for --latent; add --latent"),
        (["MIN", "--path", "A"], "--path: a package is opened only for --latent; add --latent"),
        (["MIN", "--out", "min.png"], "min.png: suffix is '.png', expected .svg"),
        (["MIN", "--out", "-"], "-: suffix is '', expected .svg"),
    ],
)
def test_what_cannot_be_shown_is_refused(ternary, words, sentence):
    assert refused(ternary("show", *words)) == sentence


def test_a_picture_is_written_and_one_with_other_content_is_kept(ternary, tmp_path):
    file = tmp_path / "gate.svg"
    found = shown(ternary("show", "MIN", "--out", file, "--json"))
    assert found["file"] == str(file)
    picture = file.read_bytes()
    title = ElementTree.fromstring(picture).findtext("{http://www.w3.org/2000/svg}title")
    assert title == "MIN = PC0, operation 15633 of 3,2"
    assert ternary("show", "15633", "--out", file).text.endswith(f"\npicture          {file}\n")
    refusal = refused(ternary("show", "MUL", "--out", file))
    assert refusal == f"{file}: exists and differs; add --force to replace it, or name another file"
    assert file.read_bytes() == picture
    assert ternary("show", "MUL", "--out", file, "--force").status == 0
    assert file.read_bytes() != picture


def test_the_latent_of_the_evaluation_model_decodes_to_the_operation(ternary):
    done = ternary("show", "MIN", "--latent", "--json")
    assert done.status == 0
    found = json.loads(done.text)
    assert found["path"] == "A"
    assert np.array(found["latent"]).shape == (16,)
    assert found["margin"] > 1
    row = json.dumps({"latent": found["latent"]}).encode()
    decoded = ternary("decode", "--format", "jsonl", stdin=row)
    assert json.loads(decoded.text)["index"] == 15633


def test_the_latent_is_printed_for_people(ternary):
    lines = ternary("show", "MIN", "--latent").text.splitlines()
    assert lines[-2].startswith("latent           path A: ")
    assert len(lines[-2].split()) == 3 + 16
    assert lines[-1].endswith(", the latent decodes to it")


def test_the_package_says_the_space(ternary, spaces):
    chosen = ["--package", spaces / "boolean.ternary", "--license", spaces / "free.license"]
    chosen += ["--trust", spaces / "acme.trust", "--latent"]
    found = shown(ternary("show", "MUX", *chosen, "--json"))
    assert (found["space"]["label"], len(found["latent"])) == ("boolean-3-input", 8)
    refusal = refused(ternary("show", "MIN", "--space", "3,2", *chosen))
    assert refusal == "--space: 3,2, but boolean-1.0.0 is of 2,3"


def test_a_path_without_an_encoder_and_a_license_that_does_not_fit_are_refused(ternary, spaces):
    chosen = ["--license", spaces / "free.license", "--trust", spaces / "acme.trust", "--latent"]
    done = ternary("show", "INC", "--package", spaces / "quinary.ternary", *chosen)
    assert refused(done) == "path C: has no encoder, so it encodes nothing"


def test_a_license_that_grants_no_encoding_is_named_in_the_one_line(ternary, vendor, spaces, tmp_path):
    terms = [VersionRange(name="boolean", start=(1, 0, 0), below=(2, 0, 0))]
    token = issue(
        vendor, package=terms, customer="Initech", now=MOMENT, entitlements=["sample"], license_id="L-1"
    )
    (tmp_path / "draws.license").write_bytes(token)
    done = ternary(
        "show", "MUX", "--latent", "--package", spaces / "boolean.ternary",
        "--license", tmp_path / "draws.license", "--trust", spaces / "acme.trust",
    )  # fmt: skip
    sentence = "license L-1 allows sample, not encode; ask Acme Logic to add it"
    assert refused(done) == sentence


def test_without_the_latent_no_model_runtime_is_loaded():
    program = (
        "import sys; sys.argv = ['ternary', 'show', 'MIN']\n"
        "from ternary_cli.main import main\n"
        "try: main()\n"
        "except SystemExit as end: print(end.code, 'onnxruntime' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.endswith("0 False\n")
