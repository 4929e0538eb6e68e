"""``ternary verify --evidence``: each check with its result, also where a package is refused."""

import hashlib
import json
from dataclasses import replace

import numpy as np
import pytest
from tests.builds import built
from tests.networks import untrained_of

from ternary_export.graph import encoder_graph
from ternary_export.packaging import package
from ternary_sdk._internal.packages.verification import Result, Verification
from ternary_sdk._internal.trust.trust import Role
from ternary_sdk.signature import Signature
from ternary_sdk.space import Space

ENDED = "not known: the verification ended before it was checked"
QUATERNARY = Signature(Space(4, 2), 16, ("A",))


@pytest.fixture(scope="module")
def vast_package(vendor):
    return package(
        built(QUATERNARY, untrained_of(QUATERNARY)), name="quaternary", version=(1, 0, 0),
        signer=vendor.signer(Role.PACKAGE),
    )  # fmt: skip


@pytest.fixture
def verify(ternary, vendor, tmp_path):
    """Verify a package's bytes with evidence; the command's end, and the evidence as it reads back."""

    def run(data, *words):
        (tmp_path / "model.ternary").write_bytes(data)
        (tmp_path / "acme.trust").write_bytes(vendor.trust.data)
        done = ternary(
            "verify", tmp_path / "model.ternary", "--trust", tmp_path / "acme.trust",
            "--evidence", tmp_path / "evidence.json", *words,
        )  # fmt: skip
        return done, Verification.read((tmp_path / "evidence.json").read_bytes())

    return run


def results(evidence):
    return [(check.name, check.path, str(check.basis), str(check.result)) for check in evidence.checks]


def test_evidence_of_a_vast_package_says_what_was_computed_and_what_is_the_vendors_word(
    verify, vast_package, vendor
):
    done, evidence = verify(vast_package, "--replay", "--blocks", 1, "--recount", 5000, "--seed", 7)
    assert done.status == 0
    assert results(evidence) == [
        ("package", None, "signature", "passed"),
        ("reachable", "A", "recomputed", "passed"),
        ("draws", "A", "recomputed", "passed"),
        ("counts", "A", "recomputed", "unknown"),
        ("recount", "A", "recomputed", "passed"),
    ]
    assert [check.detail for check in evidence.checks[1:]] == [
        "path A: 2,048 uniform operations and 2,048 draws, chosen at random, proved on this machine",
        "path A: 1 block of draws replayed, draws are (counts are not proved by draws) as certified",
        "not proved: how many different operations the certified draws hold, which is the vendor's word; "
        "count draws of your own with --recount N",
        "5,000 draws counted here",
    ]
    assert evidence.file == hashlib.sha256(vast_package).hexdigest()
    assert (evidence.size, evidence.vendor) == (len(vast_package), "Acme Logic")
    assert (evidence.root, evidence.key_set) == (vendor.trust.root.kid, 1)
    assert (evidence.verifier["ternary-cli"], "onnxruntime" in evidence.verifier) == ("0.1.0", True)
    subject, recount = evidence.subject, evidence.recount
    assert (subject.label, subject.space, subject.latent_size) == ("quaternary-1.0.0", QUATERNARY.space, 16)
    assert sorted(subject.graphs) == ["decoder_A.onnx", "encoder_A.onnx"]
    kid = vendor.signer(Role.PACKAGE).kid
    assert subject.signatures == {"coverage.json": kid, "model.sig": kid}
    assert (recount.path, recount.seed, recount.evenness.draws, recount.tried[0]) == ("A", 7, 5000, 5000)


