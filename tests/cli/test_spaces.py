"""Every command on models of other spaces, latent sizes and paths than those of the evaluation package."""

import io
import json

import numpy as np
import pytest

from ternary_cli import row_reader
from ternary_cli.formats import Format, to_bytes
from ternary_cli.kinds import latents_of, operations_of
from ternary_cli.rows import Rows
from ternary_sdk import Model
from ternary_sdk._internal.licensing.usage import Usage
from ternary_sdk.errors import InputError
from ternary_sdk.space import Space

BOOLEAN, QUINARY = Space(2, 3), Space(5, 1)
LISTED = [Space(2, 1), BOOLEAN, Space(3, 1), Space(4, 1), QUINARY, Space(6, 1), Space(2, 4)]
CELLS = ",".join(f"t{cell}" for cell in range(8))
LATENTS = ",".join(f"z{number}" for number in range(8))
TEXTS = "an index, a code of 8 characters, 8 digits from 0 to 1, 8 values with commas, or a name"


@pytest.fixture
def client(ternary, spaces):
    """Run a command on one of the two packages, under a license by name."""

    def run(*words, license="free", stdin=b""):
        words = [*words, "--trust", spaces / "acme.trust"]
        if license:
            words += ["--license", spaces / f"{license}.license"]
        return ternary(*words, stdin=stdin)

    return run


@pytest.fixture
def opened(spaces):
    """Open one of the two packages as a program does."""
    return lambda name: Model.open(
        spaces / f"{name}.ternary", license=spaces / "free.license", trust=spaces / "acme.trust"
    )


def npy(array):
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def refusal(read, data):
    with pytest.raises(InputError) as caught:
        read(data, "rows")
    return str(caught.value)


def reads(kind):
    """Read rows of a kind, as an array."""
    return lambda data, what: row_reader.read(data, kind, what).values


read_boolean = reads(operations_of(BOOLEAN))
read_eight = reads(latents_of(8))


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"0,0,0,0,0,0,0,2\n", "rows: line 1: column t7 is 2, expected 0 or 1"),
        (b"-1,0,0,0,0,0,0,0\n", "rows: line 1: column t0 is -1, expected 0 or 1"),
        (npy(np.full((1, 8), 2)), "rows: row 0: column t0 is 2, expected 0 or 1"),
        (npy(np.zeros((4, 9))), "rows: shape is (4, 9), expected (n, 8)"),
        (b"0,0,0,0,0,0,0,0,0\n", "rows: line 1: 9 columns without names, expected 8 (t0 to t7)"),
        (b"t0,t1,t2\n", "rows: line 1: column t3 is missing; found 't0,t1,t2', expected t0 to t7"),
        (
            b"a,b\n1,2\n",
            "rows: line 1: no column of operations; found 'a,b', expected t0 to t7, or one of operation,"
            " index, code, name",
        ),
        (b"[0,0,0]\n", "rows: line 1: [0, 0, 0], expected a list of 8 numbers"),
        (
            b'{"operation":true}\n',
            "rows: line 1: column operation: true, expected a list of 8 values, a text or an index",
        ),
        (b'{"operation":256}\n', "rows: line 1: column operation: 256, expected an index, 0 to 255"),
        (b'{"index":-1}\n', "rows: line 1: column index: -1, expected an index, 0 to 255"),
        (b"256\n", f"rows: line 1: column operation: '256' is not an operation, expected {TEXTS}"),
        (
            b"00010111\n",
            "rows: line 1: column operation: '00010111' is ambiguous: the code of operation 23 or the digits "
            "of operation 232; write the index or code:00010111",
        ),
        (b"MIN3\n", f"rows: line 1: column operation: 'MIN3' is not an operation, expected {TEXTS}"),
        (
            b"name\nMIN3\n",
            "rows: line 2: column name: 'MIN3' is not an operation, expected a name: ALL_EQUAL, AND, AOI21, "
            "CAR3, MAJ3, MUX, NAND, NOR, OAI21, OR, SUM3, XNOR, XOR",
        ),
        (
            b'{"code":"PC0"}\n',
            "rows: line 1: column code: 'PC0' is not an operation, expected a code: 8 characters of 01",
        ),
    ],
)
def test_what_is_no_operation_of_the_space_is_refused_by_its_width_and_values(data, sentence):
    assert refusal(read_boolean, data) == sentence


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (npy(np.zeros((2, 16))), "rows: shape is (2, 16), expected (n, 8)"),
        (b"[1,2]\n", "rows: line 1: [1, 2], expected a list of 8 numbers"),
        (
            f"{CELLS}\n".encode(),
            f"rows: line 1: no column of latents; found '{CELLS}', expected z0 to z7, or one of latent",
        ),
    ],
)
def test_latents_of_another_size_are_refused(data, sentence):
    assert refusal(read_eight, data) == sentence


