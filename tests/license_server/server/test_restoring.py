"""A server that comes back from a backup tells nobody what it cannot know, and gives no seat twice."""

import shutil
import subprocess
from contextlib import closing
from datetime import timedelta

import pytest
from sqlalchemy import delete
from stress.databases import postgresql

from ternary_license_server.database.engine import Database, DatabaseError
from ternary_license_server.database.schema import audit as audit_rows
from ternary_license_server.database.schema import audit_heads, lease_numbers, leases, licenses, seat_counts
from ternary_license_server.keys import keyring, keyset, rotation
from ternary_license_server.local import restoration
from ternary_license_server.local.backup import backup
from ternary_license_server.local.restoration import Wish
from ternary_license_server.service import (
    access,
    audit,
    auditing,
    life,
    metering,
    publication,
    records,
    restoring,
)
from ternary_license_server.service.access import Scope
from ternary_license_server.service.publication import Publication
from ternary_license_server.service.records import State
from ternary_license_server.service.refusals import Code, ServiceError
from ternary_sdk._internal.licensing.ledger import Ledger
from ternary_sdk._internal.licensing.license import License
from ternary_sdk._internal.licensing.state import LEDGER
from ternary_sdk._internal.online import request as online_request
from ternary_sdk._internal.trust.trust import Role, Trust
from ternary_sdk.errors import InputError, LicenseError, Reason, ServerError, SignatureError
from ternary_sdk.operations import OperationSet
from ternary_sdk.space import TERNARY_2

HOUR, DAY, MINUTE = timedelta(hours=1), timedelta(days=1), timedelta(minutes=1)
HOLD = 2 * HOUR + 5 * MINUTE
"""How long the mode lasts where every policy has an hour's lease and an hour's grace."""


@pytest.fixture
def shop(new_shop):
    return new_shop


def begin(shop, at, *, since, newest=None, **wish):
    """Restore in place: what ``since`` knew is what the database holds."""
    shop.at(since)
    with shop.database.write() as transaction:
        transaction.mark_clock()
    shop.at(at)
    done = restoration.restore(shop.database, shop.ring.directory, Wish(newest=newest, **wish))
    return done.facts


def refusal(call):
    with pytest.raises((LicenseError, ServiceError)) as refused:
        call()
    return refused.value.code


def later(until):
    return (
        "this server was restored from a backup and does not know everything yet; what you have stays as it "
        f"is; try again later, at the latest after {until:%Y-%m-%d %H:%M:%S} UTC"
    )


def test_what_the_backup_does_not_know_is_answered_with_try_later(shop, new_client, now):
    license_id, key = shop.sell()
    held = shop.activate(key, new_client())
    begin(shop, now + HOUR, since=now)
    stranger, at = new_client(), now + HOUR
    with pytest.raises(ServiceError) as refused:
        shop.renew("L-sold-since", 1, stranger, at)
    assert (refused.value.code, str(refused.value)) == (Code.TRY_LATER, later(at + HOLD))
    vendor = shop.ring.trust.root.kid
    standing = online_request.standing("L-sold-since", "S-0", 1, vendor=vendor, held=stranger, now=at)
    for call in (
        lambda: shop.activate("00000-00000-00000-00000-00000", stranger, at),
        lambda: shop.release("L-sold-since", 1, stranger, at),
        lambda: shop.ask(standing, at),
        lambda: shop.renew(license_id, 1, stranger, at),
        lambda: shop.release(license_id, 1, stranger, at),
        lambda: shop.activate(key, stranger, at),
    ):
        assert refusal(call) is Code.TRY_LATER
    assert held["generation"] == 1


def test_denials_come_back_when_the_mode_has_ended_by_itself(shop, new_client, now):
    license_id, key = shop.sell(seats=3)
    begin(shop, now + HOUR, since=now)
    last = now + HOUR + HOLD
    assert refusal(lambda: shop.activate(key, new_client(), last - timedelta(seconds=1))) is Code.TRY_LATER
    assert refusal(lambda: shop.renew("L-0", 1, new_client(), last)) is Reason.NOT_FOUND
    assert refusal(lambda: shop.renew(license_id, 1, new_client(), last)) is Reason.NOT_FOUND
    machine = new_client()
    assert shop.activate(key, machine, last)["generation"] == 1
    assert refusal(lambda: shop.renew(license_id, 9, machine, last)) is Reason.LEASE_LOST


