"""Who gets a seat, who keeps it, and when it is free again."""

from datetime import timedelta

import pytest

from ternary_license_server.service import activation, lease, life, records
from ternary_license_server.service.refusals import Code, ServiceError
from ternary_sdk._internal.licensing.license import License
from ternary_sdk._internal.online import request as online_request
from ternary_sdk._internal.online.request import Request
from ternary_sdk.errors import FormatError, LicenseError, Reason

MACHINE = "m-" + "17" * 16

HOUR, DAY, SECOND = timedelta(hours=1), timedelta(days=1), timedelta(seconds=1)


def refusal(call):
    with pytest.raises((LicenseError, ServiceError)) as refused:
        call()
    return refused.value.code, str(refused.value)


def test_activation_gives_a_license_bound_to_the_installation(shop, new_client, now):
    _, key = shop.sell(unique_operations=500)
    held = new_client()
    answer = shop.activate(key, held, machine=MACHINE)
    license = License.read(answer["license"].encode(), shop.ring.trust)
    assert license.bound_to == held.kid
    assert (license.machines, license.seats, license.unique_operations) == (
        (MACHINE,),
        2,
        500,
    )
    assert license.entitlements == {"decode", "sample"}
    assert license.customer == "Initech"


def test_license_ends_five_minutes_before_its_seat(shop, new_client, now):
    _, key = shop.sell(lease=HOUR, grace=HOUR)
    answer = shop.activate(key, new_client())
    assert answer["ends"] == int((now + 2 * HOUR).timestamp())
    assert answer["renew_after"] == int((now + HOUR).timestamp())
    license = License.read(answer["license"].encode(), shop.ring.trust)
    assert license.expires == now + 2 * HOUR - timedelta(minutes=5)


def test_seat_beyond_the_cap_is_refused_until_one_is_given_back(shop, new_client, now):
    license_id, key = shop.sell(seats=1)
    first, second = new_client(), new_client()
    answer = shop.activate(key, first)
    assert refusal(lambda: shop.activate(key, second)) == (
        Reason.TOO_MANY_MACHINES,
        f"license {license_id}: its one seat is taken; the next is free on 2026-03-01 14:00:00 UTC, "
        "or when a machine gives its own back",
    )
    shop.release(license_id, answer["generation"], first, now)
    assert shop.activate(key, second)["generation"] == 1


def test_dead_seat_is_free_at_its_end_and_not_a_second_before(shop, new_client, now):
    _, key = shop.sell(seats=1)
    shop.activate(key, new_client())
    assert (
        refusal(lambda: shop.activate(key, new_client(), now + 2 * HOUR - SECOND))[0] == "TOO_MANY_MACHINES"
    )
    shop.activate(key, new_client(), now + 2 * HOUR)


def test_dead_machine_does_not_skip_the_cap_when_it_comes_back(shop, new_client, now):
    license_id, key = shop.sell(seats=1)
    dead, other = new_client(), new_client()
    generation = shop.activate(key, dead)["generation"]
    later = now + 3 * HOUR
    shop.activate(key, other, later)
    assert refusal(lambda: shop.activate(key, dead, later))[0] is Reason.TOO_MANY_MACHINES
    assert refusal(lambda: shop.renew(license_id, generation, dead, later)) == (
        Reason.LEASE_LOST,
        f"license {license_id}: this machine holds no seat, it ended on 2026-03-01 14:00:00 UTC; "
        "activate again",
    )


def test_same_installation_activates_again_without_a_second_seat(shop, new_client):
    _, key = shop.sell(seats=1)
    held = new_client()
    assert [shop.activate(key, held)["generation"] for _ in range(3)] == [1, 2, 3]


def test_renewal_moves_the_end(shop, new_client, now):
    license_id, key = shop.sell(seats=1)
    held = new_client()
    generation = shop.activate(key, held)["generation"]
    renewed = shop.renew(license_id, generation, held, now + HOUR)
    assert renewed["ends"] == int((now + 3 * HOUR).timestamp())
    assert renewed["generation"] == generation


