"""A vendor's server and a customer's machines, all by commands, over real HTTP."""

import json
import os
import re
import signal
import sqlite3
import subprocess
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from tests.serving import TERNARY, await_port, free_port, served

from ternary_license_server.database.engine import Database
from ternary_license_server.database.migration import migrate
from ternary_license_server.keys import keyring
from ternary_license_server.settings import Settings
from ternary_sdk._internal.licensing.installation import FILE
from ternary_sdk._internal.licensing.state import LEDGER


@pytest.fixture
def server(tmp_path, vendor, monkeypatch):
    """``ternary serve`` on a new SQLite file, its first token in the environment."""
    with served(vendor.directory, f"sqlite:///{tmp_path / 'server.sqlite3'}") as (address, token):
        monkeypatch.setenv("TERNARY_SERVER_URL", address)
        monkeypatch.setenv("TERNARY_SERVER_TOKEN", token)
        yield address


def touched(file):
    """As a file may be after an editor or a mail program on Windows had it."""
    file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes() + b"\r\n")


def facts(done):
    assert done.status == 0, done.err
    return json.loads(done.text)


def test_each_worker_is_a_process_and_all_stop_with_the_server(vendor, tmp_path):
    port, told = free_port(), tmp_path / "told"
    database = f"sqlite:///{tmp_path / 'server.sqlite3'}"
    command = [TERNARY, "serve", "--keys", vendor.directory, "--database", database]
    with told.open("w") as stream:
        process = subprocess.Popen([*map(str, command), "--port", str(port), "--workers", "2"], stderr=stream)
    try:
        await_port(port)
        seen = set()
        for _ in range(200):
            httpx.get(f"http://127.0.0.1:{port}/livez", timeout=60)
            lines = [line for line in told.read_text().splitlines() if line.startswith("{")]
            seen = {json.loads(line)["process"] for line in lines}
            if len(seen) == 2:
                break
        assert len(seen) == 2
        assert process.pid not in seen
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    assert "Traceback" not in told.read_text()
    for worker in seen:
        with pytest.raises(ProcessLookupError):
            os.kill(worker, 0)


def test_license_of_more_holders_than_a_page_is_shown_whole(ternary, server, shipped, vendor, tmp_path):
    (package := tmp_path / "acme.ternary").write_bytes(shipped)
    facts(ternary("server", "release", package, "--trust", vendor.directory / keyring.TRUST_FILE, "--json"))
    customer = facts(ternary("server", "customer", "Initech", "--json"))["id"]
    facts(ternary("server", "policy", "any", "--product", "acme", "--days", "365", "--json"))
    license_id = facts(ternary("server", "issue", "--to", customer, "--policy", "any", "--json"))["id"]
    rows = [(license_id, f"k-{number}", f"S-{number}", customer) for number in range(2001)]
    with closing(sqlite3.connect(tmp_path / "server.sqlite3", timeout=20)) as database, database:
        database.executemany(
            "INSERT INTO leases "
            "(license, installation, seat, customer, generation, ends, licensed_until, offline, started) "
            "VALUES (?, ?, ?, ?, 1, 4000000000, 4000000000, 0, 0)",
            rows,
        )
    shown = facts(ternary("server", "show", license_id, "--json"))
    assert (shown["held"], len(shown["leases"])) == (2001, 2001)
    assert {lease["installation"] for lease in shown["leases"]} == {row[1] for row in rows}
    lines = ternary("server", "show", license_id).text.splitlines()
    assert sum(line.startswith("seat S-") for line in lines) == 2001


