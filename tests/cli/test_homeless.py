"""Users without a home directory, and state directories of their own choosing."""

import json
import os
from datetime import UTC, datetime

import pytest
import typer

from ternary_cli.main import app
from ternary_license_server.keys import issue
from ternary_sdk._internal.licensing import state
from ternary_sdk._internal.packages.package import Package
from ternary_sdk._internal.signing.keys import PublicKey

NO_HOME = (
    "error: state directory: this user has no home directory; name a directory for the meter, the clock mark "
    "and the installation key with state= or '--state DIR'\n"
)
EVALUATION = "no package chosen: this is the SDK's evaluation package; choose with options or 'ternary use'\n"


@pytest.fixture
def files(shipped, vendor, tmp_path):
    """What a vendor sends, with a license that has a quota; as options of a command."""
    identity = Package.read(shipped, vendor.trust).identity
    terms = {"package": identity, "customer": "Initech", "license_id": "L-1", "unique_operations": 100}
    sent = {
        "acme.ternary": shipped,
        "acme.trust": vendor.trust.data,
        "acme.license": issue.issue(vendor, now=datetime(2026, 1, 2, tzinfo=UTC), **terms),
    }
    for name, data in sent.items():
        (tmp_path / name).write_bytes(data)
    return [
        tmp_path / "acme.ternary",
        "--trust",
        tmp_path / "acme.trust",
        "--license",
        tmp_path / "acme.license",
    ]


@pytest.fixture
def homeless(ternary, without_a_home):
    """Run a command as a user without a home directory."""
    return ternary


@pytest.mark.parametrize(
    "words",
    [
        ["sample", "-n", 1],
        ["verify"],
        ["info"],
        ["license", "show"],
        ["doctor"],
        ["use"],
        ["recipes"],
        ["--help"],
    ],
    ids=str,
)
def test_what_needs_no_state_asks_for_no_home(homeless, words):
    assert homeless(*words).status == 0


def test_package_of_a_vendor_needs_no_home_where_nothing_is_counted(homeless, files):
    assert homeless("verify", *files[:3]).status == 0
    assert homeless("info", *files[:3]).status == 0
    assert homeless("machine", *files[1:3], "--machine-id", "rack 7").status == 0


def test_pins_are_forgotten_where_there_can_be_none(homeless):
    done = homeless("use", "--evaluation")
    assert (done.status, done.err[:14]) == (0, "pins forgotten")


@pytest.mark.parametrize("command", ["sample", "use", "key", "request"])
def test_what_needs_state_names_the_option(homeless, files, tmp_path, command):
    words = {
        "sample": ["sample", "-n", 1, *files],
        "use": ["use", *files],
        "key": ["machine", *files[1:3], "--machine-id", "rack 7", "--key", tmp_path / "key.pem"],
        "request": [
            "activate",
            "00000-00000-00000-00000-00000",
            "--request",
            tmp_path / "asked",
            *files[1:3],
        ],
    }[command]
    done = homeless(*words)
    assert (done.status, done.err) == (1, NO_HOME)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["acme.license", "acme.ternary", "acme.trust"]


def test_doctor_names_the_option_where_the_license_needs_state(homeless, files):
    done = homeless("doctor", *files)
    assert done.status == 1
    assert "\nmeter: name a directory of this user's own with '--state DIR'\n" in done.err


