"""Every command takes ``--json``, and prints a refusal as one object whose code a program can rely on."""

import json

import pytest
import typer

from ternary_cli.main import app
from ternary_sdk import errors
from ternary_sdk.errors import CodedError, Reason, ServerError, TernaryError

REFUSED = {
    "activate": ("KEY --server https://localhost --trust missing", "FILE"),
    "atlas": ("missing.ternary", "FILE"),
    "carry": ("missing --server https://localhost --out answer --trust missing", "FILE"),
    "certify": ("missing", "INPUT"),
    "ablate": ("missing --out made", "INPUT"),
    "compare": ("missing another", "FORMAT"),
    "convert": ("missing.mv --to codes", "INPUT"),
    "deactivate": ("--trust missing", "FILE"),
    "decode": ("missing.csv --out rows.csv", "FILE"),
    "disrupt": ("missing", "INPUT"),
    "doctor": ("missing.ternary", "INPUT"),
    "encode": ("missing.csv --out rows.csv", "FILE"),
    "export": ("missing --out build", "INPUT"),
    "info": ("missing.ternary --trust missing", "FILE"),
    "keys extend": ("--keys missing --until never", "INPUT"),
    "keys init": (".", "INPUT"),
    "keys revoke": ("KID --keys missing", "INPUT"),
    "keys show": ("--keys missing", "INPUT"),
    "keys webhook": ("missing", "INPUT"),
    "keys rotate": ("license --keys missing", "INPUT"),
    "library": ("missing.csv --out folder", "FILE"),
    "license invoice": ("missing.json --trust missing", "FILE"),
    "license issue": ("--package p --to c --expires yesterday --keys k --out l", "INPUT"),
    "license issue-all": ("missing.csv --package p --keys k --out licenses", "FILE"),
    "license reissue": ("missing --expires 2035-12-31 --keys k --out l", "INPUT"),
    "license revoke": ("L-1 --keys missing", "INPUT"),
    "license show": ("missing --trust missing", "FILE"),
    "license statement": ("missing --trust missing", "FILE"),
    "license usage": ("", "INPUT"),
    "list": ("--where nothing --count", "INPUT"),
    "machine": ("--trust missing", "FILE"),
    "near": ("nothing --by hamming --out rows.csv", "INPUT"),
    "package": ("missing --name n --version one --keys k --out o", "INPUT"),
    "path": ("0 nothing --package missing.ternary --trust missing --out rows.csv", "FILE"),
    "price": ("--plan missing.toml --draws 1e5", "FILE"),
    "plot": ("missing --out curves.png", "FORMAT"),
    "recipes": ("--show missing", "INPUT"),
    "renew": ("--trust missing", "FILE"),
    "report": ("missing --out report", "INPUT"),
    "sample": ("-n -1 --out rows.csv", "INPUT"),
    "serve": ("--keys missing", "INPUT"),
    "server anonymise-customer": ("c", "INPUT"),
    "server audit archive": ("--out archives", "INPUT"),
    "server audit check": ("missing --trust missing", "FILE"),
    "server audit checkpoint": ("out", "INPUT"),
    "server audit list": ("", "INPUT"),
    "server audit verify": ("", "INPUT"),
    "server backup": ("copy --database sqlite:///missing.sqlite3", "DATABASE"),
    "server change": ("L-1 --policy p", "INPUT"),
    "server change-policy": ("p --existing keep --seats 3", "INPUT"),
    "server confirm-clock": ("2026-03-01 --database sqlite:///missing.sqlite3", "DATABASE"),
    "server correct": ("L-1 S-1 --reason wrong", "INPUT"),
    "server customer": ("Initech", "INPUT"),
    "server customers": ("", "INPUT"),
    "server edit-customer": ("c --name n", "INPUT"),
    "server end-policy": ("p", "INPUT"),
    "server events list": ("", "INPUT"),
    "server events replay": ("E-1", "INPUT"),
    "server free-seat": ("L-1 S-1 --reason lost", "INPUT"),
    "server guarantee": ("acme --require coverage=0.9", "INPUT"),
    "server invoice": ("--customer c", "INPUT"),
    "server invoices": ("", "INPUT"),
    "server issue": ("--to c --policy p", "INPUT"),
    "server edit": ("L-1 --order PO-1", "INPUT"),
    "server licenses": ("", "INPUT"),
    "server merge-customer": ("c --into d", "INPUT"),
    "server merge-invoice": ("missing", "FILE"),
    "server merge-list": ("missing", "FILE"),
    "server restore": ("missing --no-newer-trust --database sqlite:///missing.sqlite3", "INPUT"),
    "server policies": ("", "INPUT"),
    "server policy": ("floating --product acme", "INPUT"),
    "server price-policy": ("p --prices missing.toml --existing keep", "FILE"),
    "server reinstate": ("L-1", "INPUT"),
    "server release": ("missing --trust missing", "FILE"),
    "server releases": ("", "INPUT"),
    "server renew": ("L-1", "INPUT"),
    "server revoke": ("L-1", "INPUT"),
    "server revoke-token": ("T-1", "INPUT"),
    "server show": ("L-1", "INPUT"),
    "server status": ("", "INPUT"),
    "server suspend": ("L-1", "INPUT"),
    "server token": ("invoices --scope auditor", "INPUT"),
    "server tokens": ("", "INPUT"),
    "server transfer": ("L-1 --to c", "INPUT"),
    "server usage": ("--from 2026-01-01 --to today", "INPUT"),
    "server webhook add": ("https://hooks.example.com", "INPUT"),
    "server webhook list": ("", "INPUT"),
    "server webhook pause": ("W-1", "INPUT"),
    "server webhook remove": ("W-1", "INPUT"),
    "server webhook resume": ("W-1", "INPUT"),
    "server webhook test": ("W-1", "INPUT"),
    "show": ("nothing", "INPUT"),
    "train": ("--recipe missing", "INPUT"),
    "tensorboard": ("missing", "FORMAT"),
    "trust update": ("missing", "INPUT"),
    "unpack": ("missing.ternary --out folder", "FILE"),
    "use": ("missing.ternary", "INPUT"),
    "validate": ("missing", "INPUT"),
    "verify": ("missing.ternary", "FILE"),
}
"""A command line that each command refuses, whatever is installed beside it, and the code of the refusal."""

