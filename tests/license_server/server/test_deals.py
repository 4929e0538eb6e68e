"""Terms of one deal: own seats and quota, overage, order and claims, versions kept after the end."""

import json
from datetime import timedelta

import pytest
from sqlalchemy import select
from tests.buyers import APRIL, DAY, HOUR, MARCH, MAY, Buyer, change, issue, lines, prices, read, refusal
from tests.buyers import policy as policy_of

from ternary_license_server.database.schema import audit as audit_rows
from ternary_license_server.service import catalog, deals, invoices, life, policies, policy_changes, records
from ternary_license_server.service.invoices import Wanted
from ternary_sdk._internal.identity import ExactPackage, PackageIdentity
from ternary_sdk._internal.licensing.license import License
from ternary_sdk._internal.pricing import comparison
from ternary_sdk._internal.pricing.amount import Kind

from .conftest import NOW, PACKAGE, policy

DEAL = {"order_number": "PO-4711", "notes": "Ada asked", "claims": {"x-order": "PO-4711"}}


@pytest.fixture
def shop(new_shop):
    return new_shop


@pytest.fixture
def sold(shop):
    """Issues a license by a policy of its own, with a deal; its facts and the policy's name."""

    def sell(deal=(), at=NOW, expires=None, **terms):
        shop.policies += 1
        name = f"deal-{shop.policies}"
        with shop.at(at).write() as transaction:
            policies.add(transaction, policy(name, **terms), actor="test")
            buyer = str(catalog.add_customer(transaction, "Initech", actor="test")["id"])
            facts = life.issue(
                transaction, customer=buyer, policy=name, actor="test", expires=expires, deal=dict(deal)
            )
        return facts, name

    return sell


def edit(shop, license_id, at=NOW, **changes):
    return change(shop, at, deals.edit, license_id, changes)


def token(shop, facts, held, at=NOW):
    return License.read(shop.activate(facts["key"], held, at)["license"].encode(), shop.ring.trust)


def stated(shop, license_id):
    """Actions and details of a license's audit rows."""
    query = select(audit_rows).where(audit_rows.c.stream == license_id).order_by(audit_rows.c.number)
    with shop.database.read() as transaction:
        return [(row.action, json.loads(row.detail)) for row in transaction.execute(query)]


def test_order_and_claims_are_kept_audited_and_carried_and_the_notes_text_is_not_in_the_log(
    shop, sold, new_client
):
    facts, _ = sold(DEAL)
    assert {name: facts[name] for name in DEAL} == DEAL
    assert token(shop, facts, new_client()).claims == (("x-order", "PO-4711"),)
    edited = edit(shop, facts["id"], order_number=None, notes="Bob signed", claims={"x-project": "alpha"})
    noted = {"order_number": None, "notes": "Bob signed", "claims": {"x-project": "alpha"}}
    assert noted.items() <= edited.items()
    (_, first), *_, (action, last) = stated(shop, facts["id"])
    assert first["deal"] == {"order_number": "PO-4711", "notes": "changed", "claims": {"x-order": "PO-4711"}}
    assert (action, last) == (
        "license.edit",
        {"to": {"order_number": None, "notes": "changed", "claims": {"x-project": "alpha"}}},
    )
    code, sentence = refusal(lambda: edit(shop, facts["id"], claims={f"x-{n}": "a" for n in range(17)}))
    assert (code, sentence) == (
        "INVALID",
        f"license {facts['id']}: claims: 17 of the vendor's own, expected at most 16",
    )


def test_transfer_to_another_customer_leaves_the_order_behind(shop, sold, new_client):
    facts, _ = sold(DEAL)
    with shop.at(NOW).write() as transaction:
        hooli = str(catalog.add_customer(transaction, "Hooli", actor="test")["id"])
    moved = change(shop, NOW, life.transfer, facts["id"], hooli)
    assert (moved["order_number"], moved["notes"], moved["claims"]) == (None, None, {})
    assert token(shop, moved, new_client()).claims == ()


def test_terms_of_one_license_stay_when_the_policy_changes_and_go_with_another_policy(shop, sold):
    facts, name = sold({"seats": 7}, unique_operations=100)
    assert (facts["seats"], facts["own_terms"]) == (7, ["seats"])
    to = {"seats": 3, "unique_operations": 200}
    changed = change(shop, NOW, policy_changes.change, name, to, existing=True)
    assert changed["licenses_changed"] == 1
    with shop.database.read() as transaction:
        found = records.find(transaction, facts["id"])
    assert (found.seats, found.unique_operations) == (7, 200)
    with shop.at(NOW).write() as transaction:
        policies.add(transaction, policy("other"), actor="test")
    moved = change(shop, NOW, life.change_policy, facts["id"], "other")
    assert (moved["seats"], moved["own_terms"]) == (2, [])


