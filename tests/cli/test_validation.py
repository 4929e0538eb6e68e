"""``ternary validate``, ``report`` and ``atlas`` as their users run them."""

import dataclasses
import json
import re
import shutil
import sys
from datetime import UTC, datetime

import numpy as np
import pytest

from ternary_export.packaging import package
from ternary_license_server.keys.issue import issue
from ternary_sdk._internal.packages.package import Package
from ternary_sdk._internal.packages.validation import CheckResult, Ending, Figure, Relation, Validation
from ternary_sdk._internal.trust.trust import Role
from ternary_sdk._internal.wheels import pip_install
from ternary_sdk.errors import InputError
from ternary_sdk.model import Model
from ternary_trainer import checkpoint, recipe
from ternary_trainer.model import initial
from ternary_trainer.train import train
from ternary_trainer.validation.checks import CHECKS


@pytest.fixture(scope="module")
def poor(tmp_path_factory):
    """An untrained model in a v5.5 file."""
    file = tmp_path_factory.mktemp("poor") / "poor.pt"
    checkpoint.save(file, state=initial(1).state_dict(), epoch=0)
    return file


def test_a_failed_check_is_told_and_ends_with_status_1(ternary, poor):
    done = ternary("validate", poor, "--checks", "latent-spectrum,annealing")
    assert done.status == 1
    first, reason, *rest = done.text.splitlines()
    assert first == "latent-spectrum         failed"
    assert reason.strip().startswith("least variance on path A is ")
    assert rest == [
        "annealing               not applicable",
        "                        A checkpoint without its run carries no history of its training.",
        "",
        "poor.pt: not sound; 0 of 2 checks passed; failed: latent-spectrum; 1 not applicable",
    ]


def test_the_verdict_is_written_and_printed_as_one_document(ternary, poor, tmp_path):
    out = tmp_path / "validation.json"
    done = ternary("validate", poor, "--checks", "true-holdout", "--out", out, "--json")
    assert done.status == 1
    assert json.loads(done.out)["format"] == "ternary-validation/1"
    assert Validation.read(out.read_bytes()).named(Ending.FAILED) == ("true-holdout",)


def test_a_check_that_does_not_exist_is_refused(ternary, poor):
    done = ternary("validate", poor, "--checks", "coverage")
    assert done.status == 1
    assert done.err.startswith("error: check 'coverage': there is none, expected one of latent-spectrum, ")


def test_studies_of_what_cannot_be_trained_again_are_refused(ternary, poor, tmp_path):
    done = ternary("validate", poor, "--studies", tmp_path)
    assert done.err == f"error: --studies: {poor} is no run, and only a run says how to train it again\n"


@pytest.fixture
def locked(tmp_path, build, vendor):
    """An encrypted package with its license and trust file, as words of a command."""
    key = bytes(range(32))
    data = package(
        build, name="locked", version=(1, 0, 0), signer=vendor.signer(Role.PACKAGE), content_key=key
    )
    identity = Package.read(data, vendor.trust).identity
    granted = issue(
        vendor,
        package=identity,
        now=datetime.now(UTC),
        customer="Initech",
        content_keys={identity.digest: key},
    )
    for name, content in (("ternary", data), ("license", granted), ("trust", vendor.trust.data)):
        (tmp_path / f"locked.{name}").write_bytes(content)
    return tmp_path / "locked.ternary", "--trust", tmp_path / "locked.trust"


def test_an_encrypted_package_is_validated_under_its_license(ternary, tmp_path, locked, build, vendor):
    (tmp_path / "open.ternary").write_bytes(packaged(build, vendor, None))
    words = "--checks", "true-holdout", "--json"
    licensed = ternary("validate", *locked, "--license", tmp_path / "locked.license", *words)
    plain = ternary("validate", tmp_path / "open.ternary", *locked[1:], *words)
    assert (licensed.err, plain.err) == ("checking true-holdout\n", "checking true-holdout\n")
    found = json.loads(licensed.out)
    assert found["subject"]["sha256"] == Package.read(locked[0].read_bytes(), vendor.trust).identity.digest
    assert found["checks"] == json.loads(plain.out)["checks"]


def test_an_encrypted_package_without_its_license_is_refused(ternary, locked):
    done = ternary("validate", *locked, "--checks", "true-holdout")
    assert (done.status, done.out) == (1, b"")
    assert done.err == (
        "error: locked-1.0.0 is encrypted and only its license has the key; "
        "pass license= or '--license FILE'\n"
    )


