"""
A vendor's server for tests: databases, a small shop, clients with installations.

SQLite always; PostgreSQL where there is one, in a schema of its own that is dropped at the end.
"""

import asyncio
import base64
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import pytest
from stress import clusters
from stress.clusters import Cluster
from stress.databases import address, postgresql

from ternary_license_server.database.clock import Clock, Sources
from ternary_license_server.database.engine import Database
from ternary_license_server.database.migration import migrate
from ternary_license_server.database.waiting import Limits
from ternary_license_server.keys import keyring
from ternary_license_server.keys.keyring import KeyRing
from ternary_license_server.keys.vendor_keys import VendorKeys
from ternary_license_server.service import access, answering, catalog, life, metering, policies
from ternary_license_server.service import lease as lease_rows
from ternary_license_server.service.policies import Policy
from ternary_license_server.settings import Settings
from ternary_license_server.web.app import build
from ternary_sdk._internal.documents import canonical
from ternary_sdk._internal.identity import PackageIdentity
from ternary_sdk._internal.licensing import installation, usage
from ternary_sdk._internal.licensing.counted import Counted
from ternary_sdk._internal.licensing.installation import Installation
from ternary_sdk._internal.licensing.state import for_vendor
from ternary_sdk._internal.licensing.usage import Usage
from ternary_sdk._internal.online import request as online_request
from ternary_sdk._internal.online.client import LicenseServer
from ternary_sdk._internal.online.request import Request
from ternary_sdk._internal.signing import jws
from ternary_sdk.operations import OperationSet
from ternary_sdk.space import TERNARY_2, Space

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
HOLD = timedelta(hours=2)
"""Lease and grace of the policies here together."""
PACKAGE = PackageIdentity(name="acme", version=(1, 0, 0), digest="ab" * 32)

KINDS = ["sqlite"] if postgresql() is None else ["sqlite", "postgresql"]


@dataclass
class Hands:
    """A clock's hands. Time goes by (``moment``), or somebody sets the clock (``jump``)."""

    moment: datetime = NOW
    jump: timedelta = timedelta(0)

    def seconds(self) -> float:
        """Seconds that have gone by, whatever the clock was set to."""
        return self.moment.timestamp()

    def clock(self) -> Clock:
        """What a process has of it."""
        return Clock(Sources(wall=lambda: self.moment + self.jump, elapsed=self.seconds))


@cache
def _as_migrated() -> bytes:
    """A SQLite file as ``migrate`` leaves it; all revisions together take longer than most tests."""
    with TemporaryDirectory() as folder, address("sqlite", Path(folder)) as url:
        database = Database(url, clock=Hands().clock())
        migrate(database)
        database.close()
        assert database.file is not None
        assert [file.name for file in Path(folder).iterdir()] == [database.file.name]
        return database.file.read_bytes()


@contextmanager
def opened(kind: str, directory: Path, hands: Hands | None = None) -> Iterator[Database]:
    """A migrated database."""
    with address(kind, directory) as url:
        database = _migrated(url, hands or Hands())
        try:
            yield database
        finally:
            database.close()


def _migrated(url: str, hands: Hands, **named: Any) -> Database:
    """The database at an address, migrated; a SQLite file that is not there yet begins as a copy."""
    database = Database(url, clock=hands.clock(), **named)
    if database.file is not None and not database.file.exists():
        database.file.write_bytes(_as_migrated())
    migrate(database)
    return database


def policy(name: str, **changes: Any) -> Policy:
    terms: dict[str, Any] = {
        "product": PACKAGE.name,
        "term": 365 * DAY,
        "entitlements": ("decode", "sample"),
        "seats": 2,
        "unique_operations": None,
        "lease": HOUR,
        "grace": HOUR,
        "offline": timedelta(0),
        "trial": False,
    }
    return Policy(name=name, **(terms | changes))


