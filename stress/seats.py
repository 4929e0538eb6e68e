"""
Seats under fire: several server processes, many clients at once, and never one seat too many.

Each round is a new license with k seats and more clients than that, all asking at the same moment, over
real HTTP, of server processes that share nothing but the database. Delays, and clocks that differ, are in
``stress.clocks``. Run alone: ``python -m stress.seats [--rounds N] [--database URL]``.
"""

import argparse
import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx

from stress.databases import on_each
from stress.sockets import free_port
from ternary_license_server.database.engine import Database
from ternary_license_server.database.migration import migrate
from ternary_license_server.keys import keyring
from ternary_license_server.keys.keyring import KeyRing
from ternary_license_server.service import catalog, life, policies
from ternary_license_server.service.policies import Policy
from ternary_sdk._internal.identity import PackageIdentity
from ternary_sdk._internal.licensing import installation
from ternary_sdk._internal.online import request as online_request

CLIENTS, SEATS, PROCESSES = 8, 3, 2
ROOT = Path(__file__).resolve().parents[1]
PROGRAM = (
    "import os; from ternary_license_server.serving.serve import serve; "
    "from ternary_license_server.settings import Settings; "
    "serve(Settings.read(os.environ), lambda line: None)"
)
HOUR = timedelta(hours=1)


@contextlib.contextmanager
def serving(
    ring: KeyRing,
    url: str,
    number: int = PROCESSES,
    workers: int = 1,
    log: Path = Path(os.devnull),
    programs: Sequence[str] = (),
) -> Iterator[list[str]]:
    """Servers on one database, each of so many processes, that log to one file; their addresses.

    ``programs`` replaces the server's own start by another one for each of as many servers.
    """
    started = programs or [PROGRAM] * number
    ports = [free_port() for _ in started]
    processes = [
        _start(ring, url, port, workers, log, program) for port, program in zip(ports, started, strict=True)
    ]
    try:
        addresses = [f"http://127.0.0.1:{port}" for port in ports]
        for address, process in zip(addresses, processes, strict=True):
            _await(f"{address}/{'livez' if programs else 'readyz'}", process)
        yield addresses
    finally:
        for process in processes:
            process.send_signal(signal.SIGTERM)
        for process in processes:
            process.wait(30)


def race(ring: KeyRing, url: str, addresses: list[str], rounds: int) -> Counter[int]:
    """How many clients got a seat in a round, counted over all rounds."""
    keys_sold = sell(url, rounds)
    held = [installation.draft(Path("unused")) for _ in range(CLIENTS)]
    outcomes: Counter[int] = Counter()
    with (
        contextlib.ExitStack() as stack,
        ThreadPoolExecutor(CLIENTS) as pool,
    ):
        clients = [
            stack.enter_context(httpx.Client(base_url=addresses[i % len(addresses)], timeout=60))
            for i in range(CLIENTS)
        ]
        for key in keys_sold:
            now, gate = datetime.now(UTC), threading.Barrier(CLIENTS)
            asked = [
                online_request.activate(key, vendor=ring.trust.root.kid, held=mine, now=now, machine=None)
                for mine in held
            ]

            def ask(place: int, asked: list[bytes] = asked, gate: threading.Barrier = gate) -> int:
                gate.wait()
                return _post(clients[place], asked[place])

            statuses = Counter(pool.map(ask, range(CLIENTS)))
            if set(statuses) - {200, 409}:
                raise SystemExit(f"unexpected answers: {dict(statuses)}")
            outcomes[statuses[200]] += 1
    return outcomes


def prepare(url: str, seats: int = SEATS) -> None:
    """Make the tables, write down the time, and release a package whose licenses have so many seats."""
    database = Database(url)
    migrate(database)
    with database.write() as transaction:
        transaction.mark_clock()
        package = PackageIdentity(name="acme", version=(1, 0, 0), digest="ab" * 32)
        catalog.add_release(transaction, package, None, actor="stress")
        policy = Policy(
            name="race",
            product="acme",
            term=None,
            entitlements=("sample",),
            seats=seats,
            unique_operations=None,
            lease=HOUR,
            grace=HOUR,
            offline=timedelta(0),
            trial=False,
        )
        policies.add(transaction, policy, actor="stress")
    database.close()


def sell(url: str, number: int) -> list[str]:
    """Sell so many licenses, ``prepare`` having been called; their keys."""
    database = Database(url)
    sold = []
    with database.write() as transaction:
        customer = catalog.add_customer(transaction, "Initech", actor="stress")
        for _ in range(number):
            facts = life.issue(transaction, customer=str(customer["id"]), policy="race", actor="stress")
            sold.append(str(facts["key"]))
    database.close()
    return sold


def _post(client: httpx.Client, document: bytes) -> int:
    headers = {"Idempotency-Key": online_request.number(document)}
    return client.post("/v1/activations", content=document, headers=headers).status_code


def _start(
    ring: KeyRing, url: str, port: int, workers: int, log: Path, program: str
) -> subprocess.Popen[bytes]:
    environment = dict(os.environ) | {
        "TERNARY_SERVER_KEYS": str(ring.directory),
        "TERNARY_SERVER_DATABASE": url,
        "TERNARY_SERVER_PORT": str(port),
        "TERNARY_SERVER_WORKERS": str(workers),
        "TERNARY_SERVER_RATE": "1000000",
        "TERNARY_SERVER_KEY_RATE": "1000000",
    }
    if strict := environment.get("PYTHONWARNINGS"):
        # The HTTP server's supervisor leaves its listening socket to the interpreter's end.
        environment["PYTHONWARNINGS"] = f"{strict},ignore:unclosed <socket:ResourceWarning"
    with log.open("ab") as stream:
        return subprocess.Popen([sys.executable, "-c", program], env=environment, stderr=stream, cwd=ROOT)


def _await(address: str, process: subprocess.Popen[bytes]) -> None:
    give_up = time.monotonic() + 180
    while process.poll() is None and time.monotonic() < give_up:
        with contextlib.suppress(httpx.HTTPError):
            if httpx.get(address).status_code == 200:
                return
        threading.Event().wait(0.1)
    raise SystemExit(f"{address}: the server did not start")


def main() -> int:
    """Race, print how many got a seat in how many rounds, judge."""
    options = argparse.ArgumentParser(prog="python -m stress.seats", description=__doc__)
    options.add_argument("--rounds", type=int, default=1000, help="licenses to fight for")
    options.add_argument("--database", help="an empty database; default: new ones, of SQLite and PostgreSQL")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        ring = keyring.create(Path(folder) / "keys", "Stress", datetime.now(UTC))
        return on_each(lambda url: _race_on(url, ring, chosen.rounds), Path(folder), chosen.database)


def _race_on(url: str, ring: KeyRing, number: int) -> int:
    prepare(url)
    start = time.perf_counter()
    with serving(ring, url) as addresses:
        outcomes = race(ring, url, addresses, number)
    seconds = time.perf_counter() - start
    for seats, rounds in sorted(outcomes.items()):
        print(f"{rounds:>6} rounds: {seats} of {CLIENTS} clients got one of {SEATS} seats")
    print(f"{CLIENTS * number / seconds:.0f} activations/s by {PROCESSES} processes")
    return 0 if set(outcomes) == {SEATS} else 1


if __name__ == "__main__":
    sys.exit(main())
