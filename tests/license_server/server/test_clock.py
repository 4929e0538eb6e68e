"""One clock, and what becomes of it when it jumps, goes back, or differs between replicas."""

from contextlib import ExitStack, closing
from datetime import UTC, datetime, timedelta

import pytest

from ternary_license_server.database import clock as server_clock
from ternary_license_server.database.clock import Clock, ClockError, Sources
from ternary_license_server.database.engine import Database
from ternary_license_server.service import audit, auditing, catalog, lease, timekeeping
from ternary_license_server.serving.heartbeat import beating
from ternary_sdk._internal.online import request as online_request
from ternary_sdk.errors import InputError, LicenseError, Reason

SECOND, MINUTE, HOUR, DAY = (timedelta(**{unit: 1}) for unit in ("seconds", "minutes", "hours", "days"))
HOLD, YEAR = 2 * HOUR, timedelta(days=365)


@pytest.fixture
def replica_of(kind, tmp_path, database_address, make_shop):
    """A shop, and a function that opens a replica of it whose clock is apart from the shop's by ``skew``."""
    with database_address(kind, tmp_path) as url, ExitStack() as stack:
        shop = make_shop(url)
        stack.callback(shop.database.close)

        def open_replica(skew):
            sources = Sources(
                wall=lambda: shop.hands.moment + skew, elapsed=lambda: shop.hands.moment.timestamp()
            )
            database = Database(url, clock=Clock(sources))
            stack.callback(database.close)
            return type(shop)(database, shop.ring, shop.hands)

        yield shop, open_replica


def mark(shop):
    with shop.database.write() as transaction:
        return transaction.mark_clock()


def change(shop):
    with shop.database.write() as transaction:
        catalog.add_customer(transaction, "Initech", actor="test")


def refusal(call):
    with pytest.raises((LicenseError, ClockError, InputError)) as refused:
        call()
    return refused.value


def holders(shop, license_id):
    with shop.database.read() as transaction:
        return [
            held for held in lease.page(transaction, license_id, limit=1000) if held.holds(transaction.now)
        ]


@pytest.mark.parametrize("skew", [4 * SECOND, -4 * SECOND])
def test_two_replicas_four_seconds_apart_never_give_one_seat_twice(replica_of, new_client, now, skew):
    shop, open_replica = replica_of
    replica = open_replica(skew)
    ahead, behind = (replica, shop) if skew > timedelta(0) else (shop, replica)
    license_id, key = shop.sell(seats=1)
    first, second, third = new_client(), new_client(), new_client()
    shop.activate(key, first, now)
    end = now + HOLD - max(skew, timedelta(0))  # the clock that is ahead says that the lease has ended
    ahead.activate(key, second, end)
    assert refusal(lambda: behind.renew(license_id, 1, first, end)).code is Reason.LEASE_LOST
    assert refusal(lambda: behind.activate(key, third, end)).code is Reason.TOO_MANY_MACHINES
    assert len(holders(ahead, license_id)) == 1


def test_chain_of_a_license_never_goes_back_whatever_its_replicas_clocks_say(replica_of, new_client, now):
    shop, open_replica = replica_of
    behind = open_replica(-4 * SECOND)
    license_id, key = shop.sell()
    held = new_client()
    for asked in (shop, behind, shop, behind):
        asked.activate(key, held, now)
    with shop.database.read() as transaction:
        times = [entry.at for entry in audit.entries(transaction, license_id)]
    assert times == sorted(times) == [int(now.timestamp())] * 5


def test_replica_a_year_ahead_changes_nothing_until_its_clock_is_right(replica_of, new_client, now):
    shop, open_replica = replica_of
    mark(shop)
    license_id, key = shop.sell(seats=1)
    shop.activate(key, new_client(), now)
    wrong, dated = open_replica(YEAR), now + YEAR
    document = online_request.activate(
        key, vendor=shop.ring.trust.root.kid, held=new_client(), now=dated, machine=None
    )
    refused = refusal(lambda: wrong.perform(document))
    assert str(refused) == (
        "clock: says 2027-03-01 12:00:00 UTC, 365 days ahead of the newest moment that this database has "
        "seen, 2026-03-01 12:00:00 UTC; set the clock right, or if it is right, run 'ternary server "
        "confirm-clock DATE'"
    )
    assert isinstance(refusal(lambda: change(wrong)), ClockError)
    assert isinstance(refusal(lambda: mark(wrong)), ClockError)
    assert len(holders(shop, license_id)) == 1
    assert mark(shop) == now


@pytest.mark.parametrize("jump", [HOUR + SECOND, -HOUR - SECOND, YEAR, -YEAR])
def test_clock_that_jumps_under_a_running_server_is_refused_until_it_is_right_again(new_shop, now, jump):
    mark(new_shop)
    new_shop.hands.jump = jump
    assert isinstance(refusal(lambda: change(new_shop)), ClockError)
    assert isinstance(refusal(lambda: mark(new_shop)), ClockError)
    assert new_shop.database.clock.estimate() == now
    new_shop.hands.jump = timedelta(0)
    change(new_shop)


