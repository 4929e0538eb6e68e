"""
Whether this server lives, and whether it should be sent requests.
"""

import asyncio
from dataclasses import dataclass

from anyio import CapacityLimiter, fail_after, to_thread
from fastapi import APIRouter, Request, Response

from ternary_license_server.database import readiness
from ternary_license_server.database.waiting import within
from ternary_license_server.service import access, publication, restoring
from ternary_license_server.web import webhook_metrics
from ternary_license_server.web.exchange import exchange_of
from ternary_license_server.web.observation import METRICS_TYPE
from ternary_license_server.web.server import PROBE, Server, answer
from ternary_sdk._internal.documents.canonical import Json
from ternary_sdk.errors import TernaryError


def routes(server: Server) -> APIRouter:
    """``/livez``, ``/readyz`` and ``/metrics``, for the operator's network."""
    router, readiness_of = APIRouter(tags=["operation"]), Readiness(server)

    @router.get("/livez", responses={200: {"description": "The process answers."}})
    async def alive() -> Response:
        """Whether the process answers."""
        return answer({"alive": True})

    @router.get(
        "/readyz",
        responses={
            200: {"description": "Send requests; `warnings` says what will go wrong if nothing is done."},
            503: {"description": "Send none; `faults` says why."},
        },
    )
    async def ready(request: Request) -> Response:
        """Whether database, tables, keys and clock are as they must be."""
        found = await readiness_of.ask()
        exchange_of(request.scope).fault = "; ".join(found.faults) or None
        told: Json = {
            "ready": not found.faults,
            "faults": list(found.faults),
            "warnings": list(found.warnings),
        }
        return answer(told, 503 if found.faults else 200)

    @router.get(
        "/metrics",
        response_class=Response,
        responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
    )
    def metrics() -> Response:
        """Prometheus metrics of this replica, all its processes together; of webhooks, of all replicas."""
        of_webhooks = webhook_metrics.text(server.database, PROBE.request)  # not by the probe's connection
        found = server.metrics.text() + of_webhooks
        return Response(found, headers={"content-type": METRICS_TYPE})

    return router


@dataclass(frozen=True, kw_only=True)
class Health:
    """How a server is."""

    faults: tuple[str, ...]
    """What keeps it from its work, a sentence each."""
    warnings: tuple[str, ...] = ()
    """What does not yet, a sentence each."""


class Readiness:
    """Finds out how a server is: once for all who ask meanwhile, in a thread and by a connection of its own.

    Args:
        server: Which.
    """

    def __init__(self, server: Server) -> None:
        self._server = server
        self._finding: asyncio.Task[Health] | None = None

    async def ask(self) -> Health:
        """How the server is."""
        if self._finding is None:
            self._finding = asyncio.create_task(self._find())
            self._finding.add_done_callback(self._forget)
        return await asyncio.shield(self._finding)

    def _forget(self, _task: object) -> None:
        self._finding = None

    async def _find(self) -> Health:
        longest = PROBE.request + PROBE.lock
        try:
            with fail_after(longest), within(PROBE.request):
                return await to_thread.run_sync(
                    examine, self._server, limiter=CapacityLimiter(1), abandon_on_cancel=True
                )
        except TimeoutError:
            return Health(faults=(f"database: what it can do was not found out in {longest:.0f} seconds",))


def examine(server: Server) -> Health:
    """How a server is at this moment."""
    if found := faults(server):
        return Health(faults=tuple(found))
    try:
        return Health(faults=(), warnings=tuple(map(str, warnings(server))))
    except TernaryError as refusal:
        return Health(faults=(str(refusal),))


def warnings(server: Server) -> list[Json]:
    """What does not keep this server from its work yet, a sentence each."""
    with server.probe.read() as transaction:
        found = publication.warnings(transaction)
        found = [*found, *access.warnings(transaction), *restoring.warnings(transaction)]
    return [*found, *readiness.warnings(server.probe)]


def faults(server: Server) -> list[str]:
    """Everything that keeps this server from doing its work, a sentence each."""
    found = [f"keys: {server.vendor.fault}"] if server.vendor.fault else []
    ring, now = server.vendor.ring, server.now()
    if ring.trust.expires is not None and now > ring.trust.expires:
        found.append(f"keys: the key set ended on {ring.trust.expires:%Y-%m-%d}; extend it")
    try:
        found += readiness.faults(server.probe)
    except TernaryError as refusal:
        found.append(str(refusal))
    return found
