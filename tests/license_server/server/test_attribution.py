"""
Whose a usage report is: its lease's customer's, in the order of its sequence, correctable, blocking nobody.
"""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, text

from ternary_license_server.database.engine import Database
from ternary_license_server.database.migration import migrate
from ternary_license_server.database.schema import meter_entries
from ternary_license_server.service import (
    audit,
    auditing,
    catalog,
    correcting,
    invoicing,
    life,
    metering,
    records,
)
from ternary_license_server.service import lease as lease_rows
from ternary_license_server.service.refusals import ServiceError
from ternary_sdk._internal.documents import canonical
from ternary_sdk._internal.licensing import installation
from ternary_sdk._internal.licensing.ledger import Ledger
from ternary_sdk._internal.licensing.license import License
from ternary_sdk._internal.licensing.usage import Usage
from ternary_sdk.errors import LicenseError
from ternary_sdk.operations import OperationSet
from ternary_sdk.space import TERNARY_2

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
FIRST, SECOND = "A" * 21 + "Q", "B" * 21 + "Q"
FAR = datetime(9999, 12, 31, tzinfo=UTC)


def transfer(shop, license_id, now):
    """Give a license to a new customer: its key, and the customer."""
    with shop.at(now).write() as transaction:
        customer = str(catalog.add_customer(transaction, "Hooli", actor="test")["id"])
        return str(life.transfer(transaction, license_id, customer, actor="test")["key"]), customer


def customer_of(shop, license_id):
    with shop.database.read() as transaction:
        return records.find(transaction, license_id).customer


def lines(shop, license_id, now, days=(-1, 1)):
    """By customer: newly used, late of them, taken back, in all."""
    start, end = (now + day * DAY for day in days)
    with shop.database.read() as transaction:
        found = list(invoicing.lines(transaction, start=start, end=end, license_id=license_id))
    return {one.customer: (one.operations, one.late, one.taken_back, one.total) for one in found}


def flagged(shop, license_id, now):
    with shop.database.read() as transaction:
        found = list(invoicing.flagged(transaction, start=now - DAY, end=now + DAY, license_id=license_id))
    return [(one["lost"], one["restarted"]) for one in found]


def refusal(call):
    with pytest.raises((LicenseError, ServiceError)) as caught:
        call()
    return str(caught.value.code), str(caught.value)


def correct(shop, license_id, lease, now):
    with shop.at(now).write() as transaction:
        return correcting.correct(transaction, license_id, lease, "counted a test", actor="token T-1")


@pytest.mark.parametrize("version", [1, 2])
def test_last_report_after_a_transfer_is_the_old_customers(shop, new_client, now, version):
    license_id, key = shop.sell(now=now, unique_operations=5)
    old, new, before = new_client(), new_client(), customer_of(shop, license_id)
    shop.activate(key, old, now)
    document = (shop.usage if version == 2 else shop.usage_1)(license_id, old, [1, 2, 3, 4, 5, 6], now)
    key, after = transfer(shop, license_id, now)
    told = shop.merge(document, now + HOUR)
    assert (told["late"], told["added"], told["quota"]) == (True, 6, None)
    shop.activate(key, new, now + 2 * HOUR)
    shop.merge(shop.usage(license_id, new, [1, 2], now), now + 2 * HOUR)
    assert lines(shop, license_id, now) == {before: (6, 6, 0, 6), after: (2, 0, 0, 2)}
    assert shop.renew(license_id, 1, new, now + 2 * HOUR)["generation"] == 1


def test_stranger_who_once_had_a_seat_uses_up_nobodys_quota(shop, new_client, now):
    license_id, key = shop.sell(now=now, seats=2, unique_operations=5)
    stranger, holder, customer = new_client(), new_client(), customer_of(shop, license_id)
    for held in (stranger, holder):
        shop.activate(key, held, now)
    shop.release(license_id, 1, stranger, now)
    told = shop.merge(shop.usage(license_id, stranger, list(range(100)), now), now)
    assert (told["late"], told["added"], told["operations"]) == (True, 100, 100)
    assert shop.renew(license_id, 1, holder, now)["generation"] == 1
    assert shop.activate(key, new_client(), now)["generation"] == 1
    lease = shop.lease(license_id, stranger)
    assert correct(shop, license_id, lease, now)["taken_back"] == 100
    assert lines(shop, license_id, now) == {customer: (100, 100, 100, 0)}