def test_lines_of_a_vast_package_tell_a_recount_from_what_is_certified(verify, vast_package):
    done, evidence = verify(vast_package, "--recount", 5000, "--seed", 7)
    facts, tried = evidence.recount.evenness, evidence.recount.tried
    average = f"{facts.perfect_distinct:,} and {facts.clear - facts.perfect_distinct:,}"
    lines = done.text.splitlines()
    assert lines[3:6] == [
        "path A: 2,048 uniform operations and 2,048 draws, chosen at random, proved on this machine",
        "path A: recounted here: 5,000 draws with seed 0x0000000000000007, "
        f"{facts.near_ties:,} near ties left out",
        f"path A: recounted here: {facts.distinct:,} different operations, "
        f"{facts.clear - facts.distinct:,} repeats (perfect draws, on average {average})",
    ]
    assert lines[6].startswith(
        f"path A: recounted here: effective number {facts.effective_number:,} or more, "
    )
    left_out = f"{100 * float(facts.near_tie_share_at_most):.7f}"
    assert lines[6].endswith(f" % of the space, of its clear draws; at most {left_out} % are left out")
    assert lines[8].startswith(
        f"path A: recounted here: 5,000 uniform operations, {tried[1]:,} without a witness; "
    )
    assert lines[-3:] == [
        "path A: recounted here: each bound is wrong with a probability of 0.000001 at most",
        "not proved: the certified draws; add --replay",
        "not proved: how many different operations the certified draws hold, which is the vendor's word; "
        "count draws of your own with --recount N",
    ]


def test_evidence_of_a_listed_package_that_was_replayed_has_its_counts(verify, shipped):
    done, evidence = verify(shipped, "--replay")
    assert done.status == 0
    assert [check.result for check in evidence.checks] == [Result.PASSED] * 7
    assert [(check.name, check.path) for check in evidence.checks[1:]] == [
        (name, path) for path in "AB" for name in ("reachable", "draws", "counts")
    ]
    assert evidence.recount is None


def test_evidence_of_a_package_that_is_refused_says_so_and_the_rest_is_unknown(verify, shipped):
    done, evidence = verify(shipped[:-1])
    assert done.status == 1
    assert results(evidence) == [
        ("package", None, "signature", "failed"),
        *((name, None, "recomputed", "unknown") for name in ("reachable", "draws", "counts")),
    ]
    assert f"error: {evidence.checks[0].detail}" in done.err
    assert evidence.checks[1].detail == ENDED
    assert (evidence.subject, evidence.recount) == (None, None)


def test_evidence_of_a_model_that_does_otherwise_names_the_path(verify, build, forge):
    paths = build.certificate.paths
    lies = replace(paths[1], reachable=replace(paths[1].reachable, smallest_margin="9.0000"))
    certificate = replace(build.certificate, paths=(paths[0], lies))
    done, evidence = verify(forge(replace(build, certificate=certificate)))
    assert done.status == 1
    failed = [(check.name, check.path) for check in evidence.checks if check.result is Result.FAILED]
    assert failed == [("reachable", "B")]
    assert evidence.checks[0].result is Result.PASSED


def test_evidence_names_the_path_of_a_refusal_that_does_not(verify, build, forge, untrained):
    """A posterior mean that is not finite is told of an encoder's file."""
    state = {name: np.float32(1e30) * values for name, values in untrained(1).items()}
    encoder = encoder_graph(state, "B")
    subjects = build.certificate.subjects | {"encoder_B.onnx": hashlib.sha256(encoder).hexdigest()}
    certificate = replace(build.certificate, subjects=subjects)
    forged = replace(build, certificate=certificate, graphs={**build.graphs, "encoder_B.onnx": encoder})
    done, evidence = verify(forge(forged), "--recount", 100)
    assert done.status == 1
    assert "encoder_B.onnx: the posterior mean of operation " in done.err
    found = {(check.name, check.path): (str(check.result), check.detail) for check in evidence.checks}
    assert found.pop(("package", None))[0] == "passed"
    result, detail = found.pop(("reachable", "B"))
    assert (result, f"error: {detail}") == ("failed", done.err.splitlines()[-1])
    assert ("recount", build.certificate.best_path.path) in found
    assert set(found.values()) == {("unknown", ENDED)}