def test_from_release_to_invoice(ternary, server, shipped, vendor, tmp_path):
    package, trust = tmp_path / "acme.ternary", vendor.directory / keyring.TRUST_FILE
    package.write_bytes(shipped)
    released = facts(ternary("server", "release", package, "--trust", trust, "--json"))
    assert (released["product"], released["version"]) == ("acme", "1.0.0")
    customer = facts(ternary("server", "customer", "Initech", "--json"))["id"]
    words = ["--product", "acme", "--days", "365", "--seats", "1", "--unique-operations", "5000"]
    facts(ternary("server", "policy", "floating", *words, "--offline", "30", "--json"))
    sold = facts(ternary("server", "issue", "--to", customer, "--policy", "floating", "--json"))

    taken = facts(
        ternary("activate", sold["key"], "--server", server, "--trust", trust, "--machine-id", "a", "--json")
    )
    drawn = ternary(
        "sample", package, "-n", "7", "--unique", "--license", taken["file"],
        "--trust", trust, "--machine-id", "a",
    )  # fmt: skip
    assert drawn.status == 0, drawn.err
    assert ternary("renew", "--trust", trust).status == 0
    shown = facts(ternary("server", "show", sold["id"], "--json"))
    assert (shown["operations"], len(shown["leases"])) == (7, 1)

    period = ["--from", "2020-01-01", "--to", "2099-12-31"]
    told = ternary("server", "usage", *period, "--csv")
    assert told.err == ""
    table = told.text.splitlines()
    assert table[0] == (
        "license,customer,customer_name,space,operations,late,taken_back,total,share_of_space,all_spaces,"
        "quota,share_of_quota"
    )
    assert table[1] == f'{sold["id"]},{customer},Initech,"3,2",7,0,0,7,0.000355,7,5000,0.001400'
    head, row = ternary("server", "usage", *period).text.splitlines()
    assert re.split(" {2,}", head) == [
        *("license", "customer", "space", "new", "late", "taken back", "in all", "of the space"),
        "of the quota",
    ]
    assert re.split(" {2,}", row) == [
        sold["id"],
        "Initech",
        "3,2",
        "7",
        "0",
        "0",
        "7",
        "0.0355 %",
        "0.1400 %",
    ]

    assert ternary("server", "suspend", sold["id"]).status == 0
    refused = ternary("renew", "--trust", trust)
    assert (refused.status, refused.err) == (
        1,
        f"error: license {sold['id']} is suspended; ask the vendor\n",
    )
    assert not Path(taken["file"]).exists()
    assert ternary("server", "reinstate", sold["id"]).status == 0
    assert ternary("deactivate", "--trust", trust).status == 0
    verdict = facts(ternary("server", "audit", "verify", "--json"))
    assert verdict["faults"] == 0


def test_deleted_meter_is_named_beside_the_table(ternary, server, shipped, vendor, tmp_path, without_a_home):
    package, trust = tmp_path / "acme.ternary", vendor.directory / keyring.TRUST_FILE
    chosen = ["--trust", trust, "--state", tmp_path / "chosen"]
    package.write_bytes(shipped)
    facts(ternary("server", "release", package, "--trust", trust, "--json"))
    customer = facts(ternary("server", "customer", "Initech", "--json"))["id"]
    words = ["--product", "acme", "--seats", "1", "--unique-operations", "5000"]
    facts(ternary("server", "policy", "metered", *words, "--json"))
    sold = facts(ternary("server", "issue", "--to", customer, "--policy", "metered", "--json"))
    taken = facts(ternary("activate", sold["key"], "--server", server, *chosen, "--json"))
    for number in ("40", "1"):
        drawn = ternary("sample", package, "-n", number, "--unique", "--license", taken["file"], *chosen)
        assert drawn.status == 0, drawn.err
        assert ternary("renew", *chosen).status == 0
        (meter,) = (tmp_path / "chosen").rglob(LEDGER)
        meter.unlink()
    told = ternary("server", "usage", "--from", "2020-01-01", "--to", "2099-12-31")
    (flag,) = facts(ternary("server", "usage", "--from", "2020-01-01", "--to", "2099-12-31", "--json"))[
        "flagged"
    ]
    assert flag["lost"] in (39, 40)
    assert flag["restarted"] is True
    assert told.err == (
        f"warning: license {sold['id']} of {customer}: a report of installation {flag['installation']} on "
        f"{datetime.fromtimestamp(flag['received'], UTC):%Y-%m-%d} is of a meter that began "
        f"anew and lacked {flag['lost']} operations of earlier ones, space 3,2; its meter was deleted or "
        "replaced\n"
    )
    assert len(told.text.splitlines()) == 2
    assert ternary("deactivate", *chosen).status == 0
    assert not Path(taken["file"]).exists()


