"""
Vast spaces on the server: reports are differences, sets are kept in segments, and are billed like any other.
"""

import csv
import io
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
from sqlalchemy import insert, select, update

from ternary_license_server.database.schema import (
    meter_entries,
    meter_reports,
    meters,
    segment_uses,
    segments,
)
from ternary_license_server.service import (
    audit,
    auditing,
    correcting,
    customer_usage,
    invoicing,
    metering,
    records,
)
from ternary_license_server.service import segments as service_segments
from ternary_license_server.service.refusals import ServiceError
from ternary_sdk._internal.documents import canonical
from ternary_sdk._internal.licensing import usage
from ternary_sdk._internal.licensing.counted import Acknowledged, Counted
from ternary_sdk._internal.licensing.decoded import Decoded
from ternary_sdk.errors import FormatError, LicenseError
from ternary_sdk.operations import OperationSet
from ternary_sdk.space import Space

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
TERNARY_3, QUATERNARY_2 = Space(3, 3), Space(4, 2)
FIRST, SECOND = "A" * 21 + "Q", "B" * 21 + "Q"
LAST = TERNARY_3.size - 1


@dataclass
class Meter:
    """A client's set of a vast space under one lease, and what the server has confirmed of it."""

    shop: object
    license_id: str
    held: object
    lease: str
    space: Space
    counted: Counted

    def documents(self, operations, now, *, sequence, history=FIRST):
        """The reports of a set that has these operations by now."""
        confirmed = self.counted.operations if self.counted.acknowledged else self.nothing
        whole = OperationSet.of(operations, self.space)
        counted = replace(
            self.counted,
            history=history if operations else None,
            sequence=sequence,
            operations=whole,
            pending=whole - confirmed,
        )
        return list(usage.reports(self.license_id, counted, self.held, now))

    def report(self, operations, now, *, sequence, history=FIRST):
        """Report a set in one report, and remember that it is confirmed; the answer."""
        (sent,) = self.documents(operations, now, sequence=sequence, history=history)
        told = self.shop.merge(sent.document, now)
        self.confirm(sent)
        return told

    def confirm(self, sent):
        known = self.counted.operations if self.counted.acknowledged else self.nothing
        self.counted = replace(self.counted, operations=known | sent.confirms, acknowledged=sent.after)

    def forget(self):
        self.counted = replace(self.counted, acknowledged=None)

    @property
    def nothing(self):
        return OperationSet.of([], self.space)


@pytest.fixture
def new_meter(new_client):
    """Makes the meter of a machine that takes a seat."""

    def make(shop, license_id, key, now, space=TERNARY_3):
        held = new_client()
        shop.activate(key, held, now)
        lease = shop.lease(license_id, held)
        nothing = OperationSet.of([], space)
        counted = Counted(lease=lease, owner="Initech", history=None, sequence=0, operations=nothing)
        return Meter(shop, license_id, held, lease, space, counted)

    return make


def customer_of(shop, license_id):
    with shop.database.read() as transaction:
        return records.find(transaction, license_id).customer


def billed(shop, license_id, space=TERNARY_3):
    with shop.database.read() as transaction:
        owner = records.find(transaction, license_id).customer
        found = metering.find(transaction, license_id, owner, space)
        return list(found.operations), list(found.weighed)


def flagged(shop, license_id, now):
    with shop.database.read() as transaction:
        found = list(invoicing.flagged(transaction, start=now - DAY, end=now + DAY, license_id=license_id))
    return [(line["lost"], line["restarted"]) for line in found]


def lines(shop, license_id, now, days=(-1, 1)):
    start, end = (now + day * DAY for day in days)
    with shop.database.read() as transaction:
        found = list(invoicing.lines(transaction, start=start, end=end, license_id=license_id))
        together = list(
            customer_usage.customer_lines(transaction, start=start, end=end, license_id=license_id)
        )
    return [(one.operations, one.taken_back, one.total) for one in (*found, *together)]


def refusal(work):
    with pytest.raises((FormatError, LicenseError, ServiceError)) as refused:
        work()
    return getattr(refused.value, "code", None), str(refused.value)


