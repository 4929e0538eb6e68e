"""The upkeep of licenses and keys, from the command line: both sides of each change."""

import json
import sys
from datetime import UTC, datetime, timedelta

import pytest

from ternary_license_server.keys import keyring
from ternary_license_server.keys.issue import issue
from ternary_sdk._internal.licensing import machine
from ternary_sdk._internal.licensing.usage import Usage
from ternary_sdk._internal.packages.package import Package
from ternary_sdk._internal.signing.keys import PublicKey
from ternary_sdk._internal.trust.trust import Role


@pytest.fixture
def own(tmp_path):
    """A vendor of this test's own, whose keys it may change."""
    return keyring.create(tmp_path / "keys", "Acme Logic", datetime.now(UTC) - timedelta(minutes=1))


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
    assert told["new"] in keyring.load(own.directory).trust.keys
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
    assert set(keyring.load(own.directory).trust.revoked_keys) == {told["old"]}


@pytest.mark.parametrize("role", ["package", "license", "answer"])
def test_a_lost_key_is_replaced_and_revoked_with_the_root_alone(ternary, own, role):
    directory, lost = own.directory, own.trust.newest(Role(role))
    (directory / f"{role}.pem").unlink()
    for other in {"package", "license", "answer"} - {role}:
        (directory / f"{other}.pem").write_bytes(b"cut")
    told = ternary("keys", "rotate", role, "--keys", directory)
    assert (told.status, told.err) == (0, "")
    then = f"if somebody else may have the old key, run 'ternary keys revoke {lost} --keys {directory}' too\n"
    assert told.text.endswith(f"stolen           {then}")
    assert ternary("keys", "revoke", lost, "--keys", directory).status == 0
    left = keyring.load(directory)
    assert set(left.trust.revoked_keys) == {lost}
    assert left.signer(Role(role)).kid == left.trust.newest(Role(role)) != lost


def test_keys_are_shown_with_what_they_sign_and_where_they_are(ternary, own):
    directory, old = own.directory, own.trust.newest(Role.LICENSE)
    ternary("keys", "rotate", "license", "--keys", directory)
    ternary("keys", "revoke", old, "--keys", directory)
    ternary("license", "revoke", "L-17", "--keys", directory)
    (directory / "root.pem").unlink()
    (directory / "answer.pem").chmod(0o644)
    told = json.loads(ternary("keys", "show", "--keys", directory, "--json").text)
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    assert told["key_set"]["version"] == 3
    assert told["key_set"]["ends"] is None
    assert told["revocation_list"]["names"] == 1
    listed = {(key["role"], key["state"]): key for key in told["keys"]}
    assert list(listed) == [
        ("root", "signs"), ("package", "signs"), ("license", "revoked"), ("answer", "signs"),
        ("license", "signs"),
    ]  # fmt: skip
    assert listed["license", "revoked"]["kid"] == old
    assert listed["license", "revoked"]["revoked"][:10] == today
    assert {place: key["private"] for place, key in listed.items()} == {
        ("root", "signs"): "not here",
        ("package", "signs"): f"here, package.pem of {today}",
        ("license", "revoked"): None,
        ("license", "signs"): f"here, license.pem of {today}",
        ("answer", "signs"): f"cannot be used ({directory}/answer.pem: mode is 0644, expected 0600; run "
        f"'chmod 600 {directory}/answer.pem')",
    }
    lines = ternary("keys", "show", "--keys", directory).text.splitlines()
    assert lines[0] == "vendor           Acme Logic"
    assert f"license  {old}  revoked {today}" in lines


def test_a_trust_file_alone_shows_its_keys_without_private_parts(ternary, own, trust):
    ternary("keys", "extend", "--keys", own.directory, "--until", "2040-12-31")
    ternary("trust", "update", own.directory / "vendor.trust", "--trust", trust)
    lines = ternary("keys", "show", "--trust", trust).text.splitlines()
    assert lines[1].startswith("key set          version 2, signed ")
    assert lines[1].endswith(", until 2040-12-31T23:59:59Z")
    assert lines[4:] == [
        f"{role:<7}  {own.trust.newest(Role(role))}  signs"
        for role in ("root", "package", "license", "answer")
    ]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ((), "no trust file: add --trust T, or pin one with 'ternary use'"),
        (
            ("--keys", "keys", "--trust", "t"),
            "--keys and --trust exclude each other: a key directory has its own trust file",
        ),
        (("--keys", "nowhere"), "nowhere/vendor.trust: cannot be read (No such file or directory)"),
    ],
)
def test_keys_that_cannot_be_shown_are_one_sentence(ternary, words, sentence):
    done = ternary("keys", "show", *words)
    assert (done.status, done.out, done.err) == (1, b"", f"error: {sentence}\n")


