"""Prices to invoice to agreement, as a vendor and a customer with three machines type it, over real HTTP."""

import csv
import io
import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.serving import hosted

from ternary_license_server.keys import keyring
from ternary_sdk._internal.licensing.ledger import Ledger
from ternary_sdk._internal.licensing.license import License
from ternary_sdk._internal.licensing.state import LEDGER, for_vendor
from ternary_sdk._internal.pricing.month import Month
from ternary_sdk.operations import OperationSet

PRICES = """currency = "EUR"
base = 5000
included = 3
minimum = 6000

[[tiers]]
up_to = 10
amount = 125

[[tiers]]
amount = 50
per = 3
"""


@pytest.fixture
def server(tmp_path, vendor, monkeypatch):
    with hosted(vendor.directory, f"sqlite:///{tmp_path / 'server.sqlite3'}") as (address, token):
        monkeypatch.setenv("TERNARY_SERVER_URL", address)
        monkeypatch.setenv("TERNARY_SERVER_TOKEN", token)
        yield address


def facts(done):
    assert done.status == 0, done.err
    return json.loads(done.text)


def last_month():
    return Month.of(datetime.now(UTC)).before


def received_last_month(tmp_path):
    """Let everything that the server has received have come in the middle of last month."""
    middle = int(last_month().start.timestamp()) + 14 * 86_400
    with closing(sqlite3.connect(tmp_path / "server.sqlite3", timeout=20)) as database, database:
        database.execute("UPDATE meter_entries SET received = ?", (middle,))


def sell(ternary, shipped, vendor, tmp_path):
    """The trust option and a sold license."""
    (package := tmp_path / "acme.ternary").write_bytes(shipped)
    (prices := tmp_path / "prices.toml").write_text(PRICES)
    trust = ["--trust", vendor.directory / keyring.TRUST_FILE]
    facts(ternary("server", "release", package, *trust, "--json"))
    customer = facts(ternary("server", "customer", "Initech", "--json"))["id"]
    words = ["--product", "acme", "--seats", "3", "--unique-operations", "19683", "--prices", prices]
    facts(ternary("server", "policy", "metered", *words, "--json"))
    return (
        trust,
        facts(ternary("server", "issue", "--to", customer, "--policy", "metered", "--json")),
    )


def draw(license, trust, state, operations):
    """Count operations as a draw does, without opening a model."""
    held = License.read(license.read_bytes(), trust)
    ledger = Ledger(for_vendor(trust.root.kid, state) / LEDGER)
    quota = held.unique_operations
    ledger.record(held.id, quota, OperationSet.of(operations), lease=held.lease, owner=held.customer)


def test_three_machines_state_what_the_invoice_bills(ternary, server, shipped, vendor, tmp_path):
    trust, sold = sell(ternary, shipped, vendor, tmp_path)
    statements = []
    for name, drawn in (("a", [1, 2, 3]), ("b", [3, 4, 5, 6]), ("c", range(6, 14))):
        chosen = [*trust, "--state", tmp_path / name]
        words = ["--server", server, "--machine-id", name, "--json"]
        license = Path(facts(ternary("activate", sold["key"], *chosen, *words))["file"])
        draw(license, vendor.trust, tmp_path / name, drawn)
        for _ in range(2):
            assert ternary("renew", *chosen).status == 0
        statements.append(tmp_path / f"{name}.statement")
        told = ternary("license", "usage", license, *chosen, "--statement", statements[-1])
        assert told.status == 0, told.err
    received_last_month(tmp_path)
    license.unlink()  # as after a transfer, when the server has denied it
    kept = ["--trust", vendor.directory / keyring.TRUST_FILE, "--state", tmp_path / "c"]
    told = ternary("license", "usage", "--ended", sold["id"], *kept, "--statement", statements[-1], "--force")
    assert (told.status, told.text) == (0, f"{sold['id']}  Initech  8 operations drawn\n")

    files = {form: tmp_path / f"invoice.{form}" for form in ("json", "csv", "html", "pdf")}
    every = [word for file in files.values() for word in ("-o", file)]
    issued = facts(ternary("server", "invoice", "--customer", "Initech", *every, "--json"))
    assert issued["month"] == str(last_month())
    (of,) = issued["spaces"]
    assert (of["after"]["operations"], of["after"]["sha256"]) == (13, OperationSet.of(range(1, 14)).digest)
    again = tmp_path / "again.json"
    assert ternary("server", "invoice", "--customer", "Initech", "-o", again).status == 0
    assert again.read_bytes() == files["json"].read_bytes()

    printed = ternary("license", "invoice", files["json"], *trust).text
    assert [line.split("  ", 1)[1].strip() for line in printed.splitlines() if line.startswith("line ")] == [
        "50.00  Base fee",
        "0.00  New operations, included: 3",
        "8.75  New operations: 7, EUR 1.25 per operation up to 10 operations",
        "0.50  New operations: 3, EUR 0.50 per 3 operations after 10 operations",
        "0.75  Up to the minimum of the month",
    ]
    shown = facts(ternary("license", "invoice", files["json"], *trust, "--json"))
    assert shown == issued
    agreed = facts(ternary("license", "statement", *statements, "--invoice", files["json"], *trust, "--json"))
    assert agreed["agrees"] is True
    assert agreed["spaces"] == [{"space": "3,2", "operations": 13, "sha256": of["after"]["sha256"]}]
    assert agreed["minor_units"] == issued["total"]
    alone = facts(
        ternary("license", "statement", *statements, "--prices", tmp_path / "prices.toml", "--json")
    )
    assert (alone["spaces"], alone["minor_units"]) == (agreed["spaces"], issued["total"])

    rows = list(csv.DictReader(io.StringIO(files["csv"].read_text())))
    assert (
        sum(int(row["minor_units"]) for row in rows[:-1]) == int(rows[-1]["minor_units"]) == issued["total"]
    )
    assert of["after"]["sha256"] in files["html"].read_text()
    assert files["pdf"].read_bytes().startswith(b"%PDF-")
    listed = facts(ternary("server", "invoices", "--json"))["rows"]
    assert [row["number"] for row in listed] == [issued["number"]]

    missing = ternary("license", "statement", *statements[:2], "--invoice", files["json"], *trust)
    assert (missing.status, missing.err) == (
        1,
        f"error: invoice {issued['number']} differs from the statements: space 3,2: the statements have 6 "
        "operations, the invoice bills 13; the first that differs is operation 7, in the invoice and not in "
        "the statements; only in the statements: 0, only in the invoice: 7\n",
    )
