"""Customers are renamed, merged and anonymised, and nothing is billed twice or lost by it."""

import re
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update
from tests.buyers import APRIL, DAY, HOUR, MARCH, MAY, Buyer, change, issue, lines, prices, read, refusal

from ternary_license_server.database.schema import audit as audit_rows
from ternary_license_server.service import (
    audit,
    auditing,
    customer_usage,
    customers,
    deals,
    invoices,
    life,
    policy_changes,
    records,
)
from ternary_license_server.service.catalog import add_customer
from ternary_license_server.service.invoices import Wanted
from ternary_license_server.service.policy_changes import NewPrices
from ternary_license_server.service.refusals import ServiceError
from ternary_license_server.service.sought import Sought
from ternary_sdk._internal.pricing import comparison
from ternary_sdk._internal.pricing.amount import Kind
from ternary_sdk._internal.pricing.invoice import read_claims
from ternary_sdk._internal.pricing.month import Month
from ternary_sdk.errors import FormatError
from ternary_sdk.operations import OperationSet


@pytest.fixture
def shop(new_shop):
    return new_shop


@pytest.fixture
def buyers(shop, new_client, now):
    def make(name, amount, **more):
        return Buyer(shop, new_client(), now, name, prices(amount, **more))

    return make


def merge(shop, one, into, at):
    return change(shop, at, customers.merge, one, into)


def test_operations_billed_to_both_are_given_back_once_at_the_price_of_the_later_invoice(shop, buyers, now):
    initech, hooli = buyers("Initech", 100), buyers("Hooli", 70)
    initech.report(range(6), now)
    hooli.report(range(4, 10), now)
    first, second = issue(shop, initech.id, MARCH), issue(shop, hooli.id, MARCH)
    at = APRIL.start + DAY
    assert merge(shop, hooli.id, initech.id, at)["merged_into"] == initech.id
    change(shop, at, life.change_policy, hooli.license, initech.policy)
    april = issue(shop, initech.id, APRIL)
    invoice = read(shop, april)
    assert lines(invoice) == [(Kind.CREDIT, 2, -140)]
    (of,) = invoice.spaces
    assert [(again.operations, again.sha256) for again in of.repeated] == [
        (2, OperationSet.of([4, 5]).digest)
    ]
    assert (of.before, of.after.operations, of.after.sha256) == (10, 10, OperationSet.of(range(10)).digest)
    assert [prices.tiers[0].amount for prices in invoice.earlier_prices] == [70]
    (joined,) = invoice.merged
    assert (joined.customer.name, joined.previous.sha256) == ("Hooli", read(shop, second).sha256)
    assert invoice.charged_before == 600 + 420
    assert invoice.customer.licensed_as == ("Hooli",)
    assert (issue(shop, initech.id, MARCH), issue(shop, hooli.id, MARCH)) == (first, second)
    states = [initech.statement(APRIL.end), hooli.statement(APRIL.end)]
    found = comparison.compare(comparison.merge(states), invoice)
    assert (found.differences, found.amount) == ((), invoice.amount)

    hooli.token = hooli.activate(MAY.start + DAY)
    hooli.report([0, 10], MAY.start + DAY)
    may = read(shop, issue(shop, initech.id, MAY))
    assert (lines(may), may.merged, may.charged_before) == ([(Kind.USAGE, 1, 100)], (), 880)
    assert refusal(lambda: issue(shop, hooli.id, APRIL)) == (
        "CONFLICT", f"customer {hooli.id}: was merged into {initech.id}; name that one"
    )  # fmt: skip
    with shop.database.read() as transaction:
        assert list(auditing.faults(transaction)) == []
        found = records.page(transaction, after="", limit=9, sought=Sought(customer=initech.id))
        assert {license.id for license in found} == {initech.license, hooli.license}
        (line,) = customer_usage.customer_lines(
            transaction, start=MARCH.start, end=MAY.end, customer=initech.id
        )
        assert (line.customer, line.operations, line.total) == (initech.id, 11, 11)


