"""
The license server, measured over HTTP from another process, beside a bare route on the same machine.

The bare route is the least such a server can do: FastAPI, one row by its key, one signed answer.
"""

import contextlib
import secrets
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
from sqlalchemy import insert, select
from stress.seats import prepare, serving

from benchmarks import vast_reports
from benchmarks.measurement import Measurement
from ternary_license_server.database.engine import Database
from ternary_license_server.database.schema import leases, licenses
from ternary_license_server.database.transaction import Transaction
from ternary_license_server.keys import keyring
from ternary_license_server.keys.keyring import KeyRing
from ternary_license_server.service import catalog, lease, life
from ternary_license_server.service.records import lock
from ternary_license_server.service.seats import take
from ternary_sdk._internal.licensing import installation, usage
from ternary_sdk._internal.licensing.counted import Counted
from ternary_sdk._internal.licensing.installation import Installation
from ternary_sdk._internal.online import key as online_key
from ternary_sdk._internal.online import request as online_request
from ternary_sdk.operations import OperationSet

LOOPBACK = "postgresql://127.0.0.1/test"
CONNECTIONS, REQUESTS = 4, 400
SIZES = (1_000, 100_000)
BARE = """
import sys
from pathlib import Path
import uvicorn
from fastapi import FastAPI
from fastapi.responses import Response
from sqlalchemy import create_engine, text
from ternary_license_server.database.engine import Database
from ternary_license_server.keys import keyring
from ternary_sdk._internal.documents import canonical
from ternary_sdk._internal.trust.trust import Role

directory, url, port = sys.argv[1:]
key, database, app = keyring.load(Path(directory)).signer(Role.ANSWER), Database(url), FastAPI()
query = text("SELECT id, state FROM licenses WHERE id = :id")

@app.post("/one/{license_id}")
def one(license_id: str) -> Response:
    with database.read() as transaction:
        row = transaction.execute(query, {"id": license_id}).one()
    token = key.sign_token({"id": row.id, "state": row.state}, typ="ternary-answer+jws")
    body = canonical.encode({"id": row.id, "state": row.state})
    return Response(body, media_type="application/json", headers={"Ternary-Answer": token.decode()})

uvicorn.run(app, host="127.0.0.1", port=int(port), log_level="warning", access_log=False)
"""


@dataclass(frozen=True, kw_only=True)
class Seat:
    """A sold license and who holds its one seat."""

    license_id: str
    lease: str
    key: str
    held: Installation


@dataclass(frozen=True, kw_only=True)
class Pace:
    """How fast answers came."""

    rate: float
    """Requests a second."""
    p50: float
    """Seconds."""
    p99: float
    """Seconds."""

    def __str__(self) -> str:
        return f"{self.rate:.0f}/s, p50 {1e3 * self.p50:.1f} ms, p99 {1e3 * self.p99:.1f} ms"


def measurements() -> Iterator[Measurement]:
    """Measure SQLite, and PostgreSQL where one answers on this machine."""
    with tempfile.TemporaryDirectory() as folder:
        ring = keyring.create(Path(folder) / "keys", "Bench", datetime.now(UTC))
        for kind in ("sqlite", *_postgresql()):
            paces: dict[int, Pace] = {}
            for size in SIZES:
                with _database(kind, Path(folder)) as url, serving(ring, url, 1) as (address,):
                    yield from _measure(ring, url, address, kind, size, paces)
            slower = 1 - paces[SIZES[1]].rate / paces[SIZES[0]].rate
            yield Measurement(
                name=f"validate on {kind}: slower at {SIZES[1]:,} licenses than at {SIZES[0]:,}",
                value=100 * slower,
                unit="percent",
                most=20,
            )
            with _database(kind, Path(folder)) as url:
                yield _several(ring, url, kind)
            with _database(kind, Path(folder)) as url:
                yield from vast_reports.report_measurements(ring, url, kind)


