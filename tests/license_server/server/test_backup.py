"""``ternary server backup``: one whole private file of one moment, or none."""

import signal
import sqlite3
import stat
import subprocess
import sys
import threading
from contextlib import closing

import pytest

from ternary_license_server.database.engine import Database, DatabaseError
from ternary_license_server.database.migration import migrate
from ternary_license_server.local import backup as backups
from ternary_license_server.service import access, auditing, catalog
from ternary_license_server.service.access import Scope
from ternary_sdk.errors import InputError

COMMAND = [sys.executable, "-c", "from ternary_cli.main import main; main()", "server", "backup"]


@pytest.fixture
def database(tmp_path):
    found = Database(f"sqlite:///{tmp_path / 'server.sqlite3'}")
    migrate(found)
    yield found
    found.close()


def names(folder):
    return sorted(path.name for path in folder.iterdir() if not path.name.startswith("server.sqlite3"))


def grow(database, rows):
    with database.write() as transaction:
        for number in range(rows):
            catalog.add_customer(transaction, f"Customer {number}", actor="test")


def count(path, table):
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        return connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]


def test_backup_is_one_private_file_with_everything_in_it(database, make_shop, tmp_path):
    shop = make_shop(str(database.url))
    sold = [shop.sell() for _ in range(3)]
    made = backups.backup(database, tmp_path / "copy")
    assert names(tmp_path) == ["copy"]
    assert stat.S_IMODE((tmp_path / "copy").stat().st_mode) == 0o600
    assert (made.licenses, made.audit_faults) == (len(sold), ())
    with database.read() as transaction:
        assert (made.audit_rows, made.audit_head) == auditing.summary(transaction)
    assert count(tmp_path / "copy", "licenses") == len(sold)
    assert made == backups.read_back(tmp_path / "copy")
    shop.database.close()


def test_backup_shows_one_moment_while_others_write(database, tmp_path):
    """Every transaction writes a token and a customer, so a copy has as many of one as of the other."""
    grow(database, 400)
    before, ended, written = count(tmp_path / "server.sqlite3", "customers"), threading.Event(), []

    def write():
        while not ended.is_set():
            with database.write() as transaction:
                catalog.add_customer(transaction, "x", actor="test")
                access.add(
                    transaction, "x", Scope.ISSUER, expires=transaction.now + access.WARN, actor="test"
                )
            written.append(None)

    threads = [threading.Thread(target=write) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        copies = [tmp_path / f"copy-{number}" for number in range(4)]
        for copy in copies:
            least = len(written)
            backups.backup(database, copy)
            assert count(copy, "customers") - before == count(copy, "tokens") >= least
    finally:
        ended.set()
        for thread in threads:
            thread.join()
    assert count(copies[-1], "tokens") > 0


def test_file_that_exists_is_never_overwritten(database, tmp_path):
    (tmp_path / "copy").write_bytes(b"precious")
    (tmp_path / "link").symlink_to("nothing")
    for name in ("copy", "link"):
        with pytest.raises(InputError) as refusal:
            backups.backup(database, tmp_path / name)
        assert str(refusal.value) == f"{tmp_path}/{name}: exists already; a backup never overwrites a file"
    assert (tmp_path / "copy").read_bytes() == b"precious"
    assert names(tmp_path) == ["copy", "link"]


def test_folder_that_is_not_there_is_one_sentence(database, tmp_path):
    with pytest.raises(InputError) as refusal:
        backups.backup(database, tmp_path / "none" / "copy")
    assert str(refusal.value) == f"{tmp_path}/none/copy: {tmp_path}/none is not a folder"


def test_postgresql_is_left_to_its_own_program(tmp_path):
    with pytest.raises(InputError) as refusal:
        backups.backup(Database("postgresql://user:secret@127.0.0.1:1/x"), tmp_path / "copy")
    assert str(refusal.value).endswith(": not SQLite; back it up with PostgreSQL's own pg_dump")
    assert "secret" not in str(refusal.value)


def test_database_that_is_not_there_is_not_made(tmp_path):
    with pytest.raises(DatabaseError) as refusal:
        backups.backup(Database(f"sqlite:///{tmp_path / 'none'}"), tmp_path / "copy")
    assert ": no such file; name the server's with --database" in str(refusal.value)
    assert names(tmp_path) == []


def test_damaged_database_gives_no_backup(database, tmp_path):
    grow(database, 400)
    database.close()
    path = tmp_path / "server.sqlite3"
    with closing(sqlite3.connect(path)) as connection:
        page = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'customers'").fetchone()[0]
        size = connection.execute("PRAGMA page_size").fetchone()[0]
    data = bytearray(path.read_bytes())
    data[(page - 1) * size : page * size] = bytes(size)
    path.write_bytes(data)
    with pytest.raises(DatabaseError) as refusal:
        backups.backup(database, tmp_path / "copy")
    assert str(refusal.value).startswith(("database: damaged (", f"{tmp_path}/copy: the database cannot be"))
    assert names(tmp_path) == []


def test_edited_audit_log_is_copied_as_it_is_and_named(database, tmp_path):
    grow(database, 2)
    with database.write() as transaction:
        transaction.connection.exec_driver_sql("UPDATE audit SET actor = 'nobody' WHERE rowid = 1")
    made = backups.backup(database, tmp_path / "copy")
    assert len(made.audit_faults) == 1
    done = subprocess.run(
        [*COMMAND, tmp_path / "again", "--database", f"sqlite:///{tmp_path / 'server.sqlite3'}"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, (tmp_path / "again").exists()) == (1, True)
    assert (
        done.stderr
        == f"error: {tmp_path}/again: written, with the database's faults: {made.audit_faults[0]}\n"
    )


def test_backup_that_is_ended_leaves_nothing_behind(database, tmp_path):
    """SIGTERM at moments all through the work: the file is there whole, or nothing is."""
    grow(database, 300)
    command = [*COMMAND, tmp_path / "copy", "--database", f"sqlite:///{tmp_path / 'server.sqlite3'}"]
    program = (
        "import os, signal, sys; sys.argv = ['ternary', *sys.argv[2:]]; moment = int({moment})\n"
        "from ternary_license_server.local import backup\n"
        "steps = iter(range(100))\n"
        "def trace(frame, event, _):\n"
        "    ours = frame.f_code.co_filename == backup.__file__\n"
        "    if ours and next(steps) == moment: os.kill(os.getpid(), signal.SIGTERM)\n"
        "    return trace if ours else None\n"
        "sys.settrace(trace)\n"
        "from ternary_cli.main import main; main()\n"
    )
    outcomes = set()
    for moment in (3, 20, 40, 60, 99):
        words = [sys.executable, "-c", program.replace("{moment}", str(moment)), *map(str, command[2:])]
        done = subprocess.run(words, capture_output=True, check=False)
        left = names(tmp_path)
        assert (done.returncode, left) in ((128 + signal.SIGTERM, []), (0, ["copy"]), (143, ["copy"]))
        outcomes.add(done.returncode)
        if left:
            assert backups.read_back(tmp_path / "copy").audit_faults == ()
            (tmp_path / "copy").unlink()
    assert 128 + signal.SIGTERM in outcomes