def numbered(prefix, width, **others):
    return {f"{prefix}{number}": 0 for number in range(width)} | others


def csv(members):
    return f"{','.join(members)}\n{','.join(map(str, members.values()))}\n".encode()


def commented(members):
    return b"# " + csv(members)


def json_lines(members):
    return json.dumps(members).encode() + b"\n"


def json_array(members):
    return json.dumps([members], indent=1).encode()


KINDS = [("t", 9, "operation", read_boolean), ("z", 16, "latent", read_eight)]
READERS = [
    (csv, "line 1"),
    (commented, "line 2"),
    (json_lines, "line 1"),
    (json_array, "row 0"),
]


def found(members):
    text = repr(",".join(members))
    return text if len(text) <= 60 else text[:57] + "…"


@pytest.mark.parametrize(("prefix", "width", "member", "read"), KINDS)
@pytest.mark.parametrize(("write", "place"), READERS)
def test_a_row_of_a_wider_array_is_refused_not_cut(write, place, prefix, width, member, read):
    members = numbered(prefix, width)
    assert refusal(read, write(members)) == (
        f"rows: {place}: column {prefix}8 is of a wider {member}; found {found(members)}, "
        f"expected {prefix}0 to {prefix}7"
    )


@pytest.mark.parametrize(("prefix", "width", "member", "read"), KINDS)
@pytest.mark.parametrize(("write", "place"), READERS)
def test_a_row_of_a_narrower_array_is_refused_not_filled(write, place, prefix, width, member, read):
    members = numbered(prefix, 5)
    assert refusal(read, write(members)) == (
        f"rows: {place}: column {prefix}5 is missing; found {found(members)}, expected {prefix}0 to {prefix}7"
    )


@pytest.mark.parametrize(("prefix", "width", "member", "read"), KINDS)
@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        (lambda width: ",".join(["0"] * width), "{width} columns without names, expected 8 ({names})"),
        (
            lambda width: ",".join(map(str, range(width))),
            "{found} can be column numbers, as pandas writes them; write no header and no index "
            "(header=False, index=False), or name the columns {names}",
        ),
        (lambda width: json.dumps([0] * width), "{list}, expected a list of 8 numbers"),
        (
            lambda width: json.dumps({str(number): 0 for number in range(width)}),
            "no column of {member}s; found {found}, expected {names}, or one of {singles}",
        ),
    ],
)
def test_a_wider_row_without_our_names_is_refused(row, sentence, prefix, width, member, read):
    shown = json.dumps([0] * width)
    assert refusal(read, row(width).encode()) == "rows: line 1: " + sentence.format(
        width=width,
        names=f"{prefix}0 to {prefix}7",
        member=member,
        found=found(map(str, range(width))),
        list=shown if len(shown) <= 60 else shown[:57] + "…",
        singles="operation, index, code, name" if prefix == "t" else "latent",
    )


@pytest.mark.parametrize(("prefix", "width", "member", "read"), KINDS)
@pytest.mark.parametrize("name", ["{}8", "{}10", "{}008", "{}{}", "{}100"])
@pytest.mark.parametrize("upper", [False, True])
def test_a_wider_column_is_refused_however_its_number_is_written(prefix, width, member, read, name, upper):
    name = name.format(prefix, "9" * 5000)  # more digits than `int` reads
    name = name.upper() if upper else name
    members = numbered(prefix, 8) | {name: 0}
    assert refusal(read, csv(members)) == (
        f"rows: line 1: column {name[:20]} is of a wider {member}; found {found(members)}, "
        f"expected {prefix}0 to {prefix}7"
    )