def test_renewal_of_an_older_generation_is_lost(shop, new_client, now):
    license_id, key = shop.sell()
    held = new_client()
    shop.activate(key, held)
    shop.activate(key, held)
    assert refusal(lambda: shop.renew(license_id, 1, held, now)) == (
        Reason.LEASE_LOST,
        f"license {license_id}: this machine holds no seat, generation 1 is no longer the current one; "
        "activate again",
    )


def test_late_renewal_revives_nothing_even_if_the_seat_is_free(shop, new_client, now):
    license_id, key = shop.sell()
    held = new_client()
    shop.activate(key, held)
    assert refusal(lambda: shop.renew(license_id, 1, held, now + 2 * HOUR))[0] is Reason.LEASE_LOST
    assert shop.activate(key, held, now + 2 * HOUR)["generation"] == 2


def test_renewal_by_an_installation_that_never_had_a_seat_finds_no_license(shop, new_client, now):
    license_id, key = shop.sell()
    shop.activate(key, new_client())
    assert refusal(lambda: shop.renew(license_id, 1, new_client(), now)) == (
        Reason.NOT_FOUND,
        f"license {license_id}: this server knows no such license",
    )


def test_seat_given_back_is_lost(shop, new_client, now):
    license_id, key = shop.sell()
    held = new_client()
    shop.activate(key, held)
    shop.release(license_id, 1, held, now)
    for call in (shop.renew, shop.release):
        assert refusal(lambda call=call: call(license_id, 1, held, now))[0] is Reason.LEASE_LOST


def test_unknown_license_is_not_found(shop, new_client, now):
    assert refusal(lambda: shop.renew("L-0", 1, new_client(), now)) == (
        Reason.NOT_FOUND,
        "license L-0: this server knows no such license",
    )
    unknown = "00000-00000-00000-00000-00000"
    assert refusal(lambda: shop.activate(unknown, new_client())) == (
        Reason.NOT_FOUND,
        "license key: this server knows no such license",
    )


def test_lease_never_outlives_the_license(shop, new_client, now):
    _, key = shop.sell(term=HOUR)
    answer = shop.activate(key, new_client())
    assert License.read(answer["license"].encode(), shop.ring.trust).expires == now + HOUR
    assert refusal(lambda: shop.activate(key, new_client(), now + HOUR))[0] is Reason.EXPIRED


def test_offline_use_must_be_allowed(shop, new_client, now):
    license_id, key = shop.sell()
    assert refusal(lambda: shop.activate(key, new_client(), offline=True)) == (
        Code.INVALID,
        f"license {license_id}: its policy allows no offline use; activate online",
    )


def test_offline_seat_stays_taken_until_it_ends(shop, new_client, now):
    _, key = shop.sell(seats=1, offline=30 * DAY)
    shop.activate(key, new_client(), offline=True)
    assert (
        refusal(lambda: shop.activate(key, new_client(), now + 30 * DAY - SECOND))[0] == "TOO_MANY_MACHINES"
    )
    shop.activate(key, new_client(), now + 30 * DAY)


def test_offline_seat_is_freed_by_a_signed_release(shop, new_client, now):
    license_id, key = shop.sell(seats=1, offline=30 * DAY)
    held = new_client()
    answer = shop.activate(key, held, offline=True)
    shop.release(license_id, answer["generation"], held, now + DAY, carried=True)
    shop.activate(key, new_client(), now + DAY)


def test_nobody_else_can_release_a_seat(shop, new_client, now):
    license_id, key = shop.sell(seats=1, offline=30 * DAY)
    shop.activate(key, new_client(), offline=True)
    assert refusal(lambda: shop.release(license_id, 1, new_client(), now))[0] is Reason.NOT_FOUND


