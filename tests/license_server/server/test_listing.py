"""The revocation list: what comes off it when, what it refuses at the door, and what is merged into it."""

import secrets
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import event, insert, update

from ternary_license_server.database.schema import merged_names, revocation_list
from ternary_license_server.keys import keyring, keyset, rotation
from ternary_license_server.service import audit, auditing, life, listing, merging, publication, records
from ternary_license_server.service.publication import Publication
from ternary_license_server.service.records import State
from ternary_license_server.service.refusals import Code, ServiceError
from ternary_sdk._internal.licensing.license import License
from ternary_sdk._internal.trust.trust import MAX_REVOKED, MAX_TRUST, Role, Trust
from ternary_sdk.errors import FormatError, InputError, LicenseError, Reason, SignatureError

HOUR, DAY, MINUTE = timedelta(hours=1), timedelta(days=1), timedelta(minutes=1)


@pytest.fixture
def shop(new_shop):
    return new_shop


def revoke(shop, license_id, now):
    with shop.at(now).write() as transaction:
        life.revoke(transaction, license_id, actor="token T-1")


def published(shop, now):
    shop.at(now)
    return Publication(shop.database).trust(shop.ring)


def fill(shop, number):
    rows = [{"name": f"S-{secrets.token_hex(12)}", "merged": 0} for _ in range(number)]
    for start in range(0, number, 5000):
        with shop.database.write() as transaction:  # each in a request's time
            transaction.execute(insert(merged_names), rows[start : start + 5000])
    with shop.database.write() as transaction:
        listing.note_change(transaction)


def signed_list(shop, version, names, now):
    """A trust file that this vendor's key has signed, with a list of these names."""
    key = shop.ring.signer(Role.LICENSE)
    token = keyset.sign_revocations(key, vendor=shop.ring.vendor, version=version, licenses=names, now=now)
    return keyset.trust_file(shop.ring.trust.root, publication.key_set(shop.ring.trust), token)


def merge(shop, offered, now):
    with shop.at(now).write() as transaction:
        listed = merging.read(offered, shop.ring)
        return merging.merge(transaction, listed, shop.ring, actor="local")


def test_name_comes_off_when_every_license_that_carries_it_has_ended(shop, new_client, now):
    license_id, key = shop.sell(seats=3, offline=30 * DAY)
    shop.activate(key, new_client())
    offline = shop.activate(key, new_client(), offline=True)
    revoke(shop, license_id, now + HOUR)
    end = License.read(offline["license"].encode(), shop.ring.trust).expires
    assert end == now + 30 * DAY - 5 * MINUTE
    last = now + HOUR + 30 * DAY + 5 * MINUTE
    assert published(shop, last - timedelta(seconds=1)).revoked_licenses == {license_id}
    after = published(shop, last + DAY)
    assert after.revocations.licenses == frozenset()
    assert after.revocations.issued > end


def test_longer_license_of_before_a_change_of_policy_keeps_the_name_on_the_list(shop, new_client, now):
    license_id, key = shop.sell(lease=20 * DAY, grace=HOUR)
    machine = new_client()
    first = shop.activate(key, machine)
    shorter, _ = shop.sell(lease=HOUR, grace=HOUR)
    with shop.database.write() as transaction:
        policy = records.find(transaction, shorter).policy
        life.change_policy(transaction, license_id, policy, actor="test")
    shop.renew(license_id, first["generation"], machine, now + MINUTE)
    revoke(shop, license_id, now + HOUR)
    still = published(shop, now + 20 * DAY)
    with pytest.raises(LicenseError) as refused:
        License.read(first["license"].encode(), still)
    assert refused.value.code is Reason.REVOKED
    assert published(shop, now + 21 * DAY).revoked_licenses == frozenset()


def test_list_stays_published_when_its_last_name_has_come_off(shop, now):
    license_id, _ = shop.sell()
    revoke(shop, license_id, now)
    first, later = published(shop, now), published(shop, now + 2 * DAY)
    assert later.revocations.version > first.revocations.version
    assert later.revocations.licenses == frozenset()


def test_list_is_signed_once_for_all_processes_until_it_changes(shop, now):
    (first, _), (second, _) = shop.sell(), shop.sell()
    revoke(shop, first, now)
    listed = published(shop, now)
    assert published(shop, now + HOUR).data == listed.data
    revoke(shop, second, now + MINUTE)
    again = published(shop, now + MINUTE)
    assert again.revoked_licenses == {first, second}
    assert again.revocations.version == int((now + MINUTE).timestamp())