@pytest.mark.parametrize("module", ["matplotlib", "fpdf", "jinja2"])
def test_a_report_without_the_extra_is_refused_before_anything_is_checked(
    ternary, poor, tmp_path, monkeypatch, module
):
    monkeypatch.setitem(sys.modules, module, None)
    expected = f"error: {module} is not installed; run: {pip_install('ternary-trainer', 'report')}\n"
    for words in (("report", poor, "--out", tmp_path / "r"), ("validate", poor, "--report", tmp_path / "r")):
        done = ternary(*words)
        assert (done.status, done.out, done.err) == (1, b"", expected)
    assert not (tmp_path / "r").exists()


def test_checks_are_named_rightly_before_anything_is_trained(ternary, poor, tmp_path):
    done = ternary("validate", poor, "--studies", tmp_path, "--checks", "seed-variation")
    assert done.status == 1
    assert done.err.startswith(
        "error: check 'seed-variation': there is none, expected one of latent-spectrum, "
    )


def test_a_device_for_a_package_is_refused(ternary, tmp_path):
    file = tmp_path / "acme-1.0.0.ternary"
    done = ternary("validate", file, "--device", "cpu")
    assert (done.status, done.out) == (1, b"")
    assert (
        done.err == f"error: --device: {file} is a package, which computes on the processor; leave it out\n"
    )


def test_seeds_without_a_folder_for_their_trainings_are_refused(ternary, poor):
    done = ternary("validate", poor, "--seeds", 5)
    assert done.status == 1
    assert done.err == (
        "error: --seeds: is of retrainings, and there is no folder for them; add --studies DIR\n"
    )


def test_a_cluster_without_a_folder_for_its_trainings_is_refused(ternary, poor):
    done = ternary("validate", poor, "--cluster", "localhost:8786")
    assert done.status == 1
    assert done.err == (
        "error: --cluster: is for retrainings, and there is no folder for them; add --studies DIR\n"
    )


@pytest.mark.slow
def test_seeds_whose_runs_lie_in_the_folder_are_compared_and_nothing_is_trained(ternary, release, tmp_path):
    for seed, name in ((2, "second"), (3, "third")):
        shutil.copytree(release / "run", tmp_path / name)
        facts = json.loads((tmp_path / name / "run.json").read_text())
        (tmp_path / name / "run.json").write_text(json.dumps(facts | {"seed": seed}))
    words = "--checks", "seed-variance", "--studies", tmp_path, "--seeds", 3, "--json"
    done = ternary("validate", release / "run", *words)
    told = ["run: reused", "second: reused", "third: reused", "checking seed-variance"]
    assert done.err.splitlines() == told
    (check,) = json.loads(done.out)["checks"]
    spread = [figure["value"] for figure in check["figures"] if figure["name"] == "spread between seeds"]
    assert spread == ["0", "0"]


@pytest.mark.slow
def test_the_atlas_of_a_run_is_of_the_path_that_is_asked_for(ternary, release, tmp_path):
    done = ternary("atlas", release / "run", "--path", "A", "--out", tmp_path / "run.svg")
    words, file = done.text.splitlines()
    assert re.fullmatch(r"run, path A: [\d,]+ of 19,683 operations reachable, least margin [\d.]+", words)
    assert file == str(tmp_path / "run.svg")
    assert f'aria-label="{words}"' in (tmp_path / "run.svg").read_text()


@pytest.mark.slow
def test_the_atlas_of_a_run_is_by_default_of_the_path_that_covers_more(ternary, release, tmp_path):
    words = "atlas", release / "run", "--out", tmp_path / "run.svg"
    with Model.open(release / "acme-1.0.0.ternary", trust=release / "acme.trust") as model:
        best = model.default_path
    assert ternary(*words).text == ternary(*words, "--path", best).text
    assert ternary(*words).text.startswith(f"run, path {best}: ")


@pytest.mark.slow
@pytest.mark.parametrize("path", ["A", "B"])
def test_run_and_package_state_the_certificates_number_of_reachable_operations(
    ternary, release, tmp_path, path
):
    package = release / "acme-1.0.0.ternary", "--trust", release / "acme.trust"
    certified = json.loads(ternary("info", *package, "--json").out)["paths"][path]["reachable"]
    for source in ((release / "run",), package):
        drawn = ternary("atlas", *source, "--path", path, "--out", tmp_path / "atlas.svg", "--force").text
        assert f"path {path}: {certified:,} of 19,683 operations reachable, " in drawn
        out = tmp_path / "validation.json"
        ternary("validate", *source, "--checks", "hash-coverage", "--out", out)
        (check,) = Validation.read(out.read_bytes()).checks
        (share,) = [
            figure.value
            for figure in check.figures
            if (figure.name, figure.path) == ("reachable share", path)
        ]
        assert round(float(share) * 19_683) == certified