def test_holder_that_renewed_since_the_backup_renews_on(shop, new_client, now):
    license_id, key = shop.sell(seats=1)
    machine = new_client()
    held = shop.activate(key, machine)
    begin(shop, now + 10 * HOUR, since=now)
    again = shop.renew(license_id, held["generation"], machine, now + 11 * HOUR)
    assert License.read(again["license"].encode(), shop.ring.trust).expires > now + 11 * HOUR


def test_holder_of_the_backup_keeps_the_seat_that_it_may_have_renewed(shop, new_client, now):
    _, key = shop.sell(seats=1)
    other, machine = new_client(), new_client()
    given = shop.activate(key, other, now - 5 * HOUR)
    shop.release(given["id"], given["generation"], other, now - 4 * HOUR)
    shop.activate(key, machine)
    begin(shop, now + 10 * HOUR, since=now + HOUR)
    assert refusal(lambda: shop.activate(key, other, now + 10 * HOUR)) is Reason.TOO_MANY_MACHINES
    assert shop.activate(key, machine, now + 10 * HOUR)["generation"] == 2


def test_lease_that_had_ended_at_the_backup_is_not_revived(shop, new_client, now):
    license_id, key = shop.sell()
    machine = new_client()
    held = shop.activate(key, machine)
    begin(shop, now + 10 * HOUR, since=now + 3 * HOUR)
    assert refusal(lambda: shop.renew(license_id, held["generation"], machine, now + 10 * HOUR)) is (
        Code.TRY_LATER
    )
    assert shop.activate(key, machine, now + 10 * HOUR)["generation"] == 2


def test_vendor_who_accepts_oversell_gives_seats_at_once(shop, new_client, now):
    _, key = shop.sell()
    facts = begin(shop, now + HOUR, since=now, oversell=True)
    assert facts["oversell"] is True
    assert shop.activate(key, new_client(), now + HOUR)["generation"] == 1
    with shop.database.read() as transaction:
        (entry,) = audit.entries(transaction, "restoration")
        (warning,) = restoring.warnings(transaction)
        assert list(auditing.faults(transaction)) == []
    assert (entry.actor, entry.action) == ("local", "server.restore")
    assert '"oversell":true' in entry.detail
    assert warning.endswith("machines that it does not know get seats, and may be too many")


def test_license_that_is_issued_after_the_restoration_is_known(shop, new_client, now):
    begin(shop, now + HOUR, since=now)
    license_id, key = shop.sell(now + HOUR)
    machine = new_client()
    assert shop.activate(key, machine, now + HOUR)["generation"] == 1
    assert refusal(lambda: shop.renew(license_id, 9, machine, now + HOUR)) is Reason.LEASE_LOST


def test_second_restoration_shortens_nothing_of_the_first(shop, new_client, now):
    _, key = shop.sell()
    first = begin(shop, now + HOUR, since=now, longest=90 * DAY)
    second = begin(shop, now + 3 * HOUR, since=now + 2 * HOUR, oversell=True)
    assert (second["newest"], second["until"]) == (first["newest"], first["until"])
    assert second["begun"] == int((now + 3 * HOUR).timestamp())
    late = now + 80 * DAY
    assert refusal(lambda: shop.renew("L-sold-since", 1, new_client(), late)) is Code.TRY_LATER
    assert shop.activate(key, new_client(), late)["generation"] == 1
    longer = begin(shop, late, since=late, longest=90 * DAY)
    assert longer["until"] == first["until"] + int((late - now - HOUR).total_seconds())


