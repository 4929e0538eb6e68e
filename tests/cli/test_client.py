"""A client's commands on a vendor's package: what they print, and one sentence for each refusal."""

import io
import json
import shutil
import signal
import subprocess
import sys
from datetime import UTC, datetime

import numpy as np
import pytest
from tests.cli.rows_read import read_latents, read_operations

from ternary_cli.formats import Format
from ternary_license_server.keys import issue, keyring
from ternary_sdk._internal.identity import VersionRange
from ternary_sdk._internal.packages.package import Package
from ternary_sdk.space import TERNARY_2

NOW = datetime(2026, 1, 2, tzinfo=UTC)


FORMS = f"{', '.join(list(Format)[:-1])} or {list(Format)[-1]}"
HEADER = "index,t0,t1,t2,t3,t4,t5,t6,t7,t8"


@pytest.fixture
def acme(shipped, vendor, tmp_path):
    """A folder with what the vendor sends: package, trust file, and licenses by name."""
    (tmp_path / "acme.ternary").write_bytes(shipped)
    (tmp_path / "acme.trust").write_bytes(vendor.trust.data)
    identity = Package.read(shipped, vendor.trust).identity
    terms = {
        "acme": {},
        "expired": {"expires": datetime(2026, 2, 1, tzinfo=UTC)},
        "other": {"package": [VersionRange(name="zeta", start=(1, 0, 0), below=(2, 0, 0))]},
        "newer": {"package": [VersionRange(name="acme", start=(2, 0, 0), below=(3, 0, 0))]},
        "decoder": {"entitlements": ["decode"]},
        "small": {"unique_operations": 100},
        "elsewhere": {"machines": ["m-" + "0" * 32]},
    }
    for name, term in terms.items():
        token = issue.issue(
            vendor, **{"package": identity, "customer": "Initech", "now": NOW, "license_id": name, **term}
        )
        (tmp_path / f"{name}.license").write_bytes(token + b"\n")
    return tmp_path


@pytest.fixture
def client(ternary, acme):
    """Run a command on the vendor's package, under a license by name."""

    def run(*words, license="acme", stdin=b""):
        words = [*words, "--trust", acme / "acme.trust"]
        if license:
            words += ["--license", acme / f"{license}.license"]
        return ternary(*words, stdin=stdin)

    return run


def npy(array):
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def test_the_same_seed_draws_the_same_rows(client, acme):
    one = client("sample", acme / "acme.ternary", "--seed", 7, "-n", 20)
    two = client("sample", acme / "acme.ternary", "--seed", 7, "-n", 20)
    assert one.out == two.out
    assert one.text.splitlines()[0] == HEADER
    assert len(one.text.splitlines()) == 21


def test_the_command_draws_what_the_sdk_draws(client, acme):
    from ternary_sdk import Model

    done = client(
        "sample", acme / "acme.ternary", "--seed", 7, "-n", 50, "--unique", "--path", "B", "--format", "npy"
    )
    with Model.open(acme / "acme.ternary", license=acme / "acme.license", trust=acme / "acme.trust") as model:
        draw = model.sample(50, unique=True, seed=7, path="B")
    assert np.array_equal(np.load(io.BytesIO(done.out)), draw.operations)
    assert done.err == f"50 rows, path B, seed 7, set {draw.digest}\n"


def test_without_a_seed_the_one_that_was_drawn_is_said(client, acme):
    first = client("sample", acme / "acme.ternary")
    seed = first.err.split("seed ")[1].split(",")[0]
    assert client("sample", acme / "acme.ternary", "--seed", seed).out == first.out


def test_no_rows_are_an_empty_result(client, acme):
    package = acme / "acme.ternary"
    assert client("sample", package, "-n", 0).text == HEADER + "\n"
    assert client("sample", package, "-n", 0, "--unique", "--format", "jsonl").text == ""
    encoded = client("encode", "--package", package, stdin=HEADER.encode())
    assert (encoded.status, encoded.text) == (0, ",".join(f"z{k}" for k in range(16)) + "\n")
    decoded = client("decode", "--package", package, stdin=encoded.out)
    assert (decoded.status, decoded.text) == (0, HEADER + "\n")


