"""
The application: routes inside, the boundary around them.
"""

import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.routing import compile_path
from starlette.types import ASGIApp

from ternary_license_server.database.clock import ClockError
from ternary_license_server.database.engine import Database, DatabaseError
from ternary_license_server.keys.vendor_keys import VendorKeys
from ternary_license_server.settings import Settings
from ternary_license_server.web import admin, client_routes, health, problems, published_routes
from ternary_license_server.web.boundary import Boundary
from ternary_license_server.web.direct import Direct
from ternary_license_server.web.exchange import exchange_of
from ternary_license_server.web.exports import NoRoomError
from ternary_license_server.web.limits import RateLimit
from ternary_license_server.web.problems import Problem, Web
from ternary_license_server.web.server import Server, refuse
from ternary_sdk.errors import Reason, TernaryError


def build(
    settings: Settings,
    *,
    database: Database,
    vendor: VendorKeys,
    elapsed: Callable[[], float] = time.monotonic,
) -> ASGIApp:
    """The whole application over a migrated database; ``elapsed`` counts the seconds of its rate limits."""
    server = Server(
        database=database,
        vendor=vendor,
        settings=settings,
        per_license=RateLimit(settings.key_rate, elapsed),
    )
    app = routed(server)
    clients = [one for one in client_routes.router.routes if isinstance(one, APIRoute)]
    return Boundary(
        Direct(app, clients, _refusal),
        settings=settings,
        vendor=vendor,
        metrics=server.metrics,
        rate=RateLimit(settings.rate, elapsed),
        clock=server.now,
    )


def routed(server: Server) -> FastAPI:
    """The routes and how their refusals are told, without the boundary."""
    app = FastAPI(
        title="Ternary license server",
        version="1",
        summary="Issues, activates, meters and revokes licenses.",
        docs_url=None,
        redoc_url=None,
        lifespan=_closing(server.database),
    )
    app.state.server = server
    app.include_router(client_routes.router)
    app.include_router(published_routes.router)
    app.include_router(admin.routes())
    app.include_router(health.routes(server))
    app.add_exception_handler(TernaryError, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _unrouted)
    return app


def _closing(database: Database) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    """The application's life: its connections are closed at the end of it."""

    @asynccontextmanager
    async def live(_app: FastAPI) -> AsyncIterator[None]:
        yield
        database.close()

    return live


async def _refused(request: Request, refusal: Exception) -> Response:
    return _refusal(request, refusal)


def _refusal(request: Request, refusal: Exception) -> Response:
    known = refusal if isinstance(refusal, TernaryError) else TernaryError(str(refusal))
    if isinstance(known, (DatabaseError, ClockError, NoRoomError)):
        exchange_of(request.scope).fault = str(known)
    return refuse(request, problems.of(known))


async def _invalid(request: Request, refusal: Exception) -> Response:
    found: Any = (
        refusal.errors()[0] if isinstance(refusal, RequestValidationError) else {"loc": (), "msg": ""}
    )
    place = ".".join(str(part)[:80] for part in found["loc"])
    return refuse(request, Problem(code=Reason.MALFORMED, detail=f"{place}: {str(found['msg'])[:300]}"))


async def _unrouted(request: Request, refusal: Exception) -> Response:
    if isinstance(refusal.__cause__, TernaryError):
        return refuse(request, problems.of(refusal.__cause__))
    status = refusal.status_code if isinstance(refusal, HTTPException) else 500
    if status == 404:
        return refuse(request, Problem(code=Web.NO_SUCH_PATH, detail="there is nothing at this path"))
    if status == 405:
        allowed = {"Allow": ", ".join(_methods(request))}
        detail = f"this path does not take {request.method[:20]}"
        return refuse(request, Problem(code=Web.WRONG_METHOD, detail=detail, headers=allowed))
    return refuse(request, Problem(code=Reason.MALFORMED, detail="the request cannot be read"))


def _methods(request: Request) -> list[str]:
    """Every method of the request's path; the framework names only those of the first route it finds."""
    documented = request.app.openapi()["paths"].items()
    found = (methods for path, methods in documented if compile_path(path)[0].match(request.url.path))
    return sorted(method.upper() for method in next(found, ()))
