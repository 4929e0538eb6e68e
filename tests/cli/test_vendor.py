"""The vendor's commands: from keys and weights to what is sent, and one sentence for each refusal."""

import json
import pickle
from pathlib import Path

import pytest

from ternary_sdk._internal.trust.trust import Role

PUBLISHED = Path(__file__).parents[3] / "shared" / "data" / "v5_5_epoch104.pt"


@pytest.fixture
def folder(build, tmp_path):
    """An exported build on disk."""
    build.write(tmp_path / "build")
    return tmp_path


def package(ternary, folder, vendor, *more, name="acme", version="1.0.0", out="acme.ternary"):
    words = ["--name", name, "--version", version, "--keys", vendor.directory, "--out", folder / out]
    return ternary("package", folder / "build", *words, *more)


def issue(ternary, folder, vendor, *more, to="Initech", expires="2035-12-31", out="acme.license"):
    words = ["--to", to, "--expires", expires, "--keys", vendor.directory, "--out", folder / out]
    return ternary("license", "issue", "--package", folder / "acme.ternary", *words, *more)


def test_keys_are_made_for_each_role_and_readable_by_their_owner_alone(ternary, tmp_path):
    done = ternary("keys", "init", tmp_path / "keys", "--vendor", "Acme Logic", "--json")
    assert json.loads(done.text)["vendor"] == "Acme Logic"
    modes = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "keys").iterdir()}
    assert set(modes) == {"root.pem", "package.pem", "license.pem", "answer.pem", "vendor.trust"}
    assert {mode for name, mode in modes.items() if name.endswith(".pem")} == {0o600}
    assert (tmp_path / "keys").stat().st_mode & 0o777 == 0o700


def test_without_a_name_the_vendor_is_called_like_the_folder(ternary, tmp_path):
    done = ternary("keys", "init", tmp_path / "acme")
    assert done.text.startswith("vendor  acme\n")
    assert done.err == (
        "vendor is 'acme', the folder's name; it will stand in every license: "
        "use --vendor NAME to choose another\n"
    )
    assert ternary("keys", "init", tmp_path / "named", "--vendor", "Acme Logic").err == ""


def test_keys_are_never_overwritten(ternary, vendor):
    before = (vendor.directory / "root.pem").read_bytes()
    done = ternary("keys", "init", vendor.directory)
    assert (done.status, done.out) == (1, b"")
    assert done.err == f"error: {vendor.directory}: not an empty directory; keys are never overwritten\n"
    assert (vendor.directory / "root.pem").read_bytes() == before


def test_certifying_a_build_again_confirms_it(ternary, folder, build):
    file = folder / "build" / "coverage.json"
    done = ternary("certify", folder / "build")
    assert (done.status, done.err) == (0, "certifying path A\ncertifying path B\n")
    assert done.text.startswith(f"{file}: computed again and confirmed\n\npath  reachable")
    assert file.read_bytes() == build.certificate.to_statement()


def test_certifying_replaces_a_statement_that_says_otherwise(ternary, folder, build):
    file = folder / "build" / "coverage.json"
    file.write_bytes(b"{}")
    done = ternary("certify", folder / "build")
    assert (done.status, done.text.partition("\n")[0]) == (0, f"{file}: replaced; it said something else")
    assert file.read_bytes() == build.certificate.to_statement()


def test_a_build_that_was_never_certified_is_not_packaged_until_it_is(ternary, folder, vendor, shipped):
    file = folder / "build" / "coverage.json"
    file.unlink()
    refused = package(ternary, folder, vendor)
    assert (refused.status, refused.err) == (
        1,
        f"error: {folder / 'build'}: holds no coverage.json; run 'ternary certify {folder / 'build'}'\n",
    )
    done = ternary("certify", folder / "build", "--json")
    facts = json.loads(done.text)
    assert (facts["certificate"], facts["state"]) == (str(file), "written")
    assert package(ternary, folder, vendor).status == 0
    assert (folder / "acme.ternary").read_bytes() == shipped


