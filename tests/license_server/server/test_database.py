"""Databases: which are tested, how they are made, and that the migrations end where the schema is."""

import multiprocessing
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import select, text

from ternary_license_server.database.engine import Database, DatabaseError
from ternary_license_server.database.migration import is_current, migrate
from ternary_license_server.database.schema import metadata, meter_losses, revocation_list
from ternary_license_server.service import lease, listing, records
from ternary_sdk.errors import InputError


def test_postgresql_is_among_the_tested_databases(database_kinds):
    if "postgresql" not in database_kinds:
        pytest.skip(
            "only SQLite was tested: set TERNARY_TEST_POSTGRESQL to the address of a database, such as "
            "postgresql://127.0.0.1/test"
        )


def test_migrations_end_at_the_schema(kind, tmp_path, open_database):
    with open_database(kind, tmp_path) as database, database.read() as transaction:
        assert compare_metadata(MigrationContext.configure(transaction.connection), metadata) == []
        assert is_current(database)


def test_database_is_made_once_by_many_at_once(kind, tmp_path, database_address):
    with database_address(kind, tmp_path) as url:
        databases = [Database(url) for _ in range(6)]
        with ThreadPoolExecutor(6) as pool:
            list(pool.map(migrate, databases))
        assert all(map(is_current, databases))
        for database in databases:
            database.close()


def test_database_of_the_first_release_is_upgraded_with_what_it_holds(kind, tmp_path, database_address):
    terms = {"entitlements": "sample", "lease": 1, "grace": 1, "offline": 0, "trial": False, "created": 0}
    of = {"product": "acme", "customer": "C-1", "policy": "floating"}
    held = {"license": "L-1", "generation": 3, "ends": 9, "offline": False, "started": 0}
    reported = {"license": "L-1", "bitmap": b"", "issued": 4, "received": 5}
    other = terms | of | {"id": "L-2", "key_hash": "y", "state": "revoked", "starts": 0}
    changed = {
        "stream": "L-2",
        "number": 1,
        "at": 0,
        "actor": "x",
        "action": "license.policy",
        "detail": "{}",
    }
    rows = [
        ("customers", {"id": "C-1", "name": "Initech", "created": 0}),
        ("products", {"name": "acme", "created": 0}),
        ("policies", terms | {"name": "floating", "product": "acme"}),
        ("licenses", terms | of | {"id": "L-1", "key_hash": "x", "state": "active", "starts": 0}),
        ("licenses", other),
        ("revocations", {"license": "L-2", "revoked": 3}),
        ("audit", changed | {"previous": "-", "hash": "-"}),
        ("leases", held | {"installation": "one", "license": "L-2"}),
        ("leases", held | {"installation": "one"}),
        ("leases", held | {"installation": "two"}),
        ("leases", held | {"installation": "offline", "offline": True}),
        ("leases", held | {"installation": "returned", "offline": True, "released": 5}),
        ("meter_reports", reported | {"installation": "one", "lost": 0}),
        ("meter_reports", reported | {"installation": "two", "lost": 6}),
    ]
    with database_address(kind, tmp_path) as url:
        database = Database(url)
        migrate(database, to="0001")
        with database.write() as transaction:
            for table, row in rows:
                names = ", ".join(row)
                values = ", ".join(f":{name}" for name in row)
                transaction.execute(text(f"INSERT INTO {table} ({names}) VALUES ({values})"), row)
        assert not is_current(database)
        migrate(database)
        with database.read() as transaction:
            assert compare_metadata(MigrationContext.configure(transaction.connection), metadata) == []
            found = lease.page(transaction, "L-1", limit=1000)
            assert records.find(transaction, "L-1").versions is None
            (unsure,) = lease.page(transaction, "L-2", limit=2)
            assert listing.live(transaction, 10**10) == ({"L-2"}, listing.NEVER)
            assert transaction.execute(select(revocation_list.c.changes)).scalar_one() == 1
            losses = [dict(row._mapping) for row in transaction.execute(select(meter_losses))]
        database.close()
    assert {held.installation: held.offline_until for held in found} == {
        "one": None, "two": None, "offline": records.moment(9), "returned": records.moment(9)
    }  # fmt: skip
    assert {held.licensed_until for held in found} == {records.moment(9)}
    assert unsure.licensed_until == records.moment(listing.NEVER)
    assert losses == [
        {
            "license": "L-1",
            "installation": "two",
            "customer": "C-1",
            "space": "3,2",
            "received": 5,
            "lost": 6,
            "restarted": False,
        }
    ]
    assert {held.generation for held in found} == {3}
    assert len({held.seat for held in found}) == 4


def test_database_of_a_newer_release_is_refused(kind, tmp_path, open_database):
    with open_database(kind, tmp_path) as database:
        with database.write() as transaction:
            transaction.execute(text("UPDATE alembic_version SET version_num = '9999'"))
            transaction.execute(text("UPDATE compatibility SET since = '9998'"))
        with pytest.raises(DatabaseError) as refusal:
            migrate(database)
    assert str(refusal.value) == (
        f"database {database}: its tables are of a newer release (9999, for servers from 9998 on); this "
        "server knows those up to 0020, so install the newer release here"
    )


def test_every_sqlite_connection_has_its_settings(tmp_path, open_database):
    with open_database("sqlite", tmp_path) as database, database.read() as one, database.read() as two:
        for connection in (one, two):
            found = {
                name: connection.execute(text(f"PRAGMA {name}")).scalar_one()
                for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
            }
            assert found == {
                "journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 5000
            }  # fmt: skip


@pytest.mark.parametrize("url", ["", "sqlite://", "sqlite:///:memory:", "mysql://x/y", "nonsense"])
def test_other_databases_are_refused(url):
    with pytest.raises(InputError) as refusal:
        Database(url)
    assert str(refusal.value) == ("database: expected sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME")


def test_unreachable_database_is_one_sentence_without_the_password():
    database = Database("postgresql://user:secret@127.0.0.1:1/none")
    with pytest.raises(DatabaseError) as refusal, database.read():
        pass
    assert str(refusal.value).startswith("database: cannot be used (")
    assert "secret" not in str(refusal.value) + str(database)
    database.close()


def test_vendor_modules_do_not_need_the_server_extra():
    program = (
        "import sys; "
        "from ternary_license_server.keys import content_key, issue, keyring, rotation, vendor_keys; "
        "sys.exit(any(name in sys.modules for name in ('fastapi', 'sqlalchemy', 'uvicorn', 'alembic')))"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


@pytest.mark.skipif(os.name != "posix", reason="needs fork")
def test_database_opened_before_a_fork_is_refused_in_the_child(kind, tmp_path, open_database):
    def refused_here():
        with pytest.raises(DatabaseError) as refusal, database.write():
            pass
        told = str(refusal.value) == (
            f"database: was opened by process {parent}, this is its child {os.getpid()}; "
            "open it after the fork, in each process"
        )
        database.close()
        os._exit(0 if told else 1)

    with open_database(kind, tmp_path) as database:
        parent = os.getpid()
        child = multiprocessing.get_context("fork").Process(target=refused_here)
        child.start()
        child.join(60)
        assert child.exitcode == 0
        with database.read() as connection:
            assert connection.execute(text("SELECT 1")).scalar() == 1