def test_license_without_a_seat_limit_gives_seats_in_the_restored_mode(shop, new_client, now):
    _, key = shop.sell(seats=None)
    begin(shop, now + HOUR, since=now)
    assert shop.activate(key, new_client(), now + HOUR)["generation"] == 1


def test_disowned_lease_is_not_prolonged_by_a_restoration(shop, new_client, now):
    license_id, key = shop.sell(seats=1)
    old, new = new_client(), new_client()
    shop.activate(key, old)
    with shop.database.write() as transaction:
        owner = records.find(transaction, license_id).customer
        key = life.transfer(transaction, license_id, owner, actor="test")["key"]
    assert begin(shop, now + HOUR, since=now, oversell=True)["leases_kept"] == 0
    assert shop.activate(key, new, now + HOLD)["generation"] == 1


def test_list_of_a_restored_server_is_newer_than_any_of_the_lost_time(shop, now):
    license_id, _ = shop.sell()
    with shop.database.write() as transaction:
        life.revoke(transaction, license_id, actor="test")
    Publication(shop.database).trust(shop.ring)
    begin(shop, now + 2 * HOUR, since=now)
    version = Publication(shop.database).trust(shop.ring).revocations.version
    assert version == int((now + 2 * HOUR).timestamp())


def test_change_since_the_backup_is_not_denied_and_one_after_the_restoration_is(shop, new_client, now):
    license_id, key = shop.sell(term=2 * HOUR)
    machine = new_client()
    held = shop.activate(key, machine)
    begin(shop, now + 3 * HOUR, since=now)
    renew = lambda: shop.renew(license_id, held["generation"], machine, now + 3 * HOUR)  # noqa: E731
    assert refusal(renew) is Code.TRY_LATER  # it may have been prolonged
    with shop.database.write() as transaction:
        life.suspend(transaction, license_id, actor="token T-1")
    assert refusal(renew) is Reason.SUSPENDED
    with shop.database.write() as transaction:
        life.revoke(transaction, license_id, actor="token T-1")
    assert refusal(renew) is Reason.REVOKED


def test_license_that_was_revoked_since_the_backup_is_revoked_again(shop, new_client, now):
    license_id, key = shop.sell()
    held = shop.activate(key, new_client())
    token = keyset.sign_revocations(
        shop.ring.signer(Role.LICENSE),
        vendor=shop.ring.vendor,
        version=int((now + 2 * DAY).timestamp()),
        licenses=[license_id],
        now=now + MINUTE,
    )
    key_set = publication.key_set(shop.ring.trust)
    newest = keyset.trust_file(shop.ring.trust.root, key_set, token)
    facts = begin(shop, now + HOUR, since=now, newest=newest)
    assert (facts["revoked_licenses"], facts["list"]) == (1, newest.revocations.version)
    with shop.database.read() as transaction:
        assert records.find(transaction, license_id).state is State.REVOKED
    listed = Publication(shop.database).trust(shop.ring)
    assert license_id in listed.revoked_licenses
    assert listed.revocations.version > newest.revocations.version
    with pytest.raises(LicenseError):
        License.read(held["license"].encode(), listed)


def test_name_of_a_restored_server_stays_until_what_was_given_since_has_ended(shop, now):
    license_id, _ = shop.sell()
    begin(shop, now + HOUR, since=now, longest=40 * DAY)
    with shop.at(now + 2 * HOUR).write() as transaction:
        life.revoke(transaction, license_id, actor="test")
    shop.at(now + 40 * DAY)
    assert Publication(shop.database).trust(shop.ring).revoked_licenses == {license_id}
    shop.at(now + 42 * DAY)
    assert Publication(shop.database).trust(shop.ring).revoked_licenses == frozenset()


def test_admin_tokens_of_the_backup_end(shop, now):
    with shop.at(now).write() as transaction:
        made = access.add(transaction, "ci", Scope.ISSUER, expires=now + DAY, actor="test")
    assert begin(shop, now + HOUR, since=now)["tokens_ended"] == 1
    with pytest.raises(ServiceError) as refused, shop.database.read() as transaction:
        access.identify(transaction, made["secret"])
    assert refused.value.code is Code.UNAUTHENTICATED


