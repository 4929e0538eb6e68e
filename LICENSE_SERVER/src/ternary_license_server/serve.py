"""
Starting a server: settings, database, keys, the first token, and uvicorn with one process or several.
"""

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import uvicorn
from starlette.types import ASGIApp

from ternary_license_server.database.engine import Database
from ternary_license_server.database.migration import migrate
from ternary_license_server.service import access
from ternary_license_server.settings import Settings
from ternary_license_server.vendor_keys import VendorKeys
from ternary_license_server.web.app import build
from ternary_license_server.web.observation import LOGGING, SHARED_METRICS
from ternary_sdk.errors import TernaryError


class ServeError(TernaryError):
    """The server cannot start."""

    code = "SERVER"


def serve(settings: Settings, tell: Callable[[str], None]) -> None:
    """Run a server until it is told to stop; SIGTERM lets running requests finish.

    The database is created or upgraded first. Where there is no admin token yet, one is made and told once.

    Args:
        settings: What to serve, where, with how many processes.
        tell: Says a line to whoever started the server.
    Raises:
        TernaryError: If keys or database cannot be used, or the address is taken.
    """
    vendor = VendorKeys(settings.keys)
    database = Database(settings.database)
    try:
        migrate(database)
        _show_first_token(database, tell)
    finally:
        database.close()
    place = f"{settings.host}:{settings.port}"
    processes = f", {settings.workers} processes" if settings.workers > 1 else ""
    tell(f"serving {vendor.ring.vendor} at http://{place}, database {database}{processes}")
    os.environ.update(settings.environment())
    with _shared_metrics(settings.workers):
        try:
            _run(settings)
        except SystemExit:
            raise ServeError(f"{place}: cannot listen there") from None


def application() -> ASGIApp:
    """What each process serves: it opens its own database, and has the settings from its environment."""
    settings = Settings.read(os.environ)
    return build(
        settings,
        database=Database(settings.database, connections=settings.connections),
        vendor=VendorKeys(settings.keys),
    )


def _run(settings: Settings) -> None:
    uvicorn.run(
        f"{__name__}:{application.__name__}",
        factory=True,
        workers=settings.workers,
        host=settings.host,
        port=settings.port,
        forwarded_allow_ips=settings.proxies,
        proxy_headers=bool(settings.proxies),
        server_header=False,
        access_log=False,
        log_config=LOGGING,
        log_level="warning",
        timeout_keep_alive=30,
        timeout_graceful_shutdown=settings.stop_timeout,
        timeout_worker_healthcheck=30,
        limit_concurrency=1000,
        lifespan="off",
    )


@contextmanager
def _shared_metrics(workers: int) -> Iterator[None]:
    """Where several processes count together, so that any of them tells the metrics of all."""
    if workers == 1 or SHARED_METRICS in os.environ:
        yield
        return
    with tempfile.TemporaryDirectory(prefix="ternary-metrics-") as folder:
        os.environ[SHARED_METRICS] = folder
        try:
            yield
        finally:
            del os.environ[SHARED_METRICS]


def _show_first_token(database: Database, tell: Callable[[str], None]) -> None:
    with database.write() as transaction:
        secret = access.add_first(transaction, datetime.now(UTC))
    if secret is not None:
        tell(f"first admin token, shown only now, good for {access.FIRST_LIFETIME.days} days: {secret}")
