"""Policies change and end: who gets what from when on, and at which price something is given back."""

from dataclasses import replace
from datetime import timedelta

import pytest
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
    policy,
    prices,
    read,
    refusal,
)

from ternary_license_server.service import (
    audit,
    auditing,
    life,
    policies,
    policy_changes,
    price_terms,
    records,
)
from ternary_license_server.service.policy_changes import NewPrices
from ternary_sdk._internal.pricing import comparison
from ternary_sdk._internal.pricing.amount import Kind


@pytest.fixture
def shop(new_shop):
    return new_shop


@pytest.fixture
def buyers(shop, new_client, now):
    return lambda name, listed: Buyer(shop, new_client(), now, name, listed)


def price(shop, buyer, amount, month, at, *, existing=True, bill_earlier=False):
    new = NewPrices(prices=prices(amount), month=month, existing=existing, bill_earlier=bill_earlier)
    return change(shop, at, policy_changes.add_prices, buyer.policy, new)


def found(shop, license_id):
    with shop.database.read() as transaction:
        return records.find(transaction, license_id)


def test_operations_are_given_back_at_the_price_at_which_they_were_charged(shop, buyers, now):
    initech = buyers("Initech", prices(100))
    initech.report(range(5), now)
    issue(shop, initech.id, MARCH)
    price(shop, initech, 300, MAY, APRIL.start + DAY)
    initech.activate(APRIL.start + DAY)
    initech.report([5], APRIL.start + DAY)
    assert lines(read(shop, issue(shop, initech.id, APRIL))) == [(Kind.USAGE, 1, 100)]
    initech.activate(MAY.start + DAY)
    initech.report([6, 7], MAY.start + DAY)
    issue(shop, initech.id, MAY)
    initech.correct(JUNE.start + DAY)
    initech.activate(JUNE.start + DAY)
    initech.report([8], JUNE.start + 2 * DAY)
    june = read(shop, issue(shop, initech.id, JUNE))
    assert lines(june) == [(Kind.USAGE, 1, 300), (Kind.CREDIT, 6, -600), (Kind.CREDIT, 2, -600)]
    assert (june.charged_before, june.amount.charged, june.amount.total) == (1200, 300, -900)
    found = comparison.compare(comparison.merge([initech.statement(JUNE.end)]), june)
    assert (found.differences, found.amount) == ((), june.amount)


def test_license_and_price_list_of_one_second_follow_each_other_as_they_were_made(shop, buyers, now):
    initech = buyers("Initech", prices(100))
    price(shop, initech, 200, MARCH, now, existing=False)
    later = [initech.license]
    for amount in (300, 400):
        later.append(change(shop, now, life.issue, customer=initech.id, policy=initech.policy)["id"])
        price(shop, initech, amount, MARCH, now, existing=False)
    with shop.database.read() as transaction:
        listed = price_terms.priced(transaction, MARCH, records.licenses.c.customer == initech.id)
    found = {one.license: one.prices for one in listed}
    assert [found[license].split('"amount":')[1].split(",")[0] for license in later] == ["100", "200", "300"]


def test_licenses_that_are_there_keep_their_prices_or_take_the_new_ones_as_it_is_said(shop, buyers, now):
    initech, hooli = buyers("Initech", prices(100)), buyers("Hooli", prices(100))
    at = now + timedelta(minutes=1)
    price(shop, initech, 300, APRIL, at, existing=False)
    price(shop, hooli, 300, APRIL, at, existing=True)
    later = change(shop, now + HOUR, life.issue, customer=hooli.id, policy=initech.policy)
    change(shop, now + HOUR, life.revoke, hooli.license)
    totals = []
    for customer in (initech.id, hooli.id):
        for month in (MARCH, APRIL):
            with shop.at(APRIL.end + HOUR).read() as transaction:
                listed = price_terms.priced(transaction, month, records.licenses.c.customer == customer)
            totals.append({one.license: one.prices.count('"amount":300') for one in listed})
    assert totals == [
        {initech.license: 0},
        {initech.license: 0},
        {hooli.license: 0, later["id"]: 0},
        {hooli.license: 1, later["id"]: 1},
    ]


@pytest.mark.parametrize("bill_earlier", [False, True])
def test_free_license_that_gets_prices_is_billed_from_their_month_on_or_for_all(
    shop, buyers, now, bill_earlier
):
    initech = buyers("Initech", None)
    initech.report(range(4), now)
    price(shop, initech, 100, APRIL, now + HOUR, bill_earlier=bill_earlier)
    initech.report([4], now + 2 * HOUR)
    initech.activate(APRIL.start + DAY)
    initech.report([3, 5, 6], APRIL.start + DAY)
    assert refusal(lambda: issue(shop, initech.id, MARCH))[1].startswith(
        "customer Initech: no license of acme is under a policy with prices; "
    )
    april = read(shop, issue(shop, initech.id, APRIL))
    assert lines(april) == [(Kind.USAGE, 7 if bill_earlier else 2, 700 if bill_earlier else 200)]
    assert april.spaces[0].excluded.operations == (0 if bill_earlier else 5)
    found = comparison.compare(comparison.merge([initech.statement(APRIL.end)]), april)
    assert (found.differences, found.amount) == ((), april.amount)


def test_seats_change_for_licenses_that_are_there_if_that_is_said(shop, buyers, now):
    initech = buyers("Initech", prices(1))
    for existing, seats in ((False, 3), (True, 7)):
        told = change(shop, now, policy_changes.change, initech.policy, {"seats": 7}, existing=existing)
        assert (told["seats"], told["licenses_changed"]) == (7, int(existing))
        assert found(shop, initech.license).seats == seats
    assert initech.activate(now + HOUR).seats == 7
    with shop.database.read() as transaction:
        assert audit.entries(transaction, initech.license)[-2].action == "license.terms"
        assert list(auditing.faults(transaction)) == []


