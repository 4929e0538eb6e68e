"""
A server process: settings, database, keys, the first token, and uvicorn.
"""

from collections.abc import Callable
from datetime import UTC, datetime

import uvicorn

from ternary_license_server.database.engine import Database
from ternary_license_server.database.migration import migrate
from ternary_license_server.service import access
from ternary_license_server.settings import Settings
from ternary_license_server.vendor_keys import VendorKeys
from ternary_license_server.web.app import build
from ternary_license_server.web.observation import log_to_stderr
from ternary_sdk.errors import TernaryError


class ServeError(TernaryError):
    """The server cannot start."""


def serve(settings: Settings, tell: Callable[[str], None]) -> None:
    """Run a server until it is told to stop; SIGTERM lets running requests finish.

    The database is created or upgraded first. Where there is no admin token yet, one is made and told once.

    Args:
        settings: What to serve, where.
        tell: Says a line to whoever started the server.
    Raises:
        TernaryError: If keys or database cannot be used, or the address is taken.
    """
    vendor = VendorKeys(settings.keys)
    database = Database(settings.database, connections=settings.connections)
    try:
        migrate(database)
        _show_first_token(database, tell)
        log_to_stderr()
        tell(f"serving {vendor.ring.vendor} at http://{settings.host}:{settings.port}, database {database}")
        server = uvicorn.Server(_configuration(settings, database, vendor))
        try:
            server.run()
        except SystemExit:
            raise ServeError(f"{settings.host}:{settings.port}: cannot listen there") from None
    finally:
        database.close()


def _configuration(settings: Settings, database: Database, vendor: VendorKeys) -> uvicorn.Config:
    return uvicorn.Config(
        build(settings, database=database, vendor=vendor),
        host=settings.host,
        port=settings.port,
        forwarded_allow_ips=settings.proxies,
        proxy_headers=bool(settings.proxies),
        server_header=False,
        access_log=False,
        log_level="warning",
        timeout_keep_alive=30,
        timeout_graceful_shutdown=settings.stop_timeout,
        limit_concurrency=1000,
        lifespan="off",
    )


def _show_first_token(database: Database, tell: Callable[[str], None]) -> None:
    with database.write() as transaction:
        secret = access.add_first(transaction, datetime.now(UTC))
    if secret is not None:
        tell(f"first admin token, shown only now, good for {access.FIRST_LIFETIME.days} days: {secret}")