def test_credits_of_a_merged_customer_are_stated_with_their_price_list_and_an_edited_one_is_refused(
    shop, buyers, now
):
    initech, hooli = buyers("Initech", 100), buyers("Hooli", 70)
    for buyer in (initech, hooli):
        buyer.report(range(3), now)
        issue(shop, buyer.id, MARCH)
    merge(shop, hooli.id, initech.id, APRIL.start + DAY)
    change(shop, APRIL.start + DAY, life.change_policy, hooli.license, initech.policy)
    invoice = read(shop, issue(shop, initech.id, APRIL))
    (of,) = invoice.spaces
    for changed, sentence in (
        (
            replace(of, repaid=(replace(of.repaid[0], end=2),)),
            "invoice.spaces[0].repaid: is not one position for each operation that is given back",
        ),
        (
            replace(of, repeated=()),
            "invoice.spaces[0].repaid: is not one position for each operation that is given back",
        ),
        (
            replace(of, repaid=(replace(of.repaid[0], earlier=None),)),
            "invoice.earlier_prices: are not those by which something is given back",
        ),
    ):
        with pytest.raises(FormatError) as caught:
            read_claims(replace(invoice, spaces=(changed,)).claims())
        assert str(caught.value) == sentence


def test_customer_made_to_merge_another_into_begins_after_what_that_one_was_invoiced(shop, buyers, now):
    initech = buyers("Initech", 100, base=5_000)
    initech.report(range(5), now)
    issue(shop, initech.id, MARCH)
    at = APRIL.start + DAY
    initrode = str(change(shop, at, add_customer, "Initrode")["id"])
    merge(shop, initech.id, initrode, at)
    assert refusal(lambda: issue(shop, initrode, MARCH)) == (
        "CONFLICT",
        "invoice of 2026-03 for Initrode, acme: customers that were merged into it were invoiced up to "
        "2026-03, and no month before 2026-04 can be",
    )
    assert refusal(lambda: issue(shop, initrode, MAY)) == (
        "CONFLICT", "invoice of 2026-05 for Initrode, acme: 2026-04 was not issued; issue it first"
    )  # fmt: skip
    initech.activate(at)
    initech.report([4, 5], at)
    april = read(shop, issue(shop, initrode, APRIL))
    assert lines(april) == [(Kind.BASE, None, 5_000), (Kind.USAGE, 1, 100)]


def test_customer_with_operations_of_its_own_is_invoiced_for_months_before_a_merger(shop, buyers, now):
    initech, hooli = buyers("Initech", 100, base=5_000), buyers("Hooli", 100, base=5_000)
    for buyer, drawn in ((initech, range(5)), (hooli, range(4, 7))):
        buyer.report(drawn, now)
    issue(shop, initech.id, MARCH)
    merge(shop, initech.id, hooli.id, APRIL.start + DAY)
    assert lines(read(shop, issue(shop, hooli.id, MARCH))) == [(Kind.BASE, None, 5_000), (Kind.USAGE, 2, 200)]


def test_merging_is_refused_where_it_would_make_no_sense(shop, buyers, now):
    initech, hooli, globex = buyers("Initech", 1), buyers("Hooli", 1), buyers("Globex", 1)
    assert refusal(lambda: merge(shop, hooli.id, hooli.id, now)) == (
        "CONFLICT", f"customer {hooli.id}: cannot be merged into itself"
    )  # fmt: skip
    assert refusal(lambda: merge(shop, "C-0", hooli.id, now)) == (
        "UNKNOWN", "customer C-0: there is none of this id"
    )  # fmt: skip
    merge(shop, hooli.id, initech.id, now)
    merged = f"customer {hooli.id}: was merged into {initech.id}; name that one"
    for again in ((hooli.id, globex.id), (globex.id, hooli.id)):
        assert refusal(lambda pair=again: merge(shop, *pair, now)) == ("CONFLICT", merged)
    for sale in (
        lambda: change(shop, now, life.issue, customer=hooli.id, policy=hooli.policy),
        lambda: change(shop, now, life.transfer, globex.license, hooli.id),
        lambda: change(shop, now, customers.edit, hooli.id, {"name": "Other"}),
        lambda: change(shop, now, customers.anonymise, hooli.id),
    ):
        assert refusal(sale) == ("CONFLICT", merged)


