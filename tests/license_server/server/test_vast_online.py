"""A client's reports of a vast space, from its meter through the network to the server's, and back."""

import pytest

from ternary_sdk._internal.licensing import usage
from ternary_sdk._internal.licensing.counted import Acknowledged
from ternary_sdk._internal.licensing.ledger import Ledger
from ternary_sdk._internal.online.client import LicenseServer
from ternary_sdk.errors import LedgerError, ServerError
from ternary_sdk.operations import OperationSet
from ternary_sdk.space import Space

VAST = Space(3, 3)


def some(*indices):
    return OperationSet.of(list(indices), VAST)


class Client:
    """One activated installation."""

    def __init__(self, site, folder, now):
        self.license_id, key = site.sell(unique_operations=1 << 40)
        self.server, self.now = site.online(folder), now
        self.server.activate(key, now)
        self.path = site.kept(folder) / "ledger.sqlite3"
        self.lease, self.owner = self.server._in_force(self.license_id)

    @property
    def ledger(self):
        return Ledger(self.path)

    def draw(self, *indices):
        self.ledger.record(self.license_id, 1 << 40, some(*indices), lease=self.lease, owner=self.owner)

    def counted(self):
        return self.ledger.counted(self.license_id, lease=self.lease, owner=self.owner, space=VAST)

    def report(self):
        """How many operations the server has counted after it."""
        return self.server.report(self.license_id, self.now)


@pytest.fixture
def client(site, tmp_path, now):
    return Client(site, tmp_path / "client", now)


@pytest.fixture
def sent(monkeypatch):
    """What was sent: how many operations the base of each report has, and which it adds."""
    reports, ask = [], LicenseServer._ask

    def watched(self, path, document, now):
        if path == "/v1/usage":
            read = usage.Usage.read(document)
            base = read.counted.acknowledged
            reports.append((base.operations if base else None, read.operations.indices.tolist()))
        return ask(self, path, document, now)

    monkeypatch.setattr(LicenseServer, "_ask", watched)
    return reports


def test_only_what_the_server_has_not_acknowledged_is_sent(client, sent):
    client.draw(5, 2**40)
    assert client.report() == 2
    assert client.counted().settled
    client.draw(6, 5)
    assert client.report() == 3
    assert client.report() == 3
    assert sent == [(None, [5, 2**40]), (2, [6]), (3, [])]
    assert client.counted().acknowledged == Acknowledged.of(some(5, 6, 2**40))


def test_large_difference_goes_in_several_reports(client, sent, monkeypatch):
    monkeypatch.setattr(usage, "MOST_ADDED", 2)
    client.draw(9, 1, 4, 7, 2**40)
    assert client.report() == 5
    assert sent == [(None, [1, 4]), (2, [7, 9]), (4, [2**40])]
    assert client.counted().settled


def test_reports_that_break_off_go_on_where_they_were(client, sent, monkeypatch):
    monkeypatch.setattr(usage, "MOST_ADDED", 2)
    client.draw(1, 2, 3, 4, 5)
    watched, left = LicenseServer._ask, [1]

    def breaks(self, path, document, now):
        if path == "/v1/usage" and not left:
            raise ServerError("license server: cannot be reached")
        left and left.pop()
        return watched(self, path, document, now)

    monkeypatch.setattr(LicenseServer, "_ask", breaks)
    with pytest.raises(ServerError):
        client.report()
    assert client.counted().unconfirmed == some(3, 4, 5)
    monkeypatch.setattr(LicenseServer, "_ask", watched)
    assert client.report() == 5
    assert sent == [(None, [1, 2]), (2, [3, 4]), (4, [5])]


def test_restored_meter_sends_all_and_nothing_counts_twice(client, sent):
    client.draw(1, 2)
    assert client.report() == 2
    older = client.path.read_bytes()
    client.draw(3)
    assert client.report() == 3
    client.path.write_bytes(older)
    client.draw(4)
    assert client.report() == 4, "operation 3 was returned, and stays counted"
    assert sent[2:] == [(2, [4]), (None, [1, 2, 4])]
    assert client.counted().acknowledged == Acknowledged.of(some(1, 2, 4))


def test_lost_acknowledgement_costs_one_report_of_all(client, sent, monkeypatch):
    client.draw(1, 2)
    with monkeypatch.context() as lost:
        lost.setattr(Ledger, "acknowledge", raises)
        assert client.report() == 2
        assert client.report() == 2, "the same set comes again and changes nothing"
    client.draw(3)
    assert client.report() == 3
    assert sent == [(None, [1, 2]), (None, [1, 2]), (None, [1, 2, 3])]


def raises(*_):
    raise LedgerError("the state is read-only")


def test_acknowledgement_of_another_set_is_refused(client, monkeypatch):
    client.draw(1)
    ask = LicenseServer._ask

    def altered(self, path, document, now):
        answer = ask(self, path, document, now)
        return answer.replace(some(1).digest.encode(), b"0" * 64) if path == "/v1/usage" else answer

    monkeypatch.setattr(LicenseServer, "_ask", altered)
    with pytest.raises(ServerError) as refusal:
        client.report()
    assert str(refusal.value) == (
        "license server: it acknowledged a set of 1 operations (set 000000000000…), reported was one of 1 "
        f"({some(1).digest[:12]}…)"
    )
    assert client.counted().acknowledged is None


def test_vast_and_listed_spaces_are_reported_side_by_side(client, sent):
    client.draw(1, 2)
    client.ledger.record(
        client.license_id, 1 << 40, OperationSet.of([1, 7]), lease=client.lease, owner=client.owner
    )
    assert client.report() == 4
    assert sent == [(None, [1, 7]), (None, [1, 2])]