def test_backup_is_put_in_the_place_of_the_lost_database(make_shop, new_client, tmp_path, now):
    """The whole way on SQLite, as files: what was sold and given since is gone, and nobody is denied."""
    shop = make_shop(f"sqlite:///{tmp_path / 'server.sqlite3'}")
    known_id, known_key = shop.sell()
    bad_id, _ = shop.sell()
    machine = new_client()
    held = shop.activate(known_key, machine)
    with shop.database.write() as transaction:
        transaction.mark_clock()
    backup(shop.database, tmp_path / "monday")
    sold_id, sold_key = shop.sell(now + HOUR)
    customer = new_client()
    theirs = shop.activate(sold_key, customer, now + HOUR)
    held = shop.renew(known_id, held["generation"], machine, now + HOUR)
    with shop.at(now + HOUR).write() as transaction:
        life.revoke(transaction, bad_id, actor="test")
    newest = Publication(shop.database).trust(shop.ring)
    shop.database.close()
    for path in tmp_path.glob("server.sqlite3*"):
        path.unlink()

    at = now + 3 * HOUR
    shop.at(at)
    wish = Wish(newest=newest)
    done = restoration.restore(shop.database, shop.ring.directory, wish, tmp_path / "monday")
    assert done.audit_faults == ()
    assert {name: done.facts[name] for name in ("revoked_licenses", "leases_kept", "newest")} == {
        "revoked_licenses": 1, "leases_kept": 1, "newest": int(now.timestamp())
    }  # fmt: skip
    assert sorted(path.name for path in tmp_path.iterdir() if path.name.startswith((".", "server"))) == [
        "server.sqlite3"
    ]
    assert (tmp_path / "server.sqlite3").stat().st_mode & 0o777 == 0o600
    assert refusal(lambda: shop.renew(sold_id, theirs["generation"], customer, at)) is Code.TRY_LATER
    assert shop.renew(known_id, held["generation"], machine, at)["generation"] == 1
    assert Publication(shop.database).trust(shop.ring).revoked_licenses == {bad_id}
    shop.database.close()


@pytest.mark.skipif(shutil.which("pg_restore") is None, reason="PostgreSQL's own programs are not here")
def test_database_that_pg_restore_put_in_its_place_is_adopted(
    make_shop, new_client, tmp_path, now, database_address, database_kinds
):
    if "postgresql" not in database_kinds:
        pytest.skip("no PostgreSQL")
    with database_address("postgresql", tmp_path) as url:
        shop, base = make_shop(url), postgresql()
        schema = url.rpartition("%3D")[2]
        license_id, key = shop.sell()
        held = shop.activate(key, machine := new_client())
        with shop.database.write() as transaction:
            transaction.mark_clock()
        dump = str(tmp_path / "monday")
        subprocess.run(["pg_dump", "-Fc", "-n", schema, "-f", dump, base], check=True, capture_output=True)
        _, sold_key = shop.sell(now + HOUR)
        shop.activate(sold_key, customer := new_client(), now + HOUR)
        shop.database.close()
        restored = ["pg_restore", "--clean", "--if-exists", "-d", base, dump]
        subprocess.run(restored, check=True, capture_output=True)

        at = now + 3 * HOUR
        shop.at(at)
        restoration.restore(shop.database, shop.ring.directory, Wish(newest=shop.ring.trust))
        assert refusal(lambda: shop.activate(sold_key, customer, at)) is Code.TRY_LATER
        assert shop.renew(license_id, held["generation"], machine, at)["generation"] == 1
        with shop.database.read() as transaction:
            assert list(auditing.faults(transaction)) == []
        shop.database.close()


