"""Invoices in their forms, price lists as vendors write them, and what is refused with one sentence."""

import csv
import io
import json
from dataclasses import replace
from pathlib import Path

import pytest

from ternary_cli.invoice_files import write_files
from ternary_cli.invoice_page import to_html
from ternary_cli.invoice_paper import to_pdf
from ternary_cli.invoice_table import to_csv
from ternary_cli.spreadsheets import as_text
from ternary_sdk._internal.pricing.invoice import Invoice
from ternary_sdk._internal.pricing.invoice_claims import Customer
from ternary_sdk._internal.trust.trust import Trust
from ternary_sdk.errors import InputError

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "invoices.json").read_text())
INVOICE = Invoice.read(VECTORS["invoice"].encode(), Trust.read(VECTORS["trust_file"].encode()))


def named(name):
    return replace(INVOICE, customer=Customer(id="C-17", name=name))


@pytest.fixture
def files(tmp_path):
    """The stored invoice, its trust file and the stored statement."""
    for name, member in (("i.json", "invoice"), ("t.trust", "trust_file"), ("s.statement", "statement")):
        (tmp_path / name).write_text(VECTORS[member])
    return tmp_path


def test_stored_invoice_is_verified_and_written_in_every_form(ternary, files):
    forms = [files / f"out.{form}" for form in ("json", "csv", "html", "pdf")]
    words = [word for file in forms for word in ("-o", file)]
    done = ternary("license", "invoice", files / "i.json", "--trust", files / "t.trust", *words)
    assert (done.status, done.err) == (0, "")
    assert done.text.splitlines()[:6] == [
        "invoice    2026-04-000002",
        "customer   Initech (C-17)",
        "product    acme",
        "month      2026-04",
        "line 1     50.00  Base fee",
        "line 2      2.50  New operations, space 3,2: 2, EUR 1.25 per operation up to 4 operations",
    ]
    assert forms[0].read_text() == VECTORS["invoice"]
    assert [file.read_bytes()[:5] for file in forms[1:]] == [b"numbe", b"<!doc", b"%PDF-"]


def test_stored_statement_agrees_with_the_stored_invoice(ternary, files):
    words = ["--invoice", files / "i.json", "--trust", files / "t.trust", "--json"]
    done = ternary("license", "statement", files / "s.statement", *words)
    told = json.loads(done.text)
    assert (told["agrees"], told["minor_units"], told["total"]) == (True, 5_500, "EUR 55.00")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (
            ["invoice", "i.json", "-o", "i.doc"],
            "{}/i.doc: the name says no form; expected .json, .csv, .html, .pdf",
        ),
        (
            ["invoice", "s.statement"],
            "{}/s.statement: invoice.format: 'ternary-statement/1', expected 'ternary-invoice/1'",
        ),
        (
            ["usage", "--ended", "L-9"],
            "--ended needs --statement F: of a license that is gone, only that can be written",
        ),
        (
            ["usage", "--ended", "L-9", "--statement", "x.statement"],
            "license L-9: nothing was counted under it on this machine",
        ),
        (
            ["statement", "i.json"],
            "{}/i.json: statement.format: 'ternary-invoice/1', expected 'ternary-statement/1'",
        ),
        (
            ["statement", "s.statement", "--invoice", "i.json", "--prices", "p.toml"],
            "--prices cannot be used with --invoice: the invoice states its prices",
        ),
    ],
)
def test_wrong_line_is_one_sentence(ternary, files, words, sentence):
    typed = [files / word if "." in word else word for word in words]
    done = ternary("license", *typed, "--trust", files / "t.trust")
    assert (done.status, done.text, done.err) == (1, "", f"error: {sentence.format(files)}\n")


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("p.toml", "currency = 'EUR'\n[[tiers]]\namount = 5", None),
        ("p.json", '{"currency": "EUR", "tiers": [{"amount": 5}]}', None),
        (
            "p.toml",
            "currency = 'EUR'\nbase = 50.0",
            "{}/p.toml.base: 50.0 is not a whole number; amounts are in the smallest unit of the currency, "
            "and 'per' says for how many operations one is",
        ),
        ("p.toml", "currency = 'EUR'", "{}/p.toml: member 'tiers' is missing"),
        (
            "p.toml",
            "currency EUR",
            "{}/p.toml: not TOML: Expected '=' after a key in a key/value pair (at line 1, column 10)",
        ),
        ("p.yaml", "", "{}/p.yaml: expected a name that ends in .toml or .json"),
        ("p.json", "[]", "{}/p.json: expected an object, as docs/license-server.md shows"),
    ],
)
def test_price_list_is_toml_or_json_in_whole_units(ternary, files, name, text, sentence):
    (files / name).write_text(text)
    done = ternary("license", "statement", files / "s.statement", "--prices", files / name)
    if sentence is None:
        assert (done.status, done.text.splitlines()[-1]) == (0, "total      EUR 0.50")
    else:
        assert (done.status, done.err) == (1, f"error: {sentence.format(files)}\n")


def test_name_is_text_in_every_form():
    assert b"&lt;script&gt;alert(1)&lt;/script&gt;" in to_html(named("<script>alert(1)</script>"))
    rows = list(csv.DictReader(io.StringIO(to_csv(named('=HYPERLINK("x"), "y"')).decode())))
    assert rows[0]["customer_name"] == '\'=HYPERLINK("x"), "y"'
    assert [row["amount"] for row in rows] == ["50.00", "2.50", "0.00", "3.75", "-1.25", "55.00"]


@pytest.mark.parametrize(
    ("name", "cell"),
    [
        ("Initech", "Initech"),
        ("Smith-Jones + Co = 3 @ home; Ltd", "Smith-Jones + Co = 3 @ home; Ltd"),
        ("=1+1", "'=1+1"),
        ("-2", "'-2"),
        ("＝1+1", "'＝1+1"),
        ("A;=1+1;@x", "A;'=1+1;'@x"),
        ("\t=1", "'\t'=1"),
        ("a\n+1", "a\n'+1"),
    ],
)
def test_cell_of_a_spreadsheet_is_text(name, cell):
    assert as_text(name) == cell


def test_no_form_is_written_where_one_cannot_be(files):
    with pytest.raises(InputError, match=r"^PDF: no font here has the letter "):
        write_files(named("Initech 漢"), b"{}", [files / "out.json", files / "out.pdf"], force=False)
    assert not (files / "out.json").exists()


def test_same_invoice_is_the_same_pdf():
    assert to_pdf(INVOICE) == to_pdf(INVOICE)


def test_letter_that_no_font_has_is_refused():
    with pytest.raises(InputError) as caught:
        to_pdf(named("Initech 漢"))
    assert str(caught.value) == "PDF: no font here has the letter '漢'; take HTML"