def test_a_build_whose_figures_were_edited_is_not_packaged_until_it_is_certified(ternary, folder, vendor):
    file = folder / "build" / "coverage.json"
    statement = json.loads(file.read_bytes())
    for prior in statement["predicate"]["paths"][0]["prior"]:
        prior["operations"] = 2132
    file.write_bytes(json.dumps(statement, sort_keys=True, separators=(",", ":")).encode())
    refused = package(ternary, folder, vendor)
    assert (refused.status, refused.out) == (1, b"")
    assert refused.err.startswith("error: path A: 10,000 draws give ")
    assert refused.err.endswith(
        "; nothing was signed: run 'ternary certify BUILD' to compute the certificate again\n"
    )
    assert not (folder / "acme.ternary").exists()
    assert ternary("certify", folder / "build").status == 0
    assert package(ternary, folder, vendor).status == 0


def test_a_folder_that_is_no_build_is_not_certified(ternary, tmp_path):
    done = ternary("certify", tmp_path)
    assert (done.status, done.err) == (
        1,
        f"error: {tmp_path}: not a build, it holds no build.json; "
        "make one with 'ternary export RUN --out BUILD'\n",
    )


def test_a_build_whose_decoder_was_changed_is_not_certified(ternary, folder):
    decoder = folder / "build" / "decoder_A.onnx"
    decoder.write_bytes(decoder.read_bytes()[:-1])
    before = (folder / "build" / "coverage.json").read_bytes()
    done = ternary("certify", folder / "build")
    assert (done.status, done.out) == (1, b"")
    assert done.err.startswith(f"error: {decoder}: sha256 is ")
    assert done.err.endswith("; export the model again\n")
    assert (folder / "build" / "coverage.json").read_bytes() == before


def test_a_packaged_build_is_what_the_library_makes(ternary, folder, vendor, shipped):
    done = package(ternary, folder, vendor, "--json")
    assert (done.status, done.err) == (0, UNVALIDATED)
    assert (folder / "acme.ternary").read_bytes() == shipped
    facts = json.loads(done.text)
    assert (facts["name"], facts["required"]) == ("acme-1.0.0", [])


UNVALIDATED = (
    "not validated: the package carries no validation; no least coverage was required; --require refuses a "
    "package that falls short\n"
)


def test_a_build_that_falls_short_is_neither_packaged_nor_given_a_content_key(ternary, folder, vendor):
    found = ["--require", "sound", "--require", "A:coverage=1", "--content-key", folder / "new.key"]
    done = package(ternary, folder, vendor, *found)
    assert (done.status, done.out) == (1, b"")
    assert done.err.startswith(
        "error: acme-1.0.0: does not meet --require sound: no validation is carried, expected one in which a "
        "check passed and none failed; A:coverage=1: path A has a coverage at 50,000 draws of "
    )
    assert done.err.endswith(" of 19,683), expected at least 100 %; nothing was signed\n")
    assert {file.name for file in folder.iterdir()} == {"build"}


def test_a_build_that_meets_what_is_required_is_packaged(ternary, folder, vendor, shipped):
    done = package(ternary, folder, vendor, "--require", "coverage=0.0001", "--json")
    assert (done.status, done.err) == (
        0,
        "not validated: the package carries no validation; --require refuses a package that falls short\n",
    )
    assert json.loads(done.text)["required"] == ["coverage=0.0001"]
    assert (folder / "acme.ternary").read_bytes() == shipped


def test_a_requirement_that_is_none_is_refused_before_the_build_is_read(ternary, tmp_path, vendor):
    done = package(ternary, tmp_path, vendor, "--require", "coverage")
    assert (done.status, done.err) == (
        1,
        "error: --require: 'coverage', expected sound, coverage=0.91, coverage@195000=0.999, reachable=1 or "
        "effective=0.9, of one path as A:coverage=0.91\n",
    )


def test_packaging_again_is_fine_and_another_package_is_not_overwritten(ternary, folder, vendor):
    assert package(ternary, folder, vendor).status == 0
    assert package(ternary, folder, vendor).status == 0
    done = package(ternary, folder, vendor, version="1.0.1")
    target = folder / "acme.ternary"
    assert (done.status, done.out) == (1, b"")
    assert done.err == f"error: {target}: exists and differs; remove it or name another file\n"


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (
            {"name": "Acme!"},
            "error: package name: 'Acme!', expected lowercase letters, digits, hyphens, at most 64\n",
        ),
        (
            {"version": "1.0"},
            "error: version: '1.0', expected MAJOR.MINOR.PATCH such as 1.0.0\n",
        ),
    ],
)
def test_a_name_or_version_that_is_none_is_refused(ternary, folder, vendor, options, sentence):
    done = package(ternary, folder, vendor, **options)
    assert (done.status, done.out, done.err) == (1, b"", sentence)
    assert not (folder / "acme.ternary").exists()