def test_difference_is_added_to_what_was_acknowledged(shop, new_meter, now):
    license_id, key = shop.sell(now=now, unique_operations=5)
    meter, customer = new_meter(shop, license_id, key, now), customer_of(shop, license_id)
    told = meter.report([0, LAST], now, sequence=1)
    both = OperationSet.of([0, LAST], TERNARY_3)
    assert told == {
        "id": license_id, "lease": meter.lease, "space": "3,3", "late": False, "added": 2, "operations": 2,
        "all_spaces": 2, "quota": 5, "lost": 0, "restarted": False,
        "acknowledged": {"operations": 2, "sha256": both.digest},
    }  # fmt: skip
    told = meter.report([0, 7, LAST], now, sequence=2)
    whole = OperationSet.of([0, 7, LAST], TERNARY_3)
    assert (told["added"], told["operations"]) == (1, 3)
    assert told["acknowledged"] == {"operations": 3, "sha256": whole.digest}
    assert billed(shop, license_id) == ([0, 7, LAST], [0, 7, LAST])
    with shop.database.read() as transaction:
        row = [one for one in audit.entries(transaction, license_id) if one.action == "usage.report"][-1]
        kept = transaction.execute(select(meters.c.bitmap).where(meters.c.license == license_id)).scalar_one()
    detail = canonical.decode(row.detail.encode(), "detail")
    assert (detail["customer"], detail["sha256"], detail["added"]) == (customer, whole.digest, 1)
    assert bytes(kept) == b""


def test_difference_from_another_set_is_answered_send_all_and_changes_nothing(site, new_meter, now):
    license_id, key = site.sell()
    meter = new_meter(site, license_id, key, now)
    meter.report([1, 2], now, sequence=1)
    earlier = replace(meter)
    meter.report([1, 2, 3], now, sequence=2)
    (stale,) = earlier.documents([1, 2, 9], now, sequence=2)
    came = site.http("POST", "/v1/usage", content=stale.document)
    assert (came.status_code, came.json()["code"], came.json()["detail"]) == (
        409,
        "SEND_ALL",
        f"license {license_id}: the report starts from 2 operations that are not what the server has from "
        "this meter; send the whole set, from nothing",
    )
    assert billed(site, license_id)[0] == [1, 2, 3]
    assert flagged(site, license_id, now) == []
    earlier.forget()
    assert earlier.report([1, 2, 9], now, sequence=2)["added"] == 1
    assert flagged(site, license_id, now) == [(1, True)]


def test_difference_of_a_meter_that_never_reported_is_answered_send_all(shop, new_meter, now):
    license_id, key = shop.sell(now=now)
    meter = new_meter(shop, license_id, key, now)
    unknown = Acknowledged(operations=1, sha256="0" * 64)
    meter.counted = replace(meter.counted, operations=OperationSet.of([1], TERNARY_3), acknowledged=unknown)
    (sent,) = meter.documents([1, 2], now, sequence=2)
    assert refusal(lambda: shop.merge(sent.document, now))[0] == "SEND_ALL"


def test_report_that_comes_twice_or_late_bills_nothing_twice(shop, new_meter, now):
    license_id, key = shop.sell(now=now)
    meter = new_meter(shop, license_id, key, now)
    (first,) = meter.documents([1, 2], now, sequence=1)
    meter.report([1, 2], now, sequence=1)
    meter.report([1, 2, 3], now, sequence=2)
    told = shop.merge(first.document, now)  # starts from nothing: it is the base again
    assert (told["added"], told["operations"], told["lost"], told["restarted"]) == (0, 3, 0, False)
    (more,) = meter.documents([1, 2, 3, 4], now, sequence=3)
    assert refusal(lambda: shop.merge(more.document, now))[0] == "SEND_ALL"
    meter.forget()
    for _ in range(2):
        (whole,) = meter.documents([1, 2, 3, 4], now, sequence=3)
        assert shop.merge(whole.document, now)["operations"] == 4
    assert lines(shop, license_id, now) == [(4, 0, 4), (4, 0, 4)]
    assert flagged(shop, license_id, now) == []


def test_report_without_anything_new_reads_no_set(shop, new_meter, now, monkeypatch):
    license_id, key = shop.sell(now=now)
    meter = new_meter(shop, license_id, key, now)
    meter.report([1, 2], now, sequence=1)
    monkeypatch.setattr(service_segments, "DECODED", Decoded())
    told = meter.report([1, 2], now, sequence=1)
    assert (told["added"], told["operations"], len(service_segments.DECODED)) == (0, 2, 0)
    meter.report([1, 2, 3], now, sequence=2)
    assert len(service_segments.DECODED) > 0


