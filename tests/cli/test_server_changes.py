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
