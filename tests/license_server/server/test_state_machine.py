"""Activate, renew, expire, release, revoke, turn the clock: the server against a model of a page."""

from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from ternary_license_server.service import auditing, catalog, lease, life, seat_count
from ternary_license_server.service.refusals import ServiceError
from ternary_sdk._internal.licensing import installation
from ternary_sdk.errors import LicenseError

MACHINES = st.integers(0, 4)
HOLD, OFFLINE = timedelta(hours=2), timedelta(days=1)


class Seats(RuleBasedStateMachine):
    """The model: who holds which generation until when. ``shop`` is set by the test.

    ``offline`` has the machines whose present hold is an offline one, ``files`` the end of the last offline
    license that a machine ever got: nothing that happens later takes the file from it.
    """

    shop = None

    @initialize(cap=st.integers(1, 3))
    def sell(self, cap):
        self.cap, self.now = cap, self.shop.start
        self.license, self.key = self.shop.sell(now=self.now, seats=cap, term=None, offline=OFFLINE)
        self.held = [installation.draft(Path("unused")) for _ in range(5)]
        self.state, self.ends, self.generation = "active", {}, dict.fromkeys(range(5), 0)
        self.offline, self.files, self.disowned = {}, {}, set()

    def live(self, machine):
        return self.ends.get(machine, self.now) > self.now

    def known(self, machine):
        return self.generation[machine] > 0

    def attempt(self, call):
        try:
            return call(), None
        except (LicenseError, ServiceError) as refusal:
            return None, str(refusal.code)

    def expected(self, lease_refusal):
        return {"revoked": "REVOKED", "suspended": "SUSPENDED"}.get(self.state, lease_refusal)

    @rule(machine=MACHINES, offline=st.booleans())
    def activate(self, machine, offline):
        others = [m for m in range(5) if m != machine and self.live(m)]
        carried = [m for m, end in self.files.items() if m != machine and end > self.now]
        full = len(others) >= self.cap or (offline and len(carried) >= 2 * self.cap)
        answer, code = self.attempt(
            lambda: self.shop.activate(self.key, self.held[machine], self.now, offline=offline)
        )
        assert code == self.expected("TOO_MANY_MACHINES" if full else None)
        if code is None:
            kept = self.offline.get(machine, self.now) if self.live(machine) else self.now
            self.generation[machine] += 1
            self.disowned.discard(machine)
            end = max(self.now + (OFFLINE if offline else HOLD), kept)
            self.ends[machine] = end
            if offline or kept > self.now:
                self.offline[machine] = end
                self.files[machine] = max(end, self.files.get(machine, end))
            else:
                self.offline.pop(machine, None)
            assert answer["generation"] == self.generation[machine]
            assert answer["ends"] == int(end.timestamp())

    @rule(machine=MACHINES, back=st.integers(0, 1))
    def renew(self, machine, back):
        generation = max(1, self.generation[machine] - back)
        current = self.live(machine) and generation == self.generation[machine]
        answer, code = self.attempt(
            lambda: self.shop.renew(self.license, generation, self.held[machine], self.now)
        )
        expected = self.expected(None if current else "LEASE_LOST")
        if machine in self.disowned:  # the license is another's, and so is what became of it
            expected = "LEASE_LOST"
        assert code == (expected if self.known(machine) else "NOT_FOUND")
        if code is None:
            end = self.now + HOLD
            if machine in self.offline:
                end = max(end, self.ends[machine])
                self.offline[machine] = end
                self.files[machine] = max(end, self.files[machine])
            self.ends[machine] = end
            assert answer["ends"] == int(end.timestamp())

    @rule(machine=MACHINES, back=st.integers(0, 1))
    def release(self, machine, back):
        generation = max(1, self.generation[machine] - back)
        current = self.live(machine) and generation == self.generation[machine]
        _, code = self.attempt(
            lambda: self.shop.release(self.license, generation, self.held[machine], self.now)
        )
        assert code == (None if current else "LEASE_LOST" if self.known(machine) else "NOT_FOUND")
        if code is None:
            del self.ends[machine]

    @rule(machine=MACHINES)
    def lose(self, machine):
        with self.shop.at(self.now).write() as transaction:
            held = lease.find(transaction, self.license, self.held[machine].kid)
            seat = held.seat if held else "S-0"
            facts, code = self.attempt(
                lambda: life.free_seat(transaction, self.license, seat, "lost", actor="test")
            )
        assert code == (None if self.live(machine) else "CONFLICT" if held else "UNKNOWN")
        if code is None:
            assert not facts["live"]
            del self.ends[machine]

    @rule()
    def transfer(self):
        if self.state != "revoked":
            with self.shop.at(self.now).write() as transaction:
                customer = catalog.add_customer(transaction, "Hooli", actor="test")["id"]
                moved = life.transfer(transaction, self.license, customer, actor="test")
            self.key, self.disowned = moved["key"], set(range(5))

    @rule(minutes=st.sampled_from([1, 30, 119, 120, 121, 24 * 60]))
    def wait(self, minutes):
        self.now += timedelta(minutes=minutes)

    @rule(to=st.sampled_from(["suspend", "reinstate"]))
    def pause(self, to):
        allowed = self.state == ("active" if to == "suspend" else "suspended")
        with ExitStack() as stack:
            if not allowed:
                stack.enter_context(pytest.raises(ServiceError))
            with self.shop.at(self.now).write() as transaction:
                getattr(life, to)(transaction, self.license, actor="test")
        if allowed:
            self.state = "suspended" if to == "suspend" else "active"

    @precondition(lambda self: self.now - self.shop.start > timedelta(days=2))
    @rule()
    def revoke(self):
        if self.state != "revoked":
            with self.shop.at(self.now).write() as transaction:
                life.revoke(transaction, self.license, actor="test")
            self.state = "revoked"

    @invariant()
    def server_and_model_agree_on_who_holds_a_seat(self):
        with self.shop.database.read() as transaction:
            leases = lease.page(transaction, self.license, limit=1000)
        kids = {held.kid: machine for machine, held in enumerate(self.held)}
        holding = {kids[held.installation] for held in leases if held.holds(self.now)}
        assert holding == {machine for machine in range(5) if self.live(machine)}
        assert len(holding) <= self.cap
        files = {kids[held.installation]: held.offline_until for held in leases if held.offline_until}
        assert files == self.files

    @invariant()
    def kept_count_is_that_of_the_leases(self):
        with self.shop.database.read() as transaction:
            leases = lease.page(transaction, self.license, limit=1000)
            kept = seat_count.find(transaction, self.license, self.now)
        assert kept.taken == sum(map(kept.has, leases))

    @invariant()
    def files_that_run_without_the_server_are_at_most_twice_the_seats(self):
        assert sum(end > self.now for end in self.files.values()) <= 2 * self.cap


def test_server_behaves_as_the_model(shop, now):
    shop.start = now
    machine = type("Seats", (Seats,), {"shop": shop})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=25, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
    with shop.database.read() as transaction:
        assert list(auditing.faults(transaction)) == []