@pytest.mark.parametrize("form", ["csv", "npy"])
def test_no_rows_go_through_a_pipe_where_the_format_can_say_so(client, acme, form):
    package = ["--package", acme / "acme.ternary", "--format", form]
    drawn = client("sample", acme / "acme.ternary", "-n", 0, "--format", form)
    encoded = client("encode", *package, stdin=drawn.out)
    assert (encoded.status, encoded.err) == (0, "")
    assert read_latents(encoded.out, form).shape == (0, 16)
    decoded = client("decode", *package, stdin=encoded.out)
    assert (decoded.status, decoded.err) == (0, "")
    assert read_operations(decoded.out, form).shape == (0, 9)


@pytest.mark.parametrize("command", ["encode", "decode"])
def test_an_empty_file_is_refused_by_its_name(client, acme, command):
    (acme / "rows.jsonl").write_bytes(b"")
    done = client(command, acme / "rows.jsonl", "--package", acme / "acme.ternary")
    assert (done.status, done.out) == (1, b"")
    assert done.err == f"error: {acme / 'rows.jsonl'}: empty, expected CSV, JSON, .npy, Parquet or Arrow\n"


@pytest.mark.parametrize("command", ["encode", "decode"])
def test_nothing_at_all_in_a_pipe_is_refused(client, acme, command):
    done = client(command, "--package", acme / "acme.ternary", stdin=b"")
    assert (done.status, done.out) == (1, b"")
    assert done.err == "error: standard input: empty, expected CSV, JSON, .npy, Parquet or Arrow\n"


def test_a_refusal_before_a_pipe_is_a_refusal_behind_it(client, acme):
    """A shell without pipefail sees the last command's status alone."""
    drawn = client("sample", acme / "acme.ternary", "-n", 19_684, "--unique")
    assert (drawn.status, drawn.out) == (1, b"")
    assert client("encode", "--package", acme / "acme.ternary", stdin=drawn.out).status == 1


def test_latents_drawn_beside_operations_decode_to_them(client, acme):
    package = acme / "acme.ternary"
    drawn = client("sample", package, "-n", 300, "--latents", "--seed", 7)
    decoded = client("decode", "--package", package, stdin=drawn.out)
    operations = [line.rsplit(",", 16)[0] for line in drawn.text.splitlines()]
    assert decoded.text.splitlines() == operations


@pytest.mark.parametrize("form", [form for form in Format if form.suffixes])
def test_the_output_file_name_says_the_format(client, acme, form):
    draw = ("sample", acme / "acme.ternary", "-n", 3, "--seed", 7)
    done = client(*draw, "--out", acme / f"rows{form.suffixes[0]}")
    assert (done.status, done.out) == (0, b"")
    assert (acme / f"rows{form.suffixes[0]}").read_bytes() == client(*draw, "--format", form).out


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["-n", "-1"], "error: n: -1, expected 0 to 10,000,000\n"),
        (["--seed", "-1"], "error: seed: -1, expected 0 to 18,446,744,073,709,551,615\n"),
        (["--explore", "1.5"], "error: explore: 1.5, expected 0 to 1\n"),
        (["--temperature", "1e-320"], "error: temperature: 1e-320, expected 0.01 to 100\n"),
        (["--temperature", "0"], "error: temperature: 0.0, expected 0.01 to 100\n"),
        (
            ["--out", "rows.xlsx"],
            f"error: rows.xlsx: the name says no format; add --format {FORMS}\n",
        ),
        (["--out", "/nowhere/rows.csv"], "error: /nowhere/rows.csv: no such file or directory\n"),
        (
            ["--latents", "--format", "npy"],
            "error: npy: no room for latents beside operations; use csv or jsonl\n",
        ),
    ],
)
def test_what_sample_cannot_do_is_one_sentence(client, acme, words, sentence):
    done = client("sample", acme / "acme.ternary", *words)
    assert (done.status, done.out, done.err) == (1, b"", sentence)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["-n", "1_0"], "Invalid value for '-n': '1_0' is not a whole number."),
        (["--seed", "2.0"], "Invalid value for '--seed': '2.0' is not a whole number."),
        (["--explore", "nan"], "Invalid value for '--explore': 'nan' is not a number."),
    ],
)
def test_a_number_of_another_form_is_a_wrong_command_line(client, acme, words, sentence):
    done = client("sample", acme / "acme.ternary", *words)
    assert (done.status, done.out) == (2, b"")
    assert done.err.endswith(f"Error: {sentence}\n")