ASKED_FOR_NOTHING = ["properties"]
"""Commands that read nothing: only their command line can be wrong."""


def names(command, words=()):
    commands = getattr(command, "commands", {})
    found = [name for word, inner in commands.items() for name in names(inner, (*words, word))]
    return found or [" ".join(words)]


COMMANDS = sorted(names(typer.main.get_command(app)))


@pytest.fixture(autouse=True)
def alone(monkeypatch, tmp_path):
    """Nothing of this machine's surroundings: an empty folder, no server and no token."""
    monkeypatch.chdir(tmp_path)
    for name in ("TERNARY_SERVER_TOKEN", "TERNARY_SERVER_URL"):
        monkeypatch.delenv(name, raising=False)


def only_object(done):
    """The one object on standard output; people read the same sentence on standard error."""
    found = json.loads(done.text)
    assert set(found["error"]) == {"code", "message"}
    assert done.err.endswith(f"{found['error']['message']}\n")
    return found["error"]


def test_every_command_has_a_refusal_here():
    assert sorted([*REFUSED, *ASKED_FOR_NOTHING]) == COMMANDS


@pytest.mark.parametrize("name", ASKED_FOR_NOTHING)
def test_a_wrong_command_line_is_refused_where_nothing_else_can_be(ternary, name):
    done = ternary(name, "more", "--json")
    assert (done.status, json.loads(done.text)["error"]["code"]) == (2, "USAGE")


@pytest.mark.parametrize("name", REFUSED)
def test_a_refusal_is_one_object_with_a_code(ternary, tmp_path, name):
    (tmp_path / "taken").write_text("")
    words, code = REFUSED[name]
    done = ternary(*name.split(), *words.split(), "--json")
    assert (done.status, only_object(done)["code"]) == (1, code)


@pytest.mark.parametrize("name", COMMANDS)
def test_a_wrong_command_line_is_one_object_too(ternary, name):
    done = ternary(*name.split(), "--json", "--no-such-option")
    assert (done.status, only_object(done)["code"]) == (2, "USAGE")


