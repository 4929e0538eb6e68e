"""
Whether this server lives, and whether it should be sent requests.
"""

from fastapi import APIRouter, Response

from ternary_license_server.database.migration import is_current
from ternary_license_server.service import access, publication, restoring
from ternary_license_server.web import webhook_metrics
from ternary_license_server.web.observation import METRICS_TYPE
from ternary_license_server.web.server import Server, answer
from ternary_sdk._internal.documents.canonical import Json
from ternary_sdk.errors import TernaryError


def routes(server: Server) -> APIRouter:
    """``/livez``, ``/readyz`` and ``/metrics``, for the operator's network."""
    router = APIRouter(tags=["operation"])

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
    def ready() -> Response:
        """Whether database, tables, keys and clock are as they must be."""
        found = faults(server)
        told: Json = {
            "ready": not found,
            "faults": list(found),
            "warnings": [] if found else warnings(server),
        }
        return answer(told, 503 if found else 200)

    @router.get(
        "/metrics",
        response_class=Response,
        responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
    )
    def metrics() -> Response:
        """Prometheus metrics of this replica, all its processes together; of webhooks, of all replicas."""
        found = server.metrics.text() + webhook_metrics.text(server.database)
        return Response(found, headers={"content-type": METRICS_TYPE})

    return router


def warnings(server: Server) -> list[Json]:
    """What does not keep this server from its work yet, a sentence each."""
    with server.database.read() as transaction:
        found = publication.warnings(transaction)
        return [*found, *access.warnings(transaction), *restoring.warnings(transaction)]


def faults(server: Server) -> list[str]:
    """Everything that keeps this server from doing its work, a sentence each."""
    found = [f"keys: {server.vendor.fault}"] if server.vendor.fault else []
    ring, now = server.vendor.ring, server.now()
    if ring.trust.expires is not None and now > ring.trust.expires:
        found.append(f"keys: the key set ended on {ring.trust.expires:%Y-%m-%d}; extend it")
    try:
        if not is_current(server.database):
            found.append("database: its tables are of another release")
        else:
            with server.database.read() as transaction:
                transaction.check_clock()
    except TernaryError as refusal:
        found.append(str(refusal))
    return found