@pytest.mark.parametrize("write", [csv, json_lines])
def test_a_wider_column_is_refused_beside_an_index_or_a_list_too(write):
    sentence = "rows: line 1: column {0} is of a wider {1}; found '{2},{0}', expected {3}"
    assert refusal(read_boolean, write({"index": 3, "t8": 0})) == sentence.format(
        "t8", "operation", "index", "t0 to t7"
    )
    assert refusal(read_eight, write({"latent": [0] * 8, "z8": 0})) == sentence.format(
        "z8", "latent", "latent", "z0 to z7"
    )


def test_names_in_a_comment_are_not_taken_for_those_of_a_narrower_array():
    names = ",".join(f"t{number}" for number in range(8, 16))
    assert refusal(read_boolean, f"# {names}\n0,0,0,0,0,0,0,0\n".encode()) == (
        f"rows: line 2: column t8 is of a wider operation; found '{names}', expected t0 to t7"
    )


@pytest.mark.parametrize("write", [csv, commented, json_lines, json_array])
def test_columns_that_are_not_of_a_wider_array_are_left_alone(write):
    others = {"t01": 1, "T7": 1, "t8x": 1, "xt8": 1, "t-8": 1, "t": 1, "8": 1, "t8.0": 1}
    members = numbered("t", 8) | others | numbered("z", 16)
    assert read_boolean(write(members), "rows").tolist() == [[0] * 8]
    members = numbered("z", 8) | numbered("t", 9)
    assert read_eight(write(members), "rows").tolist() == [[0] * 8]


def test_a_value_between_those_of_a_balanced_space_is_refused_with_all_of_them():
    read = reads(operations_of(QUINARY))
    assert refusal(read, b"3,0,0,0,0\n") == "rows: line 1: column t0 is 3, expected -2, -1, 0, 1 or 2"


@pytest.mark.parametrize("form", [Format.CSV, Format.JSONL, Format.NPY])
@pytest.mark.parametrize("space", LISTED, ids=str)
def test_all_operations_of_a_space_survive_writing_and_reading(space, form):
    index = np.arange(space.size, dtype=np.int32)[:5000]
    rows = Rows(index=index, operations=space.from_index(index), space=space)
    found = reads(operations_of(space))(to_bytes(rows, form), "rows")
    assert np.array_equal(found, rows.operations)


@pytest.mark.parametrize(
    "data", [b"7\n128\n", b"index\n7\n128\n", b'{"operation":"7"}\n{"operation":128}\n', b"007\n128\n"]
)
def test_an_index_is_read_in_any_space(data):
    assert read_boolean(data, "rows").tolist() == [[1, 1, 1, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0, 0, 1]]


def test_a_column_of_names_beside_a_table_is_left_alone():
    assert read_boolean(f"name,{CELLS}\nMAJ,0,0,0,1,0,1,1,1\n".encode(), "rows").tolist() == [
        [0, 0, 0, 1, 0, 1, 1, 1]
    ]


def test_a_table_for_people_lines_up_where_an_index_is_longer_than_its_name():
    space = Space(7, 1)
    index = np.array([0, 823_542])
    lines = to_bytes(
        Rows(index=index, operations=space.from_index(index), space=space), Format.TABLE
    ).decode()
    assert lines.splitlines() == [
        " index  t0 t1 t2 t3 t4 t5 t6",
        "     0  -3 -3 -3 -3 -3 -3 -3",
        "823542   3  3  3  3  3  3  3",
    ]


