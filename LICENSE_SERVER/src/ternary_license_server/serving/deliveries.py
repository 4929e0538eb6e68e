"""
Delivering events while a server runs: a thread beside it, with a database connection of its own.

The thread claims, settles and does the upkeep, each in a short transaction; each webhook has at most one
sender, a thread that touches no database. So a webhook that hangs holds up no other, no transaction and no
request. Any number of servers may do this over one database.
"""

import queue
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from ternary_license_server.database.engine import Database
from ternary_license_server.keys import webhook_key
from ternary_license_server.service import ends, outbox, webhook_signature
from ternary_license_server.service.backoff import Limits
from ternary_license_server.service.outbox import Job, Outcome
from ternary_license_server.serving import ending, posting
from ternary_license_server.settings import Settings
from ternary_license_server.web.observation import LOG
from ternary_sdk.errors import InputError, TernaryError

POLL: Final = 2.0
"""Seconds from one look for due events to the next."""
UPKEEP: Final = 60.0
"""Seconds from one look for ends, and for what can be forgotten, to the next."""
LAST: Final = 5.0
"""Seconds that running attempts get when the server stops; what did not end is sent again."""

Send = Callable[[Job], Outcome]


def sender(settings: Settings) -> Send:
    """What signs an event and sends it, by a server's settings."""

    def send(job: Job) -> Outcome:
        try:
            secret = webhook_key.load(settings.keys).unseal(job.secret)
        except InputError as refusal:
            return Outcome(status=None, error=str(refusal))
        payload = job.payload.encode()
        signed = webhook_signature.headers(secret, job.event, job.at, payload)
        return posting.post(job.url, signed, payload, destinations=settings.webhook_networks, now=job.at)

    return send


@dataclass(frozen=True, kw_only=True)
class Rules:
    """How long events are tried and kept."""

    limits: Limits
    retention: int
    """Seconds for which delivered events are kept."""
    chance: Callable[[], float] = field(default=random.random)
    """Random numbers in [0, 1)."""

    @classmethod
    def of(cls, settings: Settings) -> "Rules":
        """Those of a server's settings."""
        limits = Limits(attempts=settings.webhook_attempts, age=settings.webhook_age * 3600)
        return cls(limits=limits, retention=settings.webhook_retention * 86_400)


def keep_up(database: Database, rules: Rules) -> None:
    """Write the events of ends, and forget old ones."""
    with database.write() as transaction:
        ends.announce(transaction)
    with database.write() as transaction:
        outbox.forget(transaction, rules.retention)


def claim_due(database: Database, besides: frozenset[str] = frozenset()) -> list[Job]:
    """Claim one due event for each webhook, except those named."""
    with database.read() as transaction:
        waiting = [webhook for webhook in outbox.due(transaction) if webhook not in besides]
    jobs = list[Job]()
    for webhook in waiting:
        with database.write() as transaction:
            job = outbox.claim(transaction, webhook)
        jobs += [] if job is None else [job]
    return jobs


def settle(database: Database, rules: Rules, job: Job, outcome: Outcome) -> str:
    """Write down what came of an attempt, and log it if the event was not taken; the delivery's state."""
    with database.write() as transaction:
        state = outbox.settle(transaction, job, outcome, rules.limits, rules.chance())
    if outcome.error is not None:
        facts = {"webhook": job.webhook, "event": job.event, "kind": job.kind, "attempt": job.attempts}
        LOG.warning("webhook", extra={"facts": facts | {"state": state, "fault": outcome.error}})
    return state


@contextmanager
def delivering(database: Database, send: Send, rules: Rules, last: float = LAST) -> Iterator[None]:
    """Deliver until the end of the block; then running attempts get a few seconds.

    Args:
        database: Used by the thread of this alone.
        send: Sends one event; called in threads.
        rules: How long events are tried and kept.
        last: Seconds for running attempts.
    """
    work = _Work(database=database, send=send, rules=rules, last=last)
    thread = threading.Thread(target=work.run, name="deliveries", daemon=True)
    thread.start()
    try:
        yield
    finally:
        work.stop()
        ending.end(thread, last + ending.LAST)


@dataclass(kw_only=True)
class _Work:
    database: Database
    send: Send
    rules: Rules
    last: float
    _busy: set[str] = field(default_factory=set)
    """Webhooks that have a sender now."""
    _ended: "queue.Queue[tuple[Job, Outcome] | None]" = field(default_factory=queue.Queue)
    """What senders have done; None wakes the thread."""
    _stopping: bool = False
    _kept_up: float = float("-inf")
    _fault: str | None = None

    def stop(self) -> None:
        self._stopping = True
        self._ended.put(None)

    def run(self) -> None:
        while not self._stopping:
            self._try(self._begin)
            self._collect(POLL)
        ends_at = time.monotonic() + self.last
        while self._busy and (left := ends_at - time.monotonic()) > 0:
            self._collect(left)

    def _begin(self) -> None:
        """Do the upkeep where it is due, and start a sender for each webhook that has none and needs one."""
        if time.monotonic() >= self._kept_up + UPKEEP:
            keep_up(self.database, self.rules)
            self._kept_up = time.monotonic()
        for job in claim_due(self.database, frozenset(self._busy)):
            self._busy.add(job.webhook)
            threading.Thread(target=self._sent, args=(job,), name="webhook", daemon=True).start()

    def _sent(self, job: Job) -> None:
        outcome = Outcome(status=None, error="the server failed; its log says why")
        try:
            outcome = self.send(job)
        except Exception:  # noqa: BLE001  a bug in one attempt: it is tried again like any that failed
            LOG.exception("webhook", extra={"facts": {"webhook": job.webhook, "event": job.event}})
        finally:
            self._ended.put((job, outcome))

    def _collect(self, seconds: float) -> None:
        """Settle what ended, after waiting for the first so long."""
        try:
            found = self._ended.get(timeout=seconds)
        except queue.Empty:
            return
        if found is not None:
            job, outcome = found
            self._busy.discard(job.webhook)
            self._try(lambda: settle(self.database, self.rules, job, outcome))

    def _try(self, work: Callable[[], object]) -> None:
        """Work, and log what keeps it from being done, once. What is not settled is sent again."""
        fault: str | None = None
        try:
            work()
        except TernaryError as refusal:
            fault = str(refusal)
        except Exception:  # noqa: BLE001  a bug must not end all deliveries until the next start
            LOG.exception("deliveries")
        if fault is not None and fault != self._fault:
            LOG.error("deliveries", extra={"facts": {"fault": fault}})
        self._fault = fault
