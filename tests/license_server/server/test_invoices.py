"""Invoices bill each operation once, and a customer's machines state exactly what was billed."""

from datetime import UTC, datetime, timedelta

import pytest

from ternary_license_server.local import restoration
from ternary_license_server.local.backup import backup
from ternary_license_server.local.restoration import Wish
from ternary_license_server.service import audit, catalog, correcting, invoices, life, records
from ternary_license_server.service.invoices import Wanted
from ternary_license_server.service.refusals import ServiceError
from ternary_sdk._internal.documents import canonical
from ternary_sdk._internal.licensing import usage
from ternary_sdk._internal.licensing.ledger import Ledger
from ternary_sdk._internal.licensing.license import License
from ternary_sdk._internal.pricing import comparison, statement
from ternary_sdk._internal.pricing.amount import Movement, amount
from ternary_sdk._internal.pricing.invoice import Invoice
from ternary_sdk._internal.pricing.month import Month
from ternary_sdk._internal.pricing.price_list import PriceList, Tier, Unit
from ternary_sdk._internal.pricing.statement import Statement
from ternary_sdk.errors import FormatError, LicenseError, SignatureError
from ternary_sdk.operations import OperationSet
from ternary_sdk.space import TERNARY_2, Space

MARCH, APRIL, MAY = Month(2026, 3), Month(2026, 4), Month(2026, 5)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
QUOTA = 19_683
BOOLEAN = Space(2, 3)
PRICES = PriceList(
    currency="EUR",
    exponent=2,
    unit=Unit.OPERATION,
    base=5_000,
    included=2,
    tiers=(Tier(up_to=6, amount=100, per=1), Tier(up_to=None, amount=50, per=3)),
    minimum=None,
    cap=None,
)


class Machine:
    """A customer's machine: it activates, draws, reports and writes statements, with a real meter."""

    def __init__(self, shop, held, path):
        self.shop, self.held, self.ledger = shop, held, Ledger(path / f"{held.kid}.sqlite3")

    def activate(self, key, now):
        came = self.shop.activate(key, self.held, now)
        self.license = License.read(came["license"].encode(), self.shop.ring.trust)

    def draw(self, *operations, space=TERNARY_2):
        license = self.license
        self.ledger.record(
            license.id,
            QUOTA,
            OperationSet.of(operations, space),
            lease=license.lease,
            owner=license.customer,
        )

    def reports(self, now):
        for counted in self.ledger.sets(self.license.id):
            if (counted.lease, counted.owner) == (self.license.lease, self.license.customer):
                yield usage.report(self.license.id, counted, self.held, now)

    def report(self, now, times=1):
        for document in list(self.reports(now)) * times:
            self.shop.merge(document, now)

    def state(self, now):
        license = self.license
        totals = self.ledger.totals(license.id, owner=license.customer)
        sets = [self.ledger.drawn(license.id, space=space, owner=license.customer) for space in totals]
        return Statement.read(statement.write(license.id, license.customer, sets, self.held, now))


@pytest.fixture
def machines(shop, new_client, tmp_path):
    return lambda: Machine(shop, new_client(), tmp_path)


def sell(shop, now, **changes):
    """A new license of a new customer: its id, its key and the customer's id."""
    license_id, key = shop.sell(
        now=now, **({"unique_operations": QUOTA, "seats": 3, "prices": PRICES} | changes)
    )
    with shop.database.read() as transaction:
        return license_id, key, records.find(transaction, license_id).customer


def transfer(shop, license_id, name, now):
    with shop.at(now).write() as transaction:
        customer = str(catalog.add_customer(transaction, name, actor="test")["id"])
        return str(life.transfer(transaction, license_id, customer, actor="test")["key"]), customer


def issue(shop, customer, month, at=None, **more):
    """The file of an invoice, issued an hour after the month."""
    with shop.at(at or month.end + HOUR).write() as transaction:
        wanted = Wanted(customer=customer, product=None, month=month)
        every = {"all_handed_in": False} | more
        return canonical.encode(invoices.issue(transaction, shop.ring, wanted, actor="token T-1", **every))


def read(shop, data):
    return Invoice.read(data, shop.ring.trust)


def billed(invoice):
    """Before, new, credited, after of the only space, and the total."""
    (of,) = invoice.spaces
    return of.before, of.new.operations, of.credited.operations, of.after.operations, invoice.amount.total


def agree(shop, data, machines, now):
    """The comparison of an invoice with what machines state."""
    merged = comparison.merge([machine.state(now) for machine in machines])
    return comparison.compare(merged, read(shop, data))


def refusal(call):
    with pytest.raises((LicenseError, ServiceError)) as caught:
        call()
    return str(caught.value.code), str(caught.value)


def test_invoice_and_statements_agree_after_retries_a_transfer_and_a_restore(shop, machines, now, tmp_path):
    license_id, key, initech = sell(shop, now)
    one, two, three = machines(), machines(), machines()
    for machine in (one, two, three):
        machine.activate(key, now)
    one.draw(1, 2, 3)
    two.draw(3, 4, 5, 6)
    one.report(now, times=3)
    two.report(now + HOUR, times=2)
    one.report(now + HOUR)

    restored_at = now + 3 * HOUR
    three.draw(6, 7, 8, 9, 10)
    shop.at(now + 2 * HOUR)
    with shop.database.write() as transaction:
        transaction.mark_clock()
    shop.at(restored_at)
    restoration.restore(shop.database, shop.ring.directory, Wish(newest=None))
    three.report(restored_at + HOUR)

    two.draw(11)
    hooli_key, hooli = transfer(shop, license_id, "Hooli", now + DAY)
    two.report(now + DAY + HOUR)
    four = machines()
    four.activate(hooli_key, now + 2 * DAY)
    four.draw(1, 2, 3, 100)
    four.report(now + 2 * DAY)

    data = issue(shop, initech, MARCH)
    assert issue(shop, initech, MARCH, MAY.end) == data
    invoice, expected = read(shop, data), OperationSet.of(range(1, 12))
    (of,) = invoice.spaces
    assert (of.after.operations, of.after.sha256) == (11, expected.digest)
    # 50.00 base, 2 of 11 included, 4 at 1.00, 5 at 0.50 for each 3, rounded down: 0.83
    assert invoice.amount.total == 5_000 + 400 + 250 // 3
    found = agree(shop, data, [one, two, three], MARCH.end)
    assert found.differences == ()
    assert found.amount == invoice.amount
    assert found.billable[TERNARY_2].digest == of.after.sha256

    theirs = read(shop, issue(shop, hooli, MARCH))
    assert billed(theirs) == (0, 4, 0, 4, 5_000 + 200)
    assert agree(shop, issue(shop, hooli, MARCH), [four], MARCH.end).differences == ()
    with shop.database.read() as transaction:
        assert audit.faults(transaction) == []