@pytest.mark.parametrize(
    ("name", "heading"),
    [("boolean", f"index,{CELLS}"), ("quinary", "index,t0,t1,t2,t3,t4")],
)
def test_sample_draws_what_the_sdk_draws(client, spaces, opened, name, heading):
    done = client("sample", spaces / f"{name}.ternary", "--seed", 7, "-n", 40)
    with opened(name) as model:
        draw = model.sample(40, seed=7)
    lines = done.text.splitlines()
    assert lines[0] == heading
    assert lines[1:] == [
        ",".join(map(str, (index, *table)))
        for index, table in zip(draw.index.tolist(), draw.operations.tolist(), strict=True)
    ]
    assert done.err == f"40 rows, path {draw.path}, seed 7, set {draw.digest}\n"


def test_rows_go_through_sample_encode_and_decode(client, spaces, opened):
    package = spaces / "boolean.ternary"
    with opened("boolean") as model:
        reached = len(model.reachable())
        means = model.encode(model.sample(reached, unique=True, seed=3).operations)
    drawn = client("sample", package, "--unique", "-n", reached, "--seed", 3)
    encoded = client("encode", "--package", package, stdin=drawn.out)
    assert encoded.text.splitlines()[0] == LATENTS
    assert read_eight(encoded.out, "rows").tobytes() == means.tobytes()
    latents = client("sample", package, "--unique", "-n", reached, "--seed", 3, "--latents").out
    assert client("decode", "--package", package, stdin=latents).out == drawn.out
    line = client("decode", "--package", package, "--format", "jsonl", stdin=latents).text.splitlines()[0]
    assert len(json.loads(line)["operation"]) == 8
    array = np.load(io.BytesIO(client("decode", "--package", package, "--format", "npy", stdin=latents).out))
    assert (array.shape, array.dtype) == ((reached, 8), np.int8)


def test_rows_of_another_width_are_refused_before_the_model_is_proved(client, spaces):
    done = client("encode", "--package", spaces / "boolean.ternary", stdin=b"0,0,0,0,0,0,0,0,0\n")
    assert (done.status, done.out) == (1, b"")
    assert done.err == ("error: standard input: line 1: 9 columns without names, expected 8 (t0 to t7)\n")


@pytest.mark.parametrize(
    ("command", "prefix", "width", "member"), [("encode", "t", 9, "operation"), ("decode", "z", 16, "latent")]
)
@pytest.mark.parametrize(("write", "place"), READERS)
def test_rows_of_another_package_are_refused_before_anything_is_computed_or_counted(
    client, ternary, spaces, tmp_path, command, prefix, width, member, write, place
):
    members, out = numbered(prefix, width), tmp_path / "rows.csv"
    words = (command, "--package", spaces / "boolean.ternary", "--out", out)
    done = client(*words, license="metered", stdin=write(members))
    assert (done.status, done.out) == (1, b"")
    assert done.err == (
        f"error: standard input: {place}: column {prefix}8 is of a wider {member}; "
        f"found {found(members)}, expected {prefix}0 to {prefix}7\n"
    )
    assert not out.exists()
    usage = ("license", "usage", spaces / "metered.license", "--trust", spaces / "acme.trust")
    assert json.loads(ternary(*usage, "--json").text)["drawn"] == 0


def test_a_path_without_an_encoder_encodes_nothing_and_leaves_no_file(client, spaces, tmp_path):
    done = client(
        *("encode", "--package", spaces / "quinary.ternary", "--out", tmp_path / "rows.csv"),
        stdin=b"0,1,2,-1,-2\n",
    )
    assert (done.status, done.out) == (1, b"")
    assert done.err == "error: path C: has no encoder, so it encodes nothing\n"
    assert not (tmp_path / "rows.csv").exists()


@pytest.mark.parametrize("path", ["C", "a", "AB", "", "two words"])
@pytest.mark.parametrize(
    ("command", "stdin"),
    [("sample", b""), ("encode", f"{CELLS}\n".encode()), ("decode", f"{LATENTS}\n".encode()), ("atlas", b"")],
)
def test_a_path_that_is_not_there_is_refused_with_those_that_are(
    client, spaces, tmp_path, command, stdin, path
):
    package = spaces / "boolean.ternary"
    words = ["--package", package] if stdin else [package]
    out = tmp_path / f"out.{'png' if command == 'atlas' else 'csv'}"
    done = client(command, *words, "--path", path, "--out", out, stdin=stdin)
    assert (done.status, done.out) == (1, b"")
    assert done.err == f"error: path: {path!r}, expected A or B\n"
    assert not out.exists()