@pytest.mark.parametrize("kid", ["-o" + "A" * 41, "--" + "A" * 41, "-k" + "A" * 41])
def test_a_thumbprint_that_begins_with_a_hyphen_is_no_option(ternary, own, kid):
    done = ternary("keys", "revoke", kid, "--keys", own.directory)
    assert (done.status, done.err) == (
        1,
        f"error: key {kid}: not in the key set of Acme Logic (version 1)\n",
    )


def test_a_key_set_gets_another_end(ternary, own):
    assert ternary("keys", "extend", "--keys", own.directory, "--until", "2040-12-31").status == 0
    assert keyring.load(own.directory).trust.expires == datetime(2040, 12, 31, 23, 59, 59, tzinfo=UTC)
    assert ternary("keys", "extend", "--keys", own.directory, "--until", "never").status == 0
    assert keyring.load(own.directory).trust.expires is None


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
    assert told["state"] == "holds here and now: encode, decode, sample"
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


@pytest.mark.parametrize("words", [(), ("newer.trust", "--server", "https://x")])
def test_a_newer_trust_file_comes_from_one_place(ternary, trust, words):
    done = ternary("trust", "update", *words, "--trust", trust)
    assert (done.status, done.err) == (
        1,
        "error: give the vendor's newer trust file, or --server URL to get it from its license server\n",
    )


def test_a_machine_says_its_id_and_where_it_came_from(ternary, trust):
    told = json.loads(ternary("machine", "--trust", trust, "--machine-id", "rack 7", "--json").text)
    assert told["id"].startswith("x-")
    assert told["source"] == "the id given by the embedding program"
    assert told["changes_if"] == "another id is given"


@pytest.fixture
def container(tmp_path, monkeypatch):
    """A mark by which this machine is a container, whatever it is."""
    mark = tmp_path / ".dockerenv"
    mark.touch()
    monkeypatch.setattr(machine, "_CONTAINER_MARKS", (str(mark),))
    return mark


@pytest.mark.skipif(sys.platform != "linux", reason="containers have marks on Linux alone")
def test_a_container_gets_a_license_bound_to_its_key_and_needs_no_id(
    ternary, container, own, trust, vendor, shipped, tmp_path
):
    refused = ternary("machine", "--trust", trust)
    assert (refused.status, refused.out) == (1, b"")
    assert refused.err == (
        f"error: machine: this is a container ({container} exists), which has no identity of "
        "its own; give this "
        "machine an explicit id and have the vendor license that id\n"
    )
    key = tmp_path / "own.pem"
    done = ternary("machine", "--trust", trust, "--key", key, "--json")
    assert (done.status, done.err) == (0, "")
    told = json.loads(done.text)
    assert (told["id"], told["reason"]) == (
        None,
        f"this is a container ({container} exists), which has no identity of its own; a license bound to the "
        "installation key needs no id",
    )
    bound = PublicKey.from_pem(key.read_bytes(), "key")
    assert told["installation"] == f"{bound.kid}, public key in {key}"
    token = tmp_path / "acme.license"
    package = Package.read(shipped, vendor.trust).identity
    token.write_bytes(issue(own, package=package, customer="Initech", now=datetime.now(UTC), bound_to=bound))
    shown = ternary("license", "show", token, "--trust", trust)
    assert "state     holds here and now: encode, decode, sample" in shown.text.splitlines()


def test_a_machine_that_is_refused_writes_no_key(ternary, trust, tmp_path):
    key, home = tmp_path / "own.pem", tmp_path / "home"
    refused = ternary("machine", "--trust", trust, "--machine-id", " ", "--key", key)
    assert (refused.status, refused.err) == (
        1, "error: machine id: ' ', expected 1 to 200 printable characters\n"
    )  # fmt: skip
    assert not key.exists()
    assert not list(home.rglob("installation.json"))


def test_a_machines_key_never_overwrites_another_file(ternary, trust):
    before = trust.read_bytes()
    refused = ternary("machine", "--trust", trust, "--machine-id", "rack 7", "--key", trust)
    assert (refused.status, refused.err) == (
        1, f"error: {trust}: exists and differs; remove it or name another file\n"
    )  # fmt: skip
    assert trust.read_bytes() == before


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
    assert [line.split()[1] for line in done.text.splitlines()] == ["ok"] * 10
    files["license"].write_bytes(b"not a license")
    done = ternary(*words, "--json")
    findings = {finding["name"]: finding for finding in json.loads(done.text)["findings"]}
    assert done.status == 1
    assert not findings["license"]["ok"]
    assert findings["license"]["remedy"] == "get the license file again from the vendor, unedited"
    assert "license: get the license file again from the vendor, unedited\n" in done.err
    assert done.err.splitlines()[-1].endswith(" of 9 checks failed")