@dataclass
class Shop:
    database: Database
    ring: KeyRing
    hands: Hands = field(default_factory=Hands)
    policies: int = 0

    def at(self, now: datetime) -> Database:
        """The database, at a moment."""
        self.hands.moment = now
        return self.database

    def stock(self) -> None:
        with self.database.write() as transaction:
            catalog.add_release(transaction, PACKAGE, None, actor="test")

    def sell(self, now: datetime = NOW, **changes: Any) -> tuple[str, str]:
        """A new license by a new policy: its id and its key."""
        self.policies += 1
        name = f"policy-{self.policies}"
        with self.at(now).write() as transaction:
            policies.add(transaction, policy(name, **changes), actor="test")
            customer = catalog.add_customer(transaction, "Initech", actor="test")
            sold = life.issue(transaction, customer=str(customer["id"]), policy=name, actor="test")
        return str(sold["id"]), str(sold["key"])

    def ask(self, document: bytes, now: datetime, *, carried: bool = False) -> dict[str, Any]:
        """What the server does with a client's document at a moment."""
        self.hands.moment = now
        return self.perform(document, carried=carried)

    def perform(self, document: bytes, *, carried: bool = False) -> dict[str, Any]:
        """What the server does with a client's document now."""
        request = Request.read(document, self.ring.trust.root.kid)
        done = answering.answer(self.database, self.ring, request, document, carried=carried)
        body: Any = canonical.decode(done.body, "answer")
        return body

    def activate(
        self,
        key: str,
        held: Installation,
        now: datetime = NOW,
        *,
        offline: bool = False,
        machine: str | None = None,
    ) -> dict[str, Any]:
        vendor = self.ring.trust.root.kid
        document = online_request.activate(
            key, vendor=vendor, held=held, now=now, machine=machine, offline=offline
        )
        return self.ask(document, now, carried=offline)

    def lease(self, license_id: str, held: Installation) -> str:
        """The number of an installation's lease, as its license has it; a made-up one if it never had any."""
        with self.database.read() as transaction:
            found = lease_rows.find(transaction, license_id, held.kid)
        return found.seat if found else "S-0"

    def renew(self, license_id: str, generation: int, held: Installation, now: datetime) -> dict[str, Any]:
        return self.ask(self.asking(online_request.renew, license_id, generation, held, now), now)

    def asking(
        self, make: Callable[..., bytes], license_id: str, generation: int, held: Installation, now: datetime
    ) -> bytes:
        """A request about the seat that an installation has now."""
        lease, vendor = self.lease(license_id, held), self.ring.trust.root.kid
        return make(license_id, lease, generation, vendor=vendor, held=held, now=now)

    def usage(
        self,
        license_id: str,
        held: Installation,
        operations: list[int],
        now: datetime,
        *,
        sequence: int = 1,
        history: str = "H" * 21 + "A",
        space: Space = TERNARY_2,
        **named: str | None,
    ) -> bytes:
        """A usage report, of the lease that an installation has now if no other is named."""
        counted = Counted(
            lease=named.get("lease", self.lease(license_id, held)),
            owner=named.get("owner"),
            history=history if operations else None,
            sequence=sequence if operations else 0,
            operations=OperationSet.of(operations, space),
        )
        return usage.report(license_id, counted, held, now)

    def usage_2(self, license_id: str, held: Installation, operations: list[int], now: datetime) -> bytes:
        """A usage report of version 2, which names no space."""
        written: Any = canonical.decode(self.usage(license_id, held, operations, now), "report")
        claims = jws.read(
            written["report"].encode(), typ=usage.TYP, what="report", key_for=lambda _: held.public
        ).claims
        without = {name: claim for name, claim in claims.items() if name != "space"}
        token = held.sign_token(without, typ=usage.TYP).decode()
        return canonical.encode({"format": usage.WITHOUT_SPACE, "key": held.public.jwk, "report": token})

    def usage_1(self, license_id: str, held: Installation, operations: list[int], now: datetime) -> bytes:
        """A usage report of version 1, which names no lease."""
        whole = OperationSet.of(operations)
        claims: Any = {
            "license": license_id,
            "iat": int(now.timestamp()),
            "operations": len(whole),
            "sha256": whole.digest,
            "bitmap": base64.b64encode(whole.to_bytes()).decode(),
        }
        token = held.sign_token(claims, typ=usage.TYP).decode()
        return canonical.encode({"format": usage.WITHOUT_LEASE, "key": held.public.jwk, "report": token})

    def merge(self, document: bytes, now: datetime) -> dict[str, Any]:
        """What the server does with a usage report at a moment."""
        with self.at(now).write() as transaction:
            return dict(metering.merge(transaction, Usage.read(document)))

    def release(
        self, license_id: str, generation: int, held: Installation, now: datetime, *, carried: bool = False
    ) -> dict[str, Any]:
        document = self.asking(online_request.release, license_id, generation, held, now)
        return self.ask(document, now, carried=carried)