def found_of(snapshot):
    """A validation in which no check could be run."""
    skipped = (CheckResult(name=name, ending=Ending.NOT_RUN, reason="no time", figures=()) for name in CHECKS)
    return Validation(
        kind="checkpoint",
        digest=snapshot,
        made=datetime(2026, 3, 1, tzinfo=UTC),
        changed={},
        report=None,
        checks=tuple(skipped),
    )


def packaged(build, vendor, validation):
    return package(
        build, name="acme", version=(1, 0, 0), signer=vendor.signer(Role.PACKAGE), validation=validation
    )


def test_a_validation_of_another_snapshot_is_not_packaged(build, vendor):
    with pytest.raises(InputError) as refused:
        packaged(build, vendor, found_of("00" * 32))
    assert str(refused.value) == (
        f"validation.json: is of the checkpoint with sha256 {'00' * 32}, "
        f"the build was made from the snapshot {build.provenance.origin.file}"
    )


def test_a_validation_that_leaves_checks_out_is_not_packaged(build, vendor):
    found = found_of(build.provenance.origin.file)
    with pytest.raises(InputError) as refused:
        packaged(build, vendor, dataclasses.replace(found, checks=found.checks[2:]))
    first, second, *_ = CHECKS
    assert str(refused.value) == (
        f"validation.json: leaves out {first}, {second}; a package carries all checks or none"
    )


def test_a_package_carries_the_validation_of_its_own_snapshot_and_info_shows_it(
    ternary, tmp_path, build, vendor
):
    data = packaged(build, vendor, found_of(build.provenance.origin.file))
    (tmp_path / "acme.ternary").write_bytes(data)
    (tmp_path / "acme.trust").write_bytes(vendor.trust.data)
    words = ("info", tmp_path / "acme.ternary", "--trust", tmp_path / "acme.trust")
    shown = ternary(*words).text.splitlines()
    line = f"validation  the vendor says: 0 of {len(CHECKS)} checks passed; {len(CHECKS)} not run"
    assert f"{line} (2026-03-01T00:00:00Z)" in shown
    assert "report      none was written" in shown
    assert json.loads(ternary(*words, "--json").out)["validation"]["sound"] is False


def test_info_tells_the_coverage_that_was_found_and_the_reports_digest(ternary, tmp_path, build, vendor):
    figures = tuple(
        Figure(
            name=f"hash coverage at {draws} draws",
            path=path,
            value=value,
            low="0.918814",
            high="1",
            relation=Relation.AT_LEAST,
            bound="0.85",
        )
        for path, draws, value in (("A", "50,000", "0.919425"), ("A", "195,000", "0.999953"))
    )
    found = found_of(build.provenance.origin.file)
    covered = CheckResult(name="hash-coverage", ending=Ending.PASSED, reason="Good.", figures=figures)
    checks = tuple(covered if check.name == covered.name else check for check in found.checks)
    found = dataclasses.replace(found, checks=checks, report="ab" * 32)
    (tmp_path / "acme.ternary").write_bytes(packaged(build, vendor, found))
    (tmp_path / "acme.trust").write_bytes(vendor.trust.data)
    told = ternary("info", tmp_path / "acme.ternary", "--trust", tmp_path / "acme.trust").text.splitlines()
    line = f"validation  the vendor says: 1 of {len(CHECKS)} checks passed; {len(CHECKS) - 1} not run"
    start = told.index(f"{line} (2026-03-01T00:00:00Z)")
    assert told[start + 1 : start + 4] == [
        "found on A  91.94 % (95 % interval 91.88 to 100.00) at 50,000 draws (perfect draws, on average "
        "92.116 ± 0.170 %); 99.99 % (95 % interval 91.88 to 100.00) at 195,000 draws (perfect draws, on "
        "average 99.995 ± 0.005 %)",
        f"report      sha256 {'ab' * 32}",
        "",
    ]


def test_a_client_draws_the_atlas_of_the_evaluation_package(ternary, tmp_path):
    out = tmp_path / "atlas.svg"
    done = ternary("atlas", "--out", out)
    name, rest = done.text.splitlines()[0].split(": ")
    assert name.startswith("evaluation-")
    assert rest.startswith("19,683 of 19,683 operations reachable, least margin ")
    assert out.read_text().startswith("<svg ")
    assert ternary("atlas", "--out", tmp_path / "atlas.png").status == 0
    assert (tmp_path / "atlas.png").read_bytes().startswith(b"\x89PNG")


