"""A change that is killed at any of its steps is there, its audit row and all else, or has not happened."""

import multiprocessing
import os
import signal
from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import event, select

from ternary_license_server.database.engine import Database
from ternary_license_server.database.schema import metadata
from ternary_license_server.service import answering, auditing, invoices, lease, life, metering, records
from ternary_license_server.service.invoices import Wanted
from ternary_license_server.service.once import once
from ternary_sdk._internal.licensing.usage import Usage
from ternary_sdk._internal.online import request as online_request
from ternary_sdk._internal.online.request import Request
from ternary_sdk._internal.pricing.month import Month
from ternary_sdk._internal.pricing.price_list import PriceList, Tier, Unit

ALWAYS = {"audit", "audit_heads", "answered"}
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
UNSTORED = {"lease.renew": {"answered"}}
"""A renewal is found again in the audit log; no answer of it is stored."""
MORE_STEPS_THAN_ANY_CHANGE_HAS = 100


class Sold:
    """A license with one seat taken, and what can be done with it, each in a database that is given."""

    def __init__(self, shop, held, newcomer, now):
        self.ring, self.now = shop.ring, now + timedelta(minutes=10)
        self.id, self.key = shop.sell(seats=3)
        self.generation = shop.activate(self.key, held, now)["generation"]
        with shop.database.read() as transaction:
            self.customer = records.find(transaction, self.id).customer
            self.policy = records.find(transaction, self.id).policy
            self.seat = lease.find(transaction, self.id, held.kid).seat
        self.documents = {
            "activate": self.signed(online_request.activate, newcomer, self.key, machine=None),
            "renew": self.signed(online_request.renew, held, self.id, self.seat, self.generation),
            "release": self.signed(online_request.release, held, self.id, self.seat, self.generation),
        }
        self.report = shop.usage(self.id, held, [1, 2, 3], self.now)

    def signed(self, make, held, *words, **more):
        return make(*words, vendor=self.ring.trust.root.kid, held=held, now=self.now, **more)

    def ask(self, database, name):
        document = self.documents[name]
        request = Request.read(document, self.ring.trust.root.kid)
        answering.answer(database, self.ring, request, document, carried=False)

    def report_usage(self, database):
        report = Usage.read(self.report)
        merge = partial(metering.merge, report=report)
        self.once(database, report.installation.kid, "the report's digest", self.report, merge)

    def issue_invoice(self, database):
        wanted = Wanted(customer=self.customer, product="acme", month=self.month)
        work = partial(invoices.issue, ring=self.ring, wanted=wanted, all_handed_in=False, actor="test")
        self.once(database, "T-1", self.id, b"what was asked", work)

    def administer(self, database, change, **words):
        if change is not life.issue:
            words["license_id"] = self.id
        work = partial(change, **words, actor="test")
        self.once(database, "T-1", self.id, b"what was asked", work)

    def once(self, database, principal, key, request, work):
        once(database, principal=principal, key=key, request=request, secret=request, work=work)


class Billed(Sold):
    """A license under prices whose machine has reported, at the end of its month."""

    def __init__(self, shop, held, newcomer, now):
        now = max(now, shop.hands.moment) + timedelta(hours=1)  # clocks do not go back
        self.month = Month.of(now)
        self.ring, self.now = shop.ring, self.month.end
        self.id, self.key = shop.sell(now, seats=3, unique_operations=19_683, prices=PRICES)
        shop.activate(self.key, held, now)
        shop.merge(shop.usage(self.id, held, [1, 2, 3], now), now)
        with shop.database.read() as transaction:
            self.customer = records.find(transaction, self.id).customer


CHANGES = {
    "lease.activate": (
        lambda sold, into: sold.ask(into, "activate"),
        {"leases", "lease_numbers", "seat_counts"},
    ),
    "lease.renew": (lambda sold, into: sold.ask(into, "renew"), {"leases"}),
    "lease.release": (lambda sold, into: sold.ask(into, "release"), {"leases", "seat_counts"}),
    "usage.report": (Sold.report_usage, {"meters", "meter_reports", "meter_entries"}),
    "license.issue": (
        lambda sold, into: sold.administer(into, life.issue, customer=sold.customer, policy=sold.policy),
        {"licenses"},
    ),
    "license.renew": (lambda sold, into: sold.administer(into, life.renew, expires=None), {"licenses"}),
    "license.suspended": (lambda sold, into: sold.administer(into, life.suspend), {"licenses", "events"}),
    "license.revoked": (
        lambda sold, into: sold.administer(into, life.revoke),
        {"licenses", "revocations", "revocation_list", "events"},
    ),
    "license.transfer": (
        lambda sold, into: sold.administer(into, life.transfer, customer=sold.customer),
        {"licenses", "leases"},
    ),
    "seat.free": (
        lambda sold, into: sold.administer(into, life.free_seat, seat=sold.seat, reason="stolen"),
        {"leases", "lease_numbers", "lost_seats", "revocation_list", "seat_counts", "events"},
    ),
    "invoice.issue": (Sold.issue_invoice, {"invoices", "invoice_sets", "events"}),
}
"""By the action in the audit log: the change, and the tables it changes besides ``ALWAYS``."""


def killed_at(step, url, clock, change):
    """Make a change in a process of its own that is killed at a step; whether it was."""

    def work():
        left = step
        database = Database(url, clock=clock)

        def count(*_):
            nonlocal left
            left -= 1
            if left < 0:
                os.kill(os.getpid(), signal.SIGKILL)

        # What is there before a statement is what the one before it left, so each is followed by one step.
        for name in ("after_cursor_execute", "commit"):
            event.listen(database.engine, name, count)
        change(database)
        count()
        os._exit(0)

    process = multiprocessing.get_context("fork").Process(target=work)
    process.start()
    process.join()
    assert process.exitcode in (0, -signal.SIGKILL)
    return process.exitcode != 0


def contents(shop):
    """Every row of every table."""
    with shop.database.read() as transaction:
        return {
            table.name: {tuple(row) for row in transaction.execute(select(table))}
            for table in metadata.sorted_tables
        }


def changed(before, after):
    return {name for name in before if before[name] != after[name]}


@pytest.mark.parametrize("action", CHANGES)
def test_killed_at_any_step_both_effect_and_row_are_there_or_neither(
    kind, tmp_path, database_address, make_shop, new_client, now, action
):
    (change, tables), outcomes = CHANGES[action], set()
    with database_address(kind, tmp_path) as url:
        shop = make_shop(url)
        for step in range(MORE_STEPS_THAN_ANY_CHANGE_HAS):
            kind_of_sale = Billed if action == "invoice.issue" else Sold
            sold = kind_of_sale(shop, new_client(), new_client(), now)
            shop.at(sold.now)
            before = contents(shop)
            shop.database.close()
            killed = killed_at(
                step, url, shop.hands.clock(), lambda database, sold=sold: change(sold, database)
            )
            left = contents(shop)
            change(sold, shop.database)
            finished = contents(shop)
            assert left in (before, finished)
            assert changed(before, finished) == tables | ALWAYS - UNSTORED.get(action, set())
            assert {row[4] for row in finished["audit"] - before["audit"]} == {action}
            outcomes.add((killed, left == finished))
            if not killed:
                break
        assert outcomes >= {(True, False), (False, True)}
        with shop.database.read() as transaction:
            assert list(auditing.faults(transaction)) == []
        shop.database.close()
