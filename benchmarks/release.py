"""
The license server beside its last release, in alternating turns on one machine: validate, activate, renew.

The release is checked out of this clone's history, and runs without the libraries that it did not name. Each
ratio is the median of the turns' ratios; the processor time of a request stands beside it, because other
programs disturb it less.
"""

import contextlib
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

import psutil
from stress.seats import PROGRAM, _await
from stress.sockets import free_port

from benchmarks import server
from benchmarks.measurement import Measurement
from benchmarks.server import Asked, Seat
from ternary_license_server.keys import keyring
from ternary_license_server.keys.keyring import KeyRing
from ternary_sdk._internal.online import request as online_request

RELEASE = "37fb7d6"
"""The commit of the last release before the server was made faster."""
UNNAMED = ("uvloop", "httptools")
"""Libraries that the release did not name: it ran without them."""
TURNS, SEATS = 7, 60
LIMITS = {"validate": 1.3, "activate": 1.5, "heartbeat": 1.5}
"""Least ratio of each request's rate to the release's."""
MIGRATE = (
    "import sys; from ternary_license_server.database.engine import Database; "
    "from ternary_license_server.database.migration import migrate; migrate(Database(sys.argv[1]))"
)
ROOT = Path(__file__).parents[1]


@dataclass(frozen=True, kw_only=True)
class Running:
    """A server at work."""

    address: str
    url: str
    process: psutil.Process

    def measure(self, asked: Asked) -> tuple[float, float]:
        """Requests a second, and seconds of processor time of each request."""
        before = self.process.cpu_times()
        pace = server._pace(self.address, asked)
        after = self.process.cpu_times()
        spent = after.user - before.user + after.system - before.system
        return pace.rate, spent / len(asked)


def measurements() -> Iterator[Measurement]:
    """Measure on SQLite; nothing where this is not a clone that has the release."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        release = folder / "release"
        if not _checked_out(release):
            return
        ring = keyring.create(folder / "keys", "Bench", datetime.now(UTC))
        new, old = folder / "new.sqlite3", folder / "old.sqlite3"
        seats = server._fill(f"sqlite:///{new}", TURNS * SEATS)
        environment = _of_release(release, folder)
        _copy_to_release(new, old, environment)
        try:
            with _running(ring, old, environment) as one, _running(ring, new, {}) as other:
                yield from _compared(ring, seats, one, other)
        finally:
            subprocess.run(["git", "worktree", "remove", "--force", release], cwd=ROOT, check=True)


def _compared(ring: KeyRing, seats: list[Seat], old: Running, new: Running) -> Iterator[Measurement]:
    found: dict[str, list[tuple[tuple[float, float], tuple[float, float]]]] = {name: [] for name in LIMITS}
    for turn in range(TURNS):
        mine = seats[turn * SEATS : (turn + 1) * SEATS]
        order = (old, new) if turn % 2 else (new, old)
        measured = {one.url: dict(_turn(ring, mine, one)) for one in order}
        for name, every in found.items():
            every.append((measured[old.url][name], measured[new.url][name]))
    for name, every in found.items():
        spent = [(1e3 * median(o[1] for o, _ in every)), (1e3 * median(n[1] for _, n in every))]
        yield Measurement(
            name=f"{name} beside release {RELEASE}",
            value=median(n[0] / o[0] for o, n in every),
            unit="of it",
            least=LIMITS[name],
            detail=f"{spent[1]:.2f} ms of processor time, it {spent[0]:.2f} ms",
        )


def _turn(ring: KeyRing, seats: list[Seat], one: Running) -> Iterator[tuple[str, tuple[float, float]]]:
    now, vendor = datetime.now(UTC), ring.trust.root.kid
    asked = [
        online_request.standing(seat.license_id, seat.lease, 1, vendor=vendor, held=seat.held, now=now)
        for seat in seats
    ]
    yield "validate", one.measure([("POST", "/v1/standing", each, "") for each in asked] * 3)
    for name, work in server._writes(ring, seats, one.url):
        if name in LIMITS:
            yield name, one.measure(work)


def _checked_out(folder: Path) -> bool:
    """Whether the release is now in a folder."""
    if shutil.which("git") is None:
        return False
    words = ["git", "worktree", "add", "--detach", str(folder), RELEASE]
    return subprocess.run(words, cwd=ROOT, capture_output=True, check=False).returncode == 0


def _of_release(release: Path, folder: Path) -> dict[str, str]:
    """The environment in which Python finds the release's modules, and not what it did not name."""
    (hidden := folder / "hidden").mkdir()
    for name in UNNAMED:
        (hidden / f"{name}.py").write_text("raise ImportError\n")
    sources = (str(release / part / "src") for part in ("sdk", "LICENSE_SERVER"))
    return {"PYTHONPATH": os.pathsep.join([str(hidden), *sources])}


def _copy_to_release(new: Path, old: Path, environment: Mapping[str, str]) -> None:
    """Make the release's own tables, which are older, and give them the same rows where they have them."""
    words = [sys.executable, "-c", MIGRATE, f"sqlite:///{old}"]
    subprocess.run(words, env=dict(os.environ) | environment, cwd=old.parent, check=True)
    with contextlib.closing(sqlite3.connect(old)) as connection:
        connection.execute("ATTACH ? AS new", (str(new),))
        tables = connection.execute("SELECT name FROM main.sqlite_master WHERE type = 'table'").fetchall()
        for (table,) in tables:
            names = " INTERSECT ".join(
                f"SELECT name FROM pragma_table_info('{table}', '{where}')" for where in ("main", "new")
            )
            shared = ", ".join(f'"{name}"' for (name,) in connection.execute(names))
            if shared and table != "alembic_version":
                copied = f"INSERT OR REPLACE INTO main.{table} ({shared}) SELECT {shared} FROM new.{table}"
                connection.execute(copied)
        connection.commit()


@contextlib.contextmanager
def _running(ring: KeyRing, file: Path, environment: Mapping[str, str]) -> Iterator[Running]:
    url, port = f"sqlite:///{file}", free_port()
    settings = {"KEYS": ring.directory, "DATABASE": url, "PORT": port, "RATE": 10**6, "KEY_RATE": 10**6}
    told = {f"TERNARY_SERVER_{name}": str(value) for name, value in settings.items()}
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM],
        env=dict(os.environ) | told | environment,
        cwd=file.parent,  # and not the clone, whose modules would come first
        stderr=subprocess.DEVNULL,
    )
    try:
        _await(f"http://127.0.0.1:{port}/readyz", process)
        yield Running(address=f"http://127.0.0.1:{port}", url=url, process=psutil.Process(process.pid))
    finally:
        process.terminate()
        process.wait(60)
