"""
What client calls and pages of lists cost at a million licenses, beside what they cost at a thousand.

In this process and as processor time, without a network: what is compared is what the database does. Each
figure is the median of many calls, of licenses that are spread over all.
"""

import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Final

from sqlalchemy import update
from stress.large_rows import Size, customer_name, fill, license_name

from benchmarks.measurement import Measurement
from ternary_license_server.database.engine import Database
from ternary_license_server.database.schema import licenses
from ternary_license_server.database.transaction import Transaction
from ternary_license_server.keys import keyring
from ternary_license_server.keys.keyring import KeyRing
from ternary_license_server.service import activation, answering, audit, metering, records
from ternary_license_server.service import lease as lease_rows
from ternary_license_server.service.sought import Sought
from ternary_sdk._internal.licensing import installation, usage
from ternary_sdk._internal.licensing.counted import Counted
from ternary_sdk._internal.licensing.usage import Usage
from ternary_sdk._internal.online import key as online_key
from ternary_sdk._internal.online import request as online_request
from ternary_sdk._internal.online.request import Request
from ternary_sdk.operations import OperationSet

SMALL: Final = 1_000
LARGE: Final = 1_000_000
CALLS: Final = 60
MOST: Final = 1.3

Times = dict[str, list[float]]


def measurements(large: int = LARGE) -> Iterator[Measurement]:
    """Compare both sizes on SQLite."""
    with tempfile.TemporaryDirectory() as folder:
        ring = keyring.create(Path(folder) / "keys", "Bench", datetime.now(UTC))
        found = []
        for size in (SMALL, large):
            url = f"sqlite:///{folder}/{size}.sqlite3"
            fill(url, Size(licenses=size, entries=size // 4))
            found.append(measure(url, ring, size))
        yield from compared(*found, large=large)


def compared(small: Times, large_times: Times, *, large: int) -> Iterator[Measurement]:
    """A row for each question."""
    for name, times in small.items():
        one, other = median(times), median(large_times[name])
        yield Measurement(
            name=f"{name}: {large:,} licenses beside {SMALL:,}",
            value=other / one,
            unit="times",
            most=MOST,
            detail=f"{1000 * other:.2f} ms and {1000 * one:.2f} ms of processor time",
        )


def measure(url: str, ring: KeyRing, size: int) -> Times:
    """Seconds of each call and page, on a database that ``large_rows`` filled."""
    times: Times = {}
    with closing(Database(url)) as database:
        chosen = [license_name(n) for n in range(0, size, max(1, size // CALLS))][:CALLS]
        for license_id in chosen:
            _call(database, ring, license_id, times)
        for _ in range(CALLS):
            for name, page in _pages(size).items():
                _timed(times, name, lambda page=page: _read(database, page))  # type: ignore[misc]
    return times


def _call(database: Database, ring: KeyRing, license_id: str, times: Times) -> None:
    """One life of a seat: taken, asked about, renewed, reported for, given back."""
    key, held, vendor = online_key.generate(), installation.draft(Path("unused")), ring.trust.root.kid
    with database.write() as transaction:
        changed = update(licenses).where(licenses.c.id == license_id)
        transaction.execute(changed.values(key_hash=online_key.digest(key)))
        now = transaction.now

    def ask(name: str, document: bytes) -> None:
        request = Request.read(document, vendor)
        work = lambda: answering.answer(database, ring, request, document, carried=False)  # noqa: E731
        _timed(times, name, work)

    ask("activate", online_request.activate(key, vendor=vendor, held=held, now=now, machine=None))
    with database.read() as transaction:
        found = lease_rows.find(transaction, license_id, held.kid)
    seat = found.seat if found else ""
    about = {"vendor": vendor, "held": held, "now": now}
    ask("renew", online_request.renew(license_id, seat, 1, **about))  # type: ignore[arg-type]
    document = online_request.standing(license_id, seat, 1, **about)  # type: ignore[arg-type]
    asked = Request.read(document, vendor)
    perform = lambda t: activation.perform(t, ring, asked, carried=False)  # noqa: E731
    _timed(times, "validate", lambda: _read(database, perform))
    counted = Counted(
        lease=seat, owner=None, history="A" * 22, sequence=1, operations=OperationSet.of([19_000])
    )
    report = Usage.read(usage.report(license_id, counted, held, now))

    def merge() -> None:
        with database.write() as transaction:
            metering.merge(transaction, report)

    _timed(times, "meter", merge)
    ask("release", online_request.release(license_id, seat, 1, **about))  # type: ignore[arg-type]


def _pages(size: int) -> Mapping[str, Callable[[Transaction], object]]:
    middle = license_name(size // 2)
    whose = Sought(customer=customer_name(size // 2))
    return {
        "first page": lambda t: records.page(t, after="", limit=100),
        "middle page": lambda t: records.page(t, after=middle, limit=100),
        "page of a customer": lambda t: records.page(t, after="", limit=100, sought=whose),
        "page in a state": lambda t: records.page(t, after=middle, limit=100, sought=Sought(state="active")),
        "license of a seat": lambda t: records.page(
            t, after="", limit=100, sought=Sought(holder=f"S-{size // 2:024x}")
        ),
        "page of the audit log": lambda t: audit.entries(t, limit=100, after=(middle, 1)),
    }


def _read(database: Database, work: Callable[[Transaction], object]) -> None:
    with database.read() as transaction:
        work(transaction)


def _timed(times: Times, name: str, work: Callable[[], object]) -> None:
    start = time.process_time()
    work()
    times.setdefault(name, []).append(time.process_time() - start)
