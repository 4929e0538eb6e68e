"""``ternary serve`` as a process of its own, for tests that talk to it over HTTP."""

import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

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


def await_port(port: int) -> None:
    """Return once somebody listens there."""
    for _ in range(300):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
            probe.settimeout(0.1)
            subprocess.run(["sleep", "0.1"], check=True)
    raise AssertionError("the server does not listen")