def test_info_shows_the_signature_and_each_graph(client, spaces):
    lines = client("info", spaces / "quinary.ternary", license=None).text.splitlines()
    assert lines[3:6] == [
        "model       one-input quinary operations (quinary-1-input), 24 latent dimensions, path C",
        "default     path C",
        "parameters  C: no encoder, 1,825 out",
    ]
    assert lines[9] == ("path  reachable                at 1,563 draws   at 7,938 draws  at 30,969 draws")
    assert lines[10].startswith("C     ")
    assert " of 3,125 " in lines[10]
    assert lines[11] == ("perfect draws, on average    39.361 ± 0.418 % 92.118 ± 0.426 % 99.995 ± 0.013 %")


def test_info_states_the_signature_to_programs(client, spaces):
    facts = json.loads(client("info", spaces / "boolean.ternary", "--json", license=None).text)
    assert facts["space"] == {"radix": 2, "inputs": 3, "label": "boolean-3-input"}
    assert (facts["latent_size"], list(facts["paths"])) == (8, ["A", "B"])
    assert [prior["draws"] for prior in facts["paths"]["A"]["prior"]] == [128, 650, 2537]
    assert [prior["perfect_percent"] for prior in facts["paths"]["A"]["prior"]] == [
        "39.406",
        "92.145",
        "99.995",
    ]
    facts = json.loads(client("info", spaces / "quinary.ternary", "--json", license=None).text)
    assert facts["paths"]["C"]["encoder_parameters"] is None


def test_verify_proves_and_replays_a_package_of_another_space(client, spaces, opened, vendor):
    package = spaces / "boolean.ternary"
    with opened("boolean") as model:
        claims = model.certificate.paths
        digest = model.package.identity.digest
    done = client("verify", package, "--replay", license=None)
    assert done.text.splitlines() == [
        f"boolean-1.0.0 is what Acme Logic signed (root {vendor.trust.root.kid})",
        f"sha256 {digest}",
        "three-input Boolean operations (boolean-3-input), 8 latent dimensions, paths A, B",
        *(
            f"path {claim.path}: {len(claim.reachable.operations)} reachable operations proved on this "
            "machine"
            for claim in claims
        ),
        *(
            f"path {claim.path}: draws replayed, {claim.prior[0].operations} in 128, "
            f"{claim.prior[1].operations} in 650, {claim.prior[2].operations} in 2,537, as certified"
            for claim in claims
        ),
    ]


def test_a_certificate_of_a_path_without_an_encoder_needs_none(client, ternary, spaces, tmp_path):
    ternary("unpack", spaces / "quinary.ternary", "--trust", spaces / "acme.trust", "--out", tmp_path / "q")
    words = ("verify", tmp_path / "q" / "coverage.json", "--model", tmp_path / "q" / "decoder_C.onnx")
    done = client(*words, "--json", license=None)
    facts = json.loads(done.text)
    assert (facts["space"]["label"], facts["latent_size"]) == ("quinary-1-input", 24)
    assert (facts["witnesses_decoded"], facts["not_proved"]) == (facts["reachable"], [])
    done = client(*words, "--encoder", tmp_path / "q" / "decoder_C.onnx", license=None)
    assert (done.status, done.out) == (1, b"")
    assert done.err == "error: encoder: path C of the certificate has none\n"


def test_a_build_of_another_space_is_certified_and_packaged_by_its_commands(
    ternary, spaces, vendor, tmp_path
):
    build = spaces / "quinary-build"
    done = ternary("certify", build)
    assert (done.status, done.text.splitlines()[0]) == (
        0,
        f"{build / 'coverage.json'}: computed again and confirmed",
    )
    done = ternary(
        *("package", build, "--name", "quinary", "--version", "1.0.0", "--keys", vendor.directory),
        *("--out", tmp_path / "quinary.ternary", "--json"),
    )
    assert json.loads(done.text)["space"] == {"radix": 5, "inputs": 1, "label": "quinary-1-input"}
    assert (tmp_path / "quinary.ternary").read_bytes() == (spaces / "quinary.ternary").read_bytes()