def _measure(
    ring: KeyRing, url: str, address: str, kind: str, size: int, paces: dict[int, Pace]
) -> Iterator[Measurement]:
    seats = _fill(url, size)
    now, vendor = datetime.now(UTC), ring.trust.root.kid
    asked = [
        (
            "POST",
            "/v1/standing",
            online_request.standing(seat.license_id, seat.lease, 1, vendor=vendor, held=seat.held, now=now),
            "",
        )
        for seat in seats
    ]
    with _bare(ring, url) as bare:
        plain = [("POST", f"/one/{seat.license_id}", b"", "") for seat in seats]
        ratios, rounds = [], []
        for _ in range(5):
            ceiling, mine = _pace(bare, plain), _pace(address, asked)
            rounds.append((mine.rate / ceiling.rate, mine, ceiling))
            ratios.append(mine.rate / ceiling.rate)
    ratio, paces[size], ceiling = sorted(rounds, key=lambda each: each[0])[len(rounds) // 2]
    yield Measurement(
        name=f"validate on {kind}, {size:,} licenses",
        value=ratio,
        unit="of bare",
        least=0.7,
        detail=f"{paces[size]}; bare route {ceiling}",
    )
    for name, work in _writes(ring, seats, url):
        pace = _pace(address, work)
        yield Measurement(
            name=f"{name} on {kind}, {size:,} licenses", value=pace.rate, unit="/s", detail=str(pace)
        )


def _several(ring: KeyRing, url: str, kind: str) -> Measurement:
    """How long a client waits for the answer of one of two processes, beside that of a single process."""
    prepare(url)
    asked: Asked = [("GET", "/livez", b"", "")] * REQUESTS
    waits = []
    for workers in (1, 2):
        with serving(ring, url, 1, workers) as (address,):
            waits.append(min(_pace(address, asked).p50 for _ in range(3)))
    return Measurement(
        name=f"keep-alive answers of two processes on {kind}",
        value=waits[1] / waits[0],
        unit="of one",
        most=3,
        detail=f"p50 {1e3 * waits[1]:.1f} ms, of one process {1e3 * waits[0]:.1f} ms",
    )


Asked = list[tuple[str, str, bytes, str]]


def _writes(ring: KeyRing, seats: list[Seat], url: str) -> Iterator[tuple[str, Asked]]:
    """Requests that change something, signed beforehand: the client's signatures are not measured.

    A renewal names the lease that the activation before it was given.
    """
    now, vendor = datetime.now(UTC), ring.trust.root.kid
    newcomers = [(seat, installation.draft(Path("unused"))) for seat in seats]
    activate = [
        online_request.activate(seat.key, vendor=vendor, held=held, now=now, machine=None)
        for seat, held in newcomers
    ]
    yield "activate", [("POST", "/v1/activations", one, online_request.number(one)) for one in activate]
    given = _numbers(url)
    renew = [
        online_request.renew(seat.license_id, given[held.kid], 1, vendor=vendor, held=held, now=now)
        for seat, held in newcomers
    ]
    yield "heartbeat", [("POST", "/v1/renewals", one, online_request.number(one)) for one in renew]
    report = [usage.report(seat.license_id, _counted(given[held.kid]), held, now) for seat, held in newcomers]
    yield "meter", [("POST", "/v1/usage", one, "") for one in report]


def _counted(lease: str) -> Counted:
    operations = OperationSet.of([1, 2, 3])
    return Counted(lease=lease, owner="Initech", history="A" * 22, sequence=1, operations=operations)


def _numbers(url: str) -> dict[str, str]:
    """The number of each installation's lease."""
    with contextlib.closing(Database(url)) as database, database.read() as transaction:
        rows = transaction.execute(select(leases.c.installation, leases.c.seat)).all()
    return {str(row.installation): str(row.seat) for row in rows}


def _fill(url: str, size: int) -> list[Seat]:
    """Sell ``size`` licenses, each with one seat taken; some of the seats, evenly spread."""
    prepare(url)
    database = Database(url)
    chosen: list[Seat] = []
    with database.write() as transaction:
        sold, taken = _first(transaction)
        for start in range(0, size, 5000):
            count = min(5000, size - start)
            seats = [_seat() for _ in range(min(count, max(1, count * REQUESTS // size)))]
            named = [(seat.license_id, seat.key, seat.held.kid, seat.lease) for seat in seats]
            named += [
                (_license_id(), online_key.generate(), secrets.token_urlsafe(32), lease.number())
                for _ in range(count - len(seats))
            ]
            transaction.execute(
                insert(licenses),
                [sold | {"id": name, "key_hash": online_key.digest(key)} for name, key, *_ in named],
            )
            transaction.execute(
                insert(leases),
                [
                    taken | {"license": name, "installation": kid, "seat": number}
                    for name, _, kid, number in named
                ],
            )
            chosen += seats
    database.close()
    return chosen[:REQUESTS]


def _first(transaction: Transaction) -> tuple[dict[str, object], dict[str, object]]:
    """The rows of one license and one lease, as the server itself writes them: the others are copies."""
    customer = str(catalog.add_customer(transaction, "Initech", actor="bench")["id"])
    license_id = str(life.issue(transaction, customer=customer, policy="race", actor="bench")["id"])
    license, now = lock(transaction, license_id), transaction.now
    take(
        transaction,
        license,
        secrets.token_urlsafe(32),
        machine=None,
        offline=False,
        ends=now + timedelta(days=1),
        now=now,
    )
    sold, taken = (dict(transaction.execute(select(table)).one()._mapping) for table in (licenses, leases))
    return sold, taken


def _seat() -> Seat:
    held = installation.draft(Path("unused"))
    return Seat(license_id=_license_id(), lease=lease.number(), key=online_key.generate(), held=held)


def _license_id() -> str:
    return f"L-{secrets.token_hex(12)}"


def _pace(address: str, asked: Asked) -> Pace:
    """Ask everything once over a few connections that stay open."""
    host, _, port = address.removeprefix("http://").partition(":")
    shares = [asked[i::CONNECTIONS] for i in range(CONNECTIONS)]
    gate = threading.Barrier(CONNECTIONS)

    def ask(share: Asked) -> list[float]:
        times = []
        with socket.create_connection((host, int(port)), timeout=60) as wire, wire.makefile("rb") as came:
            wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            gate.wait()
            for one in share:
                start = time.perf_counter()
                wire.sendall(_request(*one))
                _read_answer(came)
                times.append(time.perf_counter() - start)
        return times

    start = time.perf_counter()
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        times = sorted(each for share in pool.map(ask, shares) for each in share)
    seconds = time.perf_counter() - start
    return Pace(
        rate=len(times) / seconds, p50=statistics.median(times), p99=times[int(0.99 * (len(times) - 1))]
    )


def _request(method: str, path: str, body: bytes, key: str) -> bytes:
    head = f"{method} {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\nTernary-Nonce: n\r\n"
    return (head + (f"Idempotency-Key: {key}\r\n" if key else "") + "\r\n").encode() + body


def _read_answer(came: "socket.SocketIO | object") -> None:
    readline: Callable[[], bytes] = came.readline  # type: ignore[union-attr]
    status, length = readline(), 0
    while (line := readline().strip().lower()) != b"":
        if line.startswith(b"content-length:"):
            length = int(line.partition(b":")[2])
    came.read(length)  # type: ignore[union-attr]
    if b" 200 " not in status:
        raise SystemExit(f"the server answers {status!r}")


@contextlib.contextmanager
def _bare(ring: KeyRing, url: str) -> Iterator[str]:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    command = [sys.executable, "-c", BARE, str(ring.directory), url, str(port)]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        for _ in range(600):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
                break
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(20)


@contextlib.contextmanager
def _database(kind: str, folder: Path) -> Iterator[str]:
    if kind == "sqlite":
        yield f"sqlite:///{folder / f'{secrets.token_hex(4)}.sqlite3'}"
        return
    schema = f"bench_{secrets.token_hex(6)}"
    with psycopg.connect(LOOPBACK, autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {schema}".encode())
        try:
            yield f"{LOOPBACK}?options=-csearch_path%3D{schema}"
        finally:
            connection.execute(b"SET client_min_messages = warning")
            connection.execute(f"DROP SCHEMA {schema} CASCADE".encode())


def _postgresql() -> tuple[str, ...]:
    try:
        psycopg.connect(LOOPBACK, connect_timeout=3).close()
    except psycopg.OperationalError:
        return ()
    return ("postgresql",)