def test_restoration_that_is_refused_leaves_nothing(make_shop, tmp_path, now, vendor_keys):
    shop = make_shop(f"sqlite:///{tmp_path / 'server.sqlite3'}")
    license_id, _ = shop.sell()
    old = Publication(shop.database).trust(shop.ring)
    with shop.database.write() as transaction:
        life.revoke(transaction, license_id, actor="test")
        transaction.mark_clock()
    newest = Publication(shop.database).trust(shop.ring)
    backup(shop.database, tmp_path / "monday")
    (tmp_path / "torn").write_bytes((tmp_path / "monday").read_bytes()[:9000])
    (tmp_path / "text").write_bytes(b"precious")

    def restore(source, wish):
        clock = shop.hands.clock()  # of a process of its own
        with closing(Database(shop.database.url, clock=clock)) as database:
            restoration.restore(database, vendor_keys.directory, wish, source)

    def refused(source, wish=None):
        with pytest.raises((InputError, DatabaseError)) as refusal:
            restore(source, wish or Wish(newest=newest))
        return str(refusal.value)

    place = tmp_path / "server.sqlite3"
    shop.database.close()
    assert refused(tmp_path / "monday") == f"{place}: exists already; a backup never overwrites a file"
    place.unlink()
    left = tmp_path / "server.sqlite3-wal"
    left.write_bytes(b"x")
    assert refused(tmp_path / "monday") == (
        f"{left}: is of the database that was there; move it away, with that database"
    )
    left.unlink()
    for ending in ("-shm", "-journal"):
        (tmp_path / f"server.sqlite3{ending}").unlink(missing_ok=True)
    assert refused(tmp_path / "none") == f"{tmp_path}/none: cannot be read (No such file or directory)"
    for name in ("torn", "text"):
        assert refused(tmp_path / name).startswith(f"{tmp_path}/{name}: not a whole backup (")
    assert refused(tmp_path / "monday", Wish(newest=old)) == (
        f"trust file: its revocation list has version 0, and the backup's own {newest.revocations.version}; "
        "give the newest that any customer has"
    )
    shop.at(now + 100 * HOUR)
    assert refused(tmp_path / "monday") == (
        "clock: says 2026-03-05 16:00:00 UTC, 4 days ahead of the newest moment that this database has seen, "
        "2026-03-01 12:00:00 UTC; if the clock is right, add --today with today's date, UTC"
    )
    today = (now + 100 * HOUR).date()
    assert refused(tmp_path / "monday", Wish(newest=newest, today=today - DAY)) == (
        "clock: says 2026-03-05 16:00:00 UTC, and you say 2026-03-04; set it right"
    )
    assert sorted(path.name for path in tmp_path.iterdir()) == ["monday", "text", "torn"]
    restore(tmp_path / "monday", Wish(newest=newest, today=today))
    with shop.database.read() as transaction:
        transaction.check_clock()
    shop.database.close()


def test_newest_trust_file_is_this_vendors_and_not_newer_than_the_keys(shop, tmp_path, now):
    other = keyring.create(tmp_path / "other", "Acme Logic", now - DAY)
    with pytest.raises(SignatureError) as refused:
        begin(shop, now, since=now, newest=rotation.revoke_license(other, "L-1", now).trust)
    assert str(refused.value).startswith(f"trust file: root is {other.trust.root.kid}, this vendor's is ")
    shutil.copytree(shop.ring.directory, tmp_path / "keys")
    rotated = rotation.extend(keyring.load(tmp_path / "keys"), None, now)
    with pytest.raises(InputError) as refused:
        begin(shop, now, since=now, newest=rotated.trust)
    assert str(refused.value) == (
        "keys: their key set has version 1, the newest trust file's has 2; put that file and its private "
        f"keys into {shop.ring.directory} first"
    )


def test_place_without_a_license_servers_database_is_refused(tmp_path, database_address, kind, vendor_keys):
    with database_address(kind, tmp_path) as url, closing(Database(url)) as empty:
        if kind == "sqlite":
            with pytest.raises(InputError) as none:
                restoration.restore(empty, vendor_keys.directory, Wish(newest=None))
            assert str(none.value).endswith(": no such file; name a backup to be put there")
            empty.file.write_bytes(b"")
        with pytest.raises(DatabaseError) as refused:
            restoration.restore(empty, vendor_keys.directory, Wish(newest=None))
        assert str(refused.value).endswith(": not a license server's")
        if kind == "postgresql":
            with pytest.raises(InputError) as other:
                restoration.restore(empty, vendor_keys.directory, Wish(newest=None), tmp_path / "x")
            assert str(other.value).endswith(
                ": not SQLite; restore it with pg_restore, then run this without a backup"
            )