def test_large_difference_comes_in_parts_and_only_the_last_shows_a_loss(shop, new_meter, now, monkeypatch):
    monkeypatch.setattr(usage, "MOST_ADDED", 2)
    license_id, key = shop.sell(now=now)
    meter = new_meter(shop, license_id, key, now)
    parts = meter.documents([1, 2, 3, 4, 5], now, sequence=5)
    told = [shop.merge(part.document, now) for part in parts]
    assert [(one["added"], one["lost"], one["restarted"]) for one in told] == [
        (2, 0, False), (2, 0, False), (1, 0, False)
    ]  # fmt: skip
    parts = meter.documents([2, 3, 5, 6], now, sequence=6)
    told = [shop.merge(part.document, now) for part in parts]
    assert [(one["added"], one["lost"]) for one in told] == [(0, 0), (1, 2)]
    assert flagged(shop, license_id, now) == [(2, False)]
    assert billed(shop, license_id)[0] == [1, 2, 3, 4, 5, 6]


def test_restarted_set_that_comes_in_parts_is_one_fault(shop, new_meter, now, monkeypatch):
    monkeypatch.setattr(usage, "MOST_ADDED", 2)
    license_id, key = shop.sell(now=now)
    meter = new_meter(shop, license_id, key, now)
    meter.report([1, 2], now, sequence=2)
    meter.forget()
    parts = meter.documents([5, 6, 7, 8, 9], now, sequence=5, history=SECOND)
    moments = [now + timedelta(minutes=minute) for minute in range(3)]
    told = [shop.merge(part.document, moment) for part, moment in zip(parts, moments, strict=True)]
    assert [(one["lost"], one["restarted"]) for one in told] == [(0, False), (0, False), (2, True)]
    assert flagged(shop, license_id, now) == [(2, True)]


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
def test_losses_mean_the_same_as_for_a_listed_space(
    shop, new_meter, now, operations, history, sequence, fault
):
    license_id, key = shop.sell(now=now, seats=2)
    meter = new_meter(shop, license_id, key, now)
    meter.report([1, 2, 3], now, sequence=3)
    meter.forget()
    told = meter.report(operations, now, sequence=sequence, history=history)
    assert (told["lost"], told["restarted"]) == fault
    assert flagged(shop, license_id, now) == ([] if fault == (0, False) else [fault])
    listed = new_meter(shop, license_id, key, now).held  # the same in a space whose reports are whole
    shop.merge(shop.usage(license_id, listed, [1, 2, 3], now, sequence=3, history=FIRST), now)
    document = shop.usage(license_id, listed, operations, now, sequence=sequence, history=history)
    told = shop.merge(document, now)
    assert (told["lost"], told["restarted"]) == fault


def test_difference_that_does_not_lead_to_its_set_is_refused(shop, new_meter, now):
    license_id, key = shop.sell(now=now)
    meter = new_meter(shop, license_id, key, now)
    meter.report([1, 2], now, sequence=1)
    real, meter.counted = meter.counted, replace(meter.counted, operations=OperationSet.of([1, 9], TERNARY_3))
    (sent,) = meter.documents([1, 3, 9], now, sequence=2)
    found, said = (OperationSet.of(one, TERNARY_3).digest for one in ([1, 2, 3], [1, 3, 9]))
    assert refusal(lambda: shop.merge(sent.document, now)) == (
        "FORMAT",
        f"usage report.set: its base and what it adds are 3 operations with sha256 {found}, it says 3 with "
        f"{said}",
    )
    assert billed(shop, license_id)[0] == [1, 2]
    meter.counted = real
    assert meter.report([1, 2, 3], now, sequence=2)["added"] == 1


def test_quota_counts_listed_and_vast_spaces_together(shop, new_meter, now):
    license_id, key = shop.sell(now=now, unique_operations=4)
    meter = new_meter(shop, license_id, key, now)
    other = replace(
        meter,
        space=QUATERNARY_2,
        counted=replace(meter.counted, operations=OperationSet.of([], QUATERNARY_2)),
    )
    meter.report([1, LAST], now, sequence=1)
    other.report([1], now, sequence=1)
    told = shop.merge(shop.usage(license_id, meter.held, [1], now), now)
    assert (told["operations"], told["all_spaces"]) == (1, 4)
    assert shop.renew(license_id, 1, meter.held, now)["generation"] == 1
    other.report([1, 2], now, sequence=2)
    assert refusal(lambda: shop.renew(license_id, 1, meter.held, now)) == (
        "QUOTA_EXHAUSTED",
        f"license {license_id} allows 4 different operations; its machines together have returned 5; "
        "ask the vendor for a larger quota",
    )