def test_the_vendors_own_terms_go_into_the_package(ternary, folder, vendor):
    (folder / "terms.md").write_text("# Terms\n\nBe kind.\n")
    assert package(ternary, folder, vendor, "--terms", folder / "terms.md").status == 0
    assert b"Be kind." in (folder / "acme.ternary").read_bytes()
    (folder / "terms.md").write_bytes(b"\xff")
    done = package(ternary, folder, vendor, "--terms", folder / "terms.md")
    assert done.err == f"error: {folder / 'terms.md'}: not UTF-8 text\n"


@pytest.mark.parametrize(("option", "most"), [("--terms", "262,144"), ("--validation", "1,048,576")])
def test_what_a_package_is_to_carry_is_read_up_to_a_cap(ternary, folder, vendor, option, most):
    done = package(ternary, folder, vendor, option, "/dev/zero")
    assert done.err == f"error: /dev/zero: more than {most} bytes, expected at most that many\n"


def test_a_byte_order_mark_before_terms_is_no_part_of_them(ternary, folder, vendor):
    (folder / "terms.md").write_text("\ufeff# Terms\n\nBe kind.\n", "utf-8")
    assert package(ternary, folder, vendor, "--terms", folder / "terms.md").status == 0
    assert (
        ternary(
            "unpack",
            folder / "acme.ternary",
            "--trust",
            vendor.directory / "vendor.trust",
            "--out",
            folder / "open",
        ).status
        == 0
    )
    assert (folder / "open" / "terms.md").read_bytes() == b"# Terms\n\nBe kind.\n"


def test_a_build_that_is_none_is_refused(ternary, folder, vendor):
    (folder / "build" / "build.json").unlink()
    done = package(ternary, folder, vendor)
    assert done.status == 1
    assert done.err == (
        f"error: {folder / 'build'}: not a build, it holds no build.json; "
        "make one with 'ternary export RUN --out BUILD'\n"
    )
    assert done.err.count("\n") == 1


def test_keys_that_others_can_read_are_refused(ternary, folder, vendor, tmp_path):
    import shutil

    keys = tmp_path / "copy"
    shutil.copytree(vendor.directory, keys)
    (keys / "package.pem").chmod(0o644)
    words = ["--name", "a", "--version", "1.0.0", "--keys", keys, "--out", folder / "a.ternary"]
    done = ternary("package", folder / "build", *words)
    found = keys / "package.pem"
    assert done.err == f"error: {found}: mode is 0644, expected 0600; run 'chmod 600 {found}'\n"


def test_a_license_grants_what_its_options_say(ternary, folder, vendor):
    package(ternary, folder, vendor)
    more = ["--allow", "decode, sample", "--unique-operations", 500, "--machine", "m-" + "1" * 32]
    done = issue(ternary, folder, vendor, *more, "--json")
    granted = json.loads(done.text)
    assert granted["expires"] == "2035-12-31T23:59:59Z"
    assert granted["allows"] == ["decode", "sample"]
    assert (granted["unique_operations"], granted["machines"]) == (500, ["m-" + "1" * 32])
    shown = ternary(
        "license", "show", folder / "acme.license", "--trust", vendor.directory / "vendor.trust", "--json"
    )
    assert json.loads(shown.text).items() >= {k: v for k, v in granted.items() if k != "file"}.items()


def test_a_license_can_last_for_ever(ternary, folder, vendor):
    package(ternary, folder, vendor)
    assert json.loads(issue(ternary, folder, vendor, "--json", expires="never").text)["expires"] is None


