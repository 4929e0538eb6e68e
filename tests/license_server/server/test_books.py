"""The order of invoices, mergers between them, and what is billed after a customer was anonymised."""

from itertools import permutations

import pytest
from sqlalchemy import delete, select, update
from tests.buyers import (
    APRIL,
    DAY,
    HOUR,
    JUNE,
    MARCH,
    MAY,
    Buyer,
    change,
    issue,
    lines,
    prices,
    read,
    refusal,
)

from ternary_license_server.database.schema import invoice_merges, invoice_sets
from ternary_license_server.database.schema import invoices as rows
from ternary_license_server.service import audit, auditing, customers, invoices, life
from ternary_license_server.service.catalog import add_customer
from ternary_sdk._internal.pricing import comparison
from ternary_sdk._internal.pricing.amount import Kind

FEE = 5_000


@pytest.fixture
def shop(make_shop, database_address, tmp_path):
    with database_address("sqlite", tmp_path) as url:
        shop = make_shop(url)
        yield shop
        shop.database.close()


@pytest.fixture
def buyers(shop, new_client, now):
    return lambda name, amount, **more: Buyer(shop, new_client(), now, name, prices(amount, **more))


def merge(shop, one, into, at):
    return change(shop, at, customers.merge, one, into)


def in_order(shop):
    """The invoices' numbers in the order in which they were issued."""
    with shop.database.read() as transaction:
        return [row.number for row in transaction.execute(select(rows.c.number).order_by(rows.c.place))]


@pytest.fixture
def second(shop, buyers, now):
    """In one second: an invoice of Hooli's April, its merger into Initech, and Initech's March, which gives
    back what Hooli's April billed too. The two customers and the file of each invoice."""
    initech, hooli = buyers("Initech", 100), buyers("Hooli", 70)
    initech.report(range(6), now)
    hooli.activate(APRIL.start + DAY)
    hooli.report(range(4, 10), APRIL.start + DAY)
    at, files = MAY.start + DAY, []
    files.append(issue(shop, hooli.id, APRIL, at))
    merge(shop, hooli.id, initech.id, at)
    change(shop, at, life.change_policy, hooli.license, initech.policy)
    files += [issue(shop, initech.id, month, at) for month in (MARCH, APRIL)]
    return initech, hooli, files


def follow(shop, initech, hooli):
    """The next invoice bills one more operation, and nothing else."""
    hooli.activate(MAY.start + 2 * DAY)
    hooli.report([10], MAY.start + 2 * DAY)
    may = read(shop, issue(shop, initech.id, MAY))
    assert lines(may) == [(Kind.USAGE, 1, 100)]
    found = comparison.compare(comparison.merge([one.statement(MAY.end) for one in (initech, hooli)]), may)
    assert (found.differences, found.amount) == ((), may.amount)


def test_invoices_and_a_merger_of_one_second_follow_each_other_as_they_were_made(shop, second):
    initech, hooli, files = second
    march = read(shop, files[1])
    # 4 and 5 were billed by Hooli's April already, 6 to 9 were not billed twice
    assert lines(march) == [(Kind.USAGE, 4, 400)]
    assert in_order(shop) == [read(shop, data).number for data in files]
    follow(shop, initech, hooli)


def test_invoices_of_one_second_that_are_handed_in_follow_each_other_as_they_were_made(shop, second):
    initech, hooli, files = second
    numbers = in_order(shop)
    for order in permutations(files):
        with shop.database.write() as transaction:
            for table in (invoice_sets, invoice_merges, rows):
                transaction.execute(delete(table))
            for data in order:
                invoices.hand_in(transaction, shop.ring, data, actor="test")
        assert in_order(shop) == numbers
    follow(shop, initech, hooli)


def test_invoices_of_a_server_of_the_release_before_come_after_those_that_are_there(shop, second):
    initech, hooli, files = second
    with shop.database.write() as transaction:
        last = rows.c.number == read(shop, files[2]).number
        transaction.execute(update(rows).where(last).values(place=None))
    follow(shop, initech, hooli)
    assert in_order(shop)[:3] == [read(shop, data).number for data in files]


