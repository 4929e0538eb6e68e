"""
What a server must know of usage reports, as plain sets, for ``stress.usage``.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ternary_sdk._internal.licensing.counted import Acknowledged
from ternary_sdk._internal.licensing.usage import Report


@dataclass
class Machine:
    """A meter, as a client keeps it."""

    operations: set[int] = field(default_factory=set)
    history: str | None = None
    sequence: int = 0
    confirmed: set[int] = field(default_factory=set)
    base: Acknowledged | None = None

    def grow(self, more: set[int], history: str) -> None:
        """Count operations; nothing happens if none is new."""
        if more - self.operations:
            self.operations |= more
            self.history, self.sequence = self.history or history, self.sequence + 1

    def forget(self) -> None:
        """Forget what the server has confirmed."""
        self.confirmed, self.base = set(), None


@dataclass
class Sent:
    """A report on its way."""

    machine: int
    document: bytes
    history: str | None
    sequence: int
    start: frozenset[int]
    after: frozenset[int]
    complete: bool
    report: Report


@dataclass
class Lease:
    """What the server must know of a machine's reports."""

    ends: datetime
    generation: int = 1
    seen: bool = False
    reported: set[int] = field(default_factory=set)
    excluded: set[int] = field(default_factory=set)
    base: tuple[str | None, frozenset[int]] = (None, frozenset())
    history: str | None = None
    sequence: int = 0


@dataclass
class Model:
    """What the server must know."""

    leases: list[Lease]
    billed: set[int] = field(default_factory=set)
    weighed: set[int] = field(default_factory=set)
    entries: list[tuple[datetime, set[int], bool]] = field(default_factory=list)

    def take(self, sent: Sent, now: datetime) -> dict[str, Any] | None:
        """What the answer to a report must say; None where the whole set is wanted."""
        lease, end = self.leases[sent.machine], (sent.history, sent.after)
        repeated = lease.seen and lease.base == end
        if not repeated and sent.start and (not lease.seen or lease.base != (sent.history, sent.start)):
            return None
        held = now < lease.ends
        more = set() if repeated else set(sent.after - lease.reported)
        lost, restarted = self._fault(lease, sent, len(more)) if lease.seen else (0, False)
        lease.seen, lease.base = True, end
        lease.reported |= more
        if sent.complete:
            least = lease.sequence if lease.history == sent.history else 0
            lease.history, lease.sequence = sent.history, max(least, sent.sequence)
        added = more - self.billed
        self.billed |= added
        if held:
            self.weighed |= lease.reported - lease.excluded
        if added:
            self.entries.append((now, added, False))
        return {
            "late": not held, "added": len(added), "operations": len(self.billed),
            "lost": lost, "restarted": restarted, "all_spaces": len(self.billed),
        }  # fmt: skip

    def _fault(self, lease: Lease, sent: Sent, more: int) -> tuple[int, bool]:
        missing = len((lease.reported | sent.after) - sent.after) if sent.complete else 0
        if sent.history != lease.history:
            return missing, lease.sequence > 0
        if sent.sequence > lease.sequence:
            return missing, False
        return (0 if sent.sequence < lease.sequence else missing), more > 0

    def correct(self, machine: int, now: datetime) -> int | None:
        """How many operations a correction takes back; None if nothing counts."""
        lease = self.leases[machine]
        counts = lease.reported - lease.excluded
        if not counts:
            return None
        lease.excluded |= lease.reported
        others = set().union(*(one.reported - one.excluded for one in self.leases))
        taken = (counts - others) & self.billed
        self.billed -= taken
        self.weighed -= taken
        if taken:
            self.entries.append((now, taken, True))
        return len(taken)

    def line(self, start: datetime) -> tuple[int, int, int]:
        """What a customer's line has from a moment on: operations, taken back, total."""
        before, after = set[int](), set[int]()
        for at, operations, back in self.entries:
            after = after - operations if back else after | operations
            if at < start:
                before = before - operations if back else before | operations
        return len(after - before), len(before - after), len(after)
