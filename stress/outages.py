"""
Databases that fail under a server: a load through PgBouncer, and a failover in the middle of one.

Clients ask without a pause; their answers are counted by status. Through PgBouncer in transaction mode every
answer is 200. When the primary dies and its standby is promoted, requests may be refused with 503, none
waits longer than a request may, and afterwards the same processes answer again. Run alone:
``python -m stress.outages [--seconds S]``.
"""

import argparse
import json
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import httpx

from stress.clusters import Cluster, bouncer, clusters, missing, primary, standby
from stress.seats import prepare, sell, serving
from stress.sockets import wire
from ternary_license_server.database.engine import Database
from ternary_license_server.keys import keyring
from ternary_license_server.keys.keyring import KeyRing
from ternary_license_server.service import access
from ternary_sdk._internal.licensing import installation
from ternary_sdk._internal.online import request as online_request

CLIENTS = 8
PROCESSES = 4


@dataclass
class Answers:
    """What clients got: how many answers of each status, and the longest wait for one."""

    statuses: Counter[int] = field(default_factory=Counter)
    longest: float = 0.0
    """Seconds."""
    last_refused: float = 0.0
    """When the last answer that is not 200 came, in seconds of ``time.monotonic``."""
    _turn: threading.Lock = field(default_factory=threading.Lock)

    def count(self, ask: Callable[[], int]) -> int:
        """Ask, and count the answer; 0 stands for none."""
        started = time.monotonic()
        try:
            status = ask()
        except httpx.HTTPError:
            status = 0
        ended = time.monotonic()
        with self._turn:
            self.statuses[status] += 1
            self.longest = max(self.longest, ended - started)
            if status != 200:
                self.last_refused = ended
        return status

    @property
    def refused(self) -> int:
        """How many were not 200."""
        return self.statuses.total() - self.statuses[200]

    def __str__(self) -> str:
        told = ", ".join(f"{number:,} of status {status}" for status, number in sorted(self.statuses.items()))
        share = self.refused / max(1, self.statuses.total())
        return f"{told}; {share:.2%} not 200; the longest took {self.longest:.1f} s"


@dataclass(frozen=True, kw_only=True)
class Shop:
    """A server's keys, a token of it and a license sold by it."""

    ring: KeyRing
    token: str
    key: str

    def requests(self, client: httpx.Client) -> Iterator[Callable[[], int]]:
        """What one client asks in turn: a list of customers, and its seat anew."""
        held = installation.draft(Path("unused"))

        def activate() -> int:
            now, vendor = datetime.now(UTC), self.ring.trust.root.kid
            document = online_request.activate(self.key, vendor=vendor, held=held, now=now, machine=None)
            headers = {"Idempotency-Key": online_request.number(document)}
            return client.post("/v1/activations", content=document, headers=headers).status_code

        def look() -> int:
            headers = {"Authorization": f"Bearer {self.token}"}
            return client.get("/admin/v1/customers", headers=headers).status_code

        while True:
            yield activate
            yield look


def open_shop(url: str, folder: Path) -> Shop:
    """Make a server's tables at an address, sell a license, and make a token."""
    prepare(url, seats=CLIENTS)
    (key,) = sell(url, 1)
    with closing(Database(url)) as database, database.write() as transaction:
        token = access.add_first(transaction)
    ring = keyring.create(folder / "keys", "Stress", datetime.now(UTC))
    return Shop(ring=ring, token=token or "", key=key)


@contextmanager
def asking(shop: Shop, address: str, clients: int = CLIENTS) -> Iterator[Answers]:
    """Let clients ask until the end of the block."""
    answers, stop = Answers(), threading.Event()

    def ask_on() -> None:
        with httpx.Client(base_url=address, timeout=120) as client:
            for ask in shop.requests(client):
                if stop.is_set():
                    return
                if answers.count(ask) != 200:
                    stop.wait(0.05)

    with ThreadPoolExecutor(clients) as pool:
        running = [pool.submit(ask_on) for _ in range(clients)]
        try:
            yield answers
        finally:
            stop.set()
            for one in running:
                one.result()


def tell_causes(log: Path) -> None:
    """Print why requests were refused, as the server's log has it, and how many were."""
    lines = (json.loads(line) for line in log.read_text().splitlines() if line.startswith("{"))
    for fault, number in Counter(line["fault"] for line in lines if "fault" in line).most_common():
        print(f"{number:>6} refused: {fault}")


def through_a_bouncer(cluster: Cluster, folder: Path, seconds: float) -> bool:
    """Whether every request of a load through PgBouncer is answered with 200."""
    cluster.execute("CREATE DATABASE bounced")
    shop = open_shop(cluster.url("bounced"), folder)
    with (
        bouncer(cluster, folder, size=5) as port,
        serving(
            shop.ring, cluster.url("bounced", port), number=1, workers=PROCESSES, log=folder / "bounced.log"
        ) as (address,),
        asking(shop, address) as answers,
    ):
        time.sleep(seconds)
    print(f"through PgBouncer, {PROCESSES} processes over 5 connections: {answers}")
    tell_causes(folder / "bounced.log")
    return answers.refused == 0


def failing_over(cluster: Cluster, folder: Path, seconds: float, bound: float) -> bool:
    """Whether a failover under load is over within a bound, without a restart of the server."""
    cluster.execute("CREATE DATABASE failing")
    shop = open_shop(cluster.url("failing"), folder / "failing")
    with (
        standby(cluster, folder / "standby") as second,
        wire(cluster.port) as way,
        serving(
            shop.ring,
            cluster.url("failing", way.port),
            number=1,
            workers=PROCESSES,
            log=folder / "failing.log",
        ) as (address,),
        asking(shop, address) as answers,
    ):
        time.sleep(seconds / 2)
        way.die()
        cluster.stop()
        second.promote()
        failed = time.monotonic()
        way.lead(second.port)
        time.sleep(max(seconds / 2, bound + 5))
        ended = time.monotonic()
    print(
        f"failover: {answers}; the last refusal came {max(0, answers.last_refused - failed):.1f} s after it"
    )
    tell_causes(folder / "failing.log")
    return answers.last_refused < min(ended - 2, failed + bound) and answers.longest <= bound


def main() -> int:
    """Put both under load, print what clients got, judge."""
    options = argparse.ArgumentParser(prog="python -m stress.outages", description=__doc__)
    options.add_argument("--seconds", type=float, default=60, help="how long each load lasts")
    chosen = options.parse_args()
    if lacking := missing():
        print(f"skipped: {lacking}")
        return 0
    with clusters() as folder, primary(folder) as cluster:
        good = through_a_bouncer(cluster, folder, chosen.seconds)
        return 0 if failing_over(cluster, folder, chosen.seconds, 25) and good else 1


if __name__ == "__main__":
    sys.exit(main())
