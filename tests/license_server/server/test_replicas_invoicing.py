"""Replicas that issue one invoice at the same moment, with a report in between, bill the same and once."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from threading import Event

import pytest
from sqlalchemy import event

from ternary_license_server.database.engine import Database
from ternary_license_server.service import auditing, invoices, metering, records
from ternary_license_server.service.invoices import Wanted
from ternary_sdk._internal.documents import canonical
from ternary_sdk._internal.licensing.usage import Usage
from ternary_sdk._internal.pricing.invoice import Invoice
from ternary_sdk._internal.pricing.month import Month
from ternary_sdk._internal.pricing.price_list import PriceList, Tier, Unit

MARCH = Month(2026, 3)
HOUR = timedelta(hours=1)
PRICES = PriceList(
    currency="EUR",
    exponent=2,
    unit=Unit.OPERATION,
    base=0,
    included=0,
    tiers=(Tier(up_to=None, amount=100, per=1),),
    minimum=None,
    cap=None,
)


@pytest.fixture
def replicas(kind, tmp_path, database_address, make_shop):
    """Two servers of one database: nothing is shared but that and the time."""
    with database_address(kind, tmp_path) as url:
        one = make_shop(url)
        other = type(one)(Database(url, clock=one.hands.clock()), one.ring, one.hands)
        try:
            yield one, other
        finally:
            one.database.close()
            other.database.close()


def issue(shop, customer):
    wanted = Wanted(customer=customer, product="acme", month=MARCH)
    with shop.database.write() as transaction:
        made = invoices.issue(transaction, shop.ring, wanted, all_handed_in=False, actor="token T-1")
    return canonical.encode(made)


@contextmanager
def first_statement(database):
    """An event that is set once somebody takes a connection to the database, to begin."""
    asked = Event()

    def note(*_):
        asked.set()

    event.listen(database.engine, "checkout", note)
    try:
        yield asked
    finally:
        event.remove(database.engine, "checkout", note)


def test_report_that_is_being_taken_in_as_its_month_is_invoiced_is_billed_in_it(replicas, new_client, now):
    one, other = replicas
    license_id, key = one.sell(now, seats=3, unique_operations=19_683, prices=PRICES)
    held = new_client()
    one.activate(key, held, now)
    with one.database.read() as transaction:
        customer = records.find(transaction, license_id).customer
    last = MARCH.end - timedelta(seconds=1)
    one.at(last)
    report = Usage.read(one.usage(license_id, held, [1, 2, 3], last))
    with ThreadPoolExecutor(2) as threads, first_statement(other.database) as asked:
        with one.database.write() as transaction:
            metering.merge(transaction, report)
            one.at(MARCH.end + HOUR)
            waiting = [threads.submit(issue, other, customer) for _ in range(2)]
            assert asked.wait(30)
        came = {future.result(60) for future in waiting}
    came.add(issue(one, customer))
    (data,) = came
    (billed,) = Invoice.read(data, one.ring.trust).spaces
    assert billed.new.operations == 3


def test_replicas_give_one_invoice_and_numbers_without_a_gap(replicas, new_client, now):
    sold = []
    for shop in (*replicas, *replicas):
        license_id, key = shop.sell(now, unique_operations=19_683, prices=PRICES)
        held = new_client()
        shop.activate(key, held, now)
        shop.merge(shop.usage(license_id, held, [1, 2], now), now)
        with shop.database.read() as transaction:
            sold.append(records.find(transaction, license_id).customer)
        replicas[0].policies, replicas[1].policies = 10 * len(sold), 10 * len(sold) + 5
    replicas[0].at(MARCH.end + HOUR)
    asked = [(shop, customer) for customer in sold for shop in replicas]
    with ThreadPoolExecutor(8) as threads:
        came = list(threads.map(lambda pair: issue(*pair), asked))
    assert len(set(came)) == len(sold)
    assert came[::2] == came[1::2]
    read = [Invoice.read(data, replicas[0].ring.trust) for data in came[::2]]
    assert sorted(invoice.number for invoice in read) == [f"2026-03-{n:06d}" for n in range(1, 5)]
    assert [invoice.amount.total for invoice in read] == [200] * 4
    with replicas[1].database.read() as transaction:
        assert list(auditing.faults(transaction)) == []