@pytest.mark.parametrize("command", ["encode", "decode"])
def test_rows_without_an_end_are_refused(client, acme, command):
    done = client(command, "/dev/zero", "--package", acme / "acme.ternary")
    assert (done.status, done.out) == (1, b"")
    assert done.err == "error: /dev/zero: more than 268,435,456 bytes, expected at most that many\n"


def test_one_more_than_everything_reachable_is_refused(client, acme):
    info = json.loads(client("info", acme / "acme.ternary", "--json", license=None).text)
    reachable = info["paths"][info["default_path"]]["reachable"]
    done = client("sample", acme / "acme.ternary", "--unique", "-n", reachable)
    assert len(set(done.text.splitlines())) == reachable + 1
    done = client("sample", acme / "acme.ternary", "--unique", "-n", reachable + 1)
    assert (done.status, done.out) == (1, b"")
    assert done.err == (
        f"error: {reachable + 1:,} different operations were asked for, "
        f"but the certified model reaches {reachable:,}\n"
    )


@pytest.mark.parametrize(
    ("license", "sentence"),
    [
        (None, "error: sample needs a license and none was given; pass license= or '--license FILE'\n"),
        ("expired", "error: license expired expired on 2026-02-01 00:00:00 UTC (now "),
        ("other", "error: license other is for zeta from 1.0.0 below 2.0.0, not for acme 1.0.0 (sha256 "),
        ("newer", "error: license newer is for acme from 2.0.0 below 3.0.0, not for acme 1.0.0 (sha256 "),
        ("decoder", "error: license decoder allows decode, not sample; ask Acme Logic to add it\n"),
        (
            "small",
            "error: license small allows 100 different operations; 0 are drawn and this call would draw 101",
        ),
    ],
)
def test_what_a_license_does_not_allow_is_one_sentence(client, acme, license, sentence):
    done = client("sample", acme / "acme.ternary", "--unique", "-n", 101, license=license)
    assert (done.status, done.out) == (1, b"")
    assert done.err.startswith(sentence)
    assert done.err.count("\n") == 1


def test_a_license_for_another_machine_is_refused(client, acme):
    done = client("sample", acme / "acme.ternary", "--machine-id", "rack 7", license="elsewhere")
    assert (done.status, done.out) == (1, b"")
    assert done.err.startswith(f"error: license elsewhere is for machine m-{'0' * 32}, this machine is x-")