@pytest.fixture(scope="session")
def vendor_keys(tmp_path_factory: pytest.TempPathFactory) -> KeyRing:
    """The server's keys; no test may change them."""
    return keyring.create(tmp_path_factory.mktemp("vendor") / "keys", "Acme Logic", NOW - DAY)


@pytest.fixture(scope="session")
def open_database() -> Callable[..., Any]:
    """Opens a new database of a kind, migrated, and drops it at the end of the block."""
    return opened


@pytest.fixture(scope="session")
def database_address() -> Callable[..., Any]:
    """Address of a new, empty database of a kind, dropped at the end of the block."""
    return address


@pytest.fixture(scope="module", params=KINDS)
def shop(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, vendor_keys: KeyRing
) -> Iterator[Shop]:
    """One database for a module's tests; each sells licenses of its own."""
    hands = Hands()
    with opened(request.param, tmp_path_factory.mktemp("database"), hands) as database:
        shop = Shop(database, vendor_keys, hands)
        shop.stock()
        yield shop


@pytest.fixture(params=KINDS)
def new_shop(request: pytest.FixtureRequest, tmp_path: Path, vendor_keys: KeyRing) -> Iterator[Shop]:
    """A database for one test that damages it or looks at all of it."""
    hands = Hands()
    with opened(request.param, tmp_path, hands) as database:
        shop = Shop(database, vendor_keys, hands)
        shop.stock()
        yield shop


@pytest.fixture
def make_shop(vendor_keys: KeyRing) -> Callable[[str], Shop]:
    """Opens and stocks a shop on the database at an address."""

    def make(url: str) -> Shop:
        hands = Hands()
        shop = Shop(_migrated(url, hands), vendor_keys, hands)
        shop.stock()
        return shop

    return make


@pytest.fixture
def database_kinds() -> list[str]:
    return KINDS


@pytest.fixture
def now() -> datetime:
    return NOW


@pytest.fixture(scope="session")
def new_client() -> Callable[[], Installation]:
    """Makes an installation that is in no file."""
    return lambda: installation.draft(Path("unused"))


class Wire(httpx.BaseTransport):
    """Carries a synchronous client's requests to an application in this process."""

    def __init__(self, app: Any) -> None:
        self.inner = httpx.ASGITransport(app)
        self.runner = asyncio.Runner()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        async def carry() -> httpx.Response:
            came = await self.inner.handle_async_request(request)
            return httpx.Response(came.status_code, headers=came.headers, content=await came.aread())

        return self.runner.run(carry())

    def close(self) -> None:
        """One wire serves many clients, each of which closes it."""