def test_customers_invoiced_in_two_currencies_are_not_merged(shop, buyers, new_client, now):
    initech = buyers("Initech", 1)
    hooli = Buyer(shop, new_client(), now, "Hooli", replace(prices(1), currency="USD"))
    numbers = [read(shop, issue(shop, buyer.id, MARCH)).number for buyer in (initech, hooli)]
    assert refusal(lambda: merge(shop, hooli.id, initech.id, APRIL.start + DAY)) == (
        "CONFLICT",
        f"customer {hooli.id}: invoices {numbers[0]} and {numbers[1]} for acme are in EUR and USD; an "
        "account has one currency",
    )


def test_reports_under_an_earlier_name_count_and_statements_of_both_names_agree(shop, buyers, now):
    initech = buyers("Initech", 100)
    initech.report(range(3), now)
    change(shop, now + HOUR, customers.edit, initech.id, {"name": "Initrode", "contact": "ada@example.com"})
    told = initech.report([3], now + HOUR)
    assert (told["added"], told["lost"], told["restarted"]) == (1, 0, False)
    assert initech.activate(now + 2 * HOUR).customer == "Initech"
    invoice = read(shop, issue(shop, initech.id, MARCH))
    assert (invoice.customer.name, invoice.customer.licensed_as) == ("Initrode", ("Initech",))
    found = comparison.compare(comparison.merge([initech.statement(MARCH.end)]), invoice)
    assert found.differences == ()
    at = APRIL.start + DAY
    initech.key = str(change(shop, at, life.transfer, initech.license, initech.id)["key"])
    assert initech.activate(at).customer == "Initrode"
    refused = "was given to another customer than the report names"
    assert refusal(lambda: initech.report([4], at, owner="Initech")) == (
        "MACHINE_MISMATCH",
        f"license {initech.license}: lease {shop.lease(initech.license, initech.held)} {refused}",
    )


def test_anonymised_customer_leaves_its_name_in_issued_invoices_alone(shop, buyers, now):
    initech, hooli = buyers("Initech", 100), buyers("Hooli", 100)
    initech.report(range(3), now)
    change(shop, now, customers.edit, initech.id, {"name": "Initrode"})
    for buyer in (initech, hooli):
        change(shop, now, deals.edit, buyer.license, {"notes": "Ada signed"})
    change(shop, now, life.change_policy, hooli.license, initech.policy)
    merge(shop, hooli.id, initech.id, now)
    ended = "has not ended, and its machines state the name; revoke it or give it to another customer first"
    first = min(initech.license, hooli.license)
    assert refusal(lambda: change(shop, now, customers.anonymise, initech.id)) == (
        "CONFLICT", f"customer {initech.id}: license {first} {ended}"
    )  # fmt: skip
    for buyer in (initech, hooli):
        change(shop, now, life.revoke, buyer.license)
    assert refusal(lambda: change(shop, now, customers.anonymise, initech.id)) == (
        "CONFLICT",
        f"customer {initech.id}: operations of license {initech.license} received in 2026-03 are not "
        f"invoiced; first run 'ternary server invoice --customer {initech.id} --product acme --month "
        "2026-03', when it is over",
    )
    data = issue(shop, initech.id, MARCH)
    told = change(shop, APRIL.start + DAY, customers.anonymise, initech.id)
    assert (told["name"], told["contact"]) == (f"anonymised {initech.id}", None)
    assert issue(shop, initech.id, MARCH) == data
    assert b"Initrode" in data
    with shop.database.read() as transaction:
        assert list(auditing.faults(transaction)) == []
        kept = [entry.detail for entry in audit.entries(transaction)]
        assert [records.find(transaction, one.license).notes for one in (initech, hooli)] == [None, None]
    assert not [detail for detail in kept if "Init" in detail or "Hooli" in detail or "Ada" in detail]
    assert initech.report([5], APRIL.start + 2 * DAY)["added"] == 1
    again = f"customer {initech.id}: was anonymised; make another"
    assert refusal(lambda: change(shop, MAY.start, customers.anonymise, initech.id)) == ("CONFLICT", again)


