"""
A usage report of a vast space, taken in by the server: a million operations of three-input ternary logic,
beside ten millions that the same machine has reported before.
"""

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from stress.seats import prepare, sell

from benchmarks.measurement import Measurement
from ternary_license_server.database.engine import Database
from ternary_license_server.keys.keyring import KeyRing
from ternary_license_server.service import activation, metering, segments
from ternary_license_server.service import lease as lease_rows
from ternary_sdk._internal.licensing import installation, usage
from ternary_sdk._internal.licensing.counted import Acknowledged, Counted
from ternary_sdk._internal.licensing.usage import Usage
from ternary_sdk._internal.online import request as online_request
from ternary_sdk._internal.online.request import Request
from ternary_sdk.operations import OperationSet
from ternary_sdk.space import Space

SPACE = Space(3, 3)
BEFORE, MORE = 10_000_000, 1_000_000


def report_measurements(ring: KeyRing, url: str, kind: str) -> Iterator[Measurement]:
    """Measure one empty database."""
    prepare(url)
    (key,) = sell(url, 1)
    database, machine = Database(url), _Machine(ring, key)
    machine.activate(database)
    while len(machine.counted.operations) < BEFORE:
        _merge(database, Usage.read(machine.grow()))
    document = machine.grow()
    start = time.perf_counter()
    report = Usage.read(document)
    reading = time.perf_counter() - start
    warm = _merge(database, report)
    document = machine.grow()
    segments.DECODED.clear()
    cold = _merge(database, Usage.read(document))
    database.close()
    yield Measurement(
        name=f"merge {len(report.operations):,} operations on {kind}",
        value=warm,
        unit="s",
        most=1,
        detail=f"into {BEFORE:,}; {len(document) / 1e6:.1f} MB, reading it {reading:.2f} s more; "
        f"{cold:.2f} s by a process that has not read the set",
    )


def _merge(database: Database, report: Usage) -> float:
    """Merge a report; seconds until it is on the disk."""
    start = time.perf_counter()
    with database.write() as transaction:
        metering.merge(transaction, report)
    return time.perf_counter() - start


class _Machine:
    """A machine that counts, and reports a million operations at a time."""

    def __init__(self, ring: KeyRing, key: str) -> None:
        self._ring, self._key, self._held = ring, key, installation.draft(Path("unused"))
        self._draws = np.random.default_rng(1)
        self._license = ""
        nothing = OperationSet.of([], SPACE)
        self.counted = Counted(lease=None, owner="Initech", history="A" * 22, sequence=0, operations=nothing)

    def activate(self, database: Database) -> None:
        """Take a seat."""
        now, vendor = datetime.now(UTC), self._ring.trust.root.kid
        document = online_request.activate(self._key, vendor=vendor, held=self._held, now=now, machine=None)
        with database.write() as transaction:
            asked = Request.read(document, vendor)
            told = activation.perform(transaction, self._ring, asked, carried=False)
            self._license = str(told["id"])
            lease = lease_rows.find(transaction, self._license, self._held.kid)
        self.counted = replace(self.counted, lease=lease.seat if lease else None)

    def grow(self) -> bytes:
        """Count a million operations more; the report of them."""
        before = self.counted.operations
        more = OperationSet.of(self._draws.integers(0, SPACE.size, MORE), SPACE) - before
        counted = replace(
            self.counted,
            sequence=self.counted.sequence + 1,
            operations=before | more,
            pending=more,
            acknowledged=Acknowledged.of(before) if len(before) else None,
        )
        self.counted = counted
        return usage.report(self._license, counted, self._held, datetime.now(UTC))
