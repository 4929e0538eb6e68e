"""However a server is told to stop it ends with status 0, and the SQLite file alone holds everything."""

import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
from contextlib import closing

import httpx
import pytest
from stress.seats import PROGRAM, _await, _start
from stress.sockets import free_port

from ternary_license_server.database.engine import Database
from ternary_license_server.database.migration import migrate
from ternary_license_server.service import access


def customers_in(file):
    with closing(sqlite3.connect(file)) as connection:
        return connection.execute("SELECT count(*) FROM customers").fetchone()[0]


@pytest.fixture
def token_of():
    def make(url):
        database = Database(url)
        migrate(database)
        with database.write() as transaction:
            made = access.add_local(transaction)
        database.close()
        return made["secret"]

    return make


def served(ring, url, token, log, *, workers=1, number=signal.SIGTERM, orders=10):
    """Run a server, order from it over connections that stay open, end it; its status."""
    process = _start(ring, url, port := free_port(), workers, log, PROGRAM)
    address = f"http://127.0.0.1:{port}"
    try:
        _await(f"{address}/readyz", process)
        with httpx.Client(base_url=address) as client:  # keeps its connection until after the end
            for order in range(orders):
                headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": os.urandom(8).hex()}
                came = client.post("/admin/v1/customers", json={"name": f"n{order}"}, headers=headers)
                assert came.status_code == 201, came.text
            process.send_signal(number)
            return process.wait(40)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


@pytest.mark.parametrize(
    ("workers", "number"), [(1, signal.SIGTERM), (1, signal.SIGINT), (2, signal.SIGTERM), (2, signal.SIGINT)]
)
def test_file_alone_is_whole_after_the_end(tmp_path, token_of, vendor_keys, workers, number):
    file = tmp_path / "server.sqlite3"
    url = f"sqlite:///{file}"
    log = tmp_path / "log"
    assert served(vendor_keys, url, token_of(url), log, workers=workers, number=number) == 0
    shutil.copyfile(file, tmp_path / "copy")
    assert customers_in(tmp_path / "copy") == 10
    assert not [path.name for path in tmp_path.glob("server.sqlite3-*")]
    assert "Traceback" not in log.read_text()


def test_file_alone_is_whole_although_a_worker_was_killed(tmp_path, token_of, vendor_keys):
    file = tmp_path / "server.sqlite3"
    url = f"sqlite:///{file}"
    headers = {"Authorization": f"Bearer {token_of(url)}"}
    process = _start(vendor_keys, url, port := free_port(), 2, tmp_path / "log", PROGRAM)
    address = f"http://127.0.0.1:{port}"
    try:
        _await(f"{address}/readyz", process)
        for _ in range(5):
            key = {"Idempotency-Key": os.urandom(8).hex()}
            assert httpx.post(
                f"{address}/admin/v1/customers", json={"name": "n"}, headers=headers | key
            ).is_success
        logged = (json.loads(line) for line in (tmp_path / "log").read_text().splitlines())
        for worker in {line["process"] for line in logged} - {process.pid}:
            os.kill(worker, signal.SIGKILL)
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
    shutil.copyfile(file, tmp_path / "copy")
    assert customers_in(tmp_path / "copy") == 5


def test_postgresql_server_ends_with_status_0_too(
    tmp_path, database_kinds, database_address, token_of, vendor_keys
):
    if "postgresql" not in database_kinds:
        pytest.skip("only SQLite was tested: set TERNARY_TEST_POSTGRESQL or CI=true")
    with database_address("postgresql", tmp_path) as url:
        assert served(vendor_keys, url, token_of(url), tmp_path / "log", orders=3) == 0


def test_server_told_to_stop_while_it_starts_ends_with_status_0(tmp_path, vendor_keys):
    """The signal comes as soon as the database is there, before anybody can ask anything."""
    program = (
        "import os, signal; from ternary_license_server.serving import serve; "
        "from ternary_license_server.settings import Settings; "
        "serve.serve(Settings.read(os.environ), lambda line: os.kill(os.getpid(), signal.SIGTERM))"
    )
    environment = dict(os.environ) | {
        "TERNARY_SERVER_KEYS": str(vendor_keys.directory),
        "TERNARY_SERVER_DATABASE": f"sqlite:///{tmp_path / 's'}",
        "TERNARY_SERVER_PORT": str(free_port()),
    }
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_taken_address_is_still_an_error(tmp_path, vendor_keys):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        process = _start(
            vendor_keys, f"sqlite:///{tmp_path / 's'}", taken.getsockname()[1], 1, tmp_path / "l", PROGRAM
        )
        assert process.wait(60) == 1
    assert "cannot listen there" in (tmp_path / "l").read_text()
