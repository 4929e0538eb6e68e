"""
Whatever happens to a customer's machines and the server, each invoice bills what the machines state.

Two machines share the one seat of each of two products and draw from two spaces. They report late, again or
not at all until the month ends. The server is restored from backups that know less than it did.
"""

import sqlite3
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from tests.buyers import APRIL, DAY, HOUR, MARCH, MAY, change, policy, prices, read

from ternary_license_server.database.engine import Database, parse_url
from ternary_license_server.local import restoration
from ternary_license_server.local.restoration import Wish
from ternary_license_server.service import auditing, catalog, invoices, life, policies
from ternary_license_server.service.invoices import Wanted
from ternary_sdk._internal.documents import canonical
from ternary_sdk._internal.identity import PackageIdentity
from ternary_sdk._internal.licensing.license import License
from ternary_sdk._internal.pricing import comparison, statement
from ternary_sdk._internal.pricing.amount import Kind, Movement, amount
from ternary_sdk._internal.pricing.price_list import Tier
from ternary_sdk._internal.pricing.statement import Statement
from ternary_sdk.operations import OperationSet
from ternary_sdk.space import TERNARY_2, Space

MONTHS = (MARCH, APRIL, MAY)
PRODUCTS = ("acme", "apex")
SPACES = (TERNARY_2, Space(2, 3))
TIERS = (Tier(up_to=5, amount=100, per=1), Tier(up_to=None, amount=50, per=3))
PRICES = replace(prices(100, included=2, base=5_000), tiers=TIERS)
WHICH = st.integers(0, 1)
EVENT = st.one_of(
    st.tuples(st.just("draw"), WHICH, WHICH, WHICH, st.sets(st.integers(0, 12), min_size=1, max_size=5)),
    st.tuples(st.just("report"), WHICH, WHICH, st.integers(1, 2)),
    st.tuples(st.just("keep_backup")),
    st.tuples(st.just("restore")),
)
DRAWN: Counter[str] = Counter()


@dataclass
class Counted:
    """What a machine returned under one lease, of one space."""

    operations: set[int] = field(default_factory=set)
    sequence: int = 0


class Machine:
    """One of the customer's: what it returned, by license, lease and space."""

    def __init__(self, held):
        self.held, self.leases, self.counted = held, {}, {}

    def draw(self, license, space, operations):
        of = self.counted.setdefault((license, self.leases[license], space), Counted())
        of.operations |= operations
        of.sequence += 1

    def state(self, license, at):
        found = {}
        for (this, _, space), of in self.counted.items():
            if this == license:
                found[space] = found.get(space, set()) | of.operations
        sets = [OperationSet.of(sorted(operations), space) for space, operations in found.items()]
        return Statement.read(statement.write(license, "Initech", sets, self.held, at))


