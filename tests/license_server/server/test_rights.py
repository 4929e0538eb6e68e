"""
What a holder must prove: nothing that can be guessed, computed or kept from before gets a license.
"""

import pytest

from ternary_license_server.service import catalog, life, records
from ternary_license_server.service import lease as lease_rows
from ternary_license_server.service.records import seconds
from ternary_sdk._internal.documents import canonical
from ternary_sdk._internal.licensing import installation
from ternary_sdk._internal.licensing.license import License
from ternary_sdk._internal.online import request as online_request
from ternary_sdk._internal.online import state as online_state
from ternary_sdk.errors import FormatError, LicenseError, Reason


def refusal(call):
    with pytest.raises(LicenseError) as caught:
        call()
    return caught.value


def lost(license_id, why):
    return f"license {license_id}: this machine holds no seat, {why}; activate again"


def transfer(shop, license_id, now, name="Hooli"):
    """Give a license to a new customer; its new key."""
    with shop.at(now).write() as transaction:
        customer = str(catalog.add_customer(transaction, name, actor="test")["id"])
        return str(life.transfer(transaction, license_id, customer, actor="test")["key"])


def asking(shop, make, license_id, lease, generation, held, now):
    document = make(license_id, lease, generation, vendor=shop.ring.trust.root.kid, held=held, now=now)
    return shop.ask(document, now)


@pytest.mark.parametrize("more", [0, 1, 2, 7])
@pytest.mark.parametrize("make", [online_request.renew, online_request.standing], ids=["renew", "standing"])
def test_old_holder_gets_nothing_after_a_transfer_whatever_he_counts(shop, new_client, now, make, more):
    license_id, key = shop.sell(now=now)
    held = new_client()
    shop.activate(key, held, now)
    lease = shop.lease(license_id, held)
    transfer(shop, license_id, now)
    why = "the license was transferred on 2026-03-01 12:00:00 UTC"
    if make is online_request.standing:
        expected = (
            f"license {license_id}: this machine holds no seat of generation {1 + more}; activate again"
        )
    else:
        expected = lost(license_id, why)
    told = refusal(lambda: asking(shop, make, license_id, lease, 1 + more, held, now))
    assert (told.code, str(told)) == (Reason.LEASE_LOST, expected)


@pytest.mark.parametrize("change", [life.revoke, life.suspend])
@pytest.mark.parametrize("make", [online_request.renew, online_request.standing], ids=["renew", "standing"])
def test_old_holder_learns_nothing_of_what_becomes_of_the_license(shop, new_client, now, make, change):
    license_id, key = shop.sell(now=now)
    held = new_client()
    shop.activate(key, held, now)
    lease = shop.lease(license_id, held)
    transfer(shop, license_id, now)
    before = refusal(lambda: asking(shop, make, license_id, lease, 1, held, now))
    with shop.at(now).write() as transaction:
        change(transaction, license_id, actor="test")
    after = refusal(lambda: asking(shop, make, license_id, lease, 1, held, now))
    assert (after.code, str(after)) == (before.code, str(before)) == (Reason.LEASE_LOST, str(before))


@pytest.mark.parametrize("guess", ["S-000000000000000000000000", "L-1", "S-ffffffffffffffffffffffff"])
def test_lease_number_that_is_guessed_proves_nothing(shop, new_client, now, guess):
    license_id, key = shop.sell(now=now)
    held = new_client()
    shop.activate(key, held, now)
    for make in (online_request.renew, online_request.release):
        told = refusal(lambda make=make: asking(shop, make, license_id, guess, 1, held, now))
        assert str(told) == lost(license_id, f"lease {guess} is not, or no longer, its own")
    told = refusal(lambda: asking(shop, online_request.standing, license_id, guess, 1, held, now))
    assert told.code is Reason.LEASE_LOST


def test_number_of_another_lease_proves_nothing(shop, new_client, now):
    license_id, key = shop.sell(now=now, seats=2)
    one, two = new_client(), new_client()
    for held in (one, two):
        shop.activate(key, held, now)
    lease = shop.lease(license_id, two)
    told = refusal(lambda: asking(shop, online_request.renew, license_id, lease, 1, one, now))
    assert str(told) == lost(license_id, f"lease {lease} is not, or no longer, its own")
    stranger = new_client()
    told = refusal(lambda: asking(shop, online_request.renew, license_id, lease, 1, stranger, now))
    assert str(told) == f"license {license_id}: this server knows no such license"


def test_old_key_and_old_requests_open_nothing_after_a_transfer(shop, new_client, now):
    license_id, key = shop.sell(now=now)
    held, vendor = new_client(), shop.ring.trust.root.kid
    activation = online_request.activate(key, vendor=vendor, held=held, now=now, machine=None)
    first = shop.ask(activation, now)
    renewal = shop.asking(online_request.renew, license_id, 1, held, now)
    shop.ask(renewal, now)
    transfer(shop, license_id, now)
    assert shop.ask(activation, now) == first  # what was given before, made out to the one who asked
    assert refusal(lambda: shop.ask(renewal, now)).code is Reason.LEASE_LOST
    again = online_request.activate(key, vendor=vendor, held=held, now=now, machine=None)
    assert refusal(lambda: shop.ask(again, now)).code is Reason.NOT_FOUND