def test_two_lists_of_one_second_have_two_versions(shop, now):
    versions = []
    for _ in range(2):
        license_id, _ = shop.sell()
        revoke(shop, license_id, now)
        versions.append(published(shop, now).revocations.version)
    assert versions == [int(now.timestamp()), int(now.timestamp()) + 1]


def test_license_that_is_revoked_while_the_list_is_read_is_on_the_next_one(shop, now):
    (first, _), (second, _) = shop.sell(), shop.sell()
    revoke(shop, first, now)
    here = Publication(shop.database)
    assert here.trust(shop.ring).revoked_licenses == {first}
    revoke_second = lambda *_: revoke(shop, second, now)  # noqa: E731
    event.listen(shop.database.engine, "after_cursor_execute", revoke_second, once=True)
    assert first in here.trust(shop.ring).revoked_licenses
    assert here.trust(shop.ring).revoked_licenses == {first, second}
    assert published(shop, now).revoked_licenses == {first, second}


def test_full_list_refuses_at_the_door_and_is_published_all_the_same(shop, new_client, now):
    license_id, key = shop.sell()
    held = shop.activate(key, new_client())
    fill(shop, listing.MOST)
    with pytest.raises(ServiceError) as refused:
        revoke(shop, license_id, now)
    full = (
        f"the revocation list has {listing.MOST} names, as many as it has room for, and none of them "
        "comes off; suspend the license, which takes no room: it is denied at its next renewal"
    )
    assert (refused.value.code, str(refused.value)) == (Code.LIST_FULL, f"license {license_id}: {full}")
    seat = License.read(held["license"].encode(), shop.ring.trust).lease
    with pytest.raises(ServiceError) as refused, shop.database.write() as transaction:
        life.free_seat(transaction, license_id, seat, "stolen", actor="test")
    assert (refused.value.code, str(refused.value)) == (Code.LIST_FULL, f"seat {seat}: {full}")
    with shop.database.read() as transaction:
        assert records.find(transaction, license_id).state is State.ACTIVE
        assert [entry.action for entry in audit.entries(transaction, license_id)] == [
            "license.issue", "lease.activate"
        ]  # fmt: skip
        (warning,) = publication.warnings(transaction)
    assert warning.startswith(f"revocation list: {listing.MOST} of at most {listing.MOST} names are taken")
    assert len(published(shop, now).revoked_licenses) == listing.MOST


def test_full_list_is_signed_with_as_many_names_of_the_key_directory_as_it_takes(shop, now, tmp_path):
    shutil.copytree(shop.ring.directory, tmp_path / "keys")
    ring = keyring.load(tmp_path / "keys")
    names = [f"L-own-{number}" for number in range(keyset.MAX_OWN - 1)]
    key = ring.signer(Role.LICENSE)
    token = keyset.sign_revocations(key, vendor=ring.vendor, version=1, licenses=names, now=now)
    trust = keyset.trust_file(ring.trust.root, publication.key_set(ring.trust), token)
    ring = rotation.revoke_license(replace(ring, trust=trust), "L-own-last", now)
    with pytest.raises(InputError) as refused:
        rotation.revoke_license(ring, "L-one-more", now)
    assert str(refused.value) == (
        "license L-one-more: the list of these keys has 1000 names and holds at most 1000; a license "
        "server's own list holds more"
    )
    fill(shop, listing.MOST)
    shop.at(now)
    assert len(Publication(shop.database).trust(ring).revoked_licenses) == MAX_REVOKED


def test_list_that_cannot_be_signed_leaves_the_last_one_published(shop, now):
    license_id, _ = shop.sell()
    revoke(shop, license_id, now)
    here = Publication(shop.database)
    first = here.trust(shop.ring)
    fill(shop, MAX_REVOKED)
    assert here.trust(shop.ring).data == first.data
    assert published(shop, now).data == first.data