def test_going_online_does_not_shorten_an_offline_hold(shop, new_client, now):
    license_id, key = shop.sell(seats=1, offline=30 * DAY)
    held = new_client()
    shop.activate(key, held, offline=True)
    online = shop.activate(key, held, now + HOUR)
    assert online["ends"] == int((now + 30 * DAY).timestamp())
    shop.renew(license_id, online["generation"], held, now + 2 * HOUR)
    assert refusal(lambda: shop.activate(key, new_client(), now + DAY))[0] is Reason.TOO_MANY_MACHINES


def test_giving_offline_licenses_back_again_and_again_gains_at_most_as_many_again(shop, new_client, now):
    license_id, key = shop.sell(seats=2, offline=30 * DAY)
    for _ in range(4):
        held = new_client()
        generation = shop.activate(key, held, offline=True)["generation"]
        shop.release(license_id, generation, held, now, carried=True)
    assert refusal(lambda: shop.activate(key, new_client(), offline=True)) == (
        Reason.TOO_MANY_MACHINES,
        f"license {license_id}: 4 offline licenses have not ended yet, those given back included; "
        "wait for one to end, or activate online",
    )
    shop.activate(key, new_client())
    shop.activate(key, new_client(), now + 30 * DAY, offline=True)


def test_going_online_after_giving_an_offline_license_back_does_not_forget_it(shop, new_client, now):
    license_id, key = shop.sell(seats=1, offline=30 * DAY)

    def trick():
        held = new_client()
        generation = shop.activate(key, held, offline=True)["generation"]
        shop.release(license_id, generation, held, now, carried=True)
        generation = shop.activate(key, held)["generation"]
        shop.release(license_id, generation, held, now)

    trick()
    trick()
    assert refusal(trick) == (
        Reason.TOO_MANY_MACHINES,
        f"license {license_id}: 2 offline licenses have not ended yet, those given back included; "
        "wait for one to end, or activate online",
    )
    last = now + 30 * DAY
    assert refusal(lambda: shop.activate(key, new_client(), last - SECOND, offline=True))[0] == (
        "TOO_MANY_MACHINES"
    )
    shop.activate(key, new_client(), last, offline=True)


def test_shorter_offline_license_does_not_hide_a_longer_one(shop, new_client, now):
    license_id, key = shop.sell(seats=1, offline=30 * DAY)
    held = new_client()
    first = shop.activate(key, held, offline=True)
    shop.release(license_id, first["generation"], held, now, carried=True)
    shop.sell(seats=1, offline=HOUR)
    with shop.at(now).write() as transaction:
        life.change_policy(transaction, license_id, f"policy-{shop.policies}", actor="test")
    shop.release(license_id, shop.activate(key, held, offline=True)["generation"], held, now, carried=True)
    with shop.database.read() as transaction:
        mine = lease.find(transaction, license_id, held.kid)
    assert (mine.ends, mine.offline_until) == (now + HOUR, now + 30 * DAY)


def test_license_without_a_cap_counts_nobody(shop, new_client):
    _, key = shop.sell(seats=None)
    for _ in range(5):
        shop.activate(key, new_client())


def test_request_is_done_once_however_often_it_comes(shop, new_client, now):
    license_id, key = shop.sell(seats=1)
    held = new_client()
    document = online_request.activate(key, vendor=shop.ring.trust.root.kid, held=held, now=now, machine=None)
    assert shop.ask(document, now) == shop.ask(document, now + timedelta(minutes=4))
    with shop.database.read() as transaction:
        assert [held.generation for held in lease.page(transaction, license_id, limit=1000)] == [1]


def test_replayed_activation_does_not_take_the_seat_again(shop, new_client, now):
    license_id, key = shop.sell(seats=1)
    held = new_client()
    document = online_request.activate(key, vendor=shop.ring.trust.root.kid, held=held, now=now, machine=None)
    shop.ask(document, now)
    shop.release(license_id, 1, held, now)
    shop.ask(document, now)
    shop.activate(key, new_client())