def test_lost_machines_seat_is_freed_and_its_license_ends(ternary, server, shipped, vendor, tmp_path):
    package, newer = tmp_path / "acme.ternary", tmp_path / "newer"
    trust = vendor.directory / keyring.TRUST_FILE
    package.write_bytes(shipped)
    facts(ternary("server", "release", package, "--trust", trust, "--json"))
    customer = facts(ternary("server", "customer", "Initech", "--json"))["id"]
    words = ["--product", "acme", "--seats", "1", "--versions-from", "1.0.0", "--versions-below", "2.0.0"]
    made = facts(ternary("server", "policy", "first", *words, "--json"))
    assert (made["versions_from"], made["versions_below"]) == ("1.0.0", "2.0.0")
    sold = facts(ternary("server", "issue", "--to", customer, "--policy", "first", "--json"))
    taken = facts(ternary("activate", sold["key"], "--server", server, "--trust", trust, "--json"))
    line = ["sample", package, "-n", "3", "--license", taken["file"], "--trust"]
    assert ternary(*line, trust).status == 0

    (held,) = facts(ternary("server", "show", sold["id"], "--json"))["leases"]
    done = ternary(
        "server", "free-seat", sold["id"], held["seat"], "--reason", "stolen at the fair", "--json"
    )
    assert facts(done)["live"] is False
    again = ternary("server", "free-seat", sold["id"], held["seat"], "--reason", "stolen at the fair")
    why = rf"license {sold['id']}: seat {held['seat']} was declared lost already, on .* UTC"
    assert (again.status, bool(re.fullmatch(rf"error: {why} \(CONFLICT\)\n", again.err))) == (1, True)
    newer.write_bytes(trust.read_bytes())
    assert facts(ternary("trust", "update", "--server", server, "--trust", newer, "--json"))["revoked"] == (
        "0 keys, 1 licenses"
    )
    assert newer.read_bytes() == httpx.get(f"{server}/v1/trust").content
    refused = ternary(*line, newer)
    assert (refused.status, refused.err) == (
        1,
        f"error: license {sold['id']} was revoked by Acme Logic for this machine, which they were told is "
        "lost; activate it again\n",
    )
    rows = facts(ternary("server", "audit", "list", sold["id"], "--json"))["rows"]
    assert [row["action"] for row in rows] == ["license.issue", "lease.activate", "seat.free"]


def test_machine_without_a_network_takes_and_gives_back_a_seat_by_files(
    ternary, server, shipped, vendor, tmp_path, without_a_home
):
    package, trust = tmp_path / "acme.ternary", vendor.directory / keyring.TRUST_FILE
    chosen = ["--trust", trust, "--state", tmp_path / "chosen"]
    package.write_bytes(shipped)
    facts(ternary("server", "release", package, "--trust", trust, "--json"))
    customer = facts(ternary("server", "customer", "Initech", "--json"))["id"]
    facts(
        ternary("server", "policy", "field", "--product", "acme", "--seats", "1", "--offline", "7", "--json")
    )
    sold = facts(ternary("server", "issue", "--to", customer, "--policy", "field", "--json"))
    asked, came, proof, receipt = (tmp_path / name for name in ("asked", "came", "proof", "receipt"))

    done = ternary("activate", sold["key"], "--request", asked, *chosen, "--machine-id", "field")
    assert done.status == 0, done.err
    touched(asked)
    assert ternary("carry", asked, "--server", server, "--out", came, "--trust", trust).status == 0
    touched(came)
    taken = facts(ternary("activate", "--response", came, *chosen, "--json"))
    line = [package, "--license", taken["file"], *chosen, "--machine-id", "field"]
    assert ternary("sample", *line, "-n", "3").status == 0

    refused = ternary("renew", *chosen)
    assert "activated by file, which cannot be renewed" in refused.err
    assert ternary("deactivate", "--release", proof, *chosen).status == 0
    touched(proof)
    assert ternary("carry", proof, "--server", server, "--out", receipt, "--trust", trust).status == 0
    assert json.loads(receipt.read_bytes())["id"] == sold["id"]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (
            ["activate"],
            "give KEY and --server URL; without a network KEY and --request FILE, then --response",
        ),
        (["activate", "AAAAA", "--server", "https://x"], "license key: not 25 letters and digits such as"),
        (
            ["activate", "0" * 24 + "1", "--server", "https://x"],
            "license key: a character is mistyped or two are swapped; compare it again",
        ),
        (["activate", "0" * 25, "--server", "http://x"], "license server: 'http://x', expected an address"),
        (["renew"], "activated licenses of Acme Logic: none; name the one that is meant"),
        (["deactivate", "L-1"], "license L-1: not activated by this user on this machine"),
    ],
)
def test_wrong_line_is_one_sentence(ternary, vendor, words, sentence):
    done = ternary(*words, "--trust", vendor.directory / keyring.TRUST_FILE)
    assert done.status == 1
    assert done.err.startswith(f"error: {sentence}")
    assert done.err.count("\n") == 1


