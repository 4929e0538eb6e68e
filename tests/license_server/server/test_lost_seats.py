"""A machine is lost: its seat is free at once, what it holds is revoked, and nothing else is."""

from datetime import timedelta

import pytest

from ternary_license_server.service import audit, auditing, life, records
from ternary_license_server.service.publication import Publication
from ternary_license_server.service.refusals import Code, ServiceError
from ternary_sdk._internal.documents import canonical
from ternary_sdk._internal.licensing.license import License
from ternary_sdk.errors import LicenseError, Reason

MACHINE = "m-" + "17" * 16

HOUR, DAY, SECOND = timedelta(hours=1), timedelta(days=1), timedelta(seconds=1)


def declare_lost(shop, license_id, seat, now, reason="stolen at the fair"):
    with shop.at(now).write() as transaction:
        return life.free_seat(transaction, license_id, seat, reason, actor="token T-1")


def trust(shop):
    return Publication(shop.database).trust(shop.ring)


def held_by(shop, answer):
    return License.read(answer["license"].encode(), shop.ring.trust)


def revoke(shop, license_id, now):
    with shop.at(now).write() as transaction:
        life.revoke(transaction, license_id, actor="test")


def refusal(call):
    with pytest.raises((LicenseError, ServiceError)) as refused:
        call()
    return refused.value.code, str(refused.value)


def test_lost_machines_seat_is_free_at_once_though_its_offline_license_runs_on(shop, new_client, now):
    license_id, key = shop.sell(seats=1, offline=30 * DAY)
    lost = shop.activate(key, new_client(), offline=True)
    later = now + DAY
    assert refusal(lambda: shop.activate(key, new_client(), later))[0] is Reason.TOO_MANY_MACHINES
    declare_lost(shop, license_id, held_by(shop, lost).lease, later)
    shop.activate(key, new_client(), later)
    assert refusal(lambda: shop.activate(key, new_client(), later))[0] is Reason.TOO_MANY_MACHINES


def test_lost_machines_license_is_revoked_and_the_others_are_not(shop, new_client, now):
    license_id, key = shop.sell(seats=3)
    lost, other = (shop.activate(key, new_client()) for _ in range(2))
    declare_lost(shop, license_id, held_by(shop, lost).lease, now)
    published = trust(shop)
    assert refusal(lambda: License.read(lost["license"].encode(), published)) == (
        Reason.REVOKED,
        f"license {license_id} was revoked by Acme Logic for this machine, which they were told is lost; "
        "activate it again",
    )
    assert License.read(other["license"].encode(), published).id == license_id
    third = shop.activate(key, new_client())
    assert License.read(third["license"].encode(), published).id == license_id


def test_revocation_list_goes_forward_with_every_lost_seat(shop, new_client, now):
    license_id, key = shop.sell(seats=2)
    seats = [held_by(shop, shop.activate(key, new_client())).lease for _ in range(2)]
    versions = []
    for minutes, seat in enumerate(seats):
        declare_lost(shop, license_id, seat, now + timedelta(minutes=minutes))
        listed = trust(shop).revocations
        assert seat in listed.licenses
        versions.append(listed.version)
    assert versions[0] < versions[1] == int(now.timestamp()) + 60


def test_lost_machine_cannot_renew_and_counts_as_any_other_when_it_is_found(shop, new_client, now):
    license_id, key = shop.sell(seats=1)
    machine = new_client()
    lost = shop.activate(key, machine)
    declare_lost(shop, license_id, held_by(shop, lost).lease, now)
    assert refusal(lambda: shop.renew(license_id, lost["generation"], machine, now + HOUR)) == (
        Reason.LEASE_LOST,
        f"license {license_id}: this machine holds no seat, it was given back on 2026-03-01 12:00:00 UTC; "
        "activate again",
    )
    found = shop.activate(key, machine, now + HOUR)
    assert found["generation"] == lost["generation"] + 1
    assert License.read(found["license"].encode(), trust(shop)).lease != held_by(shop, lost).lease
    assert refusal(lambda: shop.activate(key, new_client(), now + HOUR))[0] is Reason.TOO_MANY_MACHINES


def test_renewal_and_a_second_activation_keep_the_seats_number(shop, new_client, now):
    license_id, key = shop.sell(seats=1, offline=30 * DAY)
    machine = new_client()
    first = shop.activate(key, machine, offline=True)
    second = shop.activate(key, machine, now + HOUR)
    third = shop.renew(license_id, second["generation"], machine, now + 2 * HOUR)
    numbers = {held_by(shop, answer).lease for answer in (first, second, third)}
    assert len(numbers) == 1
    declare_lost(shop, license_id, numbers.pop(), now + 2 * HOUR)
    for answer in (first, second, third):
        token = answer["license"].encode()
        assert refusal(lambda token=token: License.read(token, trust(shop)))[0] is Reason.REVOKED


