"""
Metrics of webhooks, read from the database: the same numbers from every process and replica.
"""

from collections.abc import Iterator
from typing import Final

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from ternary_license_server.database.engine import Database
from ternary_license_server.database.waiting import within
from ternary_license_server.service import dead_letters, webhooks
from ternary_sdk._internal.documents.canonical import Json
from ternary_sdk.errors import TernaryError

_ATTEMPTS: Final = "ternary_webhook_attempts"


def text(database: Database, seconds: float) -> bytes:
    """In Prometheus' text format; nothing if the database does not answer in so many seconds."""
    try:
        with within(seconds), database.read() as transaction:
            found = _Found(webhooks.every(transaction), dead_letters.standing(transaction))
    except TernaryError:
        return b""
    registry = CollectorRegistry()
    registry.register(found)
    return generate_latest(registry)


class _Found(Collector):
    def __init__(self, every: list[dict[str, Json]], standing: dict[str, Json]) -> None:
        self._every, self._standing = every, standing

    def collect(self) -> Iterator[Metric]:
        attempts = CounterMetricFamily(_ATTEMPTS, "Attempts to send an event.", labels=("webhook", "outcome"))
        for webhook in self._every:
            for outcome in ("delivered", "failed"):
                attempts.add_metric((str(webhook["id"]), outcome), float(str(webhook[outcome])))
        yield attempts
        for name, meaning in (
            ("waiting", "Events that wait for an active webhook."),
            ("held", "Events that wait for a webhook that is paused or gone."),
            ("dead", "Events that a webhook did not take, and that are not sent any more."),
        ):
            yield GaugeMetricFamily(
                f"ternary_webhook_events_{name}", meaning, value=float(str(self._standing[name]))
            )
        yield GaugeMetricFamily(
            "ternary_webhook_oldest_seconds",
            "For how long the oldest event waits for an active webhook; 0 if none does.",
            value=float(str(self._standing["oldest"])),
        )
