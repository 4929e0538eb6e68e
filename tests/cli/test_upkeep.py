"""The upkeep of licenses and keys, from the command line: both sides of each change."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from ternary_license_server import keys
from ternary_license_server.issue import issue
from ternary_sdk.licensing.usage import Usage
from ternary_sdk.packages.package import Package
from ternary_sdk.signing.keys import PublicKey


@pytest.fixture
def own(tmp_path):
    """A vendor of this test's own, whose keys it may change."""
    return keys.create(tmp_path / "keys", "Acme Logic", datetime.now(UTC) - timedelta(minutes=1))


@pytest.fixture
def trust(own, tmp_path):
    """The trust file as a client got it."""
    path = tmp_path / "acme.trust"
    path.write_bytes(own.trust.data)
    return path


def license_of(ring, package, **terms):
    identity = Package.read(package, ring.trust).identity
    granted = {"now": datetime.now(UTC), "customer": "Initech", "license_id": "L-17"} | terms
    return issue(ring, package=identity, **granted)


def test_a_rotated_key_reaches_the_client_with_the_next_trust_file(ternary, own, trust, tmp_path):
    done = ternary("keys", "rotate", "license", "--keys", own.directory, "--json")
    assert (done.status, done.err) == (0, "")
    told = json.loads(done.text)
    assert told["key_set"] == "version 2"
    assert told["new"] in keys.load(own.directory).trust.keys
    updated = ternary("trust", "update", own.directory / "vendor.trust", "--trust", trust, "--json")
    assert json.loads(updated.text)["key_set"].startswith("version 2 of ")
    assert trust.read_bytes() == (own.directory / "vendor.trust").read_bytes()


def test_a_stolen_key_is_rotated_and_revoked(ternary, own):
    told = json.loads(ternary("keys", "rotate", "package", "--keys", own.directory, "--json").text)
    refused = ternary("keys", "revoke", told["new"], "--keys", own.directory)
    assert (refused.status, refused.err) == (
        1,
        f"error: key {told['new']}: it signs for role package now; run 'ternary keys rotate package' first\n",
    )
    done = ternary("keys", "revoke", told["old"], "--keys", own.directory)
    assert (done.status, done.err) == (0, "")
    assert "send clients this trust file; they run 'ternary trust update FILE'" in done.text
    assert set(keys.load(own.directory).trust.revoked_keys) == {told["old"]}


def test_a_key_set_gets_another_end(ternary, own):
    assert ternary("keys", "extend", "--keys", own.directory, "--until", "2040-12-31").status == 0
    assert keys.load(own.directory).trust.expires == datetime(2040, 12, 31, 23, 59, 59, tzinfo=UTC)
    assert ternary("keys", "extend", "--keys", own.directory, "--until", "never").status == 0
    assert keys.load(own.directory).trust.expires is None


def test_a_revoked_license_ends_with_the_next_trust_file(ternary, vendor, shipped, own, trust, tmp_path):
    token = tmp_path / "acme.license"
    token.write_bytes(
        issue(
            own,
            package=Package.read(shipped, vendor.trust).identity,
            customer="Initech",
            now=datetime.now(UTC),
            license_id="L-17",
        )
    )
    show = "license", "show", token, "--trust", trust
    assert "holds here and now" in ternary(*show).text
    assert ternary("license", "revoke", "L-17", "--keys", own.directory).status == 0
    assert ternary("trust", "update", own.directory / "vendor.trust", "--trust", trust).status == 0
    done = ternary(*show)
    assert (done.status, done.err) == (
        1,
        "error: license L-17 was revoked by Acme Logic; ask them for a new one\n",
    )


def test_an_older_trust_file_is_never_taken(ternary, own, trust):
    before = trust.read_bytes()
    ternary("keys", "rotate", "answer", "--keys", own.directory)
    ternary("trust", "update", own.directory / "vendor.trust", "--trust", trust)
    newer = trust.read_bytes()
    old = trust.with_name("old.trust")
    old.write_bytes(before)
    done = ternary("trust", "update", old, "--trust", trust)
    assert (done.status, done.err) == (
        1,
        "error: trust file: its key set has version 1, the current one 2; "
        "an older one never replaces a newer one\n",
    )
    assert trust.read_bytes() == newer


