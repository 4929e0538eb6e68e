"""
Starting a server: settings, database, keys, the first token, and uvicorn with one process or several.
"""

import os
import signal
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

from ternary_license_server.database.clock import Clock, Sources
from ternary_license_server.database.engine import Database, DatabaseError
from ternary_license_server.database.migration import migrate
from ternary_license_server.database.waiting import Limits
from ternary_license_server.database.whole_file import leave_whole
from ternary_license_server.keys.vendor_keys import VendorKeys
from ternary_license_server.service import access
from ternary_license_server.serving import counting, deliveries
from ternary_license_server.serving.connection import PromptConnection
from ternary_license_server.serving.heartbeat import beating
from ternary_license_server.serving.supervised import end_with_supervisor
from ternary_license_server.settings import Settings
from ternary_license_server.web.app import build
from ternary_license_server.web.observation import FIGURES, LOGGING, SHARED_METRICS
from ternary_sdk.errors import TernaryError


class ServeError(TernaryError):
    """The server cannot start."""

    code = "SERVER"


class _StopError(BaseException):
    """Somebody asked the server to end."""


def serve(settings: Settings, tell: Callable[[str], None]) -> None:
    """Run a server until it is told to stop; SIGTERM and SIGINT let running requests finish.

    Being told to stop is no failure: it returns. All that a SQLite database holds is in its file then.

    The database is created or upgraded first. Where there is no admin token yet, one is made and told once.

    Args:
        settings: What to serve, where, with how many processes.
        tell: Says a line to whoever started the server.
    Raises:
        TernaryError: If keys or database cannot be used, or the address is taken.
    """
    with _stopped_in_order():
        _serve(settings, tell)


def _serve(settings: Settings, tell: Callable[[str], None]) -> None:
    vendor = VendorKeys(settings.keys)
    database = _open(settings, 1)
    try:
        migrate(database, tell=tell)
        _show_first_token(database, tell)
    finally:
        database.close()
    place = f"{shown_host(settings.host)}:{settings.port}"
    processes = f", {settings.workers} processes" if settings.workers > 1 else ""
    tell(f"serving {vendor.ring.vendor} at http://{place}, database {database}{processes}")
    os.environ.update(settings.environment())
    try:
        with (
            _shared_metrics(settings.workers),
            _figures(settings, vendor),
            _heartbeat(settings, tell),
            _deliveries(settings),
        ):
            _run(settings)
    except SystemExit:
        raise ServeError(f"{place}: cannot listen there") from None
    finally:
        _leave_whole(database, tell)  # after every connection of ours, the heartbeat's too, is closed


def shown_host(host: str) -> str:
    """A host as a URL has it: an IPv6 address stands in brackets."""
    return f"[{host}]" if ":" in host else host


def application() -> ASGIApp:
    """What each process serves: it opens its own database, and has the settings from its environment."""
    settings = Settings.read(os.environ)
    if settings.workers > 1:
        end_with_supervisor()
    return build(
        settings,
        database=_open(settings, settings.connections),
        vendor=VendorKeys(settings.keys),
    )


def _open(settings: Settings, connections: int, limits: Limits | None = None) -> Database:
    clock = Clock(Sources(), timedelta(hours=settings.downtime))
    limits = limits or Limits.of(settings.request_timeout)
    return Database(settings.database, connections=connections, clock=clock, limits=limits)


@contextmanager
def _heartbeat(settings: Settings, tell: Callable[[str], None]) -> Iterator[None]:
    with closing(_open(settings, 1)) as database, beating(database, tell):
        yield


@contextmanager
def _deliveries(settings: Settings) -> Iterator[None]:
    send, rules = deliveries.sender(settings), deliveries.Rules.of(settings)
    with closing(_open(settings, 1)) as database, deliveries.delivering(database, send, rules):
        yield


@contextmanager
def _figures(settings: Settings, vendor: VendorKeys) -> Iterator[None]:
    """Figures of the business in a file of this server's, from which each process tells them."""
    with (
        tempfile.TemporaryDirectory(prefix="ternary-figures-") as folder,
        closing(_open(settings, 1, counting.LIMITS)) as database,
    ):
        os.environ[FIGURES] = str(file := Path(folder) / "figures.json")
        try:
            with counting.keeping(database, file, lambda: vendor.ring.trust.expires):
                yield
        finally:
            del os.environ[FIGURES]


def _run(settings: Settings) -> None:
    uvicorn.run(
        f"{__name__}:{application.__name__}",
        factory=True,
        workers=settings.workers,
        http=PromptConnection,
        host=settings.host,
        port=settings.port,
        proxy_headers=False,  # the boundary reads them, by the rules of ``addresses``
        server_header=False,
        access_log=False,
        log_config=LOGGING,
        log_level="warning",
        timeout_keep_alive=30,
        timeout_graceful_shutdown=settings.stop_timeout,
        timeout_worker_healthcheck=30,
        limit_concurrency=1000,
        lifespan="on",
    )


@contextmanager
def _stopped_in_order() -> Iterator[None]:
    """End the block where SIGTERM or SIGINT comes, and go on after it.

    The HTTP server takes these signals while it runs, and raises them again when it has stopped: without
    this, what follows it would not run and the process would end as if it had been killed. Told once is
    enough: a second signal does not cut off what is left to do.
    """
    numbers = (signal.SIGTERM, signal.SIGINT)

    def stop(_number: int, _frame: object) -> None:
        for number in numbers:
            signal.signal(number, signal.SIG_IGN)
        raise _StopError

    before = {number: signal.signal(number, stop) for number in numbers}
    try:
        yield
    except _StopError:
        pass
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


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


def _leave_whole(database: Database, tell: Callable[[str], None]) -> None:
    """Empty a SQLite database's log into its file. Where that fails nothing is lost, so it only warns."""
    try:
        if database.file is not None:
            leave_whole(database.file)
    except DatabaseError as refusal:
        tell(f"warning: {refusal}")


def _show_first_token(database: Database, tell: Callable[[str], None]) -> None:
    with database.write() as transaction:
        secret = access.add_first(transaction)
    if secret is not None:
        tell(f"first admin token, shown only now, good for {access.FIRST_LIFETIME.days} days: {secret}")