def test_customer_with_a_month_that_is_not_invoiced_is_not_merged(shop, buyers, now):
    initech, hooli = buyers("Initech", 100, base=FEE), buyers("Hooli", 70, base=FEE)
    for buyer in (initech, hooli):
        buyer.report(range(3), now)
        buyer.token = buyer.activate(APRIL.start + DAY)
    hooli.report(range(5), APRIL.start + DAY)
    for month in (MARCH, APRIL):
        issue(shop, initech.id, month)
    at = MAY.start + DAY

    def refused(month):
        return (
            "CONFLICT",
            f"customer {hooli.id}: {month} is not invoiced for acme, and a month before a merger is each "
            f"customer's own; first run 'ternary server invoice --customer {hooli.id} --product acme --month "
            f"{month}'",
        )

    for month, expected in ((MARCH, 3), (APRIL, 2)):
        assert refusal(lambda: merge(shop, hooli.id, initech.id, at)) == refused(month)
        theirs = lines(read(shop, issue(shop, hooli.id, month, at)))
        assert theirs == [(Kind.BASE, None, FEE), (Kind.USAGE, expected, expected * 70)]
    merge(shop, hooli.id, initech.id, at)
    change(shop, at, life.change_policy, hooli.license, initech.policy)
    may = lines(read(shop, issue(shop, initech.id, MAY)))
    assert may == [(Kind.BASE, None, FEE), (Kind.CREDIT, 3, -210)]


def test_month_without_operations_is_due_before_a_merger_while_a_license_stands(shop, buyers, now):
    initech, hooli, globex = (buyers(name, 100, base=FEE) for name in ("Initech", "Hooli", "Globex"))
    for buyer in (hooli, globex):
        buyer.report([1], now)
        issue(shop, buyer.id, MARCH)
    change(shop, MARCH.end - HOUR, life.revoke, globex.license)
    at = MAY.start + DAY
    assert refusal(lambda: merge(shop, hooli.id, initech.id, at))[1].endswith(f"--month {APRIL}'")
    merge(shop, globex.id, initech.id, at)


def test_months_of_a_customer_that_another_merged_one_was_invoiced_with_are_not_paid_twice(shop, buyers, now):
    initech, hooli = buyers("Initech", 100, base=FEE), buyers("Hooli", 100, base=FEE)
    initech.report([1, 2], now)
    merge(shop, initech.id, hooli.id, now + HOUR)
    issue(shop, hooli.id, MARCH)
    at = APRIL.start + DAY
    initrode = str(change(shop, at, add_customer, "Initrode")["id"])
    merge(shop, hooli.id, initrode, at)
    assert lines(read(shop, issue(shop, initrode, APRIL))) == [(Kind.BASE, None, FEE)]
    for buyer in (initech, hooli):
        change(shop, MAY.start, life.revoke, buyer.license)
    change(shop, MAY.start, customers.anonymise, initrode)


def test_report_that_comes_after_its_customer_was_anonymised_is_billed_under_the_pseudonym(shop, buyers, now):
    initech = buyers("Initech", 100, base=FEE)
    initech.report(range(3), now)
    issue(shop, initech.id, MARCH)
    change(shop, APRIL.start + DAY, life.revoke, initech.license)
    change(shop, APRIL.start + DAY, customers.anonymise, initech.id)
    assert initech.report([3, 4], JUNE.start + DAY)["added"] == 2
    # no license stood in May and nothing came, so June may follow April
    assert refusal(lambda: issue(shop, initech.id, JUNE)) == (
        "CONFLICT",
        f"invoice of 2026-06 for anonymised {initech.id}, acme: 2026-04 was not issued; issue it first",
    )
    assert lines(read(shop, issue(shop, initech.id, APRIL, JUNE.end + HOUR))) == [(Kind.BASE, None, FEE)]
    june = read(shop, issue(shop, initech.id, JUNE))
    assert lines(june) == [(Kind.BASE, None, FEE), (Kind.USAGE, 2, 200)]
    assert (june.customer.name, june.customer.licensed_as) == (f"anonymised {initech.id}", ())
    found = comparison.compare(comparison.merge([initech.statement(JUNE.end)]), june)
    assert (found.differences, found.amount) == ((), june.amount)
    with shop.database.read() as transaction:
        assert list(auditing.faults(transaction)) == []
        assert not [entry for entry in audit.entries(transaction) if "Initech" in entry.detail]
