"""Who waits for another change of the same license: what it finds afterwards, and what it may still do."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from sqlalchemy import text

from ternary_license_server.database.engine import Database
from ternary_license_server.service import audit, catalog, life, records
from ternary_sdk.errors import LicenseError, Reason

PID = text("SELECT pg_backend_pid()")
WAITING = text("SELECT count(*) FROM pg_stat_activity WHERE :holder = ANY(pg_blocking_pids(pid))")


@pytest.fixture
def replicas(kind, tmp_path, database_address, make_shop):
    """A shop, and a second server process's connection to the same database."""
    with database_address(kind, tmp_path) as url:
        shop, other = make_shop(url), Database(url)
        yield shop, other
        shop.database.close()
        other.close()


def await_waiter(database, transaction):
    """Return when somebody waits for a transaction's locks. SQLite does not say so; there the wait is certain,
    because nobody else may begin to write."""
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
    "revoke": lambda t, id, now: life.revoke(t, id, actor="test", now=now),
    "suspend": lambda t, id, now: life.suspend(t, id, actor="test", now=now),
    "renew": lambda t, id, now: life.renew(t, id, None, actor="test", now=now),
    "lock": lambda t, id, now: records.lock(t, id).facts(),
}


@pytest.mark.parametrize("change", CHANGES)
def test_change_that_waits_for_a_transfer_is_made(replicas, now, change):
    shop, other = replicas
    license_id, _ = shop.sell()
    with shop.database.write() as transaction:
        receiver = str(catalog.add_customer(transaction, "Globex", actor="test", now=now)["id"])

    def transfer(transaction):
        life.transfer(transaction, license_id, receiver, actor="test", now=now)

    def wait():
        with other.write() as transaction:
            return CHANGES[change](transaction, license_id, now)

    with behind(shop, transfer, wait) as waiting:
        assert waiting.result(20)["customer"] == receiver
    with shop.database.read() as transaction:
        assert audit.faults(transaction) == []


def test_old_key_that_waits_for_a_transfer_opens_nothing(replicas, new_client, now):
    shop, other = replicas
    license_id, key = shop.sell()
    customer = read(shop, license_id).customer
    second = type(shop)(other, shop.ring)

    def transfer(transaction):
        life.transfer(transaction, license_id, customer, actor="test", now=now)

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
