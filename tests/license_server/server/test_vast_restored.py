"""
A vast space, and a client or a server that was restored from a backup: what is billed, and what is flagged.
"""

import shutil
from datetime import timedelta

import pytest
from sqlalchemy import select
from stress.usage import backup, restore

from ternary_license_server.database.schema import meter_entries
from ternary_license_server.service import auditing, invoicing, metering, records
from ternary_sdk._internal.licensing.ledger import Ledger
from ternary_sdk._internal.licensing.license import License
from ternary_sdk.operations import OperationSet
from ternary_sdk.space import Space

DAY = timedelta(days=1)
TERNARY_3 = Space(3, 3)
QUOTA = 1_000


class Client:
    """A machine that has a seat, draws and reports."""

    def __init__(self, site, directory, key, license_id, now):
        self.site, self.id, self.now = site, license_id, now
        self.online = site.online(directory)
        self.online.activate(key, now)
        self.ledger = Ledger(site.kept(directory) / "ledger.sqlite3")

    def draw(self, *operations):
        license = License.read(self.online.license_file(self.id).read_bytes(), self.site.ring.trust)
        found = OperationSet.of(operations, TERNARY_3)
        self.ledger.record(self.id, QUOTA, found, lease=license.lease, owner=license.customer)

    def report(self):
        return self.online.report(self.id, self.now)

    def settled(self):
        return [one.settled for one in self.ledger.sets(self.id)]


@pytest.fixture
def client(site, tmp_path, now):
    license_id, key = site.sell(unique_operations=QUOTA)
    return Client(site, tmp_path, key, license_id, now)


def billed(client):
    with client.site.database.read() as transaction:
        owner = records.find(transaction, client.id).customer
        return list(metering.find(transaction, client.id, owner, TERNARY_3).operations)


def entered(client):
    """How many operations each entry added."""
    mine = meter_entries.c.license == client.id
    query = select(meter_entries.c.operations).where(mine).order_by(meter_entries.c.number)
    with client.site.database.read() as transaction:
        assert list(auditing.faults(transaction)) == []
        return list(transaction.execute(query).scalars())


def flagged(client):
    period = {"start": client.now - DAY, "end": client.now + DAY}
    with client.site.database.read() as transaction:
        found = list(invoicing.flagged(transaction, **period, license_id=client.id))
    return [(line["lost"], line["restarted"]) for line in found]


def test_restored_server_is_sent_all_of_it_and_bills_it_once(client):
    client.draw(1, 2)
    client.report()
    before = backup(client.site.database)
    client.draw(3, 4)
    client.report()
    restore(client.site.database, before)
    assert billed(client) == [1, 2]
    client.now += timedelta(minutes=1)
    client.site.moment = client.now
    assert client.report() == 4
    assert (billed(client), entered(client)) == ([1, 2, 3, 4], [2, 2])
    assert flagged(client) == []
    assert client.settled() == [True]


def test_server_restored_to_before_the_first_report_learns_everything_again(client):
    before = backup(client.site.database)
    client.draw(1, 2)
    client.report()
    restore(client.site.database, before)
    client.draw(3)
    assert client.report() == 3
    assert (entered(client), flagged(client)) == ([3], [])


def test_restored_client_loses_nothing_that_was_billed_and_is_flagged(client):
    client.draw(1, 2)
    client.report()
    kept = client.ledger.path.with_suffix(".kept")
    shutil.copy(client.ledger.path, kept)
    client.draw(3)
    client.report()
    shutil.move(kept, client.ledger.path)
    for log in client.ledger.path.parent.glob("ledger.sqlite3-*"):
        log.unlink()
    client.draw(9)
    assert client.report() == 4
    assert billed(client) == [1, 2, 3, 9]
    assert flagged(client) == [(1, True)]  # as often grown as the meter that was reported, and not the same
    client.draw(10)
    assert client.report() == 5
    assert client.settled() == [True]


def test_deleted_meter_is_flagged_and_what_it_had_stays_billed(client):
    client.draw(1, 2, 3)
    client.report()
    for path in client.ledger.path.parent.glob("ledger.sqlite3*"):
        path.unlink()
    client.draw(3, 4)
    assert client.report() == 4
    assert (billed(client), flagged(client)) == ([1, 2, 3, 4], [(2, True)])


def test_renewal_reports_a_vast_space_first(client):
    client.draw(*range(10))
    client.online.renew(client.id, client.now)
    assert (billed(client), entered(client)) == (list(range(10)), [10])