def test_an_altered_license_is_refused(client, acme):
    token = bytearray((acme / "acme.license").read_bytes())
    token[len(token) // 2] ^= 1
    (acme / "altered.license").write_bytes(token)
    done = client("sample", acme / "acme.ternary", license="altered")
    assert (done.status, done.out) == (1, b"")
    assert done.err.startswith(f"error: {acme / 'altered.license'}: license: ")


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "empty, expected a license"),
        (b"license", "license: 1 part between dots, expected the 3 of a compact JWS"),
        ("acme.trust", "this is a trust file, expected a license"),
        ("acme.ternary", "this is a package, expected a license"),
    ],
)
@pytest.mark.parametrize("command", ["sample", "use", "show"])
def test_what_is_no_license_is_refused_by_its_name(client, acme, command, data, sentence):
    file = acme / "false.license"
    file.write_bytes((acme / data).read_bytes() if isinstance(data, str) else data)
    words = ["license", "show", file] if command == "show" else [command, acme / "acme.ternary"]
    done = client(*words, license=None if command == "show" else "false")
    assert (done.status, done.out) == (1, b"")
    assert done.err == f"error: {file}: {sentence}\n"


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "empty, expected a trust file"),
        (b"nothing", "trust file: not JSON at byte 0"),
        ("acme.license", "this is a license, expected a trust file"),
        ("acme.ternary", "this is a package, expected a trust file"),
    ],
)
def test_what_is_no_trust_file_is_refused_by_its_name(ternary, acme, data, sentence):
    file = acme / "false.trust"
    file.write_bytes((acme / data).read_bytes() if isinstance(data, str) else data)
    done = ternary("verify", acme / "acme.ternary", "--trust", file)
    assert (done.status, done.out, done.err) == (1, b"", f"error: {file}: {sentence}\n")


def test_a_quota_is_counted_across_commands_and_refused_whole(client, acme):
    package = acme / "acme.ternary"
    assert client("sample", package, "--unique", "-n", 60, "--seed", 1, license="small").status == 0
    assert client("sample", package, "--unique", "-n", 60, "--seed", 1, license="small").status == 0
    done = client("sample", package, "--unique", "-n", 101, "--seed", 1, license="small")
    assert (done.status, done.out) == (1, b"")
    shown = json.loads(client("license", "show", acme / "small.license", "--json", license=None).text)
    assert (shown["drawn"], shown["unique_operations"]) == (60, 100)


def test_a_package_of_another_vendor_is_refused(client, acme, tmp_path):
    stranger = keyring.create(tmp_path / "stranger", "Stranger", NOW)
    (acme / "acme.trust").write_bytes(stranger.trust.data)
    done = client("verify", acme / "acme.ternary", license=None)
    assert (done.status, done.out) == (1, b"")
    assert done.err.startswith(f"error: {acme / 'acme.ternary'}: key ")


def test_a_truncated_package_is_refused_by_its_name(client, acme, shipped):
    (acme / "cut.ternary").write_bytes(shipped[:100_000])
    for command in ("verify", "info", "sample"):
        done = client(command, acme / "cut.ternary", license=None)
        assert (done.status, done.out) == (1, b"")
        assert done.err.startswith(f"error: {acme / 'cut.ternary'}: package: ")
        assert done.err.count("\n") == 1


@pytest.mark.parametrize("command", ["verify", "info", "sample"])
def test_a_package_that_is_not_there_is_one_sentence(client, command):
    done = client(command, "missing.ternary", license=None)
    assert (done.status, done.out, done.err) == (
        1,
        b"",
        "error: missing.ternary: no such file or directory\n",
    )


def test_a_package_without_a_trust_file_is_refused(ternary, acme):
    done = ternary("verify", acme / "acme.ternary")
    assert (done.status, done.err) == (
        1,
        "error: no trust file: add --trust T, or pin one with 'ternary use'\n",
    )


def test_verify_says_what_was_proved(client, acme, vendor, shipped):
    done = client("verify", acme / "acme.ternary", license=None)
    package = Package.read(shipped, vendor.trust)
    assert (done.status, done.err) == (0, "")
    assert done.text.splitlines() == [
        f"acme-1.0.0 is what Acme Logic signed (root {vendor.trust.root.kid})",
        f"sha256 {package.identity.digest}",
        "two-input ternary operations (ternary-2-input), 16 latent dimensions, paths A, B",
        *(
            f"path {path}: {len(package.coverage(path).reachable.operations):,} "
            "reachable operations proved on this machine"
            for path in "AB"
        ),
        "not proved: the certified draws; add --replay",
    ]
    proof = ("verify", acme / "acme.ternary", "--json")
    assert json.loads(client(*proof, license=None).text)["not_proved"] == [
        "the certified draws; add --replay"
    ]
    assert json.loads(client(*proof, "--replay", license=None).text)["not_proved"] == []


