"""Customers and policies that change, as a vendor types it, over real HTTP: the page's own commands first."""

import json
import re
import shlex
from pathlib import Path

import pytest
from tests.serving import hosted

from ternary_license_server.keys import keyring

PAGE = (Path(__file__).parents[2] / "docs" / "license-server.md").read_text()
PRICES = 'currency = "EUR"\n[[tiers]]\namount = 5\n'


@pytest.fixture
def shop(ternary, shipped, tmp_path, vendor, monkeypatch):
    """A server with a product and a policy with prices, in the folder where commands are typed."""
    monkeypatch.chdir(tmp_path)
    Path("acme.ternary").write_bytes(shipped)
    Path("2027.toml").write_text(PRICES)
    with hosted(vendor.directory, f"sqlite:///{tmp_path / 'server.sqlite3'}") as (address, token):
        monkeypatch.setenv("TERNARY_SERVER_URL", address)
        monkeypatch.setenv("TERNARY_SERVER_TOKEN", token)
        done(ternary("server", "release", "acme.ternary", "--trust", vendor.directory / keyring.TRUST_FILE))
        words = ["--product", "acme", "--seats", "2", "--unique-operations", "100"]
        done(ternary("server", "policy", "metered", *words, "--prices", "2027.toml"))
        yield address


def done(told):
    assert told.status == 0, told.err
    return told.text


def facts(told):
    return json.loads(done(told))


def test_the_pages_commands_change_customers_and_policies(ternary, shop):
    for name in ("Initech", "Hooli", "Globex"):
        done(ternary("server", "customer", name))
    sold = facts(ternary("server", "issue", "--to", "Initech", "--policy", "metered", "--json"))
    (block,) = re.findall(r"```\n(ternary server edit-customer .*?)```", PAGE, re.DOTALL)
    for line in block.splitlines():
        done(ternary(*shlex.split(line)[1:]))
    rows = facts(ternary("server", "customers", "--json"))["rows"]
    named = {row["name"]: row for row in rows}
    (globex,) = (row for row in rows if row["anonymised"] is not None)
    assert set(named) == {"Initrode", "Hooli", f"anonymised {globex['id']}"}
    assert named["Initrode"]["contact"] == "ada@initrode.example"
    assert named["Hooli"]["merged_into"] == named["Initrode"]["id"]
    shown = facts(ternary("server", "show", sold["id"], "--json"))
    assert (shown["seats"], shown["customer_name"], shown["licensee"]) == (10, "Initrode", "Initech")
    (policy,) = facts(ternary("server", "policies", "--json"))["rows"]
    assert [later["month"] for later in policy["later_prices"]] == ["2027-01"]
    assert policy["ended"] is not None
    refused = ternary("server", "issue", "--to", "Initrode", "--policy", "metered")
    moment = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC"
    ended = rf"error: policy metered: ended on {moment}; take another policy \(CONFLICT\)\n"
    assert refused.status == 1
    assert re.fullmatch(ended, refused.err), refused.err
    assert "faults   0" in done(ternary("server", "audit", "verify"))


def test_changes_of_nothing_are_refused_as_wrong_command_lines(ternary, shop):
    for words in (["edit-customer", "Initech"], ["change-policy", "metered", "--existing", "keep"]):
        assert ternary("server", *words).status == 2


def test_invoice_with_other_content_is_kept_without_force(ternary, shop):
    done(ternary("server", "customer", "Initech"))
    done(ternary("server", "issue", "--to", "Initech", "--policy", "metered"))
    asked = ["server", "invoice", "--customer", "Initech", "--month", "2099-01", "--preview"]
    file = Path("invoice.json")
    file.write_text("another")
    refused = ternary(*asked, "-o", "invoice.csv", "-o", file)
    assert (refused.status, refused.err) == (
        1,
        "error: invoice.json: exists; add --force to replace it, or name another file\n",
    )
    assert file.read_text() == "another"
    assert not Path("invoice.csv").exists()
    done(ternary(*asked, "-o", file, "--force"))
    assert json.loads(file.read_text())["format"] == "ternary-invoice/1"