def test_late_report_counts_for_the_quota_once_its_lease_is_held_again(shop, new_meter, now):
    license_id, key = shop.sell(now=now)
    meter = new_meter(shop, license_id, key, now)
    meter.report([1], now, sequence=1)
    told = meter.report([1, 2], now + 3 * HOUR, sequence=2)
    assert (told["late"], told["added"]) == (True, 1)
    assert billed(shop, license_id) == ([1, 2], [1])
    shop.activate(key, meter.held, now + 3 * HOUR)
    told = meter.report([1, 2], now + 3 * HOUR, sequence=2)  # nothing is new
    assert (told["late"], told["added"]) == (False, 0)
    assert billed(shop, license_id) == ([1, 2], [1, 2])


def test_correction_takes_back_what_no_other_lease_reported(shop, new_meter, now):
    license_id, key = shop.sell(now=now, seats=2)
    one, two = (new_meter(shop, license_id, key, now) for _ in range(2))
    one.report([1, 2, 3, LAST], now, sequence=1)
    two.report([3, 4], now, sequence=1)
    with shop.at(now + DAY).write() as transaction:
        told = correcting.correct(transaction, license_id, one.lease, "counted a test", actor="token T-1")
    assert told["spaces"] == [{"space": "3,3", "taken_back": 3, "operations": 2}]
    assert billed(shop, license_id) == ([3, 4], [3, 4])
    assert lines(shop, license_id, now, (-1, 2)) == [(5, 3, 2), (2, 0, 2)]
    assert lines(shop, license_id, now, (0.5, 2)) == [(0, 3, 2), (0, 3, 2)]
    one.forget()
    told = one.report([1, 2, 3, 5, LAST], now + DAY, sequence=2)
    assert (told["added"], told["operations"]) == (1, 3)
    with shop.database.read() as transaction:
        assert list(auditing.faults(transaction)) == []


def test_admin_pages_and_invoices_know_vast_sets(site, new_meter, now):
    license_id, key = site.sell(unique_operations=1000)
    meter, customer = new_meter(site, license_id, key, now, QUATERNARY_2), customer_of(site, license_id)
    (sent,) = meter.documents(list(range(0, 4_000_000_000, 100_000)), now, sequence=1)
    site.http("POST", "/v1/usage", content=sent.document)
    site.http("POST", "/v1/usage", content=site.usage(license_id, meter.held, [5], now))
    shown = site.admin("GET", f"/licenses/{license_id}").json()
    assert (shown["operations"], shown["spaces"]) == (
        40_001, [{"space": "3,2", "operations": 1}, {"space": "4,2", "operations": 40_000}]
    )  # fmt: skip
    period = f"?start=0&end={int((now + DAY).timestamp())}&license_id={license_id}"
    told = site.admin("GET", f"/usage{period}").json()
    common = {"customer": customer, "space": "4,2", "operations": 40_000, "taken_back": 0, "total": 40_000}
    common["share_of_space"] = "0.000009"
    of_license = {"license": license_id, "late": 0, "all_spaces": 40_001, "quota": 1000}
    of_license["customer_name"] = "Initech"
    assert told["lines"][1] == common | of_license | {"share_of_quota": "40.001000"}
    assert told["customers"][1] == common
    rows = list(csv.DictReader(io.StringIO(site.admin("GET", f"/usage.csv{period}").text)))
    assert rows[1] == {
        name: str(value) for name, value in told["lines"][1].items() if name != "customer_name"
    }


def test_licenses_of_one_customer_are_merged_in_a_vast_space(site, new_meter, now):
    (one, _), (two, two_key) = site.sell(), site.sell()
    me = customer_of(site, two)
    key = site.admin("POST", f"/licenses/{one}/transfer", json={"customer": me}).json()["key"]
    for license_id, license_key, operations in ((one, key, [1, 2]), (two, two_key, [2, LAST])):
        new_meter(site, license_id, license_key, now).report(operations, now, sequence=1)
    period = {"start": 0, "end": int((now + DAY).timestamp()), "customer": me}
    (line,) = site.admin("GET", "/usage", params=period).json()["customers"]
    assert (line["operations"], line["total"]) == (3, 3)