def test_server_commands_without_a_token_say_where_to_get_one(ternary, monkeypatch):
    monkeypatch.delenv("TERNARY_SERVER_TOKEN", raising=False)
    done = ternary("server", "customers")
    assert (done.status, done.err) == (
        1,
        "error: no admin token: set TERNARY_SERVER_TOKEN or add --token-file; "
        "'ternary serve' shows the first one once\n",
    )


def test_every_wrong_setting_is_named_at_once(ternary, monkeypatch, tmp_path):
    monkeypatch.setenv("TERNARY_SERVER_RATE", "many")
    monkeypatch.setenv("TERNARY_SERVER_COLOUR", "blue")
    done = ternary("serve", "--port", "70000", "--database", "mysql://x/y")
    assert (done.status, done.err) == (
        1,
        "error: TERNARY_SERVER_COLOUR: no such setting; TERNARY_SERVER_DATABASE: database: expected "
        "sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME; TERNARY_SERVER_PORT: '70000', expected a "
        "number from 0 to 65535; TERNARY_SERVER_RATE: 'many', expected a number from 1 to 1000000; "
        "TERNARY_SERVER_KEYS: missing; set it to what 'ternary keys init' made\n",
    )


def test_variables_of_the_platforms_services_are_passed_over(ternary, monkeypatch, tmp_path):
    """Kubernetes sets them in each container, for services named ternary-server and ternary-server-db."""
    for name, value in {
        "PORT": "tcp://10.0.0.7:8750",
        "SERVICE_HOST": "10.0.0.7",
        "SERVICE_PORT": "8750",
        "SERVICE_PORT_HTTP": "8750",
        "PORT_8750_TCP": "tcp://10.0.0.7:8750",
        "PORT_8750_TCP_PROTO": "tcp",
        "PORT_8750_TCP_PORT": "8750",
        "PORT_8750_TCP_ADDR": "10.0.0.7",
        "DB_PORT": "tcp://10.0.0.8:5432",
        "DB_SERVICE_HOST": "10.0.0.8",
        "DB_PORT_53_UDP_ADDR": "10.0.0.8",
    }.items():
        monkeypatch.setenv(f"TERNARY_SERVER_{name}", value)
    settings = Settings.read(dict(os.environ) | {"TERNARY_SERVER_KEYS": str(tmp_path)})
    assert settings == Settings(keys=tmp_path)
    monkeypatch.setenv("TERNARY_SERVER_PORT", "tcp:10.0.0.7")
    monkeypatch.setenv("TERNARY_SERVER_DB_PORT", "5432")
    done = ternary("serve", "--keys", tmp_path)
    assert done.err == (
        "error: TERNARY_SERVER_DB_PORT: no such setting; TERNARY_SERVER_PORT: 'tcp:10.0.0.7', expected a "
        "number from 0 to 65535\n"
    )


def test_installation_key_is_made_at_the_first_request(ternary, vendor, tmp_path):
    trust = vendor.directory / keyring.TRUST_FILE
    done = ternary("activate", "0" * 25, "--request", tmp_path / "asked", "--trust", trust)
    assert done.status == 0, done.err
    assert list((tmp_path / "home").rglob(FILE))


def test_operator_vouches_for_the_clock_with_todays_date(ternary, tmp_path):
    file = tmp_path / "server.sqlite3"
    url = f"sqlite:///{file}"
    assert ternary("server", "confirm-clock", "2026-03-01", "--database", url).err == (
        f"error: database sqlite+pysqlite:///{file}: no such file; name the server's with --database or "
        "TERNARY_SERVER_DATABASE\n"
    )
    file.touch()
    assert ternary("server", "confirm-clock", "2026-03-01", "--database", url).err == (
        f"error: database sqlite+pysqlite:///{file}: it has no tables of a license server; start "
        "'ternary serve' once\n"
    )
    with closing(Database(url)) as database:
        migrate(database)
    wrong = ternary("server", "confirm-clock", "2020-01-01", "--database", url)
    assert (wrong.status, wrong.text) == (1, "")
    assert re.fullmatch(r"error: clock: says \S+ \S+ UTC, and you say 2020-01-01; set it right\n", wrong.err)
    said = facts(
        ternary("server", "confirm-clock", f"{datetime.now(UTC):%Y-%m-%d}", "--database", url, "--json")
    )
    assert (abs(said["clock"] - datetime.now(UTC).timestamp()) < 60, said["newest"]) == (True, None)
    shown = ternary("server", "confirm-clock", f"{datetime.now(UTC):%Y-%m-%d}", "--database", url).text
    assert re.fullmatch(r"clock +\S+ \S+ UTC\nnewest +\S+ \S+ UTC\n", shown)