def test_the_atlas_shows_what_was_drawn_under_a_license_that_counts(ternary, tmp_path, vendor, shipped):
    files = {name: tmp_path / f"acme.{name}" for name in ("ternary", "license", "trust", "svg")}
    identity = Package.read(shipped, vendor.trust).identity
    counted = issue(
        vendor, package=identity, now=datetime.now(UTC), customer="Initech", unique_operations=100
    )
    for name, data in (("ternary", shipped), ("license", counted), ("trust", vendor.trust.data)):
        files[name].write_bytes(data)
    granted = "--license", files["license"], "--trust", files["trust"]
    assert ternary("sample", files["ternary"], *granted, "--unique", "-n", 40).status == 0
    done = ternary("atlas", files["ternary"], *granted, "--out", files["svg"])
    with Model.open(shipped, trust=vendor.trust.data) as model:
        reachable = len(model.reachable())
        assert np.count_nonzero(model.margins()) == reachable < 19_683
    assert f": {reachable:,} of 19,683 operations reachable, least margin 0.001, 40 drawn\n" in done.text
    assert f"not reachable: {19_683 - reachable:,}<" in files["svg"].read_text()
    assert "drawn so far: 40<" in files["svg"].read_text()


def test_a_model_without_a_meter_has_no_draws_to_show(vendor, shipped):
    with Model.open(shipped, trust=vendor.trust.data) as model, pytest.raises(InputError) as refused:
        model.drawn()
    expected = "model: nothing is counted, since it was opened without a license that has a quota"
    assert str(refused.value) == expected


def test_an_atlas_replaces_a_file_with_other_content_only_by_force(ternary, tmp_path):
    out = tmp_path / "atlas.svg"
    out.write_text("mine")
    done = ternary("atlas", "--out", out)
    assert (done.status, done.out) == (1, b"")
    expected = f"error: {out}: exists and differs; add --force to replace it, or name another file\n"
    assert done.err.endswith(expected)
    assert out.read_text() == "mine"
    assert ternary("atlas", "--out", out, "--force").status == 0
    drawn = out.read_text()
    assert drawn.startswith("<svg ")
    assert ternary("atlas", "--out", out).status == 0
    assert out.read_text() == drawn


def test_an_atlas_of_a_condition_says_how_many_of_its_operations_are_reachable(ternary, tmp_path):
    out = tmp_path / "atlas.svg"
    done = ternary("atlas", "--where", "commutative and balanced", "--out", out)
    assert done.text.splitlines()[1] == "commutative & balanced: 36 of 36 operations reachable"
    assert "commutative &amp; balanced: 36 of 36 reachable<" in out.read_text()
    assert "other reachable operations: 19,647<" in out.read_text()
    found = json.loads(ternary("atlas", "--where", "balanced", "--out", tmp_path / "b.png", "--json").text)
    assert (found["condition"], found["operations"], found["reachable"]) == ("balanced", 1_680, 1_680)


def test_an_atlas_of_a_condition_that_cannot_be_read_is_refused(ternary, other, tmp_path):
    done = ternary("atlas", "--where", "commutativ", "--out", tmp_path / "atlas.svg")
    assert (done.status, done.out) == (1, b"")
    assert "error: condition: 'commutativ' at position 1 is not a property; did you mean 'co" in done.err
    done = ternary("atlas", *other("quinary"), "--where", "commutative", "--out", tmp_path / "atlas.svg")
    assert (done.status, done.out) == (1, b"")
    assert done.err == "error: commutative: the space 5,1 has 1 input, expected at least 2\n"
    assert not (tmp_path / "atlas.svg").exists()


def test_a_report_replaces_files_only_by_force_and_says_so_before_it_computes(ternary, other, tmp_path):
    for name, command in (("report.html", ("report", "--out")), ("report.pdf", ("validate", "--report"))):
        folder = tmp_path / name
        folder.mkdir()
        (folder / name).write_text("mine")
        verb, where = command
        done = ternary(verb, *other("quinary"), where, folder)
        assert (done.status, done.out) == (1, b"")
        assert done.err == (
            f"error: {folder / name}: exists; add --force to replace it, or name another folder\n"
        )
        assert (folder / name).read_text() == "mine"
    done = ternary("validate", *other("quinary"), "--checks", "hash-coverage", "--report", folder, "--force")
    assert "checking hash-coverage" in done.err
    assert (folder / "report.pdf").read_bytes().startswith(b"%PDF")


def test_an_atlas_in_another_format_is_refused(ternary, tmp_path):
    done = ternary("atlas", "--out", tmp_path / "atlas.pdf")
    assert done.err == f"error: {tmp_path / 'atlas.pdf'}: suffix is '.pdf', expected .svg or .png\n"