def test_list_of_a_revoked_key_is_signed_anew(shop, now, tmp_path):
    license_id, _ = shop.sell()
    revoke(shop, license_id, now)
    here = Publication(shop.database)
    first = here.trust(shop.ring)
    shutil.copytree(shop.ring.directory, tmp_path / "keys")
    ring = keyring.load(tmp_path / "keys")
    stolen = ring.trust.newest(Role.LICENSE)
    ring = rotation.revoke_key(rotation.rotate(ring, Role.LICENSE, now), stolen, now)
    again = here.trust(ring)
    assert again.revoked_licenses == {license_id}
    assert again.revocations.version > first.revocations.version


def test_names_of_a_list_that_our_key_signed_are_revoked_here(shop, new_client, now):
    revoked_id, _ = shop.sell()
    license_id, key = shop.sell()
    machine = new_client()
    held = shop.activate(key, machine)
    seat = License.read(held["license"].encode(), shop.ring.trust).lease
    offered = signed_list(shop, 3 * 10**9, [revoked_id, seat, "L-sold-since"], now)
    merged = merge(shop, offered, now)
    assert merged.facts() == {"revoked_licenses": 1, "lost_seats": 1, "kept_names": 1}
    listed = published(shop, now)
    assert listed.revoked_licenses == {revoked_id, seat, "L-sold-since"}
    assert listed.revocations.version == 3 * 10**9 + 1
    with shop.database.read() as transaction:
        assert records.find(transaction, revoked_id).state is State.REVOKED
        assert audit.entries(transaction, revoked_id)[-1].detail == (
            '{"from":"active","reason":"named by revocation list 3000000000","to":"revoked"}'
        )
        assert list(auditing.faults(transaction)) == []
    with pytest.raises(LicenseError) as refused:
        shop.renew(license_id, held["generation"], machine, now)
    assert refused.value.code is Reason.LEASE_LOST


def test_list_that_was_merged_or_published_before_changes_nothing(shop, now):
    license_id, _ = shop.sell()
    revoke(shop, license_id, now)
    old = published(shop, now)
    later = published(shop, now + 2 * DAY)
    for offered in (old, later):
        with shop.database.read() as transaction:
            assert merging.is_known(transaction, offered.revocations, shop.ring)
        assert merge(shop, offered, now + 2 * DAY).facts() == {
            "revoked_licenses": 0,
            "lost_seats": 0,
            "kept_names": 0,
        }
    assert published(shop, now + 2 * DAY).revoked_licenses == frozenset()


def test_older_list_with_a_name_that_we_lack_is_merged_too(shop, now):
    license_id, _ = shop.sell()
    revoke(shop, license_id, now)
    published(shop, now)
    offered = signed_list(shop, 7, ["L-forgotten"], now)
    with shop.database.read() as transaction:
        assert not merging.is_known(transaction, offered.revocations, shop.ring)
    assert merge(shop, offered, now).kept_names == 1
    assert published(shop, now).revoked_licenses == {license_id, "L-forgotten"}


def test_list_with_more_names_than_there_is_room_for_changes_nothing(shop, now):
    license_id, _ = shop.sell()
    fill(shop, listing.MOST)
    offered = signed_list(shop, 7, [license_id], now)
    with pytest.raises(ServiceError) as refused:
        merge(shop, offered, now)
    assert str(refused.value) == (
        f"revocation list 7: with its names ours would have {listing.MOST + 1}, and it has room for "
        f"{listing.MOST}"
    )
    with shop.database.read() as transaction:
        assert records.find(transaction, license_id).state is State.ACTIVE


def test_list_of_another_vendor_or_of_a_revoked_key_is_not_merged(shop, now, tmp_path):
    other = keyring.create(tmp_path / "other", "Acme Logic", now - DAY)
    with pytest.raises(SignatureError) as refused:
        merging.read(rotation.revoke_license(other, "L-1", now).trust, shop.ring)
    assert str(refused.value) == (
        f"trust file: root is {other.trust.root.kid}, this vendor's is {shop.ring.trust.root.kid}"
    )
    stolen = rotation.revoke_license(other, "L-1", now)
    kid = stolen.trust.newest(Role.LICENSE)
    ring = rotation.revoke_key(rotation.rotate(other, Role.LICENSE, now), kid, now)
    with pytest.raises(SignatureError) as refused:
        merging.read(stolen.trust, ring)
    assert str(refused.value).startswith(f"revocation list: key {kid} was revoked by Acme Logic on ")