class World:
    """A server, a customer with a license of each product, its machines, and every invoice."""

    def __init__(self, shop, clients, folder, now):
        self.shop, self.folder, self.now = shop, folder, now
        self.machines = [Machine(held) for held in clients]
        self.licenses, self.keys, self.holder = [], [], [None, None]
        self.issued, self.known, self.restored = {product: [] for product in PRODUCTS}, 0, False
        apex = PackageIdentity(name="apex", version=(1, 0, 0), digest="cd" * 32)
        change(shop, now, catalog.add_release, apex, None)
        self.customer = str(change(shop, now, catalog.add_customer, "Initech")["id"])
        for product in PRODUCTS:
            terms = replace(policy(f"of-{product}", PRICES), product=product, seats=1)
            change(shop, now, policies.add, terms)
            sold = change(shop, now, life.issue, customer=self.customer, policy=terms.name)
            self.licenses.append(str(sold["id"]))
            self.keys.append(str(sold["key"]))
        for product in range(2):
            for machine in range(2):  # a restored server gives no seat to a machine that no backup knows
                self.sit(machine, product)

    def live(self, month, events):
        self.now = max(self.now, month.start + DAY)
        for product in range(2):
            if self.holder[product] is not None:
                self.sit(self.holder[product], product)
        for event in events:
            DRAWN[event[0]] += 1
            getattr(self, event[0])(*event[1:])
            self.now += timedelta(minutes=1)
        for product in range(2):
            for machine in range(2):
                self.report(machine, product, 1)
        self.now = month.end + HOUR
        for product in PRODUCTS:
            self.issue(product, month)

    def sit(self, machine, product):
        """Let a machine have the seat, which the other one gives back."""
        license, key, holder = self.licenses[product], self.keys[product], self.holder[product]
        if holder is not None and holder != machine:
            self.report(holder, product, 1)
            other = self.machines[holder].held
            self.shop.release(license, self.shop_generation(license, other), other, self.now)
            DRAWN["seat moved"] += 1
        came = self.shop.activate(key, self.machines[machine].held, self.now)
        token = License.read(came["license"].encode(), self.shop.ring.trust)
        self.machines[machine].leases[license] = token.lease
        self.holder[product] = machine
        self.keep_backup()  # a lease that no backup knows has reported nothing that counts

    def shop_generation(self, license, held):
        with self.shop.database.read() as transaction:
            return life.seats.lease_rows.find(transaction, license, held.kid).generation

    def draw(self, machine, product, space, operations):
        if self.holder[product] != machine:
            self.sit(machine, product)
        self.machines[machine].draw(self.licenses[product], SPACES[space], operations)

    def report(self, machine, product, times):
        license, held = self.licenses[product], self.machines[machine].held
        for (this, lease, space), of in self.machines[machine].counted.items():
            if this == license:
                written = self.shop.usage(
                    license, held, sorted(of.operations), self.now, sequence=of.sequence, space=space,
                    lease=lease, owner="Initech",
                )  # fmt: skip
                for _ in range(times):
                    self.shop.merge(written, self.now)

    def keep_backup(self):
        """Copy the file as 'ternary server backup' does, without its checks, which take most of the time."""
        self.known += 1
        target = sqlite3.connect(self.folder / f"backup-{self.known}")
        with closing(sqlite3.connect(self.shop.database.file)) as source, closing(target):
            source.backup(target)

    def restore(self):
        self.shop.database.close()
        self.shop.at(self.now)
        fresh = parse_url(f"sqlite:///{self.folder / f'restored-{self.known}-{DRAWN.total()}.sqlite3'}")
        database = Database(fresh, clock=self.shop.hands.clock())
        wish = Wish(newest=None, today=self.now.date())
        restoration.restore(database, self.shop.ring.directory, wish, self.folder / f"backup-{self.known}")
        self.shop.database, self.restored = database, True
        for file in (file for files in self.issued.values() for file in files):
            restoration.merge_invoice(database, self.shop.ring.directory, file)

    def issue(self, product, month):
        wanted = Wanted(customer=self.customer, product=product, month=month)
        more = {"all_handed_in": self.restored}
        made = change(self.shop, self.now, invoices.issue, self.shop.ring, wanted, **more)
        self.issued[product].append(canonical.encode(made))
        invoice = read(self.shop, self.issued[product][-1])
        license = self.licenses[PRODUCTS.index(product)]
        states = [machine.state(license, self.now) for machine in self.machines]
        found = comparison.compare(comparison.merge(states), invoice)
        assert (found.differences, found.amount) == ((), invoice.amount)

    def check(self):
        """Each operation was billed once, and the months together are the price of the whole."""
        for files in self.issued.values():
            every = [read(self.shop, data) for data in files]
            last = every[-1]
            whole = [
                Movement(space=of.space, before=0, credited=0, new=of.after.operations) for of in last.spaces
            ]
            at_once = sum(line.amount for line in amount(PRICES, whole).lines if line.kind is Kind.USAGE)
            lines = [line for invoice in every for line in invoice.amount.lines]
            assert sum(line.amount for line in lines if line.kind is Kind.USAGE) == at_once
            assert {line.kind for line in lines} <= {Kind.BASE, Kind.INCLUDED, Kind.USAGE}
        with self.shop.database.read() as transaction:
            assert list(auditing.faults(transaction)) == []


@pytest.fixture
def histories(make_shop, database_address, new_client, now, tmp_path_factory):
    def play(history):
        folder = tmp_path_factory.mktemp("history")
        with database_address("sqlite", folder) as url:
            shop = make_shop(url)
            try:
                world = World(shop, [new_client(), new_client()], folder, now)
                for month, events in zip(MONTHS, history, strict=True):
                    world.live(month, events)
                world.check()
            finally:
                shop.database.close()

    return play


def test_invoices_and_statements_agree_whatever_happens(histories):
    long = settings.get_current_profile_name() == "stress"

    @settings(
        max_examples=500 if long else 4,
        phases=tuple(Phase) if long else (Phase.generate,),  # to shrink a history takes minutes
        deadline=None,
        suppress_health_check=list(HealthCheck),
        derandomize=not long,
        database=None,
    )
    @given(history=st.lists(st.lists(EVENT, max_size=5), min_size=3, max_size=3))
    def play(history):
        histories(history)

    DRAWN.clear()
    play()
    assert {"draw", "report", "keep_backup", "restore", "seat moved"} <= DRAWN.keys()
