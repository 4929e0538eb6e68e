"""One measurement beside its limit, and the ways to measure it."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """What was measured, its limit, and how it came about."""

    name: str
    value: float
    unit: str
    least: float | None = None
    most: float | None = None
    detail: str = ""

    @property
    def met(self) -> bool:
        """Whether it keeps its limit; one without a limit does."""
        return (self.least is None or self.value >= self.least) and (
            self.most is None or self.value <= self.most
        )

    def __str__(self) -> str:
        limit = (
            f"≥ {self.least:g}"
            if self.least is not None
            else f"≤ {self.most:g}"
            if self.most is not None
            else ""
        )
        verdict = "" if not limit else "met" if self.met else "MISSED"
        return f"{self.name:<46} {self.value:>10.3g} {self.unit:<9} {limit:<8} {verdict:<7} {self.detail}"


def best_of(work: Callable[[], object], repeats: int) -> float:
    """Seconds of the fastest of several runs: the one least disturbed by the rest of the machine."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def paired_processes(one: Sequence[str], other: Sequence[str], repeats: int) -> tuple[float, float, float]:
    """Median whole-process seconds of two commands run in turn, and the median of their ratios."""
    pairs = [(seconds(one), seconds(other)) for _ in range(repeats + 1)][1:]
    return median(a for a, _ in pairs), median(b for _, b in pairs), median(a / b for a, b in pairs)


def seconds(command: Sequence[str]) -> float:
    """Seconds that a process takes as a whole."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONWARNINGS"}
    start = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True, env=environment)
    return time.perf_counter() - start


def peak_memory() -> int:
    """Bytes this process has ever had resident, by the operating system's own account."""
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else 1024 * peak