def test_anybody_hands_in_a_list_over_http(make_site, kind, vendor_keys, now):
    site = make_site(kind, vendor_keys)
    license_id, _ = site.sell()
    offered = signed_list(site, 3 * 10**9, [license_id], now)
    damaged = offered.data.replace(b'"format"', b'"formats"')
    assert site.http("POST", "/v1/trust", content=damaged).status_code == 400
    first, again = (site.http("POST", "/v1/trust", content=offered.data) for _ in "ab")
    assert (first.status_code, first.json()) == (
        200, {"list": 3 * 10**9, "revoked_licenses": 1, "lost_seats": 0, "kept_names": 0}
    )  # fmt: skip
    assert again.json() == {"list": 3 * 10**9, "revoked_licenses": 0, "lost_seats": 0, "kept_names": 0}
    beside = site.beside()
    came = Trust.read(beside.http("GET", "/v1/trust").content)
    assert came.revoked_licenses == {license_id}
    assert came.data == site.http("GET", "/v1/trust").content


def test_list_that_is_handed_in_to_several_replicas_at_once_is_merged_once(
    make_site, new_client, kind, vendor_keys, now
):
    site, machine = make_site(kind, vendor_keys), new_client()
    sold = [site.sell()[0] for _ in range(3)]
    _, key = site.sell()
    seat = License.read(site.activate(key, machine)["license"].encode(), vendor_keys.trust).lease
    unknown = [f"L-{number:024d}" for number in range(400)]
    offered = signed_list(site, 3 * 10**9, [*sold, seat, *unknown], now)
    replicas = [site.beside() for _ in range(4)]
    together = threading.Barrier(len(replicas))

    def hand_in(replica):
        together.wait()
        came = replica.http("POST", "/v1/trust", content=offered.data)
        return came.status_code, came.json()

    with ThreadPoolExecutor(len(replicas)) as pool:
        told = list(pool.map(hand_in, replicas))
    assert [status for status, _ in told] == [200] * len(replicas)
    for what, number in (("revoked_licenses", 3), ("lost_seats", 1), ("kept_names", 400)):
        assert sum(facts[what] for _, facts in told) == number
    assert published(site, now).revoked_licenses == {*sold, seat, *unknown}


def test_long_list_is_handed_in_whatever_the_limit_of_other_bodies_is(make_site, vendor_keys, now):
    site = make_site("sqlite", vendor_keys)
    offered = signed_list(site, 7, [f"L-{number:024d}" for number in range(3000)], now)
    assert len(offered.data) > 65536
    for _ in "ab":
        assert site.http("POST", "/v1/trust", content=offered.data).status_code == 200
    for path, size, limit in (("/v1/trust", MAX_TRUST, MAX_TRUST), ("/v1/carried", 65536, 65536)):
        came = site.http("POST", path, content=b" " * (size + 1))
        assert (came.status_code, came.json()["detail"]) == (413, f"body of more than {limit} bytes")


def test_clients_read_as_many_names_as_the_server_publishes_and_no_more(shop, now):
    names = [f"{number:064d}" for number in range(MAX_REVOKED + 1)]
    assert len(signed_list(shop, 1, names[1:], now).revoked_licenses) == MAX_REVOKED
    with pytest.raises(FormatError) as refused:
        signed_list(shop, 1, names, now)
    assert str(refused.value) == "revocation list.licenses: 100001 entries, expected 0 to 100000"


def test_version_rises_above_every_list_that_was_seen(shop, now):
    license_id, _ = shop.sell()
    with shop.database.write() as transaction:
        transaction.execute(update(revocation_list).values(version=4 * 10**9))
    revoke(shop, license_id, now)
    assert published(shop, now).revocations.version == 4 * 10**9 + 1


def test_seat_comes_off_when_the_licenses_for_it_have_ended_and_its_license_goes_on(shop, new_client, now):
    license_id, key = shop.sell(offline=30 * DAY)
    lost = shop.activate(key, new_client(), offline=True)
    seat = License.read(lost["license"].encode(), shop.ring.trust).lease
    with shop.at(now + HOUR).write() as transaction:
        life.free_seat(transaction, license_id, seat, "stolen", actor="test")
    assert published(shop, now + 30 * DAY + 4 * MINUTE).revoked_licenses == {seat}
    assert published(shop, now + 32 * DAY).revoked_licenses == frozenset()
