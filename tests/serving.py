"""A license server that tests talk to over HTTP: ``ternary serve`` as a process, or in a thread of theirs."""

import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

TERNARY = Path(sys.executable).parent / "ternary"


def free_port() -> int:
    """A port at which nobody listens."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


@contextmanager
def served(keys: Path, database: str, *more: str) -> Iterator[tuple[str, str]]:
    """A server on a new SQLite file, with further options: its address and its first token."""
    address = f"http://127.0.0.1:{(port := free_port())}"
    command = [TERNARY, "serve", "--keys", keys, "--database", database, "--port", port, *more]
    process = subprocess.Popen(list(map(str, command)), stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    try:
        first = process.stderr.readline()
        found = re.fullmatch(r"first admin token, shown only now, good for 30 days: (ternary_\S+)\n", first)
        assert found, first + process.stderr.read()
        assert process.stderr.readline().startswith(f"serving Acme Logic at {address}, database sqlite")
        await_port(port)
        yield address, found[1]
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
        process.stderr.close()


@contextmanager
def hosted(keys: Path, database: str) -> Iterator[tuple[str, str]]:
    """What ``served`` gives, in a thread of this process, where everything is imported already.

    For tests of what talks to a server. It has no heartbeat, no events and no figures.
    """
    # Whoever needs no server need not have its parts installed.
    from uvicorn import Config, Server

    from ternary_license_server.database.engine import Database
    from ternary_license_server.database.migration import migrate
    from ternary_license_server.keys.vendor_keys import VendorKeys
    from ternary_license_server.service import access
    from ternary_license_server.settings import Settings
    from ternary_license_server.web.app import build

    settings = Settings(keys=keys, database=database, port=free_port())
    opened = Database(settings.database)
    migrate(opened)
    with opened.write() as transaction:
        token = access.add_first(transaction)
    assert token is not None
    app = build(settings, database=opened, vendor=VendorKeys(keys))
    server = Server(Config(app, port=settings.port, log_config=None, lifespan="on"))
    thread = Thread(target=server.run)
    thread.start()
    try:
        await_port(settings.port)
        yield f"http://127.0.0.1:{settings.port}", token
    finally:
        server.should_exit = True
        thread.join(20)
        assert not thread.is_alive()
        opened.close()


def await_port(port: int) -> None:
    """Return once somebody listens there."""
    for _ in range(300):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
            probe.settimeout(0.1)
            subprocess.run(["sleep", "0.1"], check=True)
    raise AssertionError("the server does not listen")