def test_late_report_of_a_lease_counts_for_the_quota_once_the_lease_is_held_again(shop, new_client, now):
    license_id, key = shop.sell(now=now, unique_operations=2)
    held, customer = new_client(), customer_of(shop, license_id)
    shop.activate(key, held, now)
    document = shop.usage(license_id, held, [1, 2, 3], now)
    assert shop.merge(document, now + 3 * HOUR)["late"] is True
    shop.activate(key, held, now + 3 * HOUR)
    told = shop.merge(document, now + 3 * HOUR)
    assert (told["late"], told["added"]) == (False, 0)
    assert refusal(lambda: shop.renew(license_id, 2, held, now + 3 * HOUR))[0] == "QUOTA_EXHAUSTED"
    assert lines(shop, license_id, now) == {customer: (3, 3, 0, 3)}


def test_report_names_a_lease_of_its_installation_and_its_owner(shop, new_client, now):
    license_id, key = shop.sell(now=now, seats=2)
    one, two = new_client(), new_client()
    for held in (one, two):
        shop.activate(key, held, now)
    theirs, mine = shop.lease(license_id, two), shop.lease(license_id, one)
    for lease in (theirs, "S-0"):
        document = shop.usage(license_id, one, [1], now, lease=lease)
        assert refusal(lambda document=document: shop.merge(document, now)) == (
            "MACHINE_MISMATCH", f"license {license_id}: installation {one.kid} never held lease {lease} of it"
        )  # fmt: skip
    document = shop.usage(license_id, one, [1], now, owner="Hooli")
    assert refusal(lambda: shop.merge(document, now)) == (
        "MACHINE_MISMATCH",
        f"license {license_id}: lease {mine} was given to another customer than the report names",
    )
    assert shop.merge(shop.usage(license_id, one, [1], now, owner="Initech"), now)["added"] == 1


@pytest.mark.parametrize("version", [1, 2])
def test_report_from_the_year_9999_hides_no_later_loss(shop, new_client, now, version):
    license_id, key = shop.sell(now=now)
    held = new_client()
    shop.activate(key, held, now)

    def write(operations, moment, sequence):
        if version == 1:
            return shop.usage_1(license_id, held, operations, moment)
        return shop.usage(license_id, held, operations, moment, sequence=sequence)

    assert shop.merge(write([1, 2, 3], FAR, 1), now)["lost"] == 0
    assert shop.merge(write([3, 4], now + HOUR, 2), now + HOUR)["lost"] == 2
    assert flagged(shop, license_id, now) == [(2, False)]


def test_earlier_report_that_comes_late_is_no_loss(shop, new_client, now):
    license_id, key = shop.sell(now=now)
    held = new_client()
    shop.activate(key, held, now)
    reports = [shop.usage(license_id, held, list(range(n)), now + n * DAY, sequence=n) for n in (1, 2, 3)]
    for document in (reports[2], reports[0], reports[1], reports[2]):
        told = shop.merge(document, now)
        assert (told["lost"], told["restarted"]) == (0, False)
    assert flagged(shop, license_id, now) == []


