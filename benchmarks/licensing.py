"""What a license costs: verifying it, asking it before a call, and counting what was drawn."""

import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

from benchmarks.measurement import Measurement
from ternary_license_server.keys import keyring
from ternary_license_server.keys.issue import issue
from ternary_sdk._internal.identity import PackageIdentity
from ternary_sdk._internal.licensing.license import License
from ternary_sdk._internal.licensing.machine import identify
from ternary_sdk._internal.licensing.permit import Permit
from ternary_sdk.operations import OperationSet

PACKAGE = PackageIdentity(name="acme", version=(1, 0, 0), digest="ab" * 32)
MACHINE = "rack 7"


def measurements() -> Iterator[Measurement]:
    """Measure everything here, one after the other."""
    with tempfile.TemporaryDirectory() as folder:
        now = datetime.now(UTC)
        ring = keyring.create(Path(folder) / "keys", "Acme", now)
        token = issue(
            ring,
            package=PACKAGE,
            customer="Initech",
            now=now,
            expires=now + timedelta(days=365),
            machines=[identify(ring.trust.root.kid, explicit=MACHINE).id],
            unique_operations=19683,
        )
        yield _verifying(lambda: License.read(token, ring.trust))
        license = License.read(token, ring.trust)
        permit = Permit(license, PACKAGE, ring.trust, machine_id=MACHINE, state=Path(folder) / "state")
        yield _asking(permit)
        yield _counting(permit)


def _verifying(verify: Callable[[], object]) -> Measurement:
    times = _times(verify, 5000, clock=time.thread_time)
    p99 = statistics.quantiles(times, n=100)[98]
    wall = statistics.quantiles(_times(verify, 5000), n=100)[98]
    middle = statistics.median(times)
    detail = f"processor time; median {1e3 * middle:.2f} ms, p99 by the clock {1e3 * wall:.2f} ms"
    return Measurement(name="verify a license, p99", value=1e3 * p99, unit="ms", most=1, detail=detail)


def _asking(permit: Permit) -> Measurement:
    median = statistics.median(_times(lambda: permit.allow("sample", datetime.now(UTC)), 5000))
    detail = "clock, time, package, machine, entitlement"
    return Measurement(
        name="ask a license before a call", value=1e6 * median, unit="µs", most=50, detail=detail
    )


def _counting(permit: Permit) -> Measurement:
    fresh = count()
    median = statistics.median(_times(lambda: permit.count(lambda: OperationSet.of([next(fresh)])), 200))
    again = statistics.median(_times(lambda: permit.count(lambda: OperationSet.of([0])), 200))
    detail = f"{1e3 * again:.2f} ms if nothing is new"
    return Measurement(name="count new operations, on disk", value=1e3 * median, unit="ms", detail=detail)


def _times(
    work: Callable[[], object], repeats: int, *, clock: Callable[[], float] = time.perf_counter
) -> list[float]:
    work()
    times = []
    for _ in range(repeats):
        start = clock()
        work()
        times.append(clock() - start)
    return times