@pytest.mark.parametrize("difference", [timedelta(minutes=5, seconds=1), -timedelta(minutes=5, seconds=1)])
def test_request_with_a_wrong_date_is_refused(shop, new_client, now, difference):
    _, key = shop.sell()
    document = online_request.activate(
        key, vendor=shop.ring.trust.root.kid, held=new_client(), now=now + difference, machine=None
    )
    code, sentence = refusal(lambda: shop.ask(document, now))
    assert code is Code.STALE_REQUEST
    assert sentence.endswith("set this machine's clock right and ask anew")


def test_request_in_a_file_may_be_thirty_days_old(shop, new_client, now):
    _, key = shop.sell(seats=5, offline=30 * DAY)

    def signed(age):
        return online_request.activate(
            key, vendor=shop.ring.trust.root.kid, held=new_client(), now=now - age, machine=None, offline=True
        )

    shop.ask(signed(30 * DAY), now, carried=True)
    assert refusal(lambda: shop.ask(signed(31 * DAY), now, carried=True))[0] is Code.STALE_REQUEST


def test_refused_request_leaves_no_trace_and_may_be_repeated(shop, new_client, now):
    license_id, key = shop.sell(seats=1)
    first, second = new_client(), new_client()
    shop.activate(key, first)
    document = online_request.activate(
        key, vendor=shop.ring.trust.root.kid, held=second, now=now, machine=None
    )
    assert refusal(lambda: shop.ask(document, now))[0] is Reason.TOO_MANY_MACHINES
    shop.release(license_id, 1, first, now)
    assert shop.ask(document, now)["generation"] == 1


def test_lease_and_record_tell_what_is_in_the_database(shop, new_client, now):
    license_id, key = shop.sell()
    held = new_client()
    shop.activate(key, held, machine=MACHINE)
    with shop.database.read() as transaction:
        mine = lease.find(transaction, license_id, held.kid)
        record = records.find(transaction, license_id)
    assert mine.facts(now)["machine"] == MACHINE
    assert mine.facts(now)["live"] is True
    assert mine.facts(now + 2 * HOUR)["live"] is False
    assert record.facts()["seats"] == 2


def test_license_issued_by_a_clock_that_is_ahead_is_valid_within_five_minutes(now):
    for ahead in (4 * SECOND, timedelta(minutes=5)):
        records.check("L-1", records.State.ACTIVE, now + ahead, None, now)
    assert refusal(
        lambda: records.check("L-1", records.State.ACTIVE, now + timedelta(minutes=5, seconds=1), None, now)
    ) == (Reason.NOT_YET_VALID, "license L-1 is valid from 2026-03-01 12:05:01 UTC")


def test_license_issued_at_one_replica_is_activated_at_another_that_is_4_seconds_behind(
    shop, new_client, now
):
    license_id, key = shop.sell(now + 4 * SECOND)
    held = new_client()
    assert shop.activate(key, held, now)["generation"] == 1
    vendor = shop.ring.trust.root.kid
    lease = shop.lease(license_id, held)
    question = online_request.standing(license_id, lease, 1, vendor=vendor, held=held, now=now)
    with shop.at(now).read() as transaction:
        asked = Request.read(question, vendor)
        assert activation.perform(transaction, shop.ring, asked, carried=False)["code"] == "VALID"


@pytest.mark.parametrize(
    "machine", ["", "m-1", "M-" + "17" * 16, "m-" + "17" * 15, "m-" + "17" * 17, "y-" + "17" * 16, "x" * 80]
)
def test_machine_that_calls_itself_otherwise_than_documented_is_refused(shop, new_client, now, machine):
    _, key = shop.sell()
    with pytest.raises(FormatError) as refused:
        shop.activate(key, new_client(), now, machine=machine)
    assert str(refused.value).startswith("request.machine: ")
    for named in ("m-" + "0f" * 16, "x-" + "0f" * 16):
        assert shop.activate(key, new_client(), now, machine=named)["generation"] == 1