def test_entitlements_of_the_vendors_own_come_as_features(shop, sold, new_client):
    facts, _ = sold({"entitlements": ("sample", "x-export")})
    held = token(shop, facts, new_client())
    assert (held.entitlements, held.features) == ({"sample"}, {"x-export"})
    code, sentence = refusal(lambda: edit(shop, facts["id"], entitlements=("x-export",)))
    assert (code, sentence) == (
        "INVALID",
        f"license {facts['id']}: entitlements: expected some of encode, decode, sample, and at most 64 names "
        "such as x-export",
    )


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"overage_seats": 2}, "overage_seats: expected more than seats, 2, and at most 1000000"),
        (
            {"overage_operations": 9},
            "overage_operations: expected more than unique_operations, 10, and at most 2^53 - 1",
        ),
        (
            {"overage_amount": 5, "overage_per": 1},
            "overage_amount: needs overage_operations, up to which there is overage",
        ),
        ({"overage_amount": 5}, "overage_amount: an amount and the number of operations that it is for"),
        (
            {"overage_operations": 20, "overage_amount": 5, "overage_per": 1},
            "overage_amount: needs prices: without a price list nothing is invoiced; leave the amount out",
        ),
        (
            {"unique_operations": None, "overage_operations": 20},
            "overage_operations: needs unique_operations: without them nothing is exceeded",
        ),
    ],
)
def test_terms_that_contradict_each_other_are_refused_and_nothing_changes(shop, sold, changes, why):
    facts, _ = sold(unique_operations=10)
    assert refusal(lambda: edit(shop, facts["id"], **changes)) == ("INVALID", f"license {facts['id']}: {why}")
    with shop.database.read() as transaction:
        assert records.find(transaction, facts["id"]).facts().items() <= facts.items()


def test_seats_may_be_exceeded_up_to_their_ceiling(shop, sold, new_client):
    facts, _ = sold({"overage_seats": 3}, seats=1)
    held = [token(shop, facts, new_client()) for _ in range(3)]
    assert held[-1].seats == 3
    code, sentence = refusal(lambda: token(shop, facts, new_client()))
    assert code == "TOO_MANY_MACHINES"
    assert sentence.startswith(f"license {facts['id']}: all 3 seats are taken")


def test_overage_is_invoiced_as_the_last_tier_and_the_statement_agrees_to_the_digest(shop, new_client, now):
    buyer = Buyer(shop, new_client(), now, "Initech", prices(100))
    terms = {"unique_operations": 5, "overage_operations": 8, "overage_amount": 250, "overage_per": 1}
    edit(shop, buyer.license, now, **terms, order_number="PO-7")
    held = buyer.activate(now)
    assert (held.agreed_operations, held.unique_operations) == (5, 8)
    buyer.report(range(7), now)
    march = read(shop, issue(shop, buyer.id, MARCH))
    assert lines(march) == [(Kind.USAGE, 5, 500), (Kind.USAGE, 2, 500)]
    assert march.orders == ((buyer.license, "PO-7"),)
    found = comparison.compare(comparison.merge([buyer.statement(now)]), march)
    assert (found.differences, found.amount) == ((), march.amount)
    # A larger quota is for what is new: nothing that was charged as overage is charged anew.
    edit(shop, buyer.license, APRIL.start + DAY, unique_operations=7)
    buyer.activate(APRIL.start + DAY)
    buyer.report([7], APRIL.start + DAY)
    april = read(shop, issue(shop, buyer.id, APRIL))
    assert lines(april) == [(Kind.USAGE, 1, 250)]
    buyer.activate(MAY.start + DAY)
    buyer.report(range(9), MAY.start + DAY)
    code, sentence = refusal(lambda: buyer.activate(MAY.start + DAY + HOUR))
    assert code == "QUOTA_EXHAUSTED"
    assert sentence.startswith(
        f"license {buyer.license} allows 8 different operations; its machines together"
    )


def test_licenses_of_one_account_need_the_same_overage(shop, new_client, now):
    buyer = Buyer(shop, new_client(), now, "Initech", prices(100))
    terms = {"unique_operations": 5, "overage_operations": 8, "overage_amount": 250, "overage_per": 1}
    edit(shop, buyer.license, now, **terms)
    other = change(shop, now, life.issue, customer=buyer.id, policy=buyer.policy)
    first, second = sorted([buyer.license, other["id"]])
    assert refusal(lambda: issue(shop, buyer.id, MARCH)) == (
        "CONFLICT",
        f"customer Initech: licenses of acme under one policy, such as {first} and {second}, have different "
        "prices: an earlier list, or overage of their own; give them the same overage, or change them to one "
        "price list",
    )
    edit(shop, other["id"], now, **terms)
    assert read(shop, issue(shop, buyer.id, MARCH)).licenses == tuple(sorted((buyer.license, other["id"])))


