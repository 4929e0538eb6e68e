"""Those who wait: for a writer of a SQLite file, for a thread, for a file that is not the one any more."""

import asyncio
import logging
import re
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager

import httpx
import pytest
from anyio.to_thread import current_default_thread_limiter
from sqlalchemy import text

from ternary_license_server.database import readiness
from ternary_license_server.database.engine import Database, DatabaseError
from ternary_license_server.database.waiting import Deadline, Limits, within
from ternary_license_server.settings import Settings
from ternary_license_server.web.app import build

LOCKED = "database: another process has kept it locked for 1 seconds"


@pytest.fixture
def site(make_site, vendor_keys):
    return make_site("sqlite", vendor_keys)


@contextmanager
def locked(database):
    """Another process's change, which is not finished in the block."""
    with closing(sqlite3.connect(database.file, isolation_level=None)) as holder:
        holder.execute("BEGIN IMMEDIATE")
        yield holder
        holder.execute("ROLLBACK")


def test_limits_are_shares_of_one_number_in_one_order():
    assert Limits.of(20) == Limits(connect=10, lock=5, statement=10, request=20)


def test_readyz_does_not_wait_behind_the_requests_that_wait(tmp_path, site_at):
    site, written = site_at(f"sqlite:///{tmp_path / 's'}", Limits.of(400)), []

    def write():
        with site.database.write() as transaction:
            transaction.mark_clock()
        written.append(1)

    assert site.http("GET", "/readyz").json() == {"faults": [], "ready": True, "warnings": []}
    with ThreadPoolExecutor(3) as pool:
        with locked(site.database):
            for _ in range(3):
                pool.submit(write)
            ready = site.http("GET", "/readyz")
            assert written == []  # they wait still
        assert (ready.status_code, ready.json()["faults"]) == (503, [LOCKED])
    assert site.http("GET", "/readyz").status_code == 200
    assert written == [1, 1, 1]


def test_writers_wait_for_each_other_only_so_long(tmp_path):
    file = tmp_path / "s"
    with (
        closing(Database(f"sqlite:///{file}", limits=Limits.of(0.4))) as one,
        closing(Database(f"sqlite:///{file}", limits=Limits.of(0.4))) as two,
        one.maintain(),
    ):
        for database, others in ((one, "other changes of this server have"), (two, "another process has")):
            with pytest.raises(DatabaseError) as refusal, database.write():
                pass
            assert re.fullmatch(
                rf"database: {others} kept it (busy|locked) for 0\.1 seconds", str(refusal.value)
            )


def test_database_in_which_others_commit_without_a_pause_is_ready(site):
    stop = threading.Event()

    def write():
        with closing(sqlite3.connect(site.database.file, isolation_level=None)) as other:
            while not stop.is_set():
                other.execute("BEGIN IMMEDIATE")
                other.execute("UPDATE clock SET seen = seen + 1")
                stop.wait(0.4)
                other.execute("COMMIT")

    site.http("GET", "/readyz")
    writer = threading.Thread(target=write)
    writer.start()
    try:
        assert site.http("GET", "/readyz").json()["faults"] == []
    finally:
        stop.set()
        writer.join()


def test_all_transactions_of_a_request_have_one_deadline(site):
    with locked(site.database), within(0.2):
        for _ in range(2):
            with pytest.raises(DatabaseError) as refusal, site.database.write():
                pass
    assert str(refusal.value) == "database: the request has taken longer than it may; nothing of it was done"


def test_sqlite_statement_ends_at_the_deadline(tmp_path):
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
    with (
        closing(Database(f"sqlite:///{tmp_path / 's'}", limits=Limits.of(0.4))) as database,
        pytest.raises(DatabaseError) as refusal,
        database.read() as transaction,
    ):
        transaction.execute(text(endless))
    assert str(refusal.value) == "database: cannot be used (interrupted)"


def test_request_that_finds_no_thread_is_refused_at_its_end_with_the_cause_in_the_log(
    site, vendor_keys, caplog
):
    settings = Settings(keys=vendor_keys.directory, request_timeout=0)
    app = build(settings, database=site.database, vendor=site.vendor)

    async def ask():
        limiter = current_default_thread_limiter()
        for _ in range(int(limiter.total_tokens)):
            limiter.acquire_on_behalf_of_nowait(object())
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://x") as client:
            return await client.get("/v1/trust"), await client.get("/readyz")

    with caplog.at_level(logging.INFO, "ternary.server"):
        came, ready = asyncio.run(ask())
    assert (came.status_code, came.json()["code"], came.json()["detail"]) == (
        503, "UNAVAILABLE", "the server has too much to do; try again"
    )  # fmt: skip
    assert caplog.records[0].facts["fault"] == "no thread of this process was free within 0 seconds"
    assert ready.status_code == 200


def test_another_file_under_the_name_is_neither_read_nor_written(site):
    file = site.database.file
    moved = file.rename(f"{file}.moved")
    gone = f"database {file}: is gone (No such file or directory)"
    assert site.http("GET", "/readyz").json()["faults"] == [gone]
    with closing(sqlite3.connect(file)):
        file.touch()
        other = (
            f"database {file}: is another file than the one that was opened; put that one back, or restart "
            "the server"
        )
        assert site.http("GET", "/readyz").json()["faults"] == [other]
        assert site.admin("GET", "/customers").status_code == 503
    moved.rename(file)
    assert site.http("GET", "/readyz").status_code == 200
    assert site.admin("GET", "/customers").status_code == 200


def test_little_room_is_a_warning_and_none_a_fault(site, monkeypatch):
    free = readiness.room(site.database.file)
    assert free > 0
    monkeypatch.setattr(readiness, "LITTLE", 1 << 60)
    (warning,) = site.http("GET", "/readyz").json()["warnings"]
    assert re.fullmatch(r"database: only \d+ MiB are free where it is", warning)
    monkeypatch.setattr(readiness, "LEAST", 1 << 60)
    (fault,) = site.http("GET", "/readyz").json()["faults"]
    assert fault.endswith(" MiB are free where it is, expected at least 1099511627776 MiB")


def test_many_who_ask_whether_it_is_ready_are_answered_by_one_look(site, monkeypatch):
    looks = []
    look = readiness.faults
    monkeypatch.setattr(readiness, "faults", lambda database: looks.append(1) or look(database))

    async def ask():
        transport = httpx.ASGITransport(site.wired.inner.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://x") as client:
            return await asyncio.gather(*(client.get("/readyz") for _ in range(20)))

    assert {came.status_code for came in asyncio.run(ask())} == {200}
    assert len(looks) == 1


def test_deadline_that_is_over_leaves_nothing():
    assert Deadline(0).left(5) == 0
    assert Deadline(100).left(5) == 5
