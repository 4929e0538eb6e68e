"""Standard streams as callers leave them: closed, full, without a reader, in a code page of their own."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime

import pytest

from ternary_cli import pins
from ternary_license_server.keys import issue, keyring
from ternary_sdk._internal.licensing import state
from ternary_sdk._internal.packages.package import Package

NOW = datetime(2026, 1, 2, tzinfo=UTC)
OPTIONS = "acme.ternary --license small.license --trust acme.trust"
JAPANESE = "日本の会社"
CODE_PAGES = {
    "cp1252": {"PYTHONIOENCODING": "cp1252"},
    "latin-1": {"PYTHONIOENCODING": "latin-1"},
    "ascii": {"PYTHONIOENCODING": "ascii"},
    "LANG=C": {"LANG": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
}


@pytest.fixture
def acme(shipped, vendor, tmp_path):
    """A folder with a package, its trust file, and a license that counts up to 5,000 operations."""
    (tmp_path / "acme.ternary").write_bytes(shipped)
    (tmp_path / "acme.trust").write_bytes(vendor.trust.data)
    identity = Package.read(shipped, vendor.trust).identity
    token = issue.issue(
        vendor, package=identity, customer=JAPANESE, now=NOW, license_id="small", unique_operations=19_000
    )
    (tmp_path / "small.license").write_bytes(token)
    return tmp_path


def shell(line, folder, stdout=subprocess.PIPE, **environment):
    """A line of a user's shell, and its exit status; warnings of Python's end would be on standard error."""
    return subprocess.run(
        ["bash", "-o", "pipefail", "-c", line],
        cwd=folder,
        env={"PATH": f"{sys.prefix}/bin:/usr/bin:/bin", "HOME": str(folder), "LANG": "C.UTF-8"} | environment,
        stdout=stdout,
        stderr=subprocess.PIPE,
        check=False,
    )


def counted(folder):
    shown = shell("ternary license usage small.license --trust acme.trust --json", folder)
    return json.loads(shown.stdout)["drawn"]


@pytest.mark.parametrize(
    ("output", "why"),
    [
        (">&-", "closed; send it to a file, or to /dev/null"),
        (">/dev/full", "no space left on device"),
        ("1</dev/null", "bad file descriptor"),
    ],
)
@pytest.mark.parametrize("command", ["sample", "decode rows.csv --package"])
def test_an_output_that_takes_nothing_is_refused_before_anything_is_counted(acme, command, output, why):
    (acme / "rows.csv").write_text(",".join(["0"] * 16) + "\n")
    done = shell(f"ternary {command} {OPTIONS} {output}", acme)
    assert (done.returncode, done.stderr.decode()) == (1, f"error: standard output: {why}\n")
    assert counted(acme) == 0


@pytest.mark.parametrize("command", ["--help", "--version", "use", "keys init keys", "recipes", "smaple"])
@pytest.mark.parametrize("output", [">&-", ">/dev/full"])
def test_it_is_refused_by_every_command(acme, command, output):
    done = shell(f"ternary {command} {output}", acme)
    assert done.returncode == 1
    assert done.stderr.startswith(b"error: standard output: ")
    assert done.stderr.count(b"\n") == 1
    assert not (acme / "keys").exists()


def test_a_closed_input_is_refused_where_rows_are_read(acme):
    done = shell(f"ternary decode --package {OPTIONS} <&-", acme)
    assert done.returncode == 1
    assert done.stderr == b"error: standard input: closed; name a file, or pipe rows in\n"
    assert shell(f"ternary sample {OPTIONS} -n 2 <&-", acme).returncode == 0


@pytest.mark.parametrize("errors", ["2>&-", "2>/dev/full", "2>&1 >rows.csv | true"])
def test_messages_that_nobody_can_read_do_not_spoil_the_result(acme, errors):
    to = "" if "rows.csv" in errors else "> rows.csv"
    assert shell(f"ternary sample {OPTIONS} -n 3 --format csv {to} {errors}", acme).returncode == 0
    assert len((acme / "rows.csv").read_bytes().splitlines()) == 4


def test_no_file_is_opened_under_the_number_of_a_closed_stream(acme):
    """SQLite's file would be printed into."""
    done = shell(f"ternary sample {OPTIONS} -n 3 --unique --format csv > rows.csv 2>&- <&-", acme)
    assert (done.returncode, counted(acme)) == (0, 3)
    assert (acme / "rows.csv").read_bytes().startswith(b"index,t0")