@pytest.mark.parametrize("jump", [HOUR, -HOUR])
def test_clock_that_is_set_by_up_to_an_hour_is_believed(new_shop, now, jump):
    mark(new_shop)
    new_shop.hands.jump = jump
    change(new_shop)
    assert new_shop.database.clock.estimate() == now + jump


def test_server_that_nobody_asked_anything_for_a_month_goes_on(new_shop, now):
    mark(new_shop)
    new_shop.hands.moment = now + 30 * DAY
    change(new_shop)


def test_server_that_was_down_for_a_weekend_comes_back_by_itself(replica_of, now):
    shop, open_replica = replica_of
    mark(shop)
    shop.hands.moment = now + 72 * HOUR
    change(open_replica(timedelta(0)))
    shop.hands.moment = now - HOUR
    change(open_replica(timedelta(0)))


@pytest.mark.parametrize("later", [72 * HOUR + SECOND, -HOUR - SECOND])
def test_server_that_starts_at_another_time_waits_for_an_operators_word(replica_of, now, later):
    shop, open_replica = replica_of
    mark(shop)
    shop.hands.moment = now + later
    started, other = open_replica(timedelta(0)), open_replica(timedelta(0))
    assert isinstance(refusal(lambda: change(started)), ClockError)
    today = (now + later).date()
    with other.database.write() as transaction:
        said = timekeeping.confirm(transaction, today, actor="operator")
    assert said == {"clock": int((now + later).timestamp()), "newest": int(now.timestamp())}
    change(started)
    with shop.database.read() as transaction:
        entry = audit.entries(transaction, "clock")[-1]
        assert list(auditing.faults(transaction)) == []
    assert (entry.actor, entry.action) == ("operator", "clock.confirm")


def test_restart_ends_no_doubt(replica_of, now):
    shop, open_replica = replica_of
    mark(shop)
    shop.hands.jump = 48 * HOUR
    wrong = open_replica(48 * HOUR)
    change(wrong)  # before anybody has noticed, it looks like a weekend
    assert isinstance(refusal(lambda: change(shop)), ClockError)
    for started in (open_replica(48 * HOUR), open_replica(2 * HOUR)):
        assert isinstance(refusal(lambda started=started: change(started)), ClockError)
    change(open_replica(timedelta(0)))
    with open_replica(48 * HOUR).database.write() as transaction:
        timekeeping.confirm(transaction, (now + 48 * HOUR).date(), actor="operator")
    change(open_replica(48 * HOUR))
    change(shop)


def test_doubt_ends_when_the_clock_is_right_again(replica_of, now):
    shop, open_replica = replica_of
    mark(shop)
    shop.hands.jump = 48 * HOUR
    assert isinstance(refusal(lambda: mark(shop)), ClockError)
    shop.hands.jump = timedelta(0)
    mark(shop)
    shop.hands.moment = now + 48 * HOUR
    change(open_replica(timedelta(0)))


def test_operator_who_says_another_day_than_the_clock_confirms_nothing(replica_of, now):
    shop, open_replica = replica_of
    mark(shop)
    wrong = open_replica(YEAR)

    def confirm():
        with wrong.database.write() as transaction:
            timekeeping.confirm(transaction, now.date(), actor="operator")

    assert str(refusal(confirm)) == (
        "clock: says 2027-03-01 12:00:00 UTC, and you say 2026-03-01; set it right"
    )
    assert isinstance(refusal(lambda: change(wrong)), ClockError)


def test_jump_is_told_to_clients_monitors_and_the_operator(make_site, kind, vendor_keys, now):
    site = make_site(kind, vendor_keys)
    mark(site)
    assert site.http("GET", "/readyz").status_code == 200
    site.hands.jump = YEAR
    told = site.admin("POST", "/customers", json={"name": "Initech"})
    assert (told.status_code, told.json()["code"]) == (503, "CLOCK_IN_DOUBT")
    assert (
        told.json()["detail"] == "the server's clock has jumped; its operator must set it right or confirm it"
    )
    assert told.headers["Retry-After"] == "60"
    assert told.headers["Ternary-Time"] == str(int(now.timestamp()))
    ready = site.http("GET", "/readyz")
    assert (ready.status_code, len(ready.json()["faults"])) == (503, 1)
    assert ready.json()["faults"][0].startswith("clock: says 2027-03-01 12:00:00 UTC, 365 days ahead of")
    assert 'ternary_refusals_total{code="CLOCK_IN_DOUBT"} 1.0' in site.http("GET", "/metrics").text


def test_running_server_marks_the_time_and_warns_of_a_jump(new_shop, now):
    told = []
    with beating(new_shop.database, told.append, period=3600), new_shop.database.read() as transaction:
        assert server_clock.seen(transaction.connection) == now
    new_shop.hands.jump = YEAR
    with beating(new_shop.database, told.append, period=3600):
        pass
    assert [line[:26] for line in told] == ["warning: clock: says 2027-"]


def test_database_without_a_given_clock_has_the_real_time(kind, tmp_path, make_shop, database_address):
    with database_address(kind, tmp_path) as url:
        make_shop(url).database.close()
        with closing(Database(url)) as database, database.write() as transaction:
            assert abs(transaction.now - datetime.now(UTC)) < 5 * SECOND
            assert transaction.now.utcoffset() == timedelta(0)
