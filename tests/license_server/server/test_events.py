"""Which facts have events, each once, in the transaction of the fact."""

import json
from datetime import timedelta

import pytest
from sqlalchemy import delete, select

from ternary_license_server.database.schema import announced_ends, deliveries, events
from ternary_license_server.keys import webhook_key
from ternary_license_server.service import ends, life, policies, webhooks
from ternary_license_server.service import lease as lease_rows
from ternary_license_server.service.policies import Policy
from ternary_sdk.errors import TernaryError

DAY = timedelta(days=1)
TERMS = {
    "product": "acme",
    "term": 365 * DAY,
    "entitlements": ("decode",),
    "seats": 2,
    "lease": timedelta(hours=1),
    "grace": timedelta(hours=1),
    "offline": timedelta(0),
    "trial": False,
}


def of(shop, subject):
    """The events about one thing: kind and data."""
    with shop.database.read() as transaction:
        rows = transaction.execute(
            select(events.c.kind, events.c.payload, events.c.at)
            .where(events.c.subject == subject)
            .order_by(events.c.at, events.c.kind)
        ).all()
    for row in rows:
        assert json.loads(row.payload)["type"] == row.kind
    return [(row.kind, json.loads(row.payload)["data"]) for row in rows]


def kinds(shop, subject):
    return [kind for kind, _ in of(shop, subject)]


def change(shop, now, work, **words):
    with shop.at(now).write() as transaction:
        return work(transaction, actor="test", **words)


def announce(shop, now):
    with shop.at(now).write() as transaction:
        return ends.announce(transaction)


def begin(shop, now):
    """As if nothing had been announced yet: what other tests sold has events, under other subjects."""
    with shop.at(now).write() as transaction:
        transaction.execute(delete(announced_ends))
    assert announce(shop, now) == 0


def test_what_a_vendor_does_to_a_license_is_an_event_each_time(shop, now):
    license, _ = shop.sell()
    change(shop, now, life.suspend, license_id=license)
    change(shop, now + DAY, life.reinstate, license_id=license)
    change(shop, now + 2 * DAY, life.revoke, license_id=license, reason="not for the event")
    found = of(shop, license)
    assert [kind for kind, _ in found] == ["license.suspended", "license.reinstated", "license.revoked"]
    with shop.database.read() as transaction:
        customer = transaction.execute(select(life.licenses.c.customer).where(life.licenses.c.id == license))
        expected = {
            "license": license,
            "customer": customer.scalar_one(),
            "product": "acme",
            "policy": f"policy-{shop.policies}",
            "expires": "2027-03-01T12:00:00Z",
        }
    assert [data for _, data in found] == [
        expected | {"state": state} for state in ("suspended", "active", "revoked")
    ]


def test_a_fact_that_is_not_committed_has_no_event(shop, now):
    license, _ = shop.sell()
    with pytest.raises(TernaryError):
        change(shop, now, life.reinstate, license_id=license)

    def undone(transaction, *, actor):
        life.revoke(transaction, license, actor=actor)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        change(shop, now, undone)
    assert of(shop, license) == []


def test_a_freed_seat_is_an_event(shop, now, new_client):
    license, key = shop.sell()
    held = new_client()
    shop.activate(key, held, now)
    seat = shop.lease(license, held)
    change(shop, now, life.free_seat, license_id=license, seat=seat, reason="stolen")
    ((kind, data),) = of(shop, license)
    assert (kind, data["seat"], data["license"]) == ("seat.freed", seat, license)


def test_an_end_is_announced_30_7_and_1_days_before_and_when_it_comes(shop, now):
    begin(shop, now)
    license, _ = shop.sell(term=40 * DAY)
    expected = []
    for days, told in [(9, []), (10, [30]), (11, []), (33, [7]), (34, []), (39, [1]), (40, [0]), (41, [])]:
        announce(shop, now + days * DAY)
        announce(shop, now + days * DAY)
        expected += [("license.ending", left) if left else ("license.ended", None) for left in told]
        found = [(kind, data.get("days")) for kind, data in of(shop, license)]
        assert found == expected
    assert of(shop, license)[0][1]["expires"] == "2026-04-10T12:00:00Z"


def test_a_renewed_license_has_the_events_of_its_new_end(shop, now):
    begin(shop, now)
    license, _ = shop.sell(term=31 * DAY)
    announce(shop, now + DAY)
    change(shop, now + 2 * DAY, life.renew, license_id=license, expires=now + 62 * DAY)
    for days in (24, 31, 32, 55):
        announce(shop, now + days * DAY)
    found = [(data["days"], data["expires"]) for _, data in of(shop, license)]
    assert found == [
        (30, "2026-04-01T12:00:00Z"), (30, "2026-05-02T12:00:00Z"), (7, "2026-05-02T12:00:00Z")
    ]  # fmt: skip


def test_a_license_that_was_sold_for_less_has_no_event_of_a_day_before_its_sale(shop, now):
    begin(shop, now)
    short, _ = shop.sell(term=30 * DAY)
    for days in (0, 23, 29):
        announce(shop, now + days * DAY)
    assert [data["days"] for _, data in of(shop, short)] == [7, 1]