def test_client_takes_try_later_for_no_end_and_nothing_is_extended(
    make_site, kind, vendor_keys, tmp_path, now
):
    """The answer is signed; its code is not a reason of licenses, so older clients keep theirs too."""
    site = make_site(kind, vendor_keys)
    license_id, key = site.sell()
    client = site.online(tmp_path / "client")
    client.activate(key, now)
    before = client.license_file(license_id).read_bytes()
    forget(site, license_id)
    begin(site, now + HOUR, since=now)
    for call in (client.renew, client.standing, client.deactivate):
        with pytest.raises(ServerError) as refused:
            call(license_id, now + HOUR)
        assert refused.value.code == "TRY_LATER"
    assert "TRY_LATER" not in list(Reason)
    assert client.license_file(license_id).read_bytes() == before
    assert License.read(before, Trust.read(vendor_keys.trust.data)).id == license_id
    came = site.http("POST", "/v1/renewals", content=b"{}")
    assert came.status_code == 400
    (warning,) = [one for one in site.http("GET", "/readyz").json()["warnings"] if "restored" in one]
    assert warning == (
        "restored on 2026-03-01 13:00:00 UTC from a backup of 2026-03-01 12:00:00 UTC: until "
        "2026-03-01 15:05:00 UTC what the backup does not know is answered with TRY_LATER, and machines "
        "that it does not know get no seat"
    )


def test_client_with_a_set_of_a_lost_lease_renews_and_reports_again_what_was_lost(
    make_site, vendor_keys, tmp_path, now
):
    """A backup of before two reports: of a lease that it does not know, and of one that it does."""
    site = make_site("sqlite", vendor_keys)
    license_id, key = site.sell(unique_operations=1000)
    client = site.online(tmp_path / "client")
    ledger = Ledger(site.kept(tmp_path / "client") / LEDGER)

    def count(operations, license):
        ledger.record(
            license_id, 1000, OperationSet.of(operations), lease=license.lease, owner=license.customer
        )

    def license():
        return License.read(client.license_file(license_id).read_bytes(), vendor_keys.trust)

    def new_key():
        with site.database.write() as transaction:
            owner = records.find(transaction, license_id).customer
            return life.transfer(transaction, license_id, owner, actor="test")["key"]

    client.activate(key, now)
    first = license()
    key = new_key()
    client.activate(key, now)
    second = license()
    with site.database.write() as transaction:
        transaction.mark_clock()
    backup(site.database, tmp_path / "backup")
    count(range(50), first)  # by a process that still has it open
    count([90], second)
    client.renew(license_id, now)
    client.activate(new_key(), now)
    count([91], license())
    client.renew(license_id, now)
    place = site.database.file
    site.database.close()
    for lost in place.parent.glob(f"{place.name}*"):
        lost.unlink()
    site.moment = now + MINUTE
    restoration.restore(site.database, vendor_keys.directory, Wish(newest=None), tmp_path / "backup")
    client.activate(key, site.moment)
    assert license().lease == second.lease
    client.renew(license_id, site.moment)
    with site.database.read() as transaction:
        owner = records.find(transaction, license_id).customer
        assert len(metering.find(transaction, license_id, owner, TERNARY_2).operations) == 51


def forget(shop, license_id):
    """Remove a license, as a backup of before it was sold has it."""
    with shop.database.write() as transaction:
        parts = (lease_numbers.c.license, seat_counts.c.license, leases.c.license)
        for part in (*parts, licenses.c.id, audit_rows.c.stream, audit_heads.c.stream):
            transaction.execute(delete(part.table).where(part == license_id))
