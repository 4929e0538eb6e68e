"""
Seats under delay and skew: requests that wait until a lease has ended, and replicas whose clocks differ.

Each round has licenses whose one seat is taken, by leases that end in a moment. Somebody else locks them all.
Then every holder asks to renew and two others ask for the seat, of two replicas 4 seconds apart. They wait
until the leases have ended. A third replica, a year ahead, is asked as well and must refuse everything. Run
alone: ``python -m stress.clocks [--rounds N] [--database URL]``.
"""

import argparse
import contextlib
import os
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
from sqlalchemy import update

from stress.databases import on_each
from stress.seats import prepare, sell, serving
from ternary_license_server.database.clock import Clock, Sources
from ternary_license_server.database.engine import Database
from ternary_license_server.database.schema import leases, licenses
from ternary_license_server.keys import keyring
from ternary_license_server.keys.keyring import KeyRing
from ternary_license_server.keys.vendor_keys import VendorKeys
from ternary_license_server.service import records
from ternary_license_server.settings import Settings
from ternary_sdk._internal.licensing import installation
from ternary_sdk._internal.licensing.installation import Installation
from ternary_sdk._internal.licensing.license import License
from ternary_sdk._internal.online import request as online_request

LICENSES = 4
SKEWS = (0, 4, 366 * 86_400)
"""Seconds by which the replicas' clocks are ahead."""
RENEWED, TAKEN, IN_DOUBT = "renewed by its holder", "taken by another", "refused by the replica in doubt"


def serve_skewed(seconds: int) -> None:
    """A server of one process whose clock is that much ahead, on PostgreSQL too; it has no heartbeat."""
    import uvicorn

    from ternary_license_server.web.app import build

    settings, skew = Settings.read(os.environ), timedelta(seconds=seconds)
    database = Database(settings.database, clock=Clock(Sources(wall=lambda: datetime.now(UTC) + skew)))
    app = build(settings, database=database, vendor=VendorKeys(settings.keys))
    uvicorn.run(app, host=settings.host, port=settings.port, log_level="critical", access_log=False)


@dataclass(frozen=True, kw_only=True)
class Held:
    """A license whose one seat is taken."""

    id: str
    key: str
    lease: str
    by: Installation


def race(ring: KeyRing, url: str, addresses: list[str], rounds: int) -> Counter[str]:
    """What became of each seat, counted over all rounds; ``addresses`` are of replicas as in ``SKEWS``."""
    outcomes: Counter[str] = Counter()
    with contextlib.closing(Database(url)) as database, contextlib.ExitStack() as stack:
        clients = [stack.enter_context(httpx.Client(base_url=one, timeout=60)) for one in addresses]
        pool = stack.enter_context(ThreadPoolExecutor(4 * LICENSES))
        for _ in range(rounds):
            held = [_taken(ring, clients[0], key) for key in sell(url, LICENSES)]
            for one, answers in zip(held, _fight(ring, database, clients, pool, held), strict=True):
                outcomes.update(_judged(one, answers))
    return outcomes


def _taken(ring: KeyRing, client: httpx.Client, key: str) -> Held:
    """Take the one seat of a license."""
    mine = installation.draft(Path("unused"))
    document = _activate(ring, key, mine)
    answer = _post(client, "activations", document)
    if answer.status_code != 200:
        raise SystemExit(f"unexpected answer: {answer.text}")
    told = answer.json()
    license = License.read(told["license"].encode(), ring.trust)
    return Held(id=license.id, key=key, lease=str(license.lease), by=mine)


def _fight(
    ring: KeyRing, database: Database, clients: list[httpx.Client], pool: ThreadPoolExecutor, held: list[Held]
) -> list[list[httpx.Response]]:
    """For each license the answers to a renewal and to three activations, one by the replica in doubt."""
    end = int(time.time()) + 2
    ids = [one.id for one in held]
    with database.write() as transaction:
        transaction.execute(update(licenses).where(licenses.c.id.in_(ids)).values(seats=1))
        transaction.execute(update(leases).where(leases.c.license.in_(ids)).values(ends=end))
    with database.write() as transaction:
        for name in sorted(ids):
            records.lock(transaction, name)
        waiting = [_ask(ring, clients, pool, one) for one in held]
        time.sleep(max(0.0, end + 0.2 - time.time()))
    return [[future.result() for future in futures] for futures in waiting]


def _ask(
    ring: KeyRing, clients: list[httpx.Client], pool: ThreadPoolExecutor, held: Held
) -> list[Future[httpx.Response]]:
    now = datetime.now(UTC)
    renewal = online_request.renew(held.id, held.lease, 1, vendor=ring.trust.root.kid, held=held.by, now=now)
    asked = [pool.submit(_post, clients[0], "renewals", renewal)]
    for client in clients:
        document = _activate(ring, held.key, installation.draft(Path("unused")))
        asked.append(pool.submit(_post, client, "activations", document))
    return asked


def _judged(held: Held, answers: list[httpx.Response]) -> list[str]:
    """What became of a seat; exits if anything else than exactly one holder came of it."""
    renewal, *takers, doubted = answers
    if doubted.status_code != 503 or doubted.json()["code"] != "CLOCK_IN_DOUBT":
        raise SystemExit(f"a replica a year ahead answers: {doubted.text}")
    taken = [answer.status_code for answer in takers].count(200)
    statuses = {answer.status_code for answer in (renewal, *takers)}
    if statuses - {200, 409} or (renewal.status_code == 200) + taken != 1:
        raise SystemExit(f"license {held.id}: {[answer.text[:200] for answer in answers]}")
    return [RENEWED if renewal.status_code == 200 else TAKEN, IN_DOUBT]


def _activate(ring: KeyRing, key: str, held: Installation) -> bytes:
    now = datetime.now(UTC)
    return online_request.activate(key, vendor=ring.trust.root.kid, held=held, now=now, machine=None)


def _post(client: httpx.Client, path: str, document: bytes) -> httpx.Response:
    headers = {"Idempotency-Key": online_request.number(document)}
    return client.post(f"/v1/{path}", content=document, headers=headers)


def programs() -> list[str]:
    """How to start the replicas."""
    return [f"from stress.clocks import serve_skewed; serve_skewed({skew})" for skew in SKEWS]


def main() -> int:
    """Race, print what became of the seats, judge."""
    options = argparse.ArgumentParser(prog="python -m stress.clocks", description=__doc__)
    options.add_argument("--rounds", type=int, default=20, help="each takes two seconds")
    options.add_argument("--database", help="an empty database; default: new ones, of SQLite and PostgreSQL")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        ring = keyring.create(Path(folder) / "keys", "Stress", datetime.now(UTC))
        return on_each(lambda url: _race_on(url, ring, chosen.rounds), Path(folder), chosen.database)


def _race_on(url: str, ring: KeyRing, number: int) -> int:
    prepare(url)
    with serving(ring, url, programs=programs()) as addresses:
        outcomes = race(ring, url, addresses, number)
    for outcome, seats in sorted(outcomes.items()):
        print(f"{seats:>6} seats: {outcome}")
    return 0 if outcomes[TAKEN] == outcomes[IN_DOUBT] == number * LICENSES else 1


if __name__ == "__main__":
    sys.exit(main())