@pytest.fixture
def other(spaces):
    """A package of another space, and what opens it, as words of a command."""
    granted = "--trust", spaces / "acme.trust", "--license", spaces / "free.license"
    return lambda name: (spaces / f"{name}.ternary", *granted)


def test_a_package_of_another_space_is_validated_in_its_own_numbers(ternary, other, tmp_path):
    out = tmp_path / "validation.json"
    checks = "hash-coverage,true-holdout,cold-shift"
    done = ternary("validate", *other("boolean"), "--checks", checks, "--out", out)
    assert done.status == 1
    assert done.text.splitlines()[-1] == (
        "boolean-1.0.0: not sound; 0 of 3 checks passed; failed: hash-coverage, cold-shift, true-holdout"
    )
    covered, corrupted, held_out = Validation.read(out.read_bytes()).checks
    assert [(figure.name, figure.path) for figure in covered.figures] == [
        ("hash coverage at 650 draws", "A"),
        ("hash coverage at 2,537 draws", "A"),
        ("reachable share", "A"),
        ("hash coverage at 650 draws", "B"),
        ("hash coverage at 2,537 draws", "B"),
        ("reachable share", "B"),
        ("perfect draws on average, 650 draws", ""),
    ]
    assert corrupted.figures[0].name == "exact with 1 of 8 cells replaced"
    published = held_out.figures[1]
    assert (published.name, published.value) == ("set is the published one (1) or not (0)", "1")


def test_a_package_without_an_encoder_says_which_checks_need_one(ternary, other, tmp_path):
    words = "validate", *other("quinary"), "--json"
    found = json.loads(ternary(*words).out)
    endings = {check["name"]: check["ending"] for check in found["checks"]}
    reasons = {check["name"]: check["reason"] for check in found["checks"]}
    assert [name for name, ending in endings.items() if ending != "not applicable"] == ["hash-coverage"]
    encoding = [name for name, check in CHECKS.items() if check.encodes]
    told = "No path has an encoder, so no operation has a posterior mean."
    assert [reasons[name] for name in encoding] == [told] * 8
    done = ternary("report", *other("quinary"), "--out", tmp_path / "report")
    assert done.text.splitlines()[0].startswith("quinary-1.0.0: 0 of 14 checks passed; failed: hash-coverage")
    page = (tmp_path / "report" / "report.html").read_text()
    assert "<h2>Latent spectrum</h2>" not in page
    assert f"<dt>latent-spectrum</dt><dd>not applicable: {told}</dd>" in page


@pytest.mark.parametrize(
    ("name", "paths", "expected"), [("boolean", ["C", "", "AB"], "A or B"), ("quinary", ["A"], "C")]
)
def test_the_atlas_of_a_path_that_a_package_lacks_is_refused(ternary, other, tmp_path, name, paths, expected):
    for path in paths:
        done = ternary("atlas", *other(name), "--path", path, "--out", tmp_path / "atlas.svg")
        assert (done.status, done.out) == (1, b"")
        assert done.err == f"error: path: {path!r}, expected {expected}\n"


@pytest.fixture(scope="module")
def run_of_boolean(tmp_path_factory):
    """A short run of another space."""
    short = {"epochs": "2", "separate.learn.epochs": "1", "separate.learn.passes": "2"}
    short |= {f"separate.paths.{path}.passes": "1" for path in "AB"}
    short |= {f"scoring.{what}": "4_000" for what in ("draws", "report_draws")}
    return train(recipe.load("boolean-3", short), seed=1, out=tmp_path_factory.mktemp("run") / "boolean").path


def test_the_atlas_of_a_run_of_another_space_is_of_that_space(ternary, run_of_boolean, tmp_path):
    done = ternary("atlas", run_of_boolean, "--path", "B", "--out", tmp_path / "atlas.svg")
    words, _ = done.text.splitlines()
    assert re.fullmatch(r"boolean, path B: \d+ of 256 operations reachable, least margin [\d.]+", words)
    assert 'width="486" height="486"' in (tmp_path / "atlas.svg").read_text()
    done = ternary("atlas", run_of_boolean, "--out", tmp_path / "atlas.png")
    assert (done.status, done.err) == (0, "")


@pytest.mark.parametrize("path", ["C", "", "AB"])
def test_the_atlas_of_a_path_that_a_run_lacks_is_refused(ternary, run_of_boolean, tmp_path, path):
    done = ternary("atlas", run_of_boolean, "--path", path, "--out", tmp_path / "atlas.svg")
    assert (done.status, done.out) == (1, b"")
    assert done.err == f"error: path: {path!r}, expected A or B\n"
    assert not (tmp_path / "atlas.svg").exists()