def test_after_a_pause_each_license_has_one_event_that_of_its_nearest_day(shop, now):
    begin(shop, now)
    ended, _ = shop.sell(term=35 * DAY)
    soon, _ = shop.sell(term=42 * DAY)
    endless, _ = shop.sell(term=None)
    revoked, _ = shop.sell(term=42 * DAY)
    change(shop, now, life.revoke, license_id=revoked)
    suspended, _ = shop.sell(term=42 * DAY)
    change(shop, now, life.suspend, license_id=suspended)
    announce(shop, now + 36 * DAY)
    assert kinds(shop, ended) == ["license.ended"]
    assert [data["days"] for _, data in of(shop, soon)] == [7]
    assert kinds(shop, suspended) == ["license.suspended", "license.ending"]
    assert kinds(shop, revoked) == ["license.revoked"]
    assert kinds(shop, endless) == []


def test_ends_of_before_the_first_time_are_not_announced(shop, now):
    license, _ = shop.sell(term=40 * DAY)
    begin(shop, now + 35 * DAY)
    announce(shop, now + 39 * DAY)
    assert [data["days"] for _, data in of(shop, license)] == [1]


def test_a_quota_is_announced_at_80_and_100_percent_once(shop, now, new_client):
    license, key = shop.sell(unique_operations=10)
    held = new_client()
    shop.activate(key, held, now)
    told = []
    for sequence, (number, percents) in enumerate([(7, []), (8, [80]), (9, []), (10, [100]), (12, [])], 1):
        report = shop.usage(license, held, list(range(number)), now, sequence=sequence)
        shop.merge(report, now)
        told += [(percent, number) for percent in percents]
        assert sorted((data["percent"], data["counted"]) for _, data in of(shop, license)) == told
    assert {data["quota"] for _, data in of(shop, license)} == {10}


def test_a_quota_that_is_passed_at_once_has_both_events_and_another_quota_its_own(shop, now, new_client):
    license, key = shop.sell(unique_operations=10)
    held = new_client()
    shop.activate(key, held, now)
    shop.merge(shop.usage(license, held, list(range(10)), now), now)
    with shop.at(now).write() as transaction:
        for name, quota in ((f"larger-{license}", 12), (f"large-{license}", 1000)):
            policies.add(
                transaction, Policy(name=name.lower(), unique_operations=quota, **TERMS), actor="test"
            )
    for name in (f"larger-{license}", f"large-{license}", f"larger-{license}"):
        change(shop, now, life.change_policy, license_id=license, policy=name.lower())
    found = [(data["quota"], data["percent"]) for _, data in of(shop, license)]
    assert sorted(found) == [(10, 80), (10, 100), (12, 80)]


def test_a_report_after_its_lease_counts_for_no_quota_and_has_no_event(shop, now, new_client):
    license, key = shop.sell(unique_operations=10)
    held = new_client()
    shop.activate(key, held, now)
    shop.merge(shop.usage(license, held, list(range(10)), now + 2 * DAY), now + 2 * DAY)
    assert of(shop, license) == []


def test_a_meter_that_lost_operations_is_an_event(shop, now, new_client):
    license, key = shop.sell()
    held = new_client()
    shop.activate(key, held, now)
    shop.merge(shop.usage(license, held, [1, 2, 3], now), now)
    assert of(shop, license) == []
    shop.merge(shop.usage(license, held, [1], now, sequence=2), now)
    ((kind, data),) = of(shop, license)
    with shop.database.read() as transaction:
        customer = lease_rows.find(transaction, license, held.kid).customer
    assert kind == "meter.lost"
    assert data == {
        "license": license,
        "customer": customer,
        "installation": held.kid,
        "space": "3,2",
        "lost": 2,
        "restarted": False,
    }


def test_each_webhook_gets_the_events_of_its_kinds_and_paused_ones_too(shop, now, tmp_path):
    key = webhook_key.create(tmp_path)
    made = {}
    with shop.at(now).write() as transaction:
        for name, wanted in (("all", []), ("revoked", ["license.revoked"]), ("quota", ["quota.reached"])):
            made[name] = webhooks.add(transaction, key, url="https://x.example/", kinds=wanted, actor="test")
        webhooks.pause(transaction, webhook=made["all"]["id"], actor="test")
    license, _ = shop.sell()
    change(shop, now, life.suspend, license_id=license)
    change(shop, now, life.revoke, license_id=license)
    with shop.database.read() as transaction:
        rows = transaction.execute(
            select(events.c.kind, deliveries.c.webhook)
            .join(deliveries, deliveries.c.event == events.c.id)
            .where(events.c.subject == license)
        ).all()
    assert {tuple(row) for row in rows} == {
        ("license.suspended", made["all"]["id"]),
        ("license.revoked", made["all"]["id"]),
        ("license.revoked", made["revoked"]["id"]),
    }
