import json
import subprocess
import sys
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path

import pytest

from ternary_export.packaging import package
from ternary_license_server.keys.issue import issue
from ternary_sdk._internal.packages import archive
from ternary_sdk._internal.packages.package import Package
from ternary_sdk._internal.trust.trust import Role

KEY = bytes(range(32))


@pytest.fixture
def files(shipped, vendor, tmp_path):
    """A vendor's package and what is in it, as files."""
    for name, data in archive.decode(shipped).items():
        (tmp_path / name).write_bytes(data)
    (tmp_path / "acme.ternary").write_bytes(shipped)
    (tmp_path / "acme.trust").write_bytes(vendor.trust.data)
    return tmp_path


@pytest.fixture
def certified(build):
    return {path.path: path for path in build.certificate.paths}


def drawn(claim):
    counts = ", ".join(f"{prior.operations:,} in {prior.draws:,}" for prior in claim.prior)
    return f"path {claim.path}: draws replayed, {counts}, as certified"


def test_replay_recomputes_every_path(ternary, files, certified):
    done = ternary("verify", files / "acme.ternary", "--trust", files / "acme.trust", "--replay")
    assert (done.status, done.err) == (0, "")
    assert done.text.splitlines()[-2:] == [drawn(certified["A"]), drawn(certified["B"])]


@pytest.fixture
def locked(build, vendor, files):
    """The same model encrypted, a license that has its key and one that has not."""
    signer = vendor.signer(Role.PACKAGE)
    data = package(build, name="locked", version=(1, 0, 0), signer=signer, content_key=KEY)
    (files / "locked.ternary").write_bytes(data)
    identity = Package.read(data, vendor.trust).identity
    now = datetime(2026, 1, 2, tzinfo=UTC)
    for name, keys in (("locked", {identity.digest: KEY}), ("keyless", None)):
        token = issue(
            vendor, package=identity, customer="Initech", now=now, license_id=name, content_keys=keys
        )
        (files / f"{name}.license").write_bytes(token)
    return ["verify", files / "locked.ternary", "--trust", files / "acme.trust"]


def test_an_encrypted_package_is_proved_and_replayed_with_its_license(ternary, files, locked, certified):
    done = ternary(*locked, "--license", files / "locked.license", "--replay")
    assert (done.status, done.err) == (0, "")
    assert done.text.splitlines()[3:] == [
        *(
            f"path {p}: {len(c.reachable.operations):,} reachable operations proved on this machine"
            for p, c in certified.items()
        ),
        *map(drawn, certified.values()),
    ]
    facts = json.loads(ternary(*locked, "--license", files / "locked.license", "--json").text)
    assert facts["proved_reachable"] == {p: len(c.reachable.operations) for p, c in certified.items()}


def test_without_its_license_an_encrypted_package_is_not_replayed(ternary, locked):
    done = ternary(*locked, "--replay")
    assert (done.status, done.out, done.err) == (
        1,
        b"",
        "error: locked-1.0.0: its graphs are encrypted, and --replay needs the license that has their key; "
        "add --license L\n",
    )


def test_without_its_license_an_encrypted_package_is_signed_but_not_proved(ternary, locked):
    done = ternary(*locked)
    assert (done.status, done.err) == (0, "")
    assert done.text.splitlines()[3:] == [
        "signed; not re-proved: its graphs are encrypted, and only its license has the key"
    ]
    facts = json.loads(ternary(*locked, "--json").text)
    assert (facts["proved_reachable"], facts["not_proved"]) == (None, done.text.splitlines()[3:])


def test_a_license_without_the_key_replays_nothing(ternary, files, locked):
    done = ternary(*locked, "--license", files / "keyless.license", "--replay")
    assert (done.status, done.out) == (1, b"")
    assert done.err.startswith("error: license keyless carries no key for locked 1.0.0 (sha256 ")


def test_a_pinned_license_is_not_asked_of_another_vendors_package(ternary, files, locked):
    """Pinned for one package, it would only be refused with another."""
    pinned = ("--license", files / "locked.license", "--trust", files / "acme.trust")
    assert ternary("use", files / "locked.ternary", *pinned).status == 0
    other = resources.files("ternary_sdk").joinpath("evaluation")
    done = ternary(
        *("verify", other.joinpath("evaluation.ternary"), "--trust", other.joinpath("evaluation.trust"))
    )
    assert (done.status, done.err) == (0, "")
    assert "reachable operations proved" in done.text
    assert "reachable operations proved" in ternary("verify").text
    assert "reachable operations proved" in ternary("verify", files / "locked.ternary").text


def test_a_certificate_is_verified_without_its_package(ternary, files, certified, vendor):
    graphs = ("--model", files / "decoder_A.onnx", "--encoder", files / "encoder_A.onnx")
    done = ternary("verify", files / "coverage.json", *graphs, "--trust", files / "acme.trust")
    assert (done.status, done.err) == (0, "")
    reached = len(certified["A"].reachable.operations)
    assert done.text.splitlines() == [
        f"{files / 'coverage.json'} is what Acme Logic signed (root {vendor.trust.root.kid})",
        "two-input ternary operations (ternary-2-input), 16 latent dimensions, paths A, B",
        f"{files / 'decoder_A.onnx'} is the decoder of path A",
        f"path A: {reached:,} reachable operations proved on this machine",
        drawn(certified["A"]),
        "not proved: path B: anything; name its decoder instead",
    ]