def test_disowned_lease_keeps_its_seat_until_it_is_given_back(shop, new_client, now):
    license_id, key = shop.sell(now=now, seats=1)
    old, new = new_client(), new_client()
    shop.activate(key, old, now)
    key = transfer(shop, license_id, now)
    assert refusal(lambda: shop.activate(key, new, now)).code is Reason.TOO_MANY_MACHINES
    shop.release(license_id, 1, old, now)
    assert shop.activate(key, new, now)["generation"] == 1


def test_machine_that_goes_with_the_license_gets_another_number(shop, new_client, now):
    license_id, key = shop.sell(now=now, seats=1)
    held = new_client()
    shop.activate(key, held, now)
    before = shop.lease(license_id, held)
    key = transfer(shop, license_id, now)
    answer = shop.activate(key, held, now)
    license = License.read(answer["license"].encode(), shop.ring.trust)
    assert license.customer == "Hooli"
    assert license.lease == shop.lease(license_id, held) != before
    told = refusal(lambda: asking(shop, online_request.renew, license_id, before, 2, held, now))
    assert str(told) == lost(license_id, f"lease {before} is not, or no longer, its own")
    assert shop.renew(license_id, 2, held, now)["generation"] == 2
    with shop.database.read() as transaction:
        owners = [
            lease_rows.owner(transaction, license_id, held.kid, seat) for seat in (before, license.lease)
        ]
        assert None not in owners
        assert owners[0] != owners[1]


def test_a_new_key_for_the_same_customer_disowns_too(shop, new_client, now):
    license_id, key = shop.sell(now=now)
    held = new_client()
    shop.activate(key, held, now)
    with shop.at(now).write() as transaction:
        customer = records.find(transaction, license_id).customer
        life.transfer(transaction, license_id, customer, actor="test")
    assert refusal(lambda: shop.renew(license_id, 1, held, now)).code is Reason.LEASE_LOST


def without_lease(shop, make, license_id, held, now):
    """A request of version 1."""
    document = canonical.decode(
        make(license_id, "S-1", 1, vendor=shop.ring.trust.root.kid, held=held, now=now), "request"
    )
    action = make.__name__
    claims = {
        "action": action, "aud": shop.ring.trust.root.kid, "iat": seconds(now), "jti": "A" * 22,
        "license": license_id, "generation": 1,
    }  # fmt: skip
    token = held.sign_token(claims, typ=online_request.TYP).decode()
    return canonical.encode(document | {"format": online_request.WITHOUT_LEASE, "request": token})


@pytest.mark.parametrize(
    ("make", "verb"),
    [(online_request.renew, "renew"), (online_request.standing, "ask about")],
    ids=["r", "s"],
)
def test_request_of_version_1_gets_nothing_and_says_what_to_do(shop, new_client, now, make, verb):
    license_id, key = shop.sell(now=now)
    held = new_client()
    shop.activate(key, held, now)
    with pytest.raises(FormatError) as caught:
        shop.ask(without_lease(shop, make, license_id, held, now), now)
    assert str(caught.value) == (
        f"request: version 1 names no lease, so it cannot {verb} one; update the SDK, then run 'ternary "
        "activate' with the license key again"
    )


def test_file_of_version_1_that_gives_a_seat_back_is_still_taken(shop, new_client, now):
    license_id, key = shop.sell(now=now, seats=1)
    held = new_client()
    shop.activate(key, held, now)
    shop.ask(without_lease(shop, online_request.release, license_id, held, now), now, carried=True)
    assert shop.activate(key, new_client(), now)["generation"] == 1


def test_altered_activation_file_moves_nothing(site, tmp_path, now):
    license_id, key = site.sell()
    client = site.online(tmp_path)
    client.activate(key, site.moment)
    (record,) = site.kept(tmp_path).rglob(f"{license_id}.json")
    told = canonical.decode(record.read_bytes(), "record")
    moved = site.admin("POST", "/customers", json={"name": "Hooli"}).json()["id"]
    site.admin("POST", f"/licenses/{license_id}/transfer", json={"customer": moved})
    for change in ({}, {"generation": 2}, {"lease": "S-0"}, {"generation": 2, "lease": "S-0"}):
        record.write_bytes(canonical.encode(told | change))
        assert refusal(lambda: client.renew(license_id, site.moment)).code is Reason.LEASE_LOST
        assert not client.license_file(license_id).exists()


def test_record_of_an_older_sdk_takes_the_number_from_the_signed_license(site, tmp_path, now):
    license_id, key = site.sell()
    client = site.online(tmp_path)
    client.activate(key, site.moment)
    (record,) = site.kept(tmp_path).rglob(f"{license_id}.json")
    told = canonical.decode(record.read_bytes(), "record")
    lease = told.pop("lease")
    assert lease == site.lease(license_id, online_installation(site, tmp_path))
    record.write_bytes(canonical.encode(told | {"format": "ternary-activation/1"}))
    assert online_state.find(site.kept(tmp_path), license_id).lease is None
    client.standing(license_id, site.moment)
    client.license_file(license_id).unlink()
    assert str(refusal(lambda: client.standing(license_id, site.moment))) == (
        f"license {license_id}: an older SDK kept no lease number, without which no seat can be renewed or "
        "given back; run 'ternary activate' with the license key again"
    )


def online_installation(site, place):
    return installation.find(site.kept(place))