def test_rows_that_were_erased_cannot_be_edited_and_others_cannot_be_erased(shop, buyers, now):
    initech = buyers("Initech", 100)
    change(shop, now, life.revoke, initech.license)
    change(shop, now, customers.anonymise, initech.id)
    stream = f"customer {initech.id}"

    def faults(number, **values):
        this = (audit_rows.c.stream == stream) & (audit_rows.c.number == number)
        with shop.database.write() as transaction:
            before = transaction.execute(select(audit_rows).where(this)).one()
            transaction.execute(update(audit_rows).where(this).values(**values))
            found = list(auditing.faults(transaction))
            transaction.execute(update(audit_rows).where(this).values(**before._mapping))
            assert list(auditing.faults(transaction)) == []
        return found

    edited = f"audit of {stream}, row 1: edited (customer.add by "
    assert faults(1, actor="token T-2") == [f"{edited}token T-2)"]
    assert faults(1, detail='{"name":"Hooli"}') == [f"{edited}test)"]
    assert faults(1, at=1) == [f"{edited}test)"]
    license_stream = initech.license
    with shop.database.write() as transaction:
        this = (audit_rows.c.stream == license_stream) & (audit_rows.c.number == 1)
        transaction.execute(update(audit_rows).where(this).values(detail=audit.ERASED))
        assert list(auditing.faults(transaction)) == [
            f"audit of {license_stream}, row 1: edited (license.issue by test)"
        ]


@pytest.mark.parametrize("first", range(3))
def test_merging_while_invoices_are_issued_bills_each_operation_once(shop, buyers, now, first):
    """Whichever comes first: what is billed twice by then is given back, and nothing else is billed."""
    one, other = buyers("Initech", 100), buyers("Hooli", 100)
    one.report(range(6), now)
    other.report(range(4, 10), now)
    change(shop, now, life.change_policy, other.license, one.policy)
    shop.at(MARCH.end + HOUR)

    def issuing(customer):
        wanted = Wanted(customer=customer, product="acme", month=MARCH)
        return lambda transaction: invoices.issue(
            transaction, shop.ring, wanted, all_handed_in=False, actor="test"
        )

    def merging(transaction):
        return customers.merge(transaction, other.id, one.id, actor="test")

    def ask(work):
        try:
            with shop.database.write() as transaction:
                work(transaction)
        except ServiceError as refused:
            return str(refused)
        return None

    works = [issuing(one.id), issuing(other.id), merging]
    with ThreadPoolExecutor(3) as threads:
        refused = {*threads.map(ask, works[first:] + works[:first])} - {None}
    assert all(sentence.startswith(f"customer {other.id}: 2026-03 is not invoiced ") for sentence in refused)
    if refused:  # the merger came before the invoice of March that it needs
        merge(shop, other.id, one.id, MARCH.end + HOUR)
    for month in (MARCH, APRIL):
        issue(shop, one.id, month)
    with shop.database.read() as transaction:
        every = invoices.page(transaction, after="", limit=99, customer=one.id)
    assert sum(row["total"] for row in every) == 10 * 100


MONTHS = (MARCH, APRIL, MAY)
EVENT = st.one_of(
    st.tuples(st.just("report"), st.integers(0, 2), st.sets(st.integers(0, 9), max_size=5)),
    st.tuples(st.just("correct"), st.integers(0, 2)),
    st.tuples(st.just("merge"), st.integers(0, 2), st.integers(0, 2)),
    st.tuples(st.just("reprice"), st.integers(0, 2), st.sampled_from([3, 30, 300])),
    st.tuples(st.just("issue"), st.integers(0, 2)),
)


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(history=st.lists(st.lists(EVENT, max_size=6), min_size=3, max_size=3))
def test_all_invoices_add_up_to_what_one_customer_owes_at_each_operations_first_price(
    make_shop, database_address, new_client, now, tmp_path_factory, history
):
    with database_address("sqlite", tmp_path_factory.mktemp("history")) as url:
        shop = make_shop(url)
        try:
            told = History(shop, [new_client() for _ in range(3)], now)
            for month, events in zip(MONTHS, history, strict=True):
                told.live(month, events)
            told.finish()
            told.check()
        finally:
            shop.database.close()