@pytest.mark.parametrize(
    ("command", "kilobytes"),
    [(f"sample {OPTIONS} -n 100000 --format csv", 1000), ("recipes", 0), ("--help", 0)],
)
def test_a_disk_that_fills_up_on_the_way_is_one_sentence(acme, command, kilobytes):
    full = shell(f"ulimit -f {kilobytes}; ternary {command} > written", acme)
    assert full.returncode == 1
    assert full.stderr.decode().count("\n") == 1
    assert full.stderr.decode().endswith(": file too large\n")


@pytest.mark.parametrize(
    "command",
    [
        f"sample {OPTIONS} -n 200000 --seed 7",
        f"info {OPTIONS.replace('--license small.license', '')}",
        "license show small.license --trust acme.trust --json",
        "keys init keys --json",
        "recipes",
        "--version",
        "--help",
    ],
)
def test_a_reader_that_has_left_is_silent_and_status_141(acme, command):
    reader, writer = os.pipe()
    os.close(reader)
    done = shell(f"exec ternary {command}", acme, stdout=writer)
    os.close(writer)
    said = [line for line in done.stderr.decode().splitlines() if not line.startswith("vendor is ")]
    assert (done.returncode, said) == (141, [])


def test_what_was_asked_for_is_counted_even_if_its_reader_leaves(acme):
    shell(f"ternary sample {OPTIONS} -n 100000 --seed 7 --format csv | head -n 1", acme)
    left_early = counted(acme)
    shell(f"ternary sample {OPTIONS} -n 100000 --seed 7 --format csv > rows.csv", acme)
    assert left_early == counted(acme) == len(set((acme / "rows.csv").read_text().split()[1:]))


# One page that has few letters and one that names none; the others are like the first.
@pytest.mark.parametrize(
    "page",
    [
        pytest.param(page, marks=[] if page in ("ascii", "LANG=C") else [pytest.mark.stress])
        for page in CODE_PAGES
    ],
)
def test_no_code_page_makes_a_traceback(acme, page):
    made = keyring.create(acme / "keys", JAPANESE, NOW)
    (acme / f"{JAPANESE}.trust").write_bytes(made.trust.data)
    lines = [
        ("license usage small.license --trust acme.trust", 0),
        ("license usage small.license --trust acme.trust --json", 0),
        ("license show small.license --trust acme.trust", 0),
        ("license show small.license --trust acme.trust --json", 0),
        (f"keys init new --vendor {JAPANESE}", 1 if page == "LANG=C" else 0),
        ("keys rotate license --keys keys --json", 0),
        (f"verify acme.ternary --trust {JAPANESE}.trust --json", 1),
        (f"info {JAPANESE}…", 1),
        (f"{JAPANESE} → --json", 2),
        (f"sample --path {JAPANESE}", 1),
        ("--help", 0),
    ]
    if page == "ascii":  # the narrowest; what is slow, or prints no letter of these files, runs on it alone
        lines += [
            (f"sample {OPTIONS} -n 2 --format table", 0),
            (f"train --recipe {JAPANESE}", 1),
            ("sample --help", 0),
        ]
    for line, status in lines:
        done = shell(f"ternary {line}", acme, **CODE_PAGES[page])
        assert b"Traceback" not in done.stderr + done.stdout, line
        assert done.returncode == status, done.stderr
        if "--json" in line:
            assert json.loads(done.stdout)
    shown = shell(
        "ternary license show small.license --trust acme.trust --json", acme, **CODE_PAGES[page]
    ).stdout
    assert json.loads(shown)["customer"] == JAPANESE
    assert shown.isascii()