def test_declaring_offline_machines_lost_again_and_again_is_bounded_too(shop, new_client, now):
    license_id, key = shop.sell(seats=1, offline=30 * DAY)
    for _ in range(2):
        lost = shop.activate(key, new_client(), offline=True)
        declare_lost(shop, license_id, held_by(shop, lost).lease, now)
    assert refusal(lambda: shop.activate(key, new_client(), offline=True))[0] is Reason.TOO_MANY_MACHINES
    shop.activate(key, new_client(), now + 30 * DAY, offline=True)


def test_lost_machine_that_is_found_and_goes_online_still_has_its_offline_license(shop, new_client, now):
    license_id, key = shop.sell(seats=1, offline=30 * DAY)
    for _ in range(2):
        machine = new_client()
        lost = shop.activate(key, machine, offline=True)
        declare_lost(shop, license_id, held_by(shop, lost).lease, now)
        shop.release(license_id, shop.activate(key, machine)["generation"], machine, now)
    assert refusal(lambda: shop.activate(key, new_client(), offline=True)) == (
        Reason.TOO_MANY_MACHINES,
        f"license {license_id}: 2 offline licenses have not ended yet, those given back included; "
        "wait for one to end, or activate online",
    )


def test_loss_is_in_the_audit_log_with_its_reason(shop, new_client, now):
    license_id, key = shop.sell(offline=30 * DAY)
    machine = new_client()
    lost = shop.activate(key, machine, offline=True, machine=MACHINE)
    seat = held_by(shop, lost).lease
    declare_lost(shop, license_id, seat, now + HOUR)
    with shop.database.read() as transaction:
        row = audit.entries(transaction, license_id)[-1]
        customer = records.find(transaction, license_id).customer
        assert list(auditing.faults(transaction)) == []
    assert (row.actor, row.action) == ("token T-1", "seat.free")
    told = canonical.decode(row.detail.encode(), "detail")
    assert told == {
        "installation": machine.kid, "seat": seat, "generation": 1, "offline": True, "machine": MACHINE,
        "started": int(now.timestamp()), "ends": int((now + 30 * DAY).timestamp()), "released": None,
        "customer": customer, "disowned": None, "live": True, "reason": "stolen at the fair",
    }  # fmt: skip


def test_seat_that_nobody_holds_is_not_freed(shop, new_client, now):
    license_id, key = shop.sell(seats=3)
    seats, machines = [], [new_client() for _ in range(3)]
    for machine in machines:
        seats.append(held_by(shop, shop.activate(key, machine)).lease)
    shop.release(license_id, 1, machines[1], now)
    declare_lost(shop, license_id, seats[2], now)
    ended, returned = "it ended on 2026-03-01 14:00:00 UTC", "it was given back on 2026-03-01 12:00:00 UTC"
    for seat, code, why in (
        (seats[0], Code.CONFLICT, f"seat {seats[0]} is free already, {ended}"),
        (seats[1], Code.CONFLICT, f"seat {seats[1]} is free already, {returned}"),
        (seats[2], Code.CONFLICT, f"seat {seats[2]} was declared lost already, on 2026-03-01 12:00:00 UTC"),
        ("S-0", Code.UNKNOWN, "has no seat S-0"),
    ):
        found = refusal(lambda seat=seat: declare_lost(shop, license_id, seat, now + 2 * HOUR))
        assert found == (code, f"license {license_id}: {why}")
    another, _ = shop.sell()
    assert refusal(lambda: declare_lost(shop, another, seats[0], now))[0] is Code.UNKNOWN
    assert refusal(lambda: declare_lost(shop, "L-0", seats[0], now))[0] is Reason.NOT_FOUND


def test_issuer_frees_a_seat_and_an_auditor_does_not(site, new_client, now):
    license_id, key = site.sell(seats=1)
    lost = site.activate(key, new_client())
    path = f"/licenses/{license_id}/seats/{held_by(site, lost).lease}/free"
    end = int((now + DAY).timestamp())
    auditor = site.admin("POST", "/tokens", json={"name": "a", "scope": "auditor", "expires": end}).json()
    headers = {"Authorization": f"Bearer {auditor['secret']}"}
    refused = site.admin("POST", path, json={"reason": "lost"}, headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (403, "FORBIDDEN")
    assert site.admin("POST", path, json={"reason": " "}).status_code == 400
    assert site.admin("POST", path).status_code == 400
    once = {"Idempotency-Key": "lost-machine"}
    first, again = (site.admin("POST", path, json={"reason": "lost"}, headers=once) for _ in "ab")
    assert (first.status_code, first.content) == (again.status_code, again.content)
    assert (first.json()["live"], first.json()["released"]) == (False, int(now.timestamp()))
    (lease,) = site.admin("GET", f"/licenses/{license_id}").json()["leases"]
    assert (lease["live"], lease["seat"] == first.json()["seat"]) == (False, False)
    assert site.admin("POST", path, json={"reason": "lost"}).status_code == 409