@pytest.mark.parametrize(
    ("options", "more", "sentence"),
    [
        (
            {"expires": "tomorrow"},
            [],
            "error: --expires: 'tomorrow', expected a date such as 2030-12-31, or never\n",
        ),
        (
            {"expires": "2020-01-01"},
            [],
            "error: --expires: 2020-01-01 is past (today is 20",
        ),
        (
            {},
            ["--allow", "train"],
            "error: cannot issue this license: license.entitlements: 'train', expected ",
        ),
        (
            {},
            ["--unique-operations", "0"],
            "error: cannot issue this license: license.unique_operations: 0, ",
        ),
        (
            {},
            ["--machine", "m-" + "1" * 32, "--machine", "nope"],
            "error: --machine: 'nope', expected an id that 'ternary machine' printed: "
            "m- or x-, then 32 hex digits\n",
        ),
        ({"to": ""}, [], "error: cannot issue this license: license.sub: '', expected "),
    ],
)
def test_a_license_that_no_client_would_take_is_not_issued(ternary, folder, vendor, options, more, sentence):
    package(ternary, folder, vendor)
    done = issue(ternary, folder, vendor, *more, **options)
    assert (done.status, done.out) == (1, b"")
    assert done.err.startswith(sentence)
    assert done.err.count("\n") == 1
    assert not (folder / "acme.license").exists()


def test_a_license_for_another_vendors_package_is_not_issued(ternary, folder, vendor):
    package(ternary, folder, vendor)
    assert ternary("keys", "init", folder / "other", "--vendor", "Other").status == 0
    signer = vendor.signer(Role.PACKAGE).kid
    words = [
        "--package",
        folder / "acme.ternary",
        "--to",
        "I",
        "--expires",
        "never",
        "--keys",
        folder / "other",
    ]
    assert ternary("license", "issue", *words, "--out", folder / "acme.license").err == (
        f"error: {folder / 'acme.ternary'}: key {signer} is not in the key set of Other (version 1); "
        f"name a package that the keys in {folder / 'other'} signed, or with --keys those that signed it\n"
    )
    words[1] = folder / "other" / "vendor.trust"
    assert ternary("license", "issue", *words, "--out", folder / "acme.license").err == (
        f"error: {words[1]}: this is a trust file, expected a package\n"
    )
    assert not (folder / "acme.license").exists()


def test_a_license_is_never_overwritten(ternary, folder, vendor):
    package(ternary, folder, vendor)
    issue(ternary, folder, vendor)
    done = issue(ternary, folder, vendor)
    target = folder / "acme.license"
    assert done.err == f"error: {target}: exists and differs; remove it or name another file\n"


class Evil:
    def __reduce__(self):
        return Path.touch, (Path("executed"),)


@pytest.mark.parametrize(
    "data", [b"", b"nothing", pickle.dumps({"model": Evil()}), b"PK\x03\x04" + bytes(100)]
)
def test_a_file_that_is_no_checkpoint_is_refused_and_nothing_in_it_runs(ternary, tmp_path, monkeypatch, data):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model.pt").write_bytes(data)
    done = ternary("export", "model.pt", "--out", "build")
    assert (done.status, done.out) == (1, b"")
    assert done.err.startswith("error: model.pt: not a file of tensors written by torch.save (")
    assert done.err.count("\n") == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model.pt"]


def test_export_looks_where_it_writes_before_it_works(ternary, tmp_path):
    target = tmp_path / "build"
    target.mkdir()
    done = ternary("export", tmp_path / "missing.pt", "--out", target)
    assert (done.status, done.out) == (1, b"")
    assert done.err == f"error: {target}: exists already, expected a folder that does not\n"