@pytest.mark.parametrize(("name", "size"), [("boolean", "256"), ("quinary", "3,125")])
@pytest.mark.parametrize("suffix", ["svg", "png"])
def test_the_atlas_is_of_the_packages_space(client, spaces, tmp_path, name, size, suffix):
    out = tmp_path / f"atlas.{suffix}"
    done = client("atlas", spaces / f"{name}.ternary", "--out", out)
    assert done.status == 0, done.err
    assert f" of {size} operations reachable, " in done.text.splitlines()[0]
    assert out.stat().st_size > 200


def test_use_pins_a_package_of_any_space(ternary, client, spaces):
    assert client("use", spaces / "quinary.ternary").status == 0
    assert ternary("sample", "-n", 1, "--seed", 1).text.splitlines()[0] == "index,t0,t1,t2,t3,t4"


def drawn_of_both(client, spaces):
    for name, count in (("boolean", 20), ("quinary", 8)):
        words = ("sample", spaces / f"{name}.ternary", "--unique", "-n", count, "--seed", 1)
        assert client(*words, license="metered").status == 0


def test_the_meter_counts_all_spaces_together_and_shows_each(client, ternary, spaces):
    drawn_of_both(client, spaces)
    usage = ("license", "usage", spaces / "metered.license", "--trust", spaces / "acme.trust")
    total = f"metered  {'█' * 22}░░  28 of 30 operations drawn"
    assert ternary(*usage).text.splitlines() == [
        total,
        "2,3  20 three-input Boolean operations",
        "5,1  8 one-input quinary operations",
    ]
    assert ternary(*usage, "--space", "5,1").text.splitlines() == [
        total,
        "5,1  8 one-input quinary operations",
    ]
    assert json.loads(ternary(*usage, "--json").text) == {
        "license": "metered",
        "drawn": 28,
        "allowed": 30,
        "spaces": {"2,3": 20, "5,1": 8},
    }
    shown = ternary("license", "show", *usage[2:]).text
    assert "quota     30 different operations, 28 drawn so far on this machine\n" in shown
    doctor = ternary("doctor", spaces / "boolean.ternary", "--license", *usage[2:]).text
    assert "meter        ok     28 of 30 operations drawn\n" in doctor
    assert "20 drawn\n" in client("atlas", spaces / "boolean.ternary", license="metered").text


def test_a_report_is_of_one_space(client, ternary, spaces, tmp_path):
    drawn_of_both(client, spaces)
    usage = ("license", "usage", spaces / "metered.license", "--trust", spaces / "acme.trust")
    report = tmp_path / "usage.json"
    usage += ("--export", report)
    done = ternary(*usage)
    assert (done.status, done.out) == (1, b"")
    assert done.err == (
        "error: license metered: operations of the spaces 2,3 and 5,1 were counted under it; "
        "say which with '--space'\n"
    )
    assert not report.exists()
    for space, count in (("2,3", 20), ("quinary-1-input", 8)):
        assert ternary(*usage, "--space", space, "--force").status == 0
        read = Usage.read(report.read_bytes())
        assert (read.operations.space, len(read.operations)) == (Space.parse(space), count)
    before = report.read_bytes()
    done = ternary(*usage, "--space", "2,3")
    assert done.err == f"error: {report}: exists; add --force to replace it, or name another file\n"
    assert report.read_bytes() == before


@pytest.mark.parametrize(
    ("space", "sentence"),
    [
        ("2x3", "space: '2x3', expected a radix and a number of inputs, such as 3,2"),
        ("9,9", "space: 9 values and 9 inputs have 2^63 operations or more, expected fewer"),
    ],
)
def test_usage_of_what_is_no_space_is_refused(ternary, spaces, space, sentence):
    usage = ("license", "usage", spaces / "metered.license", "--trust", spaces / "acme.trust")
    done = ternary(*usage, "--space", space)
    assert (done.status, done.out, done.err) == (1, b"", f"error: {sentence}\n")