def test_a_month_that_is_over_keeps_its_price_of_overage_however_late_it_is_invoiced(shop, new_client, now):
    buyer = Buyer(shop, new_client(), now, "Initech", prices(100))
    terms = {"unique_operations": 5, "overage_operations": 8, "overage_amount": 250, "overage_per": 1}
    edit(shop, buyer.license, now, **terms)
    buyer.report(range(7), now)
    edit(shop, buyer.license, APRIL.start + DAY, unique_operations=6, overage_amount=900)
    march = read(shop, issue(shop, buyer.id, MARCH))
    assert lines(march) == [(Kind.USAGE, 5, 500), (Kind.USAGE, 2, 500)]
    buyer.activate(APRIL.start + DAY)
    buyer.report([7], APRIL.start + DAY)
    april = read(shop, issue(shop, buyer.id, APRIL))
    assert lines(april) == [(Kind.USAGE, 1, 900)]
    found = comparison.compare(comparison.merge([buyer.statement(APRIL.start + DAY)]), april)
    assert (found.differences, found.amount) == ((), april.amount)


def test_perpetual_license_goes_on_with_versions_released_until_its_end(shop, sold, new_client):
    facts, _ = sold(perpetual=True, term=30 * DAY, unique_operations=10)
    end = NOW + 30 * DAY
    later = PackageIdentity(name="acme", version=(2, 0, 0), digest="cd" * 32, released=end + DAY)
    late_seen = PackageIdentity(name="acme", version=(1, 1, 0), digest="ef" * 32, released=end - DAY)
    with shop.at(end + 2 * DAY).write() as transaction:
        for package in (later, late_seen):
            catalog.add_release(transaction, package, bytes(32), actor="test")
    at = end + 3 * DAY
    first, second = new_client(), new_client()
    held = token(shop, facts, first, at)
    assert held.released_until == end
    assert held.expires is not None
    assert held.expires < at + DAY
    assert set(held.packages) == {ExactPackage(digest=PACKAGE.digest), ExactPackage(digest=late_seen.digest)}
    assert [key.digest for key in held.content_keys] == [late_seen.digest]
    token(shop, facts, second, at)
    assert refusal(lambda: token(shop, facts, new_client(), at))[0] == "TOO_MANY_MACHINES"
    change(shop, at, life.renew, facts["id"], None)
    assert ExactPackage(digest=later.digest) in token(shop, facts, first, at + HOUR).packages
    change(shop, at, life.revoke, facts["id"])
    assert refusal(lambda: token(shop, facts, first, at + 2 * HOUR))[0] == "REVOKED"


def test_perpetual_needs_an_end_and_no_trial(sold):
    for terms, why in (
        ({"term": None}, "perpetual: needs a term, at whose end versions must have been released"),
        ({"trial": True}, "perpetual: a trial ends; no version of it stays usable"),
    ):
        code, sentence = refusal(lambda terms=terms: policy("p", perpetual=True, **terms))
        assert (code, sentence) == ("INVALID", f"policy p: {why}")
    facts, _ = sold({"perpetual": True}, expires=NOW + timedelta(days=3), term=None)
    assert (facts["perpetual"], facts["own_terms"]) == (True, ["perpetual"])


def dearer(shop, buyer, at):
    """A policy of three times the price, and a license by it for a customer whose former one is revoked."""
    change(shop, at, life.revoke, buyer.license)
    with shop.at(at).write() as transaction:
        policies.add(transaction, policy_of("dearer", prices(300)), actor="test")
    return change(shop, at, life.issue, customer=buyer.id, policy="dearer")


def test_a_revoked_license_does_not_keep_its_customer_from_other_prices(shop, new_client, now):
    buyer = Buyer(shop, new_client(), now, "Initech", prices(100))
    buyer.report(range(5), now)
    at = APRIL.start + DAY
    dearer(shop, buyer, at)
    march = read(shop, issue(shop, buyer.id, MARCH))
    assert lines(march) == [(Kind.USAGE, 5, 500)]
    april = read(shop, issue(shop, buyer.id, APRIL))
    assert (april.prices, april.amount.total) == (prices(300), 0)


def test_of_revoked_licenses_alone_the_last_decides(shop, new_client, now):
    buyer = Buyer(shop, new_client(), now, "Initech", prices(100))
    buyer.report(range(5), now)
    other = dearer(shop, buyer, now + HOUR)
    change(shop, now + DAY, life.revoke, other["id"])
    assert read(shop, issue(shop, buyer.id, MARCH)).prices == prices(300)


def test_a_preview_of_a_month_that_cannot_be_invoiced_is_refused(shop, new_client, now):
    buyer = Buyer(shop, new_client(), now, "Initech", prices(100))
    wanted = Wanted(customer=buyer.id, product="acme", month=MARCH.before)
    with shop.at(now).read() as transaction:
        code, sentence = refusal(lambda: invoices.preview(transaction, "Acme Logic", wanted))
    assert code == "CONFLICT"
    assert "its first license was made in 2026-03" in sentence