def test_an_older_trust_file_put_in_the_place_of_a_newer_is_noticed_and_mended(
    ternary, own, shipped, trust, tmp_path
):
    older = trust.read_bytes()
    ternary("keys", "rotate", "answer", "--keys", own.directory)
    newer = own.directory / "vendor.trust"
    assert ternary("trust", "update", newer, "--trust", trust).status == 0
    trust.write_bytes(older)
    sentence = (
        "error: trust file: its key set has version 1, and version 2 was relied on here before; "
        "get the newest one from Acme Logic and run 'ternary trust update FILE'\n"
    )
    package = tmp_path / "acme.ternary"
    package.write_bytes(shipped)
    for command in (("machine", "--machine-id", "rack 7"), ("activate", "0"), ("verify", package)):
        done = ternary(*command, "--trust", trust)
        assert (done.status, done.err) == (1, sentence)
    offered = tmp_path / "offered.trust"
    offered.write_bytes(older)
    assert ternary("trust", "update", offered, "--trust", trust).err == sentence
    assert ternary("trust", "update", newer, "--trust", trust).status == 0
    assert ternary("machine", "--machine-id", "rack 7", "--trust", trust).status == 0


def test_a_license_explains_its_grace(ternary, own, vendor, shipped, trust, tmp_path):
    now = datetime.now(UTC).replace(microsecond=0)
    key = tmp_path / "own.pem"
    ternary("machine", "--machine-id", "rack 7", "--trust", trust, "--key", key)
    token = tmp_path / "acme.license"
    token.write_bytes(
        issue(
            own,
            package=Package.read(shipped, vendor.trust).identity,
            customer="Initech",
            now=now,
            bound_to=PublicKey.from_pem(key.read_bytes(), "key"),
            grace_from=now + timedelta(hours=1),
            expires=now + timedelta(hours=2),
        )
    )
    lines = ternary("license", "show", token, "--trust", trust).text.splitlines()
    told = dict(line.split(maxsplit=1) for line in lines)
    due, end = (f"{now + timedelta(hours=hours):%Y-%m-%dT%H:%M:%SZ}" for hours in (1, 2))
    assert told["grace"] == (
        f"its renewal is due on {due}; if the license server cannot be reached then, it runs on until {end}, "
        "and a signed denial ends it at once"
    )
    assert told["state"] == "holds here and now"
    facts = json.loads(ternary("license", "show", token, "--trust", trust, "--json").text)
    assert facts["grace_from"] == due


def test_a_license_says_that_it_runs_on_grace_and_its_seats_lease_and_keys(
    ternary, own, vendor, shipped, trust, tmp_path
):
    now = datetime.now(UTC).replace(microsecond=0)
    key = tmp_path / "own.pem"
    ternary("machine", "--machine-id", "rack 7", "--trust", trust, "--key", key)
    package = Package.read(shipped, vendor.trust).identity
    token = tmp_path / "acme.license"
    token.write_bytes(
        issue(
            own,
            package=package,
            customer="Initech",
            now=now - timedelta(hours=2),
            bound_to=PublicKey.from_pem(key.read_bytes(), "key"),
            grace_from=now - timedelta(hours=1),
            expires=now + timedelta(hours=2),
            seats=5,
            lease="L-17.3",
            content_keys={package.digest: bytes(32)},
        )
    )
    lines = ternary("license", "show", token, "--trust", trust).text.splitlines()
    told = dict(line.split(maxsplit=1) for line in lines)
    due, end = (f"{now + timedelta(hours=hours):%Y-%m-%dT%H:%M:%SZ}" for hours in (-1, 2))
    assert told["grace"] == (
        f"on grace now: its renewal was due on {due}; it runs on until {end}, and a signed denial ends it at "
        "once; run 'ternary renew'"
    )
    assert told["seats"] == "5 machines at once"
    assert told["lease"] == "L-17.3"
    assert told["keys"] == f"of the encrypted sha256 {package.digest[:12]}…"


def test_without_a_trust_file_there_is_nothing_to_update(ternary, trust):
    done = ternary("trust", "update", trust)
    assert (done.status, done.err) == (
        1,
        "error: no trust file to update: add --trust T, or pin one with 'ternary use'\n",
    )


def test_a_machine_says_its_id_and_where_it_came_from(ternary, trust):
    told = json.loads(ternary("machine", "--trust", trust, "--machine-id", "rack 7", "--json").text)
    assert told["id"].startswith("x-")
    assert told["source"] == "the id given by the embedding program"
    assert told["changes_if"] == "another id is given"