def test_without_the_encoder_it_says_what_was_not_proved(ternary, files, certified):
    words = ("verify", files / "coverage.json", "--model", files / "decoder_A.onnx")
    words += ("--trust", files / "acme.trust")
    claim = certified["A"]
    reached, decoded = len(claim.reachable.operations), len(claim.reachable.streamed)
    left = [
        f"path A: that {reached - decoded:,} operations are reachable, and the smallest margin; "
        "add --encoder ENCODER.onnx",
        "path B: anything; name its decoder instead",
    ]
    facts = json.loads(ternary(*words, "--json").text)
    assert (facts["verified"], facts["path"]) == (True, "A")
    assert (facts["witnesses_decoded"], facts["not_proved"]) == (decoded, left)
    assert ternary(*words).text.splitlines()[3:] == [
        f"path A: {decoded:,} of {reached:,} reachable operations proved on this machine",
        drawn(claim),
        *(f"not proved: {sentence}" for sentence in left),
    ]
    complete = ternary(*words, "--encoder", files / "encoder_A.onnx", "--json")
    assert json.loads(complete.text)["not_proved"] == left[1:]


@pytest.mark.parametrize("option", ["--model", "--encoder"])
def test_a_folder_with_a_graph_is_refused(ternary, files, option):
    done = ternary("verify", files, "--trust", files / "acme.trust", option, files / "decoder_A.onnx")
    sentence = f"error: {option}: of a folder only the signature is verified; leave it out\n"
    assert (done.status, done.out, done.err) == (1, b"", sentence)


@pytest.mark.parametrize(
    "words", [("--license", "nope"), ("--machine-id", "rack 7"), ("--replay",)], ids=lambda words: words[0]
)
def test_options_that_mean_nothing_without_a_package_are_refused(ternary, files, words):
    graph = ("--model", files / "decoder_A.onnx")
    done = ternary("verify", files / "coverage.json", *graph, "--trust", files / "acme.trust", *words)
    sentence = "a certificate needs no license and its draws are always replayed; leave it out"
    assert (done.status, done.out, done.err) == (1, b"", f"error: {words[0]}: {sentence}\n")
    done = ternary("verify", files, "--trust", files / "acme.trust", *words)
    sentence = "of a folder only the signature is verified; leave it out"
    assert (done.status, done.out, done.err) == (1, b"", f"error: {words[0]}: {sentence}\n")


def test_a_package_and_a_certificate_given_for_one_another_are_refused_with_the_right_command(ternary, files):
    package, certificate, trust = (files / name for name in ("acme.ternary", "coverage.json", "acme.trust"))
    done = ternary("verify", package, "--model", files / "decoder_A.onnx", "--trust", trust)
    assert (done.status, done.out, done.err) == (
        1,
        b"",
        f"error: {package}: this is a package, which needs no --model; run 'ternary verify {package}'\n",
    )
    for command in ("verify", "info", "sample"):
        done = ternary(command, certificate, "--trust", trust)
        assert (done.status, done.out, done.err) == (
            1,
            b"",
            f"error: {certificate}: this is a certificate; "
            f"run 'ternary verify {certificate} --model DECODER.onnx'\n",
        )


@pytest.mark.parametrize(("options", "wanted"), [((), "package"), (("--model", "x.onnx"), "certificate")])
def test_a_trust_file_is_neither_package_nor_certificate(ternary, files, options, wanted):
    done = ternary("verify", files / "acme.trust", *options, "--trust", files / "acme.trust")
    sentence = f"error: {files / 'acme.trust'}: this is a trust file, expected a {wanted}\n"
    assert (done.status, done.out, done.err) == (1, b"", sentence)


def test_an_encrypted_graph_is_told_from_another_model(ternary, files, locked):
    assert ternary("unpack", *locked[1:], "--out", files / "ciphertext").status == 0
    graph = files / "ciphertext" / "decoder_A.onnx"
    done = ternary("verify", files / "coverage.json", "--model", graph, "--trust", files / "acme.trust")
    assert (done.status, done.out, done.err) == (
        1,
        b"",
        f"error: {graph}: does not begin as an ONNX graph does; from an encrypted package it is ciphertext, "
        "which 'ternary verify FILE.ternary --license L' proves\n",
    )


def test_a_decoder_of_another_model_is_refused(ternary, files):
    decoder = ("--model", files / "encoder_A.onnx")
    done = ternary("verify", files / "coverage.json", *decoder, "--trust", files / "acme.trust")
    assert done.status == 1
    assert done.err.startswith("error: decoder: sha256 is ")


