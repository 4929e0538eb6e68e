"""
What operators see: one structured log line for each request or warning, and Prometheus metrics.

Neither ever holds a body, a header's value, a query, a license key or a token.
"""

import json
import logging
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.metrics_core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from ternary_license_server.service.figures import MEANINGS, Counted, Meaning
from ternary_sdk._internal.documents import plain

LOG: Final = logging.getLogger("ternary.server")
METRICS_TYPE: Final = CONTENT_TYPE_LATEST
SHARED_METRICS: Final = "PROMETHEUS_MULTIPROC_DIR"
"""The variable of prometheus_client that names a folder in which processes count together."""
FIGURES: Final = "TERNARY_FIGURES"
"""The variable that names the file in which figures of the business are kept, counted once in a while."""
QUICK: Final = 0.1
"""Seconds that counting the figures may take for whoever asks for them."""
COUNTED: Final[dict[str, Meaning]] = {
    "ternary_figures_timestamp_seconds": Meaning(about="When the figures of the business were counted."),
    "ternary_figures_seconds": Meaning(about="How long it took to count them."),
    "ternary_key_set_end_timestamp_seconds": Meaning(about="End of the vendor's key set; 0 if it has none."),
}
"""What the file has beside the figures of the database."""
_BUCKETS: Final = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)


_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
OTHER: Final = "other"


def known_method(method: str) -> str:
    """A method as logs and metrics name it: ``other`` for one that HTTP's own list has not."""
    return method if method in _METHODS else OTHER


def kept_figures() -> dict[str, dict[str, float]] | None:
    """The figures that the file has; None if there is no file."""
    file = os.environ.get(FIGURES)
    if file is None or not (kept := Path(file)).exists():
        return None
    found: dict[str, dict[str, float]] = plain.decode(kept.read_bytes())
    return found


def slow_figures() -> Counted | None:
    """The figures that the file has, if it takes long to count them; None says to count them anew."""
    found = kept_figures()
    if found is None or found["ternary_figures_seconds"][""] <= QUICK:
        return None
    return Counted(at=int(found["ternary_figures_timestamp_seconds"][""]), figures=found)


class KeptFigures(Collector):
    """The figures that the file has; none if there is no file. Asks no database."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """A gauge for each."""
        if (found := kept_figures()) is None:
            return
        for name, meaning in (dict(MEANINGS) | COUNTED).items():
            gauge = GaugeMetricFamily(name, meaning.about, labels=[meaning.label] if meaning.label else [])
            for value, number in found[name].items():
                gauge.add_metric([value] if meaning.label else [], number)
            yield gauge


class Metrics:
    """Counters of one application, or of all processes of one server.

    Each label has a fixed set of values, because a counter lives as long as the process: methods that HTTP
    knows, the routes of this interface, its statuses and its codes. Nothing that a client wrote is a label.
    """

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "ternary_requests", "Answered requests.", ("method", "route", "status"), registry=self._registry
        )
        self._operations = Counter(
            "ternary_operations_metered",
            "Operations that usage reports added to meters.",
            registry=self._registry,
        )
        self._refusals = Counter(
            "ternary_refusals", "Refusals by reason code.", ("code",), registry=self._registry
        )
        self._seconds = Histogram(
            "ternary_request_seconds",
            "Time to answer.",
            ("route",),
            registry=self._registry,
            buckets=_BUCKETS,
        )
        self._registry.register(KeptFigures())

    def meter(self, operations: int) -> None:
        """Count what a usage report added, once it is committed."""
        self._operations.inc(operations)

    def count(self, method: str, route: str, status: int, seconds: float, code: str | None) -> None:
        """Count one answered request; ``route`` and ``code`` are of this program, never of the request."""
        self._requests.labels(known_method(method), route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)
        if code is not None:
            self._refusals.labels(code).inc()

    def refusals(self) -> dict[str, int]:
        """How many refusals there were by reason code, of all processes together, ascending by code."""
        found = {
            sample.labels["code"]: int(sample.value)
            for family in self._every().collect()
            for sample in family.samples
            if sample.name == "ternary_refusals_total"
        }
        return dict(sorted(found.items()))

    def text(self) -> bytes:
        """The metrics in Prometheus' text format."""
        return generate_latest(self._every())

    def _every(self) -> CollectorRegistry:
        if SHARED_METRICS not in os.environ:
            return self._registry
        every = CollectorRegistry()
        MultiProcessCollector(every)  # type: ignore[no-untyped-call]
        every.register(KeptFigures())
        return every


class JsonLines(logging.Formatter):
    """A log record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "process": record.process,
            "message": record.getMessage(),
            **getattr(record, "facts", {}),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=True)


LOGGING: Final[dict[str, Any]] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": JsonLines}},
    "handlers": {
        "stderr": {"class": "logging.StreamHandler", "stream": "ext://sys.stderr", "formatter": "json"}
    },
    "root": {"level": "WARNING", "handlers": ["stderr"]},
    "loggers": {LOG.name: {"level": "INFO"}},
}
"""What is logged, by the HTTP server and by libraries too, is a JSON object on a line of standard error."""