@pytest.mark.skipif(not PUBLISHED.exists(), reason="the published checkpoint is not beside this repository")
def test_the_published_checkpoint_exports_as_it_is(ternary, tmp_path):
    done = ternary("export", PUBLISHED, "--out", tmp_path / "build", "--json")
    facts = json.loads(done.text)
    assert facts["epoch"] == 104
    share = {path: float(about["prior"][1]["percent"]) for path, about in facts["paths"].items()}
    assert share["A"] == pytest.approx(86.8, abs=0.6)
    assert share["B"] == pytest.approx(86.4, abs=0.6)


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("--recipe missing", "error: recipe 'missing': "),
        ("--set epochs", "error: --set: 'epochs', expected KEY=VALUE such as epochs=12\n"),
        ("--set epochs=1 --set epochs=2", "error: --set: epochs is given twice\n"),
        ("--set epoch=3", "error: recipe 'coverage': setting 'epoch' is unknown, "),
        ("--seed -1", "error: seed: -1, expected "),
        ("--resume run --seed 2", "error: --resume goes on with a run as it was begun; "),
        ("--resume run", "error: run/run.json: cannot be read, "),
    ],
)
def test_a_training_that_cannot_begin_is_one_sentence(ternary, tmp_path, monkeypatch, line, sentence):
    monkeypatch.chdir(tmp_path)
    done = ternary("train", *line.split())
    assert (done.status, done.out) == (1, b"")
    assert done.err.startswith(sentence)
    assert done.err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_content_key_is_one_releases_alone(ternary, folder, vendor):
    key = folder / "acme.key"
    assert package(ternary, folder, vendor, "--content-key", key).status == 0
    made = key.read_bytes()
    assert made.endswith(b"  acme-1.0.0\n")
    assert package(ternary, folder, vendor, "--content-key", key).status == 0  # the same release, again
    done = package(ternary, folder, vendor, "--content-key", key, version="1.0.1", out="next.ternary")
    sentence = f"{key}: is the content key of acme-1.0.0, expected that of acme-1.0.1; each has its own"
    assert (done.status, done.out, done.err) == (1, b"", f"error: {sentence}\n")
    assert not (folder / "next.ternary").exists()
    assert key.read_bytes() == made


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"name": "Acme!"}, "error: package name: 'Acme!', expected "),
        ({"out": "build"}, "error: "),
    ],
)
def test_no_content_key_is_left_of_a_release_that_was_refused(ternary, folder, vendor, options, sentence):
    before = sorted(folder.iterdir())
    done = package(ternary, folder, vendor, "--content-key", folder / "acme.key", **options)
    assert (done.status, done.err.count("\n")) == (1, 1)
    assert done.err.startswith(sentence)
    assert sorted(folder.iterdir()) == before


def test_a_license_carries_no_key_but_its_releases(ternary, folder, vendor):
    package(ternary, folder, vendor, "--content-key", folder / "acme.key")
    package(
        ternary, folder, vendor, "--content-key", folder / "next.key", version="1.0.1", out="next.ternary"
    )
    done = issue(ternary, folder, vendor, "--content-key", folder / "next.key")
    assert done.err == (
        f"error: {folder / 'next.key'}: is the content key of acme-1.0.1, expected that of acme-1.0.0; "
        "each has its own\n"
    )
    other = folder / "other.key"
    other.write_text(f"{'ab' * 32}  acme-1.0.0\n")
    other.chmod(0o600)
    done = issue(ternary, folder, vendor, "--content-key", other)
    assert done.err == "error: encoder_A.onnx: the content key does not open it\n"
    assert not (folder / "acme.license").exists()
    assert issue(ternary, folder, vendor, "--content-key", folder / "acme.key").status == 0


def test_a_license_is_issued_again_with_a_later_end_under_its_id(ternary, folder, vendor):
    package(ternary, folder, vendor)
    first = json.loads(issue(ternary, folder, vendor, "--unique-operations", "7", "--json").text)
    words = ["license", "reissue", folder / "acme.license", "--keys", vendor.directory, "--json"]
    again = json.loads(ternary(*words, "--expires", "2036-12-31", "--out", folder / "next.license").text)
    assert {name for name in first if first[name] != again[name]} <= {"file", "issued", "expires"}
    assert again["expires"] == "2036-12-31T23:59:59Z"
    done = ternary(*words[:-1], "--expires", "2034-12-31", "--out", folder / "third.license")
    assert (done.status, done.err) == (
        1,
        f"error: license {first['id']}: ends on 2035-12-31, expected a later end\n",
    )
    assert not (folder / "third.license").exists()


def test_what_is_no_license_is_not_issued_again(ternary, folder, vendor):
    (folder / "none.license").write_bytes(b"nothing")
    words = ["--keys", vendor.directory, "--expires", "never", "--out", folder / "next.license"]
    done = ternary("license", "reissue", folder / "none.license", *words)
    assert done.status == 1
    assert done.err.startswith(f"error: {folder / 'none.license'}: ")
    assert not (folder / "next.license").exists()