@pytest.mark.parametrize(
    ("operations", "history", "sequence", "fault"),
    [
        ([], SECOND, 0, (3, True)),
        ([9], SECOND, 1, (3, True)),
        ([1, 2, 3], SECOND, 3, (0, True)),
        ([1, 2, 9], FIRST, 2, (0, True)),
        ([1, 2, 9], FIRST, 3, (1, True)),
        ([1, 2, 3], FIRST, 3, (0, False)),
        ([1, 2], FIRST, 4, (1, False)),
    ],
    ids=["deleted", "anew", "anew with all", "copy", "fork", "again", "edited"],
)
def test_meter_without_its_history_is_flagged_after_it_is_activated_again(
    shop, new_client, now, operations, history, sequence, fault
):
    license_id, key = shop.sell(now=now)
    held = new_client()
    shop.activate(key, held, now)
    shop.merge(shop.usage(license_id, held, [1, 2, 3], now, history=FIRST, sequence=3), now)
    shop.activate(key, held, now + HOUR)
    document = shop.usage(license_id, held, operations, now, history=history, sequence=sequence)
    told = shop.merge(document, now + HOUR)
    assert (told["lost"], told["restarted"]) == fault
    assert flagged(shop, license_id, now) == ([] if fault == (0, False) else [fault])


def test_answer_acknowledges_the_set_that_came(shop, new_client, now):
    license_id, key = shop.sell(now=now)
    held = new_client()
    shop.activate(key, held, now)
    told = shop.merge(shop.usage(license_id, held, [4, 5], now), now)
    assert told["acknowledged"] == {"operations": 2, "sha256": OperationSet.of([4, 5]).digest}


def test_correction_is_an_entry_and_never_an_edit(shop, new_client, now):
    license_id, key = shop.sell(now=now, seats=2, unique_operations=3)
    one, two, customer = new_client(), new_client(), customer_of(shop, license_id)
    for held in (one, two):
        shop.activate(key, held, now)
    shop.merge(shop.usage(license_id, one, [1, 2, 3, 4], now), now)
    shop.merge(shop.usage(license_id, two, [4, 5], now), now)
    assert refusal(lambda: shop.renew(license_id, 1, two, now))[0] == "QUOTA_EXHAUSTED"
    with shop.database.read() as transaction:
        entries = transaction.execute(select(meter_entries)).all()
    lease = shop.lease(license_id, one)
    assert correct(shop, license_id, lease, now + HOUR) == {
        "license": license_id, "lease": lease, "customer": customer, "taken_back": 3, "operations": 2,
        "spaces": [{"space": "3,2", "taken_back": 3, "operations": 2}],
    }  # fmt: skip
    assert shop.renew(license_id, 1, two, now + HOUR)["generation"] == 1
    assert refusal(lambda: correct(shop, license_id, lease, now + HOUR)) == (
        "CONFLICT", f"license {license_id}: nothing that lease {lease} reported counts any more"
    )  # fmt: skip
    with shop.database.read() as transaction:
        assert transaction.execute(select(meter_entries)).all()[: len(entries)] == entries
        row = next(e for e in audit.entries(transaction, license_id) if e.action == "usage.correct")
        assert list(auditing.faults(transaction)) == []
    told = canonical.decode(row.detail.encode(), "detail")
    assert (row.actor, told["reason"], told["taken_back"]) == ("token T-1", "counted a test", 3)
    taken_back = {
        "space": "3,2",
        "taken_back": 3,
        "operations": 2,
        "sha256": OperationSet.of([1, 2, 3]).digest,
    }
    assert told["spaces"] == [taken_back]
    assert lines(shop, license_id, now, (-1, 0.02)) == {customer: (5, 0, 0, 5)}
    assert lines(shop, license_id, now, (0.02, 1)) == {customer: (0, 0, 3, 2)}


def test_corrected_report_that_comes_again_adds_only_what_is_new(shop, new_client, now):
    license_id, key = shop.sell(now=now)
    held, customer = new_client(), customer_of(shop, license_id)
    shop.activate(key, held, now)
    shop.merge(shop.usage(license_id, held, [1, 2], now), now)
    correct(shop, license_id, shop.lease(license_id, held), now)
    told = shop.merge(shop.usage(license_id, held, [1, 2, 3], now, sequence=2), now)
    assert (told["added"], told["operations"], told["lost"]) == (1, 1, 0)
    assert lines(shop, license_id, now) == {customer: (3, 0, 2, 1)}