def test_info_states_coverage_beside_perfect_draws(client, acme, vendor, shipped):
    info = json.loads(client("info", acme / "acme.ternary", "--json", license=None).text)
    claim = Package.read(shipped, vendor.trust).certificate.paths[0].at(50_000)
    assert info["paths"]["A"]["prior"][1] == {
        "draws": 50_000,
        "operations": claim.operations,
        "percent": f"{claim.operations * 10_000 // 19_683 / 100:.2f}",
        "perfect_percent": "92.116",
        "perfect_deviation_percent": "0.170",
    }
    assert (info["bytes"], info["vendor"]) == (len(shipped), "Acme Logic")
    *_, header, _, _, perfect = client("info", acme / "acme.ternary", license=None).text.splitlines()
    assert perfect.startswith("perfect draws, on average ")
    assert perfect.endswith("39.834 ± 0.168 % 92.116 ± 0.170 % 99.995 ± 0.005 %")
    assert len(perfect) == len(header)


def test_info_states_margins_near_ties_and_the_streams_of_the_draws(client, acme, vendor, shipped):
    shown = client("info", acme / "acme.ternary", license=None).text.splitlines()
    a, b = Package.read(shipped, vendor.trust).certificate.paths
    streams = (f"{claim.path}: {claim.stream.generator}, seed 0x{claim.seed:016x}" for claim in (a, b))
    assert shown[6:8] == [
        f"margins     A: {a.reachable.smallest_margin} or more, {len(a.near_ties):,} near ties; "
        f"B: {b.reachable.smallest_margin} or more, {len(b.near_ties):,} near ties",
        f"streams     {'; '.join(streams)}",
    ]


def test_a_license_is_explained(client, acme):
    done = client("license", "show", acme / "expired.license", license=None)
    assert done.status == 0
    lines = dict(line.split("  ", 1) for line in done.text.splitlines())
    assert lines["license"].strip() == "expired, issued by Acme Logic to Initech"
    assert lines["until"].strip() == "2026-02-01T00:00:00Z"
    assert lines["state"].strip().startswith("EXPIRED: license expired expired on 2026-02-01")


def test_pins_stand_in_for_options(ternary, client, acme, vendor):
    pinned = client("use", acme / "acme.ternary")
    assert pinned.status == 0
    assert vendor.trust.root.kid in pinned.text
    assert (
        ternary("sample", "-n", 5, "--seed", 7).out
        == client("sample", acme / "acme.ternary", "-n", 5, "--seed", 7).out
    )
    assert ternary("use", "--json").status == 0
    done = ternary("use", "--evaluation")
    sentence = "pins forgotten; without options, commands work with the SDK's evaluation package\n"
    assert (done.status, done.out, done.err) == (0, b"", sentence)
    assert json.loads(ternary("use", "--json").text) == {"package": None}


def test_pins_are_of_the_files_that_links_lead_to(ternary, acme):
    for kind in ("ternary", "license", "trust"):
        (acme / f"link.{kind}").symlink_to(acme / f"acme.{kind}")
    files = ["--license", acme / "link.license", "--trust", acme / "link.trust"]
    pinned = json.loads(ternary("use", acme / "link.ternary", *files, "--json").text)
    found = {kind: pinned[kind] for kind in ("package", "license", "trust")}
    assert found == {
        "package": str((acme / "acme.ternary").resolve()),
        "license": str((acme / "acme.license").resolve()),
        "trust": str((acme / "acme.trust").resolve()),
    }


