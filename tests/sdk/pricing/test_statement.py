"""Statements are signed by the machine, merged by union, and of one customer."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ternary_sdk._internal.documents import canonical
from ternary_sdk._internal.licensing import installation
from ternary_sdk._internal.pricing import comparison, statement
from ternary_sdk._internal.pricing.invoice import Invoice
from ternary_sdk._internal.pricing.statement import Statement
from ternary_sdk._internal.trust.trust import Trust
from ternary_sdk.errors import FormatError, InputError, SignatureError
from ternary_sdk.operations import OperationSet
from ternary_sdk.space import TERNARY_2, Space

VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "invoices.json").read_text())
NOW = datetime(2026, 5, 1, tzinfo=UTC)
VAST = Space(3, 3)


@pytest.fixture
def held(tmp_path):
    return installation.draft(tmp_path)


def stated(held, *operations, license_id="L-17", customer="Initech", space=TERNARY_2):
    members = [OperationSet.of(operations, space)]
    return Statement.read(statement.write(license_id, customer, members, held, NOW))


def test_statement_is_read_as_it_was_written(held):
    sets = [OperationSet.of([1, 2**40], VAST), OperationSet.of([3])]
    read = Statement.read(statement.write("L-17", "Initech", sets, held, NOW))
    assert (read.license_id, read.customer, read.issued) == ("L-17", "Initech", NOW)
    assert read.sets == (sets[1], sets[0])
    assert read.installation == held.public


def test_statement_of_another_key_is_refused(held, tmp_path):
    other = installation.draft(tmp_path)
    document = canonical.decode(statement.write("L-17", "Initech", [], held, NOW), "statement")
    changed = canonical.encode(document | {"key": other.public.jwk})
    with pytest.raises(SignatureError) as caught:
        Statement.read(changed)
    assert str(caught.value) == f"statement: signed by key {held.kid}, it names {other.kid}"


def test_statement_without_its_operations_is_refused(held):
    stripped = {"operations": 0, "sha256": OperationSet.of([], VAST).digest}
    claims = {
        "license": "L-17",
        "customer": "Initech",
        "iat": 1,
        "sets": [{"space": VAST.to_json(), "set": stripped}],
    }
    token = held.sign_token(claims, typ=statement.TYP).decode()
    document = {"format": statement.FORMAT, "key": held.public.jwk, "statement": token}
    with pytest.raises(FormatError, match=r"^statement\.sets\[0\]\.set: its operations are missing$"):
        Statement.read(canonical.encode(document))


def test_statements_merge_by_union_in_any_order_and_any_number_of_times(held):
    one, two = stated(held, 1, 2), stated(held, 2, 3, license_id="L-18")
    merged = comparison.merge([two, one, one])
    assert merged.sets == {TERNARY_2: OperationSet.of([1, 2, 3])}
    assert merged.licenses == ("L-17", "L-18")


def test_statements_of_two_customers_are_those_of_none(held):
    merged = comparison.merge([stated(held), stated(held, customer="Hooli")])
    assert merged.customers == ("Hooli", "Initech")
    with pytest.raises(InputError) as caught:
        comparison.one_customer(merged)
    assert str(caught.value) == "statements: of the customers 'Hooli' and 'Initech', expected one"


def test_statements_are_compared_with_an_invoice_of_their_customer_and_license(held):
    invoice = Invoice.read(VECTORS["invoice"].encode(), Trust.read(VECTORS["trust_file"].encode()))
    for changes, sentence in (
        ({"customer": "Hooli"}, "statements: of the customer 'Hooli', the invoice is for 'Initech'"),
        (
            {"license_id": "L-9"},
            "statements: license L-9 is none that the invoice bills for acme; give only statements of its "
            "licenses",
        ),
    ):
        with pytest.raises(InputError) as caught:
            comparison.compare(comparison.merge([stated(held, **changes)]), invoice)
        assert str(caught.value) == sentence


def test_stored_statement_agrees_with_the_stored_invoice_without_what_was_taken_back():
    invoice = Invoice.read(VECTORS["invoice"].encode(), Trust.read(VECTORS["trust_file"].encode()))
    merged = comparison.merge([Statement.read(VECTORS["statement"].encode())])
    found = comparison.compare(merged, invoice)
    assert found.differences == ()
    assert found.amount == invoice.amount
    assert found.billable[TERNARY_2] == OperationSet.of([0, 7, 9841, 19_682])


def test_space_that_the_invoice_does_not_bill_differs(held):
    invoice = Invoice.read(VECTORS["invoice"].encode(), Trust.read(VECTORS["trust_file"].encode()))
    told = comparison.merge(
        [Statement.read(VECTORS["statement"].encode()), stated(held, 9, space=Space(2, 2))]
    )
    (difference,) = comparison.compare(told, invoice).differences
    assert difference.sentence() == (
        "space 2,2: the statements have 1 operations, the invoice bills 0; the first that differs is "
        "operation 9, in the statements and not in the invoice; only in the "
        "statements: 1, only in the invoice: 0"
    )


def test_invoice_without_what_was_taken_back_is_not_compared():
    invoice = Invoice.read(VECTORS["invoice"].encode(), Trust.read(VECTORS["trust_file"].encode()))
    (of,) = (billed for billed in invoice.spaces if billed.space == TERNARY_2)
    short = replace(invoice, spaces=(replace(of, excluded=replace(of.excluded, members=None)),))
    merged = comparison.merge([Statement.read(VECTORS["statement"].encode())])
    with pytest.raises(InputError) as caught:
        comparison.compare(merged, short)
    assert str(caught.value) == (
        f"invoice {invoice.number}: has no room for the {of.excluded.operations:,} operations of space 3,2 "
        "that were taken back, so statements cannot be compared with it"
    )
