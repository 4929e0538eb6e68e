"""A license with 200,000 holders: its seats are counted without them, and it is shown page by page."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import event, text

from ternary_license_server.service import life, policies, records
from ternary_license_server.service.records import seconds
from ternary_sdk.errors import LicenseError, Reason

HOLDERS = 200_000
HOUR = timedelta(hours=1)
FILL = """
WITH RECURSIVE n(i) AS (
    SELECT CAST(:first AS INTEGER) UNION ALL SELECT i + 1 FROM n WHERE i < CAST(:last AS INTEGER)
)
INSERT INTO leases
    (license, installation, seat, customer, generation, ends, licensed_until, offline, started)
SELECT
    :license, 'k-' || CAST(i AS TEXT), 'S-' || CAST(i AS TEXT), :customer, 1, :ends, :ends, :offline, 0
FROM n
"""


def crowd(shop, license_id, now, holders):
    """Give seats to so many installations for an hour, as if each had activated."""
    with shop.database.read() as transaction:
        customer = records.find(transaction, license_id).customer
    values = {"license": license_id, "customer": customer, "ends": seconds(now + HOUR), "offline": False}
    for first in range(1, holders + 1, 10_000):
        with shop.database.write() as transaction:
            last = min(first + 9_999, holders)
            transaction.execute(text(FILL), values | {"first": first, "last": last})


def counted(shop, call):
    """How many leases each count of a call went through."""
    found = []

    def note(_connection, _cursor, statement, parameters, *_):
        if statement.startswith("SELECT count(") and "leases" in statement:
            found.append((statement, parameters))

    event.listen(shop.database.engine, "before_cursor_execute", note)
    try:
        call()
    finally:
        event.remove(shop.database.engine, "before_cursor_execute", note)
    with shop.database.engine.connect() as connection:
        return [connection.exec_driver_sql(*asked).scalar_one() for asked in found]


def refused(call):
    with pytest.raises(LicenseError) as refusal:
        call()
    return refusal.value.code


def test_seats_of_200_000_holders_are_counted_once_and_then_without_them(
    kind, make_site, vendor_keys, new_client, now
):
    shop, holders = make_site(kind, vendor_keys), HOLDERS if kind == "sqlite" else HOLDERS // 10
    license_id, key = shop.sell(seats=holders + 3)
    crowd(shop, license_id, now, holders)
    mine, later = new_client(), now + timedelta(minutes=30)
    assert counted(shop, lambda: shop.activate(key, mine, now)) == [
        holders + 1
    ]  # its own with it, read again here
    assert counted(shop, lambda: shop.activate(key, new_client(), now)) == []
    assert counted(shop, lambda: shop.activate(key, mine, later)) == []
    assert counted(shop, lambda: shop.activate(key, new_client(), later)) == []

    def full():
        return refused(lambda: shop.activate(key, new_client(), later))

    assert counted(shop, full) == [0]
    assert full() is Reason.TOO_MANY_MACHINES
    shop.release(license_id, 2, mine, later)
    assert counted(shop, lambda: shop.activate(key, new_client(), later)) == []
    assert full() is Reason.TOO_MANY_MACHINES
    assert counted(shop, lambda: shop.activate(key, new_client(), now + HOUR)) == [holders]
    assert counted(shop, lambda: shop.activate(key, new_client(), now + HOUR)) == []
    assert shop.admin("GET", f"/licenses/{license_id}").json()["held"] == 5


def test_ended_leases_are_found_by_their_index(new_shop, new_client, now):
    _, key = new_shop.sell(seats=1)
    new_shop.activate(key, new_client(), now)
    explain, plans = "EXPLAIN QUERY PLAN" if new_shop.database.sqlite else "EXPLAIN", []

    def note(connection, cursor, statement, parameters, *_):
        if statement.startswith("SELECT count("):
            if not new_shop.database.sqlite:  # of a table of one row it would read that row
                cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute(f"{explain} {statement}", parameters)
            plans.append(" ".join(str(row[-1]) for row in cursor.fetchall()))

    event.listen(new_shop.database.engine, "before_cursor_execute", note)
    assert refused(lambda: new_shop.activate(key, new_client(), now)) is Reason.TOO_MANY_MACHINES
    (plan,) = plans
    assert "ix_leases_held" in plan


def test_license_whose_seats_become_limited_counts_those_who_hold_it(new_shop, new_client, now):
    license_id, key = new_shop.sell(seats=3)
    first, second = new_client(), new_client()
    new_shop.activate(key, first, now)
    put_under(new_shop, license_id, "any number", None)
    new_shop.release(license_id, 1, first, now)
    for held in (second, new_client(), new_client()):
        new_shop.activate(key, held, now)
    put_under(new_shop, license_id, "three", 3)
    assert refused(lambda: new_shop.activate(key, first, now)) is Reason.TOO_MANY_MACHINES
    put_under(new_shop, license_id, "one", 1)
    assert refused(lambda: new_shop.activate(key, second, now)) is Reason.TOO_MANY_MACHINES
    assert new_shop.activate(key, first, now + 2 * HOUR)["generation"] == 2


def put_under(shop, license_id, name, seats):
    with shop.database.write() as transaction:
        sold = policies.find(transaction, f"policy-{shop.policies}")
        policies.add(transaction, replace(sold, name=name.replace(" ", "-"), seats=seats), actor="test")
        life.change_policy(transaction, license_id, name.replace(" ", "-"), actor="test")


def test_license_is_shown_page_by_page(make_site, vendor_keys, kind, now):
    site = make_site(kind, vendor_keys)
    license_id, _ = site.sell(seats=3000)
    crowd(site, license_id, now, 2500)
    path, seen, after = f"/licenses/{license_id}", [], ""
    while page := site.admin("GET", path, params={"after": after, "limit": 1000}).json()["leases"]:
        seen += [lease["installation"] for lease in page]
        after = seen[-1]
    assert len(seen) == 2500
    assert set(seen) == {f"k-{number}" for number in range(1, 2501)}
    first = site.admin("GET", path).json()
    assert (first["held"], len(first["leases"])) == (2500, 100)
    site.moment = now + HOUR
    assert site.admin("GET", path).json()["held"] == 0
    refused = site.admin("GET", path, params={"limit": 1001})
    assert (refused.status_code, refused.json()["code"]) == (400, "MALFORMED")