def test_a_dash_is_standard_output_and_one_row_is_singular(client, acme, monkeypatch):
    monkeypatch.chdir(acme)
    done = client("sample", acme / "acme.ternary", "-n", 1, "--seed", 7, "--out", "-")
    assert (done.status, len(done.text.splitlines())) == (0, 2)
    assert done.err.startswith("1 row, path ")
    assert not (acme / "-").exists()


def test_a_pinned_trust_file_with_another_root_is_refused(ternary, client, acme, tmp_path):
    client("use", acme / "acme.ternary")
    stranger = keyring.create(tmp_path / "stranger", "Stranger", NOW)
    (acme / "acme.trust").write_bytes(stranger.trust.data)
    done = ternary("sample")
    assert (done.status, done.out) == (1, b"")
    assert done.err.startswith(
        f"error: {acme / 'acme.trust'}: its root is {stranger.trust.root.kid}, 'ternary use' pinned "
    )


@pytest.mark.parametrize("license", ["expired", "other", "newer"])
def test_nothing_is_pinned_that_would_be_refused_in_use(ternary, client, acme, license):
    done = client("use", acme / "acme.ternary", license=license)
    assert (done.status, done.out) == (1, b"")
    assert done.err.startswith(f"error: license {license} ")
    assert json.loads(ternary("use", "--json").text) == {"package": None}


def test_pinning_takes_all_three(ternary, acme):
    done = ternary("use", acme / "acme.ternary")
    assert (done.status, done.err) == (
        1,
        "error: pinning takes all three: ternary use FILE --license L --trust T\n",
    )


def test_damaged_pins_are_refused_with_the_way_out(ternary, client, acme, tmp_path):
    client("use", acme / "acme.ternary")
    (pins,) = tmp_path.rglob("pins.json")
    pins.write_bytes(b"{")
    done = ternary("sample")
    assert done.status == 1
    assert done.err.startswith(f"error: {pins}: pins: not JSON")
    assert ternary("use", "--evaluation").status == 0


@pytest.mark.parametrize("command", ["encode", "decode"])
@pytest.mark.parametrize(
    "data",
    [
        b"\n",
        b"\x00",
        b"\xff\xfe",
        b"nothing",
        b"1,2,3",
        b"[[]]",
        b"{}",
        b"\x93NUMPY",
        npy(np.zeros((3, 4))),
        npy(np.array(1.5)),
    ],
)
def test_rows_that_are_none_are_one_sentence(client, acme, command, data):
    done = client(command, "--package", acme / "acme.ternary", stdin=data)
    assert (done.status, done.out) == (1, b"")
    assert done.err.startswith("error: standard input: ")
    assert done.err.count("\n") == 1


def test_a_decoded_operation_counts_for_the_quota(client, acme):
    drawn = client("sample", acme / "acme.ternary", "--latents", "-n", 2000, "--seed", 7)
    done = client("decode", "--package", acme / "acme.ternary", stdin=drawn.out, license="small")
    assert (done.status, done.out) == (1, b"")
    assert done.err.startswith(
        "error: license small allows 100 different operations; 0 are drawn and this call "
    )


def test_encode_gives_posterior_means(client, acme):
    from ternary_sdk import Model

    done = client("encode", "--package", acme / "acme.ternary", stdin=npy(TERNARY_2.tables[:40]))
    with Model.open(acme / "acme.ternary", license=acme / "acme.license", trust=acme / "acme.trust") as model:
        means = model.encode(TERNARY_2.tables[:40])
    rows = np.array([line.split(",") for line in done.text.splitlines()[1:]], dtype=np.float32)
    assert rows.tobytes() == means.tobytes()