def test_a_certificate_without_a_decoder_is_refused(ternary, files):
    done = ternary("verify", files / "coverage.json", "--encoder", files / "encoder_A.onnx")
    assert (done.status, done.err) == (
        1,
        "error: a certificate is verified as: ternary verify CERTIFICATE --model DECODER.onnx\n",
    )


def test_unpacking_writes_what_was_verified(ternary, files, shipped):
    done = ternary("unpack", files / "acme.ternary", "--trust", files / "acme.trust", "--out", files / "out")
    assert (done.status, done.text) == (0, f"{files / 'out'}: 10 files of acme-1.0.0\n")
    found = {path.name: path.read_bytes() for path in (files / "out").iterdir()}
    assert found == archive.decode(shipped)


def test_the_stock_tool_verifies_what_the_command_unpacked(ternary, files, vendor, tmp_path):
    out = files / "out"
    assert (
        ternary("unpack", files / "acme.ternary", "--trust", files / "acme.trust", "--out", out).status == 0
    )
    (tmp_path / "key.pem").write_bytes(vendor.signer(Role.PACKAGE).public.to_pem())

    def stock():
        command = [Path(sys.executable).with_name("model_signing"), "verify", "key", out]
        options = ["--signature", out / "model.sig", "--public_key", tmp_path / "key.pem"]
        return subprocess.run([*command, *options], capture_output=True, text=True, check=False)

    done = stock()
    assert (done.returncode, done.stdout) == (0, "Verification succeeded\n"), done.stderr
    (out / "card.md").write_bytes((out / "card.md").read_bytes() + b" ")
    assert stock().returncode != 0


def test_unpacking_overwrites_nothing(ternary, files):
    done = ternary("unpack", files / "acme.ternary", "--trust", files / "acme.trust", "--out", files)
    assert (done.status, done.err) == (
        1,
        f"error: {files}: exists already, expected a folder that does not\n",
    )


@pytest.fixture
def unpacked(files, shipped):
    """The package's files alone in a folder."""
    folder = files / "acme"
    folder.mkdir()
    for name, data in archive.decode(shipped).items():
        (folder / name).write_bytes(data)
    return folder


NOTHING = "anything of the model; 'ternary verify FILE.ternary' proves a package's certificate"


def test_an_unpacked_package_is_verified_as_what_was_signed_and_no_more(ternary, files, unpacked, vendor):
    done = ternary("verify", unpacked, "--trust", files / "acme.trust")
    signed = [file for file in unpacked.iterdir() if file.name != "model.sig"]
    size, key = sum(file.stat().st_size for file in signed), vendor.signer(Role.PACKAGE).kid
    root = vendor.trust.root.kid
    assert (done.status, done.err) == (0, "")
    assert done.text.splitlines() == [
        f"{unpacked} is acme-1.0.0 as Acme Logic signed it (root {root})",
        f"{len(signed)} files, {size:,} bytes, verified with key {key}",
        f"not proved: {NOTHING}",
    ]
    assert json.loads(ternary("verify", unpacked, "--trust", files / "acme.trust", "--json").text) == {
        "verified": True,
        "model": "acme-1.0.0",
        "vendor": "Acme Logic",
        "root": root,
        "key": key,
        "files": len(signed),
        "bytes": size,
        "ignored": [],
        "not_proved": [NOTHING],
    }


def test_what_the_stock_tool_left_out_is_named(ternary, files, unpacked, vendor):
    (unpacked / ".gitignore").write_text("x")
    key = files / "key.pem"
    key.write_bytes(vendor.signer(Role.PACKAGE).to_pem())
    tool = Path(sys.executable).with_name("model_signing")
    options = ["--signature", unpacked / "model.sig", "--private_key", key, "--ignore-git-paths"]
    subprocess.run([tool, "sign", "key", unpacked, *options], check=True, capture_output=True)
    done = ternary("verify", unpacked, "--trust", files / "acme.trust")
    assert (done.status, done.err) == (0, "")
    assert done.text.splitlines()[2:] == [
        "not covered by the signature: .gitignore",
        f"not proved: {NOTHING}",
    ]


def test_a_folder_that_is_not_what_was_signed_is_refused_by_its_name(ternary, files, unpacked):
    def refused():
        done = ternary("verify", unpacked, "--trust", files / "acme.trust")
        assert (done.status, done.out) == (1, b"")
        return done.err

    (unpacked / "more.txt").write_text("x")
    assert refused() == f"error: {unpacked}: model.sig: does not cover 'more.txt'\n"
    (unpacked / "more.txt").unlink()
    (unpacked / "card.md").unlink()
    assert refused() == f"error: {unpacked}: model.sig: covers 'card.md', which is not there\n"
    (unpacked / "model.sig").unlink()
    assert refused() == f"error: {unpacked / 'model.sig'}: cannot be read (No such file or directory)\n"


def test_a_folder_without_a_trust_file_is_refused(ternary, unpacked):
    done = ternary("verify", unpacked)
    sentence = "error: no trust file: add --trust T, or pin one with 'ternary use'\n"
    assert (done.status, done.out, done.err) == (1, b"", sentence)
