"""Customers of a license server under prices: their machines, reports and invoices."""

from datetime import timedelta

import pytest

from ternary_license_server.service import correcting, invoices, life, policies
from ternary_license_server.service.catalog import add_customer
from ternary_license_server.service.invoices import Wanted
from ternary_license_server.service.policies import Policy
from ternary_license_server.service.refusals import ServiceError
from ternary_sdk._internal.documents import canonical
from ternary_sdk._internal.licensing.license import License
from ternary_sdk._internal.pricing import statement
from ternary_sdk._internal.pricing.invoice import Invoice
from ternary_sdk._internal.pricing.month import Month
from ternary_sdk._internal.pricing.price_list import PriceList, Tier, Unit
from ternary_sdk._internal.pricing.statement import Statement
from ternary_sdk.errors import LicenseError
from ternary_sdk.operations import OperationSet

MARCH, APRIL, MAY, JUNE = (Month(2026, month) for month in range(3, 7))
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
QUOTA = 19_683


def prices(amount, *, included=0, base=0):
    """A list of one price for each operation."""
    return PriceList(
        currency="EUR",
        exponent=2,
        unit=Unit.OPERATION,
        base=base,
        included=included,
        tiers=(Tier(up_to=None, amount=amount, per=1),),
        minimum=None,
        cap=None,
    )


def policy(name, listed):
    return Policy(
        name=name,
        product="acme",
        term=365 * DAY,
        entitlements=("sample",),
        seats=3,
        unique_operations=QUOTA,
        lease=HOUR,
        grace=HOUR,
        offline=timedelta(0),
        trial=False,
        prices=listed,
    )


class Buyer:
    """A customer with a license and a machine that reports whole sets, as an SDK does."""

    def __init__(self, shop, held, now, name, listed):
        self.shop, self.held, self.sequence, self.drawn = shop, held, 0, set()
        with shop.at(now).write() as transaction:
            self.policy = f"of-{name.lower()}"
            policies.add(transaction, policy(self.policy, listed), actor="test")
            self.id = str(add_customer(transaction, name, actor="test")["id"])
            sold = life.issue(transaction, customer=self.id, policy=self.policy, actor="test")
        self.license, self.key = str(sold["id"]), str(sold["key"])
        self.token = self.activate(now)

    def activate(self, now):
        came = self.shop.activate(self.key, self.held, now)
        return License.read(came["license"].encode(), self.shop.ring.trust)

    def report(self, operations, now, owner=None):
        self.drawn |= set(operations)
        self.sequence += 1
        owner = owner or self.token.customer
        report = self.shop.usage(
            self.license, self.held, sorted(self.drawn), now, sequence=self.sequence, owner=owner
        )
        return self.shop.merge(report, now)

    def correct(self, now):
        with self.shop.at(now).write() as transaction:
            lease = self.shop.lease(self.license, self.held)
            correcting.correct(transaction, self.license, lease, "a test", actor="test")

    def statement(self, now):
        sets = [OperationSet.of(sorted(self.drawn))]
        return Statement.read(statement.write(self.license, self.token.customer, sets, self.held, now))


def change(shop, at, work, *words, **more):
    with shop.at(at).write() as transaction:
        return work(transaction, *words, **more, actor="token T-1")


def issue(shop, customer, month, at=None):
    """The file of an invoice, issued an hour after the month."""
    wanted = Wanted(customer=customer, product="acme", month=month)
    made = change(shop, at or month.end + HOUR, invoices.issue, shop.ring, wanted, all_handed_in=False)
    return canonical.encode(made)


def read(shop, data):
    return Invoice.read(data, shop.ring.trust)


def lines(invoice):
    return [(line.kind, line.operations, line.amount) for line in invoice.amount.lines]


def refusal(call):
    with pytest.raises((LicenseError, ServiceError)) as caught:
        call()
    return str(caught.value.code), str(caught.value)