def shell(line, folder):
    """A line of a user's shell, in a process of its own."""
    bin = f"{sys.prefix}/bin"
    return subprocess.run(
        ["bash", "-c", line],
        cwd=folder,
        env={"PATH": f"{bin}:/usr/bin:/bin", "HOME": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )


OPTIONS = "acme.ternary --license acme.license --trust acme.trust"


def test_a_reader_that_leaves_early_is_not_an_error_anyone_reads(acme):
    done = shell(f"ternary sample {OPTIONS} -n 200000 --seed 7 --format csv | head -n 1", acme)
    assert done.stdout == HEADER + "\n"
    assert "Traceback" not in done.stderr
    assert "Exception" not in done.stderr


def test_a_full_disk_and_closed_streams_are_no_tracebacks(acme):
    full = shell(f"ternary sample {OPTIONS} > /dev/full", acme)
    assert full.stderr.splitlines()[0] == "error: standard output: no space left on device"
    closed = shell(f"ternary sample {OPTIONS} >&- <&-", acme)
    assert "Traceback" not in closed.stderr


def test_a_file_is_written_whole_or_not_at_all(acme):
    (acme / "rows.csv").write_text("before")
    shutil.copy(acme / "expired.license", acme / "acme.license")
    done = shell(f"ternary sample {OPTIONS} --out rows.csv", acme)
    assert done.returncode == 1
    assert (acme / "rows.csv").read_text() == "before"
    assert sorted(path.name for path in acme.iterdir() if path.name.startswith(".rows")) == []


def test_a_draw_is_written_in_memory_that_does_not_grow_with_it(acme):
    """Five times as many rows, with their latents: 280 megabytes more where all are kept."""
    peak = "import resource; print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"

    def kilobytes(rows):
        words = f"ternary sample {OPTIONS} -n {rows} --latents --out r{rows}.csv"
        script = f"import subprocess; subprocess.run('{words}'"
        return int(shell(f'python -c "{script}.split(), check=True); {peak}"', acme).stdout)

    assert kilobytes(100_000) - kilobytes(20_000) < 30_000


def killed(acme, command, number):
    """A command that was sent a signal as soon as it had begun to write ``rows.csv``."""
    process = subprocess.Popen(
        [f"{sys.prefix}/bin/ternary", *command.split()],
        cwd=acme,
        env={"HOME": str(acme)},
        stderr=subprocess.DEVNULL,
    )
    while process.poll() is None and not list(acme.glob(".rows.csv.*")):
        pass
    process.send_signal(number)
    return process.wait()


def test_a_killed_draw_leaves_no_half_file(acme):
    command = f"sample {OPTIONS} -n 10000000 --out rows.csv"
    assert killed(acme, command, signal.SIGTERM) == 128 + signal.SIGTERM
    assert list(acme.glob("*rows.csv*")) == []
    assert killed(acme, command, signal.SIGKILL) == -signal.SIGKILL
    assert not (acme / "rows.csv").exists()


def test_a_draw_that_the_quota_refuses_leaves_no_file_and_counts_nothing(client, acme):
    done = client(
        *("sample", acme / "acme.ternary", "-n", 100_000, "--seed", 7, "--out", acme / "rows.csv"),
        license="small",
    )
    assert (done.status, done.out) == (1, b"")
    assert done.err.startswith(
        "error: license small allows 100 different operations; 0 are drawn and this call would draw "
    )
    assert list(acme.glob("*rows.csv*")) == []
    shown = json.loads(client("license", "show", acme / "small.license", "--json", license=None).text)
    assert shown["drawn"] == 0


def test_the_set_that_is_said_is_of_all_parts(client, acme):
    from ternary_sdk import Model

    done = client("sample", acme / "acme.ternary", "-n", 40_000, "--seed", 7, "--path", "A")
    with Model.open(acme / "acme.ternary", license=acme / "acme.license", trust=acme / "acme.trust") as model:
        draw = model.sample(40_000, seed=7, path="A")
    assert done.err == f"40,000 rows, path A, seed 7, set {draw.digest}\n"
    assert np.array_equal(read_operations(done.out, "rows"), draw.operations)