def test_evidence_of_a_recount_that_fails_says_so(verify, vast_package, tmp_path):
    (tmp_path / "file").write_bytes(b"")
    done, evidence = verify(vast_package, "--recount", 100, "--folder", tmp_path / "file")
    assert done.status == 1
    assert results(evidence)[1:] == [
        ("reachable", "A", "recomputed", "passed"),
        ("draws", "A", "recomputed", "unknown"),
        ("counts", "A", "recomputed", "unknown"),
        ("recount", "A", "recomputed", "failed"),
    ]
    assert [check.detail for check in evidence.checks[2:]] == [
        "not asked for; add --replay", "not asked for; add --replay",
        f"{tmp_path / 'file'}: cannot be used (File exists)",
    ]  # fmt: skip
    assert evidence.recount is None


def test_evidence_of_a_recount_that_was_not_reached_leaves_it_open(verify, shipped):
    done, evidence = verify(shipped[:-1], "--recount", 100)
    assert done.status == 1
    assert results(evidence)[-1] == ("recount", None, "recomputed", "unknown")
    assert evidence.checks[-1].detail == ENDED


def test_evidence_of_a_recount_of_no_path_says_so(verify, vast_package):
    done, evidence = verify(vast_package, "--recount", 100, "--path", "Q")
    assert done.status == 1
    assert results(evidence)[-1] == ("recount", None, "recomputed", "failed")
    assert evidence.checks[-1].detail == "--path: 'Q', expected A"


def test_evidence_of_a_replay_that_fails_says_nothing_of_what_follows(verify, build, forge):
    """All was asked for, and what was not reached is not told as not asked for."""
    first, *others = build.certificate.paths
    prior = (replace(first.prior[0], operations=first.prior[0].operations + 1), *first.prior[1:])
    certificate = replace(build.certificate, paths=(replace(first, prior=prior), *others))
    _, evidence = verify(forge(replace(build, certificate=certificate)), "--replay")
    found = {(check.name, check.path): (str(check.result), check.detail) for check in evidence.checks}
    assert found["draws", "A"][0] == "failed"
    assert {found[left] for left in (("counts", "A"), ("draws", "B"), ("counts", "B"))} == {
        ("unknown", ENDED)
    }


def test_evidence_of_an_encrypted_package_leaves_open_what_its_license_would_show(verify, build, vendor):
    locked = package(
        build, name="locked", version=(1, 0, 0), signer=vendor.signer(Role.PACKAGE), content_key=bytes(32)
    )
    done, evidence = verify(locked)
    assert done.status == 0
    assert {check.result for check in evidence.checks[1:]} == {Result.UNKNOWN}
    assert evidence.checks[1].detail == (
        "signed; not re-proved: its graphs are encrypted, and only its license has the key"
    )


def test_blocks_belong_to_a_replay_of_a_vast_space(ternary):
    done = ternary("verify", "--blocks", 1)
    assert (done.status, done.err) == (1, "error: --blocks: belongs to a replay; add --replay\n")
    done = ternary("verify", "--replay", "--blocks", 1)
    assert done.status == 1
    assert "blocks: 1 of the listed space 3,2, which is replayed whole" in done.err


def test_evidence_that_cannot_be_written_is_refused(ternary, tmp_path):
    done = ternary("verify", "--evidence", tmp_path / "no" / "evidence.json")
    assert done.status == 1
    assert "evidence.json: no such file or directory" in done.err


def test_a_whole_replay_of_a_vast_package_counts_too(verify, vast_package):
    done, evidence = verify(vast_package, "--replay")
    assert [str(check.result) for check in evidence.checks] == ["passed"] * 4
    assert "path A: 2 blocks of draws replayed, draws and counts are as certified" in done.text
    assert "not proved" not in done.text
    found = json.loads(evidence.to_bytes())
    assert found["recount"] is None
