"""An invoice is read only if it is signed and whole, and says nothing that contradicts itself."""

import json
from pathlib import Path

import pytest

from ternary_sdk._internal.documents import canonical
from ternary_sdk._internal.pricing.invoice import Invoice, read_claims
from ternary_sdk._internal.trust.trust import Trust
from ternary_sdk.errors import FormatError, SignatureError
from ternary_sdk.operations import OperationSet
from ternary_sdk.space import TERNARY_2

VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "invoices.json").read_text())
DOCUMENT = canonical.decode(VECTORS["invoice"].encode(), "vector")
ASTRAY = ": does not follow from its prices and numbers of operations"
DISORDER = ": not in ascending order, or an entry is repeated"
TRUST = Trust.read(VECTORS["trust_file"].encode())


def claims(**changes):
    return DOCUMENT["invoice"] | changes


def space(**changes):
    """The claims with a changed first space."""
    first, *others = DOCUMENT["invoice"]["spaces"]
    return claims(spaces=[first | changes, *others])


def refusal(call):
    with pytest.raises((FormatError, SignatureError)) as caught:
        call()
    return str(caught.value)


def test_invoice_is_written_as_it_was_read():
    invoice = Invoice.read(b"\xef\xbb\xbf" + VECTORS["invoice"].encode() + b"\r\n", TRUST)
    assert invoice.claims() == DOCUMENT["invoice"]
    assert [line.to_json()["amount"] for line in invoice.amount.lines] == [5_000, 250, 0, 375, -125]


def test_unsigned_or_otherwise_signed_invoice_is_refused():
    header, _, signature = DOCUMENT["signature"].split(".")
    for changed, sentence in (
        ({"signature": "abc"}, "invoice.signature: expected a detached JWS: header, two dots, signature"),
        (
            {"signature": f"{header}.e30.{signature}"},
            "invoice.signature: expected a detached JWS: header, two dots, signature",
        ),
        (
            {"format": "ternary-invoice/2"},
            "invoice.format: 'ternary-invoice/2', expected 'ternary-invoice/1'",
        ),
        ({"invoice": claims(number="2026-04-000003")}, None),
    ):
        told = refusal(lambda changed=changed: Invoice.read(canonical.encode(DOCUMENT | changed), TRUST))
        assert told == sentence or (sentence is None and told.startswith("invoice: signature"))


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        (claims(total=5_501), f"invoice.total{ASTRAY}"),
        (claims(charged=1), f"invoice.charged{ASTRAY}"),
        (claims(lines=[]), f"invoice.lines{ASTRAY}"),
        (claims(charged_before=100), f"invoice.lines{ASTRAY}"),
        (claims(number="7"), "invoice.number: '7', expected text of the form [0-9]{4}-[0-9]{2}-[0-9]{6}"),
        (
            claims(month="2026-13"),
            "invoice.month: '2026-13', expected text of the form [0-9]{4}-(0[1-9]|1[0-2])",
        ),
        (claims(licenses=["L-2", "L-1"]), f"invoice.licenses{DISORDER}"),
        (claims(spaces=DOCUMENT["invoice"]["spaces"][::-1]), f"invoice.spaces{DISORDER}"),
        (
            space(before={"operations": 4, "sha256": "0" * 64}),
            "invoice.spaces[0]: before, credited and new operations do not add up to 'after'",
        ),
        (
            space(before={"operations": 3, "sha256": "0" * 64}),
            "invoice.spaces[0].before.sha256: is not of 'after' without 'new' and with 'credited'",
        ),
    ],
)
def test_invoice_that_contradicts_itself_is_refused(changed, sentence):
    assert refusal(lambda: read_claims(changed)) == sentence


def test_set_that_is_not_the_one_of_its_digest_is_refused():
    new = DOCUMENT["invoice"]["spaces"][0]["new"]
    right = OperationSet.of([7, 19_682], TERNARY_2).digest
    assert refusal(lambda: read_claims(space(new=new | {"sha256": "0" * 64}))) == (
        f"invoice.spaces[0].new.sha256: {'0' * 57}…', expected {right}, of 2 operations".replace(
            ": 0", ": '0", 1
        )
    )


def test_larger_invoice_than_any_is_refused_unread():
    assert refusal(lambda: Invoice.read(b" " * ((12 << 20) + 1), TRUST)) == (
        "invoice: 12582913 bytes, expected at most 12582912"
    )
