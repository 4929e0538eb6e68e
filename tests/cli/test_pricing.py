"""What draws cost by a price list, from the certificate of a package."""

import json
import xml.etree.ElementTree as ET

import pytest

PLAN = 'currency = "EUR"\nbase = 1000\n[[tiers]]\namount = 10\n'


@pytest.fixture
def priced(ternary, shipped, vendor, tmp_path):
    (tmp_path / "acme.ternary").write_bytes(shipped)
    (tmp_path / "acme.trust").write_bytes(vendor.trust.data)
    (tmp_path / "plan.toml").write_text(PLAN)

    def run(*words):
        package = tmp_path / "acme.ternary", "--trust", tmp_path / "acme.trust"
        return ternary("price", *package, "--plan", tmp_path / "plan.toml", *words)

    return run


def test_certified_draws_are_priced_beside_perfect_ones(priced, build):
    facts = json.loads(priced("--draws", "50000", "--path", "B", "--json").text)
    certified, perfect = facts["forecasts"]
    operations = build.certificate.paths[1].prior[1].operations
    assert (certified["basis"], certified["operations"]) == ("certified", operations)
    assert certified["amount"] == 1000 + 10 * operations
    assert (perfect["basis"], perfect["operations"], perfect["amount"]) == ("perfect draws", 18_131, 182_310)
    assert (perfect["low"], perfect["high"]) == (18_065, 18_197)
    assert [step["percent"] for step in facts["next_percent"]][-1] == 98


def test_the_table_for_people_names_what_each_figure_is(priced, build):
    operations = build.certificate.paths[0].prior[1].operations
    lines = priced("--draws", "5e4", "--path", "A").text.splitlines()
    assert lines[0] == "acme-1.0.0, path A, 19,683 operations: 50,000 draws"
    assert lines[1] == "prices: EUR 10.00 a month; EUR 0.10 per operation"
    assert " ".join(lines[4].split()) == (
        f"certified {operations:,} {10 + operations / 10:.2f} counted in 50,000 draws of the certified "
        "stream, near ties left out"
    )
    assert lines[5].startswith("perfect draws")
    assert lines[6].split() == ["95", "%", "range", "18,065", "to", "18,197", "1816.50", "to", "1829.70"]


def test_operations_billed_before_are_not_billed_again(priced):
    facts = json.loads(priced("--draws", "50000", "--before", "19000", "--json").text)
    assert facts["forecasts"][-1]["amount"] == 1000 + 10 * 683


def test_the_picture_is_written_and_kept(priced, tmp_path):
    out = tmp_path / "price.svg"
    done = priced("--draws", "100", "--out", out)
    assert (done.status, done.err) == (0, f"{out}\n")
    words = [element.text for element in ET.fromstring(out.read_bytes()).iter() if element.text]
    assert "two-input ternary operations: what the next percent costs" in words
    out.write_text("mine")
    kept = priced("--draws", "100", "--out", out)
    assert (kept.status, out.read_text()) == (1, "mine")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--draws", "9", "--path", "Z"), "path: 'Z', expected one of A, B"),
        (("--draws", "9", "--before", "19683"), "--before: 19683, expected 0 to 19682"),
        (("--draws", "9", "--before", "-1"), "--before: -1, expected 0 to 19682"),
        (("--draws", "1e13"), "draws: 10000000000000, expected 1 to 1099511627776"),
        (("--draws", "9", "--out", "price.png"), "price.png: expected a name that ends in .svg"),
    ],
)
def test_what_cannot_be_priced_is_refused(priced, words, sentence):
    done = priced(*words)
    assert (done.status, done.out, done.err) == (1, b"", f"error: {sentence}\n")