def test_ended_policy_issues_no_license_and_its_licenses_are_renewed(shop, buyers, now):
    initech, hooli = buyers("Initech", prices(1)), buyers("Hooli", prices(1))
    change(shop, now, policy_changes.end, initech.policy)
    ended = ("CONFLICT", "policy of-initech: ended on 2026-03-01 12:00:00 UTC; take another policy")
    for work in (
        lambda: change(shop, now, life.issue, customer=initech.id, policy=initech.policy),
        lambda: change(shop, now, life.change_policy, hooli.license, initech.policy),
        lambda: change(shop, now, policy_changes.end, initech.policy),
        lambda: price(shop, initech, 2, APRIL, now),
    ):
        assert refusal(work) == ended
    before = found(shop, initech.license).expires
    change(shop, now, life.renew, initech.license, None)
    assert found(shop, initech.license).expires == before + timedelta(days=365)


def test_price_lists_that_cannot_hold_are_refused(shop, buyers, now):
    initech = buyers("Initech", prices(1))
    assert refusal(lambda: price(shop, initech, 2, MARCH, APRIL.start + DAY)) == (
        "CONFLICT", "policy of-initech: 2026-03 is over; prices can change from 2026-04 on"
    )  # fmt: skip
    dollars = NewPrices(
        prices=replace(prices(1), currency="USD"), month=MAY, existing=True, bill_earlier=False
    )
    assert refusal(lambda: change(shop, APRIL.start, policy_changes.add_prices, initech.policy, dollars)) == (
        "CONFLICT",
        "policy of-initech: has prices in EUR with 2 decimals, not in USD with 2; make another policy",
    )
    free = replace(policy("free", None), unique_operations=None)
    change(shop, APRIL.start, policies.add, free)
    sold = change(shop, APRIL.start, life.issue, customer=initech.id, policy="free")
    new = NewPrices(prices=prices(1), month=MAY, existing=True, bill_earlier=False)
    assert refusal(lambda: change(shop, APRIL.start, policy_changes.add_prices, "free", new)) == (
        "INVALID",
        "policy free: prices: need unique_operations: machines count operations only under a quota",
    )
    change(shop, APRIL.start, policy_changes.change, "free", {"unique_operations": 9}, existing=False)
    assert refusal(lambda: change(shop, APRIL.start, policy_changes.add_prices, "free", new)) == (
        "CONFLICT",
        f"policy free: license {sold['id']} has no quota, so its machines count nothing; give the policy one "
        "for existing licenses first",
    )


def test_month_that_is_over_keeps_its_prices_when_a_license_gets_others(shop, buyers, now):
    initech, hooli = buyers("Initech", prices(100, base=5_000)), buyers("Hooli", prices(300, base=9_000))
    initech.report(range(5), now)
    for month in (APRIL, MAY):  # nothing is received in April: it costs its fee alone
        change(shop, month.start + DAY, life.change_policy, initech.license, hooli.policy)
        initech.activate(month.start + DAY)
    initech.report([5], MAY.start + DAY)
    assert [lines(read(shop, issue(shop, initech.id, month))) for month in (MARCH, APRIL, MAY)] == [
        [(Kind.BASE, None, 5_000), (Kind.USAGE, 5, 500)],
        [(Kind.BASE, None, 9_000)],
        [(Kind.BASE, None, 9_000), (Kind.USAGE, 1, 300)],
    ]


def test_license_that_a_customer_gets_or_hands_on_later_changes_no_month_before(shop, buyers, now):
    initech, hooli = buyers("Initech", prices(100, base=5_000)), buyers("Hooli", prices(300, base=9_000))
    initech.report(range(5), now)
    issue(shop, initech.id, MARCH)
    at = MAY.start + DAY
    change(shop, at, life.transfer, initech.license, hooli.id)
    change(shop, at, life.transfer, hooli.license, initech.id)
    change(shop, at, life.issue, customer=initech.id, policy=hooli.policy)
    assert lines(read(shop, issue(shop, initech.id, APRIL))) == [(Kind.BASE, None, 5_000)]
    assert lines(read(shop, issue(shop, hooli.id, APRIL))) == [(Kind.BASE, None, 9_000)]
    assert lines(read(shop, issue(shop, initech.id, MAY))) == [(Kind.BASE, None, 9_000)]
    assert lines(read(shop, issue(shop, hooli.id, MAY))) == [(Kind.BASE, None, 5_000)]


def test_month_under_two_price_lists_is_invoiced_by_the_one_that_the_vendor_chooses(shop, buyers, now):
    initech, hooli = buyers("Initech", prices(100)), buyers("Hooli", prices(300))
    initech.report(range(5), now)
    at = APRIL.start + DAY
    other = change(shop, at, life.issue, customer=initech.id, policy=hooli.policy)["id"]
    initech.activate(at)
    initech.report([5], at)
    for name in ("of-initech", "of-hooli", "of-initech"):
        change(shop, MAY.start + DAY, life.change_policy, other, name)
    assert [lines(read(shop, issue(shop, initech.id, month))) for month in (MARCH, APRIL)] == [
        [(Kind.USAGE, 5, 500)],
        [(Kind.USAGE, 1, 100)],
    ]


def test_policy_of_the_same_prices_waits_for_no_invoice(shop, buyers, now):
    initech, hooli = buyers("Initech", prices(100)), buyers("Hooli", prices(100))
    initech.report(range(5), now)
    change(shop, APRIL.start + DAY, life.change_policy, initech.license, hooli.policy)
    assert lines(read(shop, issue(shop, initech.id, MARCH))) == [(Kind.USAGE, 5, 500)]
