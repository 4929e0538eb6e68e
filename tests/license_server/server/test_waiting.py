"""Who waits for another change of the same license: what it finds afterwards, and what it may still do."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import event, text

import ternary_license_server
from ternary_license_server.database.engine import Database
from ternary_license_server.database.schema import customers, licenses
from ternary_license_server.database.transaction import locking
from ternary_license_server.service import access, audit, auditing, catalog, life, records
from ternary_license_server.service.refusals import ServiceError
from ternary_sdk._internal.identity import PackageIdentity
from ternary_sdk._internal.online import request as online_request
from ternary_sdk.errors import LicenseError, Reason

HOLD, SECOND = timedelta(hours=2), timedelta(seconds=1)
END = records.seconds(datetime(2026, 4, 1, tzinfo=UTC))
PID = text("SELECT pg_backend_pid()")
WAITING = text("SELECT count(*) FROM pg_stat_activity WHERE :holder = ANY(pg_blocking_pids(pid))")


@pytest.fixture
def replicas(kind, tmp_path, database_address, make_shop):
    """A shop, and a second server process's connection to the same database."""
    with database_address(kind, tmp_path) as url:
        shop = make_shop(url)
        other = Database(url, clock=shop.hands.clock())
        yield shop, other
        shop.database.close()
        other.close()


def await_waiter(database, transaction):
    """Return when somebody waits for a transaction's locks. SQLite does not say so; there nobody else may
    begin to write, so whoever tries will wait."""
    if database.sqlite:
        return
    holder = {"holder": transaction.execute(PID).scalar_one()}
    with database.engine.connect() as connection:
        watch = connection.execution_options(isolation_level="AUTOCOMMIT")
        for _ in range(1000):
            if watch.execute(WAITING, holder).scalar_one():
                return
            threading.Event().wait(0.01)
    raise AssertionError("nobody waits")


@contextmanager
def behind(shop, first, second):
    """Make a change, let ``second`` wait for it, and commit; gives the future of what ``second`` returns."""
    with ThreadPoolExecutor(1) as pool:
        with shop.database.write() as transaction:
            first(transaction)
            waiting = pool.submit(second)
            await_waiter(shop.database, transaction)
        yield waiting


CHANGES = {
    "revoke": lambda t, id: life.revoke(t, id, actor="test"),
    "suspend": lambda t, id: life.suspend(t, id, actor="test"),
    "renew": lambda t, id: life.renew(t, id, None, actor="test"),
    "lock": lambda t, id: records.lock(t, id).facts(),
}


@pytest.mark.parametrize("change", CHANGES)
def test_change_that_waits_for_a_transfer_is_made(replicas, change):
    shop, other = replicas
    license_id, _ = shop.sell()
    with shop.database.write() as transaction:
        receiver = str(catalog.add_customer(transaction, "Globex", actor="test")["id"])

    def transfer(transaction):
        life.transfer(transaction, license_id, receiver, actor="test")

    def wait():
        with other.write() as transaction:
            return CHANGES[change](transaction, license_id)

    with behind(shop, transfer, wait) as waiting:
        assert waiting.result(20)["customer"] == receiver
    with shop.database.read() as transaction:
        assert list(auditing.faults(transaction)) == []


def test_old_key_that_waits_for_a_transfer_opens_nothing(replicas, new_client, now):
    shop, other = replicas
    license_id, key = shop.sell()
    customer = read(shop, license_id).customer
    second = type(shop)(other, shop.ring, shop.hands)

    def transfer(transaction):
        life.transfer(transaction, license_id, customer, actor="test")

    with (
        behind(shop, transfer, lambda: second.activate(key, new_client(), now)) as waiting,
        pytest.raises(LicenseError) as refusal,
    ):
        waiting.result(20)
    assert refusal.value.code is Reason.NOT_FOUND
    assert str(refusal.value) == "license key: this server knows no such license"


def read(shop, license_id):
    with shop.database.read() as transaction:
        return records.find(transaction, license_id)


@contextmanager
def held_up(shop, license_id, call, until):
    """Let ``call`` wait for a license that somebody has locked ``until`` a moment; gives its future."""
    with ThreadPoolExecutor(1) as pool:
        with shop.database.write() as transaction:
            records.lock(transaction, license_id)
            waiting = pool.submit(call)
            await_waiter(shop.database, transaction)
            shop.hands.moment = until
        yield waiting


def test_renewal_that_waits_until_its_lease_has_ended_revives_nothing(replicas, new_client, now):
    shop, other = replicas
    license_id, key = shop.sell(seats=1)
    first, end = new_client(), now + HOLD
    shop.activate(key, first, now)
    shop.hands.moment = end - SECOND
    document = shop.asking(online_request.renew, license_id, 1, first, shop.hands.moment)
    replica = type(shop)(other, shop.ring, shop.hands)
    with (
        held_up(shop, license_id, lambda: replica.perform(document), end) as waiting,
        pytest.raises(LicenseError) as refusal,
    ):
        waiting.result(20)
    assert refusal.value.code is Reason.LEASE_LOST
    assert shop.activate(key, new_client(), end)["generation"] == 1


def test_lease_begins_after_the_wait_for_its_license(replicas, new_client, now):
    shop, other = replicas
    license_id, key = shop.sell(seats=1)
    held, vendor, later = new_client(), shop.ring.trust.root.kid, now + 9 * SECOND
    document = online_request.activate(key, vendor=vendor, held=held, now=now, machine=None)
    replica = type(shop)(other, shop.ring, shop.hands)
    with held_up(shop, license_id, lambda: replica.perform(document), later) as waiting:
        assert waiting.result(20)["ends"] == records.seconds(later + HOLD)
    with shop.database.read() as transaction:
        assert audit.entries(transaction, license_id)[-1].at == records.seconds(later)