@dataclass
class Site(Shop):
    """A shop with a server in front of it, a clock to turn, and an admin token."""

    vendor: Any = None
    wired: Any = None
    token: str = ""
    stack: Any = None

    @property
    def moment(self) -> datetime:
        """The moment, for the server."""
        return self.hands.moment

    @moment.setter
    def moment(self, moment: datetime) -> None:
        self.hands.moment = moment

    def beside(self) -> "Site":
        """Another process of this server: it shares the database and the time, nothing else."""
        database = Database(self.database.url.render_as_string(hide_password=False), clock=self.hands.clock())
        settings = Settings(keys=self.ring.directory, rate=1_000_000, key_rate=1_000_000)
        app = Wire(build(settings, database=database, vendor=self.vendor, elapsed=self.hands.seconds))
        self.stack.callback(database.close)
        self.stack.callback(app.runner.close)
        site = Site(database, self.ring, self.hands, vendor=self.vendor, wired=app, token=self.token)
        # FastAPI builds its routes at the first request, under warning filters of its own, which are those of
        # the whole process. First requests of two servers in two threads at once would meet each other's.
        assert site.http("GET", "/v1/nothing").status_code == 404
        return site

    def wire(self) -> Any:
        """How an SDK client's requests travel to the server, without a network."""
        return self.wired

    def online(self, directory: Path, trust: Any = None) -> LicenseServer:
        trust = trust or self.ring.trust
        return LicenseServer("http://127.0.0.1", trust, state=directory, transport=self.wire())

    def kept(self, directory: Path) -> Path:
        """Where a client with that state directory keeps what is this vendor's."""
        return for_vendor(self.ring.trust.root.kid, directory)

    def admin(self, method: str, path: str, **arguments: Any) -> Any:
        headers = {"Authorization": f"Bearer {self.token}", "Idempotency-Key": secrets.token_hex(8)}
        headers |= arguments.pop("headers", {})
        return self.http(method, f"/admin/v1{path}", headers=headers, **arguments)

    def http(self, method: str, path: str, **arguments: Any) -> Any:
        with httpx.Client(transport=self.wired, base_url="http://127.0.0.1") as client:
            return client.request(method, path, **arguments)


def open_site(kind: str, directory: Path, ring: KeyRing, stack: ExitStack, **limits: Any) -> Site:
    hands = Hands()
    return _site_on(stack.enter_context(opened(kind, directory, hands)), hands, ring, stack, **limits)


def _site_on(database: Database, hands: Hands, ring: KeyRing, stack: ExitStack, **limits: Any) -> Site:
    vendor = VendorKeys(ring.directory)
    site = Site(database, ring, hands, vendor=vendor, stack=stack)
    settings = Settings(keys=ring.directory, **({"rate": 1_000_000, "key_rate": 1_000_000} | limits))
    site.wired = Wire(build(settings, database=database, vendor=vendor, elapsed=hands.seconds))
    stack.callback(site.wired.runner.close)
    with database.write() as transaction:
        site.token = access.add_first(transaction) or ""
    site.stock()
    return site


@pytest.fixture
def make_site(tmp_path: Path) -> Iterator[Callable[..., Site]]:
    """Opens sites with limits, or keys, of their own."""
    with ExitStack() as stack:
        yield lambda kind, ring, **limits: open_site(kind, tmp_path, ring, stack, **limits)


@pytest.fixture
def site_at(vendor_keys: KeyRing) -> Iterator[Callable[[str, Limits], Site]]:
    """Opens sites on the database at an address, with limits of waiting."""
    with ExitStack() as stack:

        def open_at(url: str, limits: Limits) -> Site:
            hands = Hands()
            database = _migrated(url, hands, limits=limits)
            stack.callback(database.close)
            return _site_on(database, hands, vendor_keys, stack)

        yield open_at


@pytest.fixture(scope="session")
def cluster_folder() -> Iterator[Path]:
    """Where real PostgreSQL clusters and PgBouncers of tests are; skips where they cannot be started."""
    if (lacking := clusters.missing()) is not None:
        if os.environ.get("CI") == "true":
            pytest.fail(lacking)
        pytest.skip(lacking)
    with clusters.clusters() as folder:
        yield folder


@pytest.fixture(scope="session")
def cluster(cluster_folder: Path) -> Iterator[Cluster]:
    """A PostgreSQL server that tests may stop, if they start it again."""
    with clusters.primary(cluster_folder) as started:
        yield started


@pytest.fixture
def new_database(cluster: Cluster) -> str:
    """The name of a new database of that server."""
    name = f"test_{secrets.token_hex(6)}"
    cluster.execute(f"CREATE DATABASE {name}")
    return name


@pytest.fixture(scope="module", params=KINDS)
def running(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, vendor_keys: KeyRing
) -> Iterator[Site]:
    with ExitStack() as stack:
        yield open_site(request.param, tmp_path_factory.mktemp("site"), vendor_keys, stack)


@pytest.fixture
def site(running: Site) -> Site:
    """A server whose clock stands at ``now``; a module's tests share its database."""
    running.moment, running.hands.jump = NOW, timedelta(0)
    return running


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    """Which database."""
    kind: str = request.param
    return kind