def test_package_below_what_its_product_guarantees_is_not_released(ternary, shop, vendor, shipped):
    trust = ["--trust", vendor.directory / keyring.TRUST_FILE]
    assert facts(ternary("server", "guarantee", "acme", "--require", "coverage=1", "--json")) == {
        "name": "acme",
        "guarantee": ["coverage=1"],
    }
    refused = ternary("server", "release", "acme.ternary", *trust)
    short = r"path A has a coverage at [\d,]+ draws of [\d.]+ % \([\d,]+ of 19,683\), expected at least 100 %"
    assert refused.status == 1
    assert re.fullmatch(
        rf"error: acme\.ternary: does not meet what product acme guarantees: coverage=1: {short}; (.*; )?"
        r"nothing was released\n",
        refused.err,
    ), refused.err
    wrong = ternary("server", "guarantee", "acme", "--require", "coverage=most")
    assert (wrong.status, wrong.err.split(",")[0]) == (1, "error: --require: 'coverage=most'")
    done(ternary("server", "guarantee", "acme", "--nothing"))
    again = ternary("server", "release", "acme.ternary", *trust)
    assert "was released before" in again.err


def test_the_pages_commands_agree_on_the_terms_of_one_deal(ternary, shop):
    done(ternary("server", "customer", "Initech"))
    (block,) = re.findall(r"```\n(ternary server issue --to Initech .*?)```", PAGE, re.DOTALL)
    first, second, third = (shlex.split(line)[1:] for line in block.splitlines())
    sold = facts(ternary(*first, "--json"))
    overage = ("overage_seats", "overage_operations", "overage_amount", "overage_per")
    assert [sold[name] for name in ("seats", "unique_operations", *overage)] == [3, 50, 5, 60, 25, 1]
    assert (sold["order_number"], sold["notes"], sold["claims"]) == (
        "PO-4711",
        "signed by Ada",
        {"x-project": "alpha"},
    )
    table = done(ternary("server", "licenses"))
    assert "3 up to 5" in table
    assert "50 up to 60" in table
    assert "PO-4711" in table
    second[2] = third[2] = sold["id"]
    edited = facts(ternary(*second, "--json"))
    assert (edited["order_number"], edited["claims"], edited["overage_operations"]) == ("PO-4712", {}, 100)
    preview = done(ternary("server", "invoice", "--customer", "Initech", "--month", "2099-01", "--preview"))
    assert "orders    PO-4712\n" in preview
    done(ternary(*third))
    shown = facts(ternary("server", "show", sold["id"], "--json"))
    assert [shown[name] for name in overage] == [None] * 4
    assert shown["entitlements"] == ["decode", "encode", "sample", "x-export"]
    assert "x-export" in done(ternary("server", "show", sold["id"]))
    assert "order_number" in done(ternary("server", "licenses", "--csv")).splitlines()[0].split(",")


def test_deals_that_cannot_be_are_refused(ternary, shop):
    done(ternary("server", "customer", "Initech"))
    asked = ["server", "issue", "--to", "Initech", "--policy", "metered"]
    wrong = ternary(*asked, "--overage-price", "1.5")
    assert (wrong.status, wrong.err) == (
        1,
        "error: --overage-price: '1.5', expected minor units, as 25, or for so many, as 250/10\n",
    )
    wrong = ternary(*asked, "--overage-up-to", "100")
    assert wrong.status == 1
    assert "overage_operations: expected more than unique_operations, 100, and at most 2^53 - 1" in wrong.err
    sold = facts(ternary(*asked, "--json"))
    assert ternary("server", "edit", sold["id"]).status == 2
    assert ternary("server", "edit", sold["id"], "--no-overage", "--overage-up-to", "7").status == 2