def test_every_change_reads_the_clock_after_its_last_deciding_lock(replicas, new_client, now):
    """On PostgreSQL with the database's own clock: what is asked of the database, in order."""
    shop, other = replicas
    if other.sqlite:
        pytest.skip("SQLite has one writer: its transactions wait before they begin")
    real = datetime.now(UTC)
    _, key = shop.sell(real, seats=1)
    with closing(Database(other.url.render_as_string(hide_password=False))) as database:
        asked = []
        event.listen(database.engine, "before_cursor_execute", lambda *a: asked.append(a[2]))
        replica = type(shop)(database, shop.ring, shop.hands)
        document = online_request.activate(
            key, vendor=shop.ring.trust.root.kid, held=new_client(), now=real, machine=None
        )
        ends = replica.perform(document)["ends"]
    lock = next(i for i, statement in enumerate(asked) if "FOR UPDATE" in statement)
    insert = next(i for i, statement in enumerate(asked) if "INSERT INTO leases" in statement)
    assert any("clock_timestamp()" in statement for statement in asked[lock:insert])
    assert abs(ends - records.seconds(real + HOLD)) <= 5


def test_change_that_waits_is_not_made_once_its_tokens_revocation_was_answered(
    kind, tmp_path, make_site, vendor_keys
):
    site = make_site(kind, vendor_keys)
    license_id, _ = site.sell()
    made = site.admin("POST", "/tokens", json={"name": "x", "scope": "issuer", "expires": END}).json()
    changing, rival = site.beside(), {"Authorization": f"Bearer {made['secret']}"}

    def suspend():
        return changing.admin("POST", f"/licenses/{license_id}/suspend", headers=rival)

    with ThreadPoolExecutor(1) as pool:
        with site.database.write() as transaction:
            records.lock(transaction, license_id)
            waiting = pool.submit(suspend)
            await_waiter(site.database, transaction)
            access.revoke(transaction, made["id"], actor="test")
        told = waiting.result(20)
    assert (told.status_code, told.json()["code"]) == (401, "UNAUTHENTICATED")
    assert read(site, license_id).state is records.State.ACTIVE
    assert [entry.action for entry in history(site, license_id)] == ["license.issue"]


def test_token_may_end_itself(make_site, kind, vendor_keys):
    site = make_site(kind, vendor_keys)
    made = site.admin("POST", "/tokens", json={"name": "x", "scope": "admin", "expires": END}).json()
    mine = {"Authorization": f"Bearer {made['secret']}"}
    assert site.admin("POST", f"/tokens/{made['id']}/revoke", headers=mine).status_code == 200
    assert site.admin("GET", "/customers", headers=mine).status_code == 401


def test_answer_that_is_repeated_is_not_given_to_a_token_that_was_revoked(make_site, kind, vendor_keys):
    site = make_site(kind, vendor_keys)
    made = site.admin("POST", "/tokens", json={"name": "x", "scope": "issuer", "expires": END}).json()
    mine = {"Authorization": f"Bearer {made['secret']}", "Idempotency-Key": "key-number-one"}
    assert site.admin("POST", "/customers", json={"name": "Initech"}, headers=mine).status_code == 201
    site.admin("POST", f"/tokens/{made['id']}/revoke")
    assert site.admin("POST", "/customers", json={"name": "Initech"}, headers=mine).status_code == 401


def test_no_lock_names_two_tables():
    with pytest.raises(ValueError, match="a lock of licenses names another table"):
        locking(licenses, licenses.c.id, where=licenses.c.customer == customers.c.id)


def test_rows_are_locked_in_one_place_only():
    source = Path(ternary_license_server.__file__).parent
    found = {path.name for path in source.rglob("*.py") if "with_for_update" in path.read_text("utf-8")}
    assert found == {
        "transaction.py",
        *("once.py", "outbox.py"),  # these skip what others have locked, and wait for nobody
        *("archiving.py", "checkpoints.py"),  # many heads at once, by their names
    }


def history(shop, license_id):
    with shop.database.read() as transaction:
        return audit.entries(transaction, license_id)


def package(version, digest):
    return PackageIdentity(name="newcomer", version=(version, 0, 0), digest=digest * 64)


def test_first_releases_of_a_product_at_once_are_both_made(replicas):
    shop, other = replicas

    def wait():
        with other.write() as transaction:
            return catalog.add_release(transaction, package(2, "d"), None, actor="test")

    def release(transaction):
        catalog.add_release(transaction, package(1, "c"), None, actor="test")

    with behind(shop, release, wait) as waiting:
        assert waiting.result(20)["version"] == "2.0.0"
    with shop.database.read() as transaction:
        found = catalog.list_releases(transaction, after="", limit=100)
        assert list(auditing.faults(transaction)) == []
    assert {one["version"] for one in found if one["product"] == "newcomer"} == {"1.0.0", "2.0.0"}


def test_same_first_release_at_once_is_made_once_and_the_other_is_told(replicas):
    shop, other = replicas

    def release(transaction):
        catalog.add_release(transaction, package(1, "c"), None, actor="test")

    def wait():
        with other.write() as transaction:
            release(transaction)

    with behind(shop, release, wait) as waiting, pytest.raises(ServiceError) as refusal:
        waiting.result(20)
    assert (
        str(refusal.value)
        == "release newcomer 1.0.0 (sha256 cccccccccccc…): this version or digest was released before"
    )