@pytest.mark.parametrize("allowed", [["encode"], ["decode"], ["sample"], ["encode", "sample"]])
def test_a_license_is_judged_by_what_it_allows(ternary, vendor, shipped, tmp_path, allowed):
    token, trust = tmp_path / "acme.license", vendor.directory / "vendor.trust"
    token.write_bytes(license_of(vendor, shipped, entitlements=allowed))
    lines = ternary("license", "show", token, "--trust", trust).text.splitlines()
    assert lines[-1] == f"state     holds here and now: {', '.join(allowed)}"
    told = json.loads(ternary("license", "show", token, "--trust", trust, "--json").text)
    assert told["now"] == {
        action: "allowed" if action in allowed else "ENTITLEMENT_MISSING"
        for action in ("encode", "decode", "sample")
    }


def test_an_ended_license_is_judged_by_what_it_allows_too(ternary, vendor, shipped, tmp_path):
    token, trust = tmp_path / "acme.license", vendor.directory / "vendor.trust"
    past = datetime(2026, 2, 1, tzinfo=UTC)
    terms = {"now": past - timedelta(days=1), "expires": past, "entitlements": ["sample"]}
    token.write_bytes(license_of(vendor, shipped, **terms))
    told = ternary("license", "show", token, "--trust", trust)
    assert "\nends" not in told.text
    assert told.text.splitlines()[-1].startswith("state     EXPIRED: license L-17 expired on 2026-02-01")
    facts = json.loads(ternary("license", "show", token, "--trust", trust, "--json").text)
    assert (facts["ends_in_days"] < 0, facts["ends_soon"]) == (True, True)


@pytest.fixture
def ending(vendor, shipped, tmp_path):
    """The words for a release whose license ends in twelve days and some hours."""
    end = datetime.now(UTC).replace(microsecond=0) + timedelta(days=12, hours=5)
    files = {name: tmp_path / f"acme.{name}" for name in ("ternary", "license", "trust")}
    files["ternary"].write_bytes(shipped)
    files["license"].write_bytes(license_of(vendor, shipped, expires=end))
    files["trust"].write_bytes(vendor.trust.data)
    return files["ternary"], "--license", files["license"], "--trust", files["trust"], end


def test_a_license_near_its_end_says_so(ternary, ending):
    *_, token, option, trust, end = ending
    soon = f"license in 12 days, on {end:%Y-%m-%d}: ask Acme Logic to renew it"
    lines = ternary("license", "show", token, option, trust).text.splitlines()
    assert f"ends      {soon}" in lines
    assert lines[-1] == "state     holds here and now: encode, decode, sample"
    told = json.loads(ternary("license", "show", token, option, trust, "--json").text)
    assert (told["ends_in_days"], told["ends_soon"]) == (12, True)


def test_the_doctor_says_that_an_end_is_near_and_its_status_does_where_it_is_asked_for(ternary, ending):
    *words, end = ending
    soon = f"ends         SOON   license in 12 days, on {end:%Y-%m-%d}"
    asked = ternary("doctor", *words, "--warn-days", "30")
    assert (asked.status, asked.text.splitlines()[-1]) == (3, soon)
    assert asked.err == "license: ask Acme Logic to renew it\n"
    unasked = ternary("doctor", *words)
    assert (unasked.status, unasked.out, unasked.err) == (0, asked.out, asked.err)
    early = ternary("doctor", *words, "--warn-days", "12")
    assert (early.status, early.err) == (0, "")
    assert early.text.splitlines()[-1] == "ends         ok     nothing within 12 days"
    told = json.loads(ternary("doctor", *words, "--warn-days", "13", "--json").text)
    at, remedy = f"{end:%Y-%m-%dT%H:%M:%SZ}", "ask Acme Logic to renew it"
    assert told["ends"] == [{"what": "license", "at": at, "remedy": remedy, "days": 12}]


def test_what_is_wrong_comes_before_what_ends_soon(ternary, ending):
    package, *words, _ = ending
    package.write_bytes(b"PK\x03\x04")
    done = ternary("doctor", package, *words, "--warn-days", "30")
    assert done.status == 1
    assert "license: ask Acme Logic to renew it\n" in done.err
    assert done.err.splitlines()[-1].endswith(" of 9 checks failed")


def test_the_doctor_does_not_speak_of_ends_that_it_cannot_read(ternary, ending):
    package, option, token, *words, _ = ending
    token.write_bytes(b"not a license")
    done = ternary("doctor", package, option, token, *words, "--warn-days", "30")
    assert (done.status, "\nends" in done.text) == (1, False)
    assert json.loads(ternary("doctor", package, option, token, *words, "--json").text)["ends"] is None


@pytest.mark.parametrize("days", ["-1", "36501", "a", "1_0", "١"])
def test_days_that_are_no_number_of_days_are_a_wrong_command_line(ternary, days):
    assert ternary("doctor", "--warn-days", days).status == 2


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
    assert made.err == (
        "not validated: the package carries no validation; no least coverage was required; "
        "--require refuses a package that falls short\n"
    )
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
