"""
Usage reports of a vast space under fire: in any order, twice, never, and after either side was restored.

Machines count operations and report them. Reports and answers get lost, come late or twice. Meters are
deleted and restored, leases end and are taken again, the vendor corrects, and the server's database is put
back to an earlier state. A plain model of sets says what each answer must be and what must be billed.
"""

import copy
import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from sqlalchemy import delete, insert, select

from stress.usage_model import Lease, Machine, Model, Sent
from ternary_license_server.database.clock import Clock, Sources
from ternary_license_server.database.engine import Database
from ternary_license_server.database.migration import migrate
from ternary_license_server.database.schema import clock as clock_table
from ternary_license_server.database.schema import metadata, meter_entries, segment_uses, segments
from ternary_license_server.keys.keyring import KeyRing
from ternary_license_server.service import (
    activation,
    auditing,
    catalog,
    correcting,
    customer_usage,
    invoicing,
    life,
    metering,
    policies,
)
from ternary_license_server.service import lease as lease_rows
from ternary_license_server.service.policies import Policy
from ternary_license_server.service.refusals import Code, ServiceError
from ternary_sdk._internal.identity import PackageIdentity
from ternary_sdk._internal.licensing import installation, usage
from ternary_sdk._internal.licensing.counted import Counted
from ternary_sdk._internal.licensing.installation import Installation
from ternary_sdk._internal.licensing.usage import Usage
from ternary_sdk._internal.online import request as online_request
from ternary_sdk._internal.online.request import Request
from ternary_sdk.operations import OperationSet
from ternary_sdk.space import Space

MACHINES: Final = 3
HOUR: Final = timedelta(hours=1)
HOLD: Final = 2 * HOUR
START: Final = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
Rows = dict[str, list[dict[str, Any]]]