@pytest.mark.parametrize("words", ["smaple --json", "--json", "license --json", "sample --json -n ten"])
def test_so_is_one_that_names_no_command(ternary, words):
    done = ternary(*words.split())
    assert (done.status, only_object(done)["code"]) == (2, "USAGE")


def test_without_json_a_refusal_prints_no_object(ternary):
    assert ternary("info", "missing.ternary", "--trust", "missing").out == b""
    assert ternary("info", "--", "--json").out == b""  # a file of that name


def test_a_license_is_refused_by_its_reason(ternary, shipped, vendor, tmp_path):
    (tmp_path / "acme.ternary").write_bytes(shipped)
    (tmp_path / "acme.trust").write_bytes(vendor.trust.data)
    (tmp_path / "acme.license").write_bytes(b"no license")
    words = "sample acme.ternary --license acme.license --trust acme.trust --out rows.csv --json"
    assert only_object(ternary(*words.split()))["code"] == Reason.MALFORMED


def test_every_error_has_a_code_of_its_own():
    family = [kind for kind in vars(errors).values() if isinstance(kind, type)]
    refusals = [
        kind for kind in family if issubclass(kind, TernaryError) and not issubclass(kind, CodedError)
    ]
    assert {kind.__name__: kind.code for kind in refusals} == {
        "TernaryError": "REFUSED",
        "InputError": "INPUT",
        "FormatError": "FORMAT",
        "SignatureError": "SIGNATURE",
        "ProofError": "PROOF",
        "CoverageError": "COVERAGE",
        "LedgerError": "LEDGER",
        "ServerError": "SERVER",
    }


@pytest.mark.parametrize(
    ("given", "code"),
    [("CONFLICT", "CONFLICT"), ("conflict", "SERVER"), ("A\x1b[2J", "SERVER"), ("", "SERVER")],
)
def test_a_servers_own_code_is_taken_if_it_looks_like_one(given, code):
    assert ServerError("license server: no", given).code == code


def test_rows_and_an_object_do_not_share_standard_output(ternary):
    for command in ("sample", "encode", "decode"):
        done = ternary(command, "--json", stdin=b"1,0,0,0,0,0,0,0,0\n")
        assert done.status == 1
        assert only_object(done)["message"] == (
            "--json prints one object about the rows, which are to go to standard output themselves; "
            "add --out F, or take --format jsonl instead"
        )


def test_commands_that_write_files_name_them(ternary, tmp_path):
    drawn = json.loads(ternary("sample", "-n", 5, "--seed", 7, "--out", "rows.csv", "--json").text)
    assert (drawn["file"], drawn["rows"], drawn["path"], drawn["seed"]) == ("rows.csv", 5, "A", 7)
    encoded = json.loads(ternary("encode", "rows.csv", "--out", "latents.npy", "--json").text)
    assert encoded == {"file": "latents.npy", "rows": 5, "path": "A"}
    decoded = json.loads(ternary("decode", "latents.npy", "--out", "again.csv", "--json").text)
    assert decoded == {"file": "again.csv", "rows": 5, "path": "A"}
    assert (tmp_path / "rows.csv").read_bytes() == (tmp_path / "again.csv").read_bytes()
    unpacked = json.loads(ternary("unpack", "--out", "folder", "--json").text)
    assert sorted(path.name for path in (tmp_path / "folder").iterdir()) == unpacked["files"]
    drawing = json.loads(ternary("atlas", "--out", "a.png", "--json").text)
    assert (drawing["file"], drawing["path"]) == ("a.png", "A")


def test_what_the_doctor_found_and_its_refusal_are_one_object(ternary, tmp_path):
    for name in ("p", "l", "t"):
        (tmp_path / name).write_text("")
    done = ternary("doctor", "p", "--license", "l", "--trust", "t", "--json")
    found = json.loads(done.text)
    assert done.status == 1
    assert [finding["name"] for finding in found["findings"] if not finding["ok"]][:1] == ["trust"]
    assert found["error"]["code"] == "REFUSED"
    assert done.err.splitlines()[-1] == f"error: {found['error']['message']}"