def test_data_directory_of_the_environment_needs_no_home(homeless, files, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    assert homeless("sample", "-n", 1, *files).status == 0
    assert list((tmp_path / "data/ternary").glob("vendor-*/ledger.sqlite3"))


def test_chosen_directory_holds_pins_and_meter(homeless, files, vendor, tmp_path):
    chosen = ["--state", tmp_path / "a b?#%ü"]
    assert homeless("use", *files, *chosen).status == 0
    done = homeless("sample", "-n", 7, "--unique", *chosen)
    assert (done.status, done.err[:7]) == (0, "7 rows,")
    assert homeless("encode", *chosen, stdin=done.out).status == 0
    used = homeless("license", "usage", *chosen, "--json")
    assert json.loads(used.text) == {"license": "L-1", "drawn": 7, "allowed": 100, "spaces": {"3,2": 7}}
    shown = homeless("license", "show", *chosen, "--json")
    assert json.loads(shown.text)["drawn"] == 7
    for words in (["verify"], ["info"], ["doctor"], ["atlas", "--out", tmp_path / "a.svg"]):
        done = homeless(*words, *chosen)
        assert (done.status, EVALUATION in done.err) == (0, False)
    kept = state.for_vendor(vendor.trust.root.kid, chosen[1])
    assert (kept / "ledger.sqlite3").exists()
    assert (chosen[1] / "pins.json").exists()
    assert homeless("use", "--evaluation", *chosen).status == 0
    assert not (chosen[1] / "pins.json").exists()
    assert homeless("sample", "-n", 1, *chosen).err.startswith(EVALUATION)


def test_trust_file_that_was_relied_on_is_remembered_in_the_chosen_directory(ternary, tmp_path):
    assert ternary("keys", "init", tmp_path / "keys", "--vendor", "Acme").status == 0
    newer, older = tmp_path / "keys/vendor.trust", tmp_path / "old.trust"
    older.write_bytes(newer.read_bytes())
    place = tmp_path / "pinned.trust"
    place.write_bytes(newer.read_bytes())
    assert ternary("keys", "rotate", "license", "--keys", tmp_path / "keys").status == 0
    words = ["machine", "--machine-id", "rack 7", "--trust"]
    updated = ternary("trust", "update", newer, "--trust", place, "--state", tmp_path / "one")
    assert updated.status == 0
    assert "TRUST" not in ternary(*words, place, "--state", tmp_path / "one").err
    assert "version 2 was relied on here before" in ternary(*words, older, "--state", tmp_path / "one").err
    assert ternary(*words, older, "--state", tmp_path / "two").status == 0


def test_key_of_the_chosen_directory_is_its_own(homeless, files, tmp_path):
    for name in ("one", "two"):
        words = ["machine", *files[1:3], "--machine-id", "x", "--key", tmp_path / f"{name}.pem"]
        for _ in range(2):
            assert homeless(*words, "--state", tmp_path / name).status == 0
    one, two = (PublicKey.from_pem((tmp_path / f"{name}.pem").read_bytes(), name) for name in ("one", "two"))
    assert one != two


def commands(group, before=()):
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, (*before, name))
        else:
            yield (*before, name), {option for given in command.params for option in given.opts}


def test_every_command_that_trusts_somebody_takes_a_state_directory():
    found = dict(commands(typer.main.get_command(app)))
    with_trust = {name for name, options in found.items() if "--trust" in options}
    with_trust -= {
        ("server", "audit", "check"),  # whose archives are verified, by the vendor's own file
        ("server", "restore"),  # the newest list that the vendor published, for the server's database
    }
    with_state = {name for name, options in found.items() if "--state" in options}
    assert with_trust == with_state - {("server", "licenses")}  # those in one state, such as revoked
    assert len(with_trust) >= 19


@pytest.mark.skipif(os.name != "posix", reason="needs named pipes")
@pytest.mark.parametrize("option", ["FILE", "--trust", "--license"])
def test_pipe_into_which_nobody_writes_is_refused_as_empty(ternary, files, tmp_path, option):
    os.mkfifo(tmp_path / "pipe")
    words = [tmp_path / "pipe", *files[1:]] if option == "FILE" else list(files)
    if option != "FILE":
        words[words.index(option) + 1] = tmp_path / "pipe"
    kind = {"FILE": "package", "--trust": "trust file", "--license": "license"}[option]
    done = ternary("sample", *words)
    assert (done.status, done.err) == (1, f"error: {tmp_path}/pipe: empty, expected a {kind}\n")


@pytest.mark.skipif(os.name != "posix", reason="needs named pipes")
def test_pipe_in_the_place_of_the_pins_is_refused(ternary, tmp_path):
    place = tmp_path / "chosen"
    place.mkdir()
    os.mkfifo(place / "pins.json")
    done = ternary("info", "--state", place)
    assert (done.status, done.err) == (1, f"error: {place}/pins.json: is not a regular file\n")
    (place / "pins.json").unlink()
    (place / "pins.json").symlink_to(place / "nowhere")
    done = ternary("info", "--state", place)
    assert (done.status, done.err) == (1, f"error: {place}/pins.json: is a link to nothing\n")


@pytest.mark.parametrize("lay", ["touch", "symlink"])
def test_state_directory_that_is_none_is_refused_where_it_is_needed(ternary, files, tmp_path, lay):
    place = tmp_path / "chosen"
    place.touch() if lay == "touch" else place.symlink_to(tmp_path / "nowhere")
    done = ternary("use", *files, "--state", place)
    assert done.status == 1
    assert done.err.startswith(f"error: {place}")
    assert done.err.count("\n") == 1
    assert not (tmp_path / "nowhere").exists()