def test_lease_that_reported_nothing_cannot_be_corrected(shop, new_client, now):
    license_id, key = shop.sell(now=now)
    held = new_client()
    shop.activate(key, held, now)
    for lease in (shop.lease(license_id, held), "S-0"):
        assert refusal(lambda lease=lease: correct(shop, license_id, lease, now)) == (
            "UNKNOWN", f"license {license_id}: no lease {lease} has reported anything"
        )  # fmt: skip


def test_correction_is_asked_for_with_a_reason(site, new_client, now):
    license_id, key = site.sell()
    held = new_client()
    site.activate(key, held)
    site.http("POST", "/v1/usage", content=site.usage(license_id, held, [1, 2], now))
    path = f"/licenses/{license_id}/leases/{site.lease(license_id, held)}/correct"
    assert site.admin("POST", path, json={}).status_code == 400
    ends = int((now + DAY).timestamp())
    issuer = site.admin("POST", "/tokens", json={"name": "t", "scope": "issuer", "expires": ends}).json()
    headers = {"Authorization": f"Bearer {issuer['secret']}"}
    refused = site.admin("POST", path, json={"reason": "counted a test"}, headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (403, "FORBIDDEN")
    told = site.admin("POST", path, json={"reason": "counted a test"})
    assert (told.status_code, told.json()["taken_back"]) == (200, 2)
    period = {"start": 0, "end": int((now + DAY).timestamp()), "license_id": license_id}
    usage = site.admin("GET", "/usage", params=period).json()
    (line,), (customer,) = usage["lines"], usage["customers"]
    assert (line["operations"], line["taken_back"], line["total"]) == (2, 2, 0)
    assert (customer["operations"], customer["taken_back"], customer["total"]) == (0, 0, 0)


def test_transfers_before_the_upgrade_are_read_from_the_audit_log(kind, tmp_path, database_address, now):
    terms = {"entitlements": "sample", "lease": 1, "grace": 1, "offline": 0, "trial": False, "created": 0}
    of = {"product": "acme", "policy": "floating", "starts": 0, "state": "active"}
    held = {"license": "L-1", "ends": 99, "offline": False}
    first, later = OperationSet.of([1, 2]), OperationSet.of([3])
    both = {"license": "L-1", "installation": "both", "bitmap": (first | later).to_bytes()}
    entry = {"license": "L-1", "received": 5}
    one = entry | {"number": 1, "customer": "C-1", "operations": 2, "bitmap": first.to_bytes()}
    two = entry | {"number": 2, "customer": "C-2", "operations": 1, "bitmap": later.to_bytes()}
    moved = '{"from":"C-1","to":"C-2"}'
    rows = [
        ("customers", {"id": "C-1", "name": "Initech", "created": 0}),
        ("customers", {"id": "C-2", "name": "Hooli", "created": 0}),
        ("products", {"name": "acme", "created": 0}),
        ("policies", terms | {"name": "floating", "product": "acme"}),
        ("licenses", terms | of | {"id": "L-1", "key_hash": "x", "customer": "C-2"}),
        ("leases", held | {"installation": "old", "seat": "S-1", "generation": 2, "started": 3}),
        ("leases", held | {"installation": "both", "seat": "S-2", "generation": 3, "started": 7}),
        ("meters", {"license": "L-1", "bitmap": both["bitmap"], "operations": 3, "entries": 2}),
        ("meter_reports", both | {"issued": 253_402_214_400, "received": 8}),
        ("meter_entries", one),
        ("meter_entries", two),
        (
            "audit",
            {
                "stream": "L-1", "number": 1, "at": 5, "actor": "token", "action": "license.transfer",
                "detail": moved, "previous": "0" * 64, "hash": "0" * 64,
            },
        ),
    ]  # fmt: skip
    with database_address(kind, tmp_path) as url:
        database = Database(url)
        migrate(database, to="0007")
        with database.write() as transaction:
            for table, row in rows:
                values = ", ".join(f":{name}" for name in row)
                transaction.execute(text(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({values})"), row)
        migrate(database)
        with database.read() as transaction:
            leases = {one.installation: one for one in lease_rows.page(transaction, "L-1", limit=100)}
            meters = [metering.find(transaction, "L-1", customer, TERNARY_2) for customer in ("C-1", "C-2")]
            (report,) = metering.reported.every(transaction, "L-1")
        database.close()
    assert (leases["old"].customer, leases["old"].disowned) == ("C-1", records.moment(5))
    assert (leases["both"].customer, leases["both"].disowned) == ("C-2", None)
    assert [meter.operations for meter in meters] == [meter.weighed for meter in meters] == [first, later]
    assert (report.lease, report.customer, report.excluded, report.issued) == ("", "C-2", first, 8)


def test_usage_report_is_read_with_all_that_it_names(shop, new_client, now):
    held = new_client()
    read = Usage.read(
        shop.usage("L-1", held, [1], now, lease="S-1", owner="Initech", history=FIRST, sequence=7)
    )
    assert read.counted is not None
    assert (read.lease, read.counted.owner, read.counted.history) == ("S-1", "Initech", FIRST)
    assert (read.counted.sequence, list(read.operations), read.issued) == (7, [1], now)
    assert Usage.read(shop.usage_1("L-1", held, [1], now)).counted is None


def test_sdk_reports_each_set_for_the_customer_it_was_counted_for(site, tmp_path, now):
    license_id, key = site.sell(unique_operations=9)
    before, client = customer_of(site, license_id), site.online(tmp_path)
    ledger = Ledger(site.kept(tmp_path) / "ledger.sqlite3")

    def draw(operations):
        license = License.read(client.license_file(license_id).read_bytes(), site.ring.trust)
        ledger.record(license_id, 9, OperationSet.of(operations), lease=license.lease, owner=license.customer)

    client.activate(key, now)
    draw([1, 2, 3])
    key, after = transfer(site, license_id, now)
    assert refusal(lambda: client.renew(license_id, now))[0] == "LEASE_LOST"
    client.activate(key, now)
    draw([1])
    client.renew(license_id, now)
    assert client.report(license_id, now) == 1
    assert lines(site, license_id, now) == {before: (3, 3, 0, 3), after: (1, 0, 0, 1)}
    assert flagged(site, license_id, now) == []
    assert [one.settled for one in ledger.sets(license_id)] == [True, True]


def test_sdk_reports_an_old_meters_set_once_and_as_of_no_lease(site, tmp_path, now):
    license_id, key = site.sell(unique_operations=9)
    customer, client = customer_of(site, license_id), site.online(tmp_path)
    client.activate(key, now)
    ledger = Ledger(site.kept(tmp_path) / "ledger.sqlite3")
    held = installation.find(site.kept(tmp_path))
    site.merge(site.usage_1(license_id, held, [1, 2], now), now)
    ledger.record(license_id, 9, OperationSet.of([1, 2]))
    ledger.record(license_id, 9, OperationSet.of([3]), lease=site.lease(license_id, held), owner="Initech")
    client.renew(license_id, now)
    client.renew(license_id, now)
    assert lines(site, license_id, now) == {customer: (3, 0, 0, 3)}
    assert flagged(site, license_id, now) == []
    with site.database.read() as transaction:
        actions = [row.action for row in audit.entries(transaction, license_id)]
    assert actions.count("usage.report") == 4


def test_sdk_whose_meter_was_deleted_is_flagged_after_it_activates_again(site, tmp_path, now):
    license_id, key = site.sell(unique_operations=9)
    client = site.online(tmp_path)
    client.activate(key, now)
    ledger = Ledger(site.kept(tmp_path) / "ledger.sqlite3")
    held = installation.find(site.kept(tmp_path))
    lease = site.lease(license_id, held)
    ledger.record(license_id, 9, OperationSet.of([1, 2, 3]), lease=lease, owner="Initech")
    client.report(license_id, now)
    for path in ledger.path.parent.glob("ledger.sqlite3*"):
        path.unlink()
    client.activate(key, now)
    client.renew(license_id, now)
    assert flagged(site, license_id, now) == [(3, True)]