def test_counts_of_more_than_two_thousand_million_are_kept(shop, new_meter, now):
    license_id, key = shop.sell(now=now, unique_operations=5_000_000_000)
    meter = new_meter(shop, license_id, key, now)
    meter.report([1], now, sequence=1)
    many = {"operations": 4_000_000_000, "quota_operations": 4_000_000_000}
    with shop.database.write() as transaction:
        transaction.execute(update(meters).where(meters.c.license == license_id).values(**many))
    with shop.database.read() as transaction:
        found = metering.drawn(transaction, license_id, customer_of(shop, license_id))
        metering.check_quota(transaction, records.find(transaction, license_id))
    assert found == {TERNARY_3: 4_000_000_000}


def test_sets_that_grow_alike_share_their_segments(shop, new_meter, now):
    license_id, key = shop.sell(now=now, seats=2)
    one, two = (new_meter(shop, license_id, key, now) for _ in range(2))
    one.report([1, 2], now, sequence=1)
    assert kept(shop, license_id) == (1, 3)  # reported, metered, weighed
    two.report([2, 3], now, sequence=1)
    one.report([1, 2, 9], now, sequence=2)
    names, uses = kept(shop, license_id)
    assert names < uses
    with shop.database.read() as transaction:
        used = transaction.execute(
            select(segment_uses.c.sha256).where(segment_uses.c.license == license_id).distinct()
        ).all()
    assert len(used) == names  # the segments that were merged are gone


def kept(shop, license_id):
    """How many segments a license has, and how many uses of them."""
    with shop.database.read() as transaction:
        return tuple(
            len(transaction.execute(select(table.c.sha256).where(table.c.license == license_id)).all())
            for table in (segments, segment_uses)
        )


def test_entry_keeps_what_was_added_in_the_shorter_form(shop, new_client, now):
    license_id, key = shop.sell(now=now)
    held = new_client()
    shop.activate(key, held, now)
    shop.merge(shop.usage(license_id, held, [7, 19_682], now), now)
    shop.merge(shop.usage(license_id, held, list(range(19_683)), now, sequence=2), now)
    with shop.database.read() as transaction:
        rows = transaction.execute(
            select(meter_entries.c.bitmap, meter_entries.c.gaps)
            .where(meter_entries.c.license == license_id)
            .order_by(meter_entries.c.number)
        ).all()
    sizes = [(len(row.bitmap), None if row.gaps is None else len(row.gaps)) for row in rows]
    assert sizes == [(0, 4), (2461, None)]
    assert lines(shop, license_id, now) == [(19_683, 0, 19_683), (19_683, 0, 19_683)]


def test_bitmaps_of_earlier_entries_are_read_beside_gaps(shop, new_client, now):
    license_id, key = shop.sell(now=now)
    held, customer = new_client(), customer_of(shop, license_id)
    shop.activate(key, held, now)
    shop.merge(shop.usage(license_id, held, [1, 2], now), now)
    earlier = {
        "license": license_id, "number": 1, "received": int(now.timestamp()), "customer": customer,
        "lease": None, "late": False, "space": "3,2", "operations": 2,
        "bitmap": OperationSet.of([1, 2]).to_bytes(),
    }  # fmt: skip
    mine = meter_entries.c.license == license_id
    with shop.database.write() as transaction:
        transaction.execute(meter_entries.delete().where(mine))
        transaction.execute(insert(meter_entries), earlier)
    shop.merge(shop.usage(license_id, held, [1, 2, 3], now, sequence=2), now)
    with shop.at(now).write() as transaction:
        correcting.correct(transaction, license_id, shop.lease(license_id, held), "a test", actor="test")
    assert lines(shop, license_id, now) == [(3, 3, 0), (0, 0, 0)]


def test_report_rows_of_listed_spaces_have_no_base(shop, new_client, now):
    license_id, key = shop.sell(now=now)
    held = new_client()
    shop.activate(key, held, now)
    shop.merge(shop.usage(license_id, held, [1], now), now)
    with shop.database.read() as transaction:
        row = transaction.execute(select(meter_reports).where(meter_reports.c.license == license_id)).one()
    assert (row.base_history, row.base_operations, row.base_sha256) == (None, None, None)