def test_usage_is_shown_as_a_bar_and_exported_signed(ternary, vendor, shipped, tmp_path):
    files = {name: tmp_path / f"acme.{name}" for name in ("ternary", "license", "trust", "report")}
    files["ternary"].write_bytes(shipped)
    files["license"].write_bytes(license_of(vendor, shipped, unique_operations=40))
    files["trust"].write_bytes(vendor.trust.data)
    granted = "--license", files["license"], "--trust", files["trust"]
    assert ternary("sample", files["ternary"], *granted, "--unique", "-n", 10, "--seed", 1).status == 0
    done = ternary(
        "license", "usage", files["license"], "--trust", files["trust"], "--export", files["report"]
    )
    assert (done.status, done.err) == (0, "")
    assert done.text == f"L-17  {'█' * 6}{'░' * 18}  10 of 40 operations drawn\n"
    report = Usage.read(files["report"].read_bytes())
    assert (report.license_id, len(report.operations)) == ("L-17", 10)


def test_usage_of_a_license_without_a_quota_is_refused(ternary, vendor, shipped, tmp_path):
    (tmp_path / "acme.license").write_bytes(license_of(vendor, shipped))
    (tmp_path / "acme.trust").write_bytes(vendor.trust.data)
    done = ternary("license", "usage", tmp_path / "acme.license", "--trust", tmp_path / "acme.trust")
    assert (done.status, done.err) == (1, "error: license L-17 has no quota, so nothing is metered\n")


def test_the_doctor_finds_nothing_wrong_or_says_what_to_type(ternary, vendor, shipped, tmp_path):
    files = {name: tmp_path / f"acme.{name}" for name in ("ternary", "license", "trust")}
    files["ternary"].write_bytes(shipped)
    files["license"].write_bytes(license_of(vendor, shipped))
    files["trust"].write_bytes(vendor.trust.data)
    words = "doctor", files["ternary"], "--license", files["license"], "--trust", files["trust"]
    done = ternary(*words)
    assert (done.status, done.err) == (0, "")
    assert [line.split()[1] for line in done.text.splitlines()] == ["ok"] * 9
    files["license"].write_bytes(b"not a license")
    done = ternary(*words, "--json")
    findings = {finding["name"]: finding for finding in json.loads(done.text)["findings"]}
    assert done.status == 1
    assert not findings["license"]["ok"]
    assert findings["license"]["remedy"] == "get the license file again from the vendor, unedited"
    assert "license: get the license file again from the vendor, unedited\n" in done.err
    assert done.err.splitlines()[-1].endswith(" of 9 things looked at are wrong")


def test_the_doctor_looks_at_all_three_files_or_at_none(ternary, tmp_path):
    done = ternary("doctor", tmp_path / "acme.ternary")
    assert (done.status, done.err) == (
        1,
        "error: the doctor looks at all three: ternary doctor FILE --license L --trust T\n",
    )
    done = ternary("doctor")
    assert (done.status, done.err.count("\n")) == (0, 1)


def test_an_encrypted_package_runs_under_a_bound_license_on_its_installation_alone(
    ternary, build, vendor, tmp_path, monkeypatch
):
    build.write(tmp_path / "build")
    package, license, key, trust = (
        tmp_path / f"acme.{kind}" for kind in ("ternary", "license", "pem", "trust")
    )
    secret = tmp_path / "acme.key"
    trust.write_bytes(vendor.trust.data)
    signing = "--keys", vendor.directory
    made = ternary(
        *("package", tmp_path / "build", "--name", "acme", "--version", "1.0.0", *signing),
        *("--content-key", secret, "--out", package),
    )
    assert made.err == ""
    told = ternary("machine", "--trust", trust, "--machine-id", "rack 7", "--key", key, "--json")
    assert json.loads(told.text)["installation"].endswith(f", public key in {key}")
    issued = ternary(
        *("license", "issue", "--package", package, "--to", "Initech", "--expires", "2035-12-31", *signing),
        *("--bind", key, "--seats", 1, "--content-key", secret, "--out", license, "--json"),
    )
    assert (issued.status, issued.err) == (0, "")
    sample = "sample", package, "--license", license, "--trust", trust, "-n", 3
    assert ternary(*sample).status == 0
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("HOME", str(tmp_path / "elsewhere"))
    refused = ternary(*sample)
    assert (refused.status, refused.out) == (1, b"")
    told = json.loads(issued.text)
    assert refused.err.splitlines()[-1] == (
        f"error: license {told['id']} is bound to installation key {told['bound_to']}, "
        "this user has none; ask Acme Logic to issue it anew"
    )
    unusable = ternary(
        *("license", "issue", "--package", package, "--to", "Initech", "--expires", "never", *signing),
        *("--out", tmp_path / "unusable.license"),
    )
    assert (unusable.status, unusable.err) == (
        1,
        f"error: {package}: its graphs are encrypted; add --content-key F, what 'ternary package' "
        "encrypted them with\n",
    )