def test_a_letter_that_the_code_page_lacks_is_printed_as_an_escape(acme):
    shown = shell("ternary license show small.license --trust acme.trust", acme, PYTHONIOENCODING="latin-1")
    assert b"Acme Logic to \\u65e5\\u672c\\u306e\\u4f1a\\u793e\n" in shown.stdout
    bar = shell("ternary license usage small.license --trust acme.trust", acme, PYTHONIOENCODING="cp1252")
    assert bar.stdout.startswith(b"small  \\u2591\\u2591")


def test_json_in_utf8_holds_the_letters_themselves(acme):
    shown = shell("ternary license show small.license --trust acme.trust --json", acme)
    assert JAPANESE.encode() in shown.stdout


def test_a_name_that_is_not_unicode_is_refused_where_text_keeps_it(acme):
    line = rf"cp acme.trust $'\xff.trust'; ternary use {OPTIONS.replace('acme.trust', '')} $'\xff.trust'"
    done = shell(line, acme)
    assert done.returncode == 1
    assert done.stderr.decode() == (
        f"error: {acme}/\\udcff.trust: this name is not Unicode here and cannot be pinned; rename it, or set "
        "PYTHONUTF8=1\n"
    )


@pytest.mark.parametrize("name", ["package", "license", "trust"])
def test_nul_in_a_pinned_path_is_refused(ternary, client_pins, name):
    client_pins(**{name: "/tmp/a\0b"})
    done = ternary("info")
    assert (done.status, done.out) == (1, b"")
    assert done.err == (
        f"error: {state.directory() / pins.FILE}: '/tmp/a\\x00b': holds NUL, which no file's name does; "
        "run 'ternary use' again\n"
    )


@pytest.fixture
def client_pins(ternary, vendor):
    """Writes a pins file, with what is given in place of a path."""

    def write(**paths):
        places = {"package": "/p", "license": "/l", "trust": "/t"} | paths
        pins.save(pins.Pins(**places, root=vendor.trust.root.kid), None)

    return write


@pytest.mark.parametrize(
    "words",
    [
        ["info", "a\0b", "--trust", "t"],
        ["verify", "a\0b", "--trust", "t"],
        ["sample", "--out", "a\0b.csv"],
        ["unpack", "--out", "a\0b"],
        ["encode", "a\0b.csv"],
        ["license", "show", "a\0b", "--trust", "t"],
        ["trust", "update", "a\0b", "--trust", "t"],
        ["keys", "init", "a\0b"],
        ["train", "--recipe", "a\0b.toml"],
        ["train", "--out", "a\0b"],
        ["validate", "a\0b"],
        ["export", "a\0b", "--out", "c"],
        ["certify", "a\0b"],
        ["plot", "a\0b", "--out", "c.png"],
        ["serve", "--keys", "a\0b"],
        ["serve", "--keys", "a", "--database", "sqlite:///a%00b"],
        ["doctor", "a\0b", "--license", "l", "--trust", "t"],
        ["use", "a\0b", "--license", "l", "--trust", "t"],
    ],
)
def test_nul_in_a_path_is_one_sentence(ternary, words):
    done = ternary(*words)
    assert (done.status, done.err.splitlines()[-1][:7]) == (1, "error: ")
    assert "\0" not in done.err


def test_a_refusal_of_the_system_without_a_file_names_the_command(monkeypatch):
    from ternary_cli import endings

    error = OSError(24, os.strerror(24))
    assert endings.of(error, "ternary license show").message == "ternary license show: too many open files"
    error = OSError(2, os.strerror(2), "acme.ternary")
    assert endings.of(error, "ternary info").message == "acme.ternary: no such file or directory"
    error = OSError(18, os.strerror(18), "a", None, "b")
    assert endings.of(error, "ternary info").message == "a, b: invalid cross-device link"
    assert endings.of(TimeoutError(), "ternary info").message == "ternary info: timeouterror"