class History:
    """Three customers, what happens to them, and all invoices that come of it, in their order."""

    def __init__(self, shop, clients, now):
        self.shop, self.now = shop, now
        names = ("Initech", "Hooli", "Globex")
        self.buyers = [
            Buyer(shop, held, now, name, prices(10 + number))
            for number, (name, held) in enumerate(zip(names, clients, strict=True))
        ]
        self.root = {buyer.id: buyer.id for buyer in self.buyers}
        self.issued, self.counts = [], defaultdict(set)

    def live(self, month, events):
        self.now = max(self.now, month.start + DAY)
        for event in events:
            getattr(self, event[0])(month, *event[1:])
        self.now = month.end

    def report(self, _, number, operations):
        buyer = self.buyers[number]
        self.counts[buyer.id] |= operations - buyer.drawn
        buyer.report(operations, self.now)

    def correct(self, _, number):
        buyer = self.buyers[number]
        if self.counts[buyer.id]:
            buyer.correct(self.now)
            self.counts[buyer.id] = set()

    def merge(self, _, number, into):
        one, other = (self.root[self.buyers[each].id] for each in (number, into))
        if one != other:
            self._merge_when_due_months_are_invoiced(one, other)
            self.root = {id: other if root == one else root for id, root in self.root.items()}
            remaining = next(buyer for buyer in self.buyers if buyer.id == other)
            for buyer in self.buyers:
                if self.root[buyer.id] == other and buyer.policy != remaining.policy:
                    change(self.shop, self.now, life.change_policy, buyer.license, remaining.policy)
                    buyer.policy = remaining.policy

    def _merge_when_due_months_are_invoiced(self, one, other):
        """Do first what the refusals say, month by month."""
        while (month := self._merge_or_due(one, other)) is not None:
            self.issued.append(read(self.shop, issue(self.shop, one, month, self.now)))

    def _merge_or_due(self, one, other):
        try:
            merge(self.shop, one, other, self.now)
        except ServiceError as refused:
            return Month.parse(str(refused)[-8:-1])
        return None

    def reprice(self, month, number, amount):
        new = NewPrices(prices=prices(amount), month=month, existing=True, bill_earlier=False)
        change(self.shop, self.now, policy_changes.add_prices, self.buyers[number].policy, new)

    def issue(self, month, number):
        """Every invoice of a customer that is due at this moment."""
        customer = self.root[self.buyers[number].id]
        with self.shop.database.read() as transaction:
            every = invoices.page(transaction, after="", limit=99)
        done = [row["month"] for row in every if row["customer"] == customer]
        next_one = Month.parse(max(done)).next if done else MARCH
        while next_one.end <= self.now:
            try:
                data = issue(self.shop, customer, next_one, self.now)
            except ServiceError as refused:  # it begins after those that were merged into it
                next_one = Month.parse(re.search(r"no month before (\S+) can be$", str(refused))[1])
                continue
            self.issued.append(read(self.shop, data))
            next_one = next_one.next

    def finish(self):
        self.now = MONTHS[-1].end + DAY
        for number in range(3):
            self.issue(MAY, number)

    def check(self):
        for customer in set(self.root.values()):
            members = {id for id, root in self.root.items() if root == customer}
            theirs = [invoice for invoice in self.issued if invoice.customer.id in members]
            union = set().union(*(self.counts[id] for id in members))
            owed = owed_for(theirs)
            assert set(owed) == union
            paid = sum(line.amount for invoice in theirs for line in invoice.amount.lines)
            assert paid == sum(owed.values()) == theirs[-1].amount.charged


def owed_for(every):
    """By operation: its price on the first of these invoices that bills it and has not taken it back."""
    bills, together = defaultdict(list), {}
    for invoice in every:
        mine = together.setdefault(invoice.customer.id, {invoice.customer.id})
        for joined in invoice.merged:
            mine |= together.get(joined.customer.id, {joined.customer.id})
        for of in invoice.spaces:
            for operation in map(int, of.credited.members.indices):
                bills[operation] = [bill for bill in bills[operation] if bill[0] not in mine]
            for operation in map(int, of.new.members.indices):
                bills[operation].append((invoice.customer.id, invoice.prices.tiers[0].amount))
    return {operation: billed[0][1] for operation, billed in bills.items() if billed}