class World:
    """A server, its machines, and the model beside them.

    Args:
        url: An empty database.
        ring: The vendor's keys.
        seed: Of every choice.
        space: A vast one.
    """

    def __init__(self, url: str, ring: KeyRing, seed: int, space: Space) -> None:
        self.now, self.space, self.ring = START, space, ring
        self.random = random.Random(seed)
        wall = Sources(wall=lambda: self.now, elapsed=lambda: self.now.timestamp())
        self.database = Database(url, clock=Clock(wall))
        migrate(self.database)
        self.license, self.key, self.customer = self._sell()
        self.held = [installation.draft(Path("unused")) for _ in range(MACHINES)]
        self.machines = [Machine() for _ in range(MACHINES)]
        self.model = Model([Lease(ends=self._activate(held)) for held in self.held])
        self.numbers = [self._lease(held) for held in self.held]
        self.copies: list[tuple[int, Machine]] = []
        self.backups: list[tuple[Rows, Model]] = []
        self.air: list[Sent] = []
        self.done: Counter[str] = Counter()

    def close(self) -> None:
        """Close the database."""
        self.database.close()

    def step(self) -> None:
        """Let one thing happen."""
        self.now += timedelta(minutes=self.random.randrange(10))
        machine = self.random.randrange(MACHINES)
        actions = {
            self.draw: 8, self.report: 8, self.arrive: 3, self.save: 2, self.restore: 1, self.delete: 0.4,
            self.wait: 0.4, self.activate: 1, self.correct: 0.4, self.back_up: 1, self.put_back: 0.5,
        }  # fmt: skip
        action = self.random.choices(list(actions), list(actions.values()))[0]
        action(machine)
        self.done[action.__name__] += 1

    def draw(self, machine: int) -> None:
        """A machine counts operations, some of which others have too."""
        many = self.random.choice([1, 3, 12])
        near = {self.random.randrange(40) for _ in range(many)}
        far = {self.space.size - 1 - self.random.randrange(200) for _ in range(many)}
        self.machines[machine].grow(near | far, self._history())

    def report(self, machine: int) -> None:
        """A machine reports, over a network that loses reports and answers."""
        for sent in self._reports(machine):
            fate = self.random.choices(["answered", "unanswered", "lost", "late"], [12, 1, 1, 1])[0]
            if fate in ("lost", "late"):
                self.air += [sent] if fate == "late" else []
                return
            accepted = self.deliver(sent)
            if fate == "unanswered":
                return
            self._answered(machine, sent, accepted)
            if not accepted:
                return

    def arrive(self, _: int) -> None:
        """A report arrives that was under way for long, perhaps not for the last time."""
        if self.air:
            sent = self.random.choice(self.air)
            self.deliver(sent)
            if self.random.random() < 0.5:
                self.air.remove(sent)

    def save(self, machine: int) -> None:
        """A machine's meter is copied."""
        self.copies.append((machine, copy.deepcopy(self.machines[machine])))

    def restore(self, _: int) -> None:
        """A copy of a meter comes back."""
        if self.copies:
            machine, kept = self.random.choice(self.copies)
            self.machines[machine] = copy.deepcopy(kept)

    def delete(self, machine: int) -> None:
        """A meter is deleted."""
        self.machines[machine] = Machine()

    def wait(self, _: int) -> None:
        """Leases end."""
        self.now += 3 * HOUR

    def activate(self, machine: int) -> None:
        """A machine takes its seat again."""
        self.model.leases[machine].ends = self._activate(self.held[machine])

    def correct(self, machine: int) -> None:
        """The vendor takes back what a lease reported."""
        expected = self.model.correct(machine, self.now)
        try:
            with self.database.write() as transaction:
                told = correcting.correct(
                    transaction, self.license, self.numbers[machine], "stress", actor="stress"
                )
            found = told["taken_back"]
        except ServiceError as refusal:
            expect(refusal.code in (Code.CONFLICT, Code.UNKNOWN), refusal)
            found = None
        expect(found == expected, f"a correction took back {found}, expected {expected}")

    def back_up(self, _: int) -> None:
        """The server's database is copied."""
        rows = backup(self.database)
        self.backups.append((rows, copy.deepcopy(self.model)))

    def put_back(self, _: int) -> None:
        """The server's database is what it was."""
        if not self.backups:
            return
        rows, model = self.random.choice(self.backups)
        restore(self.database, rows)
        self.model = copy.deepcopy(model)

    def deliver(self, sent: Sent) -> bool:
        """A report reaches the server; whether it was taken in."""
        expected = self.model.take(sent, self.now)
        try:
            with self.database.write() as transaction:
                told = dict(metering.merge(transaction, Usage.read(sent.document)))
        except ServiceError as refusal:
            expect(refusal.code is Code.SEND_ALL and expected is None, f"{refusal}, expected {expected}")
            self.done["SEND_ALL"] += 1
            return False
        expect(expected is not None, f"{told}, expected SEND_ALL")
        for name, value in (expected or {}).items():
            expect(told[name] == value, f"{name} is {told[name]}, expected {value}")
        after = sent.report.after
        expect(told["acknowledged"] == {"operations": after.operations, "sha256": after.sha256}, told)
        self.done["lost"] += bool(told["lost"])
        self.done["restarted"] += bool(told["restarted"])
        return True

    def settle(self) -> None:
        """Every machine reports until all of its set is confirmed; then nothing of it is missing."""
        for machine, meter in enumerate(self.machines):
            for _ in range(2):
                for sent in self._reports(machine):
                    accepted = self.deliver(sent)
                    self._answered(machine, sent, accepted)
                    if not accepted:
                        break
            expect(meter.confirmed == meter.operations, "a set is not confirmed after two tries")
            expect(meter.operations <= self.model.leases[machine].reported, "an operation was lost")
        self.check()

    def check(self) -> None:
        """What the database holds is what the model says."""
        with self.database.read() as transaction:
            meter = metering.find(transaction, self.license, self.customer, self.space)
            billed, weighed = set(meter.operations), set(meter.weighed)
            period = {"start": START + 4 * HOUR, "end": self.now + HOUR}
            lines = list(invoicing.lines(transaction, **period))
            customers = list(customer_usage.customer_lines(transaction, **period))
            faults = list(auditing.faults(transaction))
            rows = transaction.execute(select(meter_entries.c.bitmap)).all()
            kept = transaction.execute(select(segments.c.sha256)).scalars().all()
            used = transaction.execute(select(segment_uses.c.sha256)).scalars().all()
        expect(billed == self.model.billed, "billed is something else")
        expect(weighed == self.model.weighed, "weighed is something else")
        expect(not faults, faults)
        expect(not any(row.bitmap for row in rows), "an entry has a bitmap")
        expect(set(kept) == set(used), "segments are kept that no set has")
        within = [entry for entry in self.model.entries if entry[0] >= period["start"]]
        found = [(line.operations, line.taken_back, line.total) for line in lines]
        sums = [sum(len(one) for _, one, back in within if back is taken) for taken in (False, True)]
        expect(
            found == ([(*sums, len(self.model.billed))] if within else []), f"the license's line is {found}"
        )
        found = [(line.operations, line.taken_back, line.total) for line in customers]
        expect(
            found == ([self.model.line(period["start"])] if within else []), f"the customer's line is {found}"
        )

    def _reports(self, machine: int) -> list[Sent]:
        meter = self.machines[machine]
        counted = Counted(
            lease=self.numbers[machine],
            owner="Initech",
            history=meter.history,
            sequence=meter.sequence,
            acknowledged=meter.base,
            operations=OperationSet.of(sorted(meter.operations), self.space),
            pending=OperationSet.of(sorted(meter.operations - meter.confirmed), self.space),
        )
        found, reached = [], frozenset(meter.confirmed)
        for report in usage.reports(self.license, counted, self.held[machine], self.now):
            after = reached | set(report.confirms)
            found.append(
                Sent(
                    machine=machine,
                    document=report.document,
                    history=meter.history,
                    sequence=meter.sequence,
                    start=reached,
                    after=after,
                    complete=after == meter.operations,
                    report=report,
                )
            )
            reached = after
        self.done["parts"] += len(found) > 1
        return found

    def _answered(self, machine: int, sent: Sent, accepted: bool) -> None:
        meter = self.machines[machine]
        if not accepted:
            meter.forget()
            return
        meter.confirmed, meter.base = set(sent.after), sent.report.after

    def _history(self) -> str:
        return "".join(self.random.choices("ABCDEFGH", k=21)) + "A"

    def _sell(self) -> tuple[str, str, str]:
        policy = Policy(
            name="vast", product="acme", term=None, entitlements=("sample",), seats=MACHINES,
            unique_operations=None, lease=HOUR, grace=HOUR, offline=timedelta(0), trial=False,
        )  # fmt: skip
        with self.database.write() as transaction:
            package = PackageIdentity(name="acme", version=(1, 0, 0), digest="ab" * 32)
            catalog.add_release(transaction, package, None, actor="stress")
            policies.add(transaction, policy, actor="stress")
            customer = str(catalog.add_customer(transaction, "Initech", actor="stress")["id"])
            sold = life.issue(transaction, customer=customer, policy="vast", actor="stress")
        return str(sold["id"]), str(sold["key"]), customer

    def _activate(self, held: Installation) -> datetime:
        """Take a seat; when its lease ends."""
        vendor = self.ring.trust.root.kid
        document = online_request.activate(self.key, vendor=vendor, held=held, now=self.now, machine=None)
        with self.database.write() as transaction:
            activation.perform(transaction, self.ring, Request.read(document, vendor), carried=False)
        return self.now + HOLD

    def _lease(self, held: Installation) -> str:
        with self.database.read() as transaction:
            found = lease_rows.find(transaction, self.license, held.kid)
        return found.seat if found else ""


def backup(database: Database) -> Rows:
    """Every row of every table."""
    with database.read() as transaction:
        return {
            table.name: [dict(row._mapping) for row in transaction.execute(select(table))]
            for table in metadata.sorted_tables
        }


def restore(database: Database, rows: Rows) -> None:
    """Make a database what it was, but for the time that it has seen."""
    tables = [table for table in metadata.sorted_tables if table is not clock_table]
    with database.write() as transaction:
        for table in reversed(tables):
            transaction.execute(delete(table))
        for table in tables:
            if rows[table.name]:
                transaction.execute(insert(table), rows[table.name])


def expect(holds: bool, what: object) -> None:
    """Stop if something does not hold."""
    if not holds:
        raise SystemExit(f"usage reports: {what}")


def play(url: str, ring: KeyRing, *, seed: int, steps: int, space: Space) -> Counter[str]:
    """Play one world to its end; what happened in it, by name."""
    world = World(url, ring, seed, space)
    try:
        for number in range(steps):
            world.step()
            if number % 10 == 0:
                world.check()
        world.settle()
        return world.done
    finally:
        world.close()
