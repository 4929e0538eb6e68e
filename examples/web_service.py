"""
A small web service around the SDK: GET /operations?n=10&seed=7, POST /encode and /decode with a JSON list.

An operation is its nine trits: t[3 * (a + 1) + (b + 1)] is f(a, b). Start it with `uvicorn web_service:app`.
Refusals become problem details (RFC 9457).
"""

from contextlib import asynccontextmanager
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from ternary_sdk import CoverageError, InputError, LicenseError, Model, TernaryError

STATUS = {InputError: 400, LicenseError: 403, CoverageError: 409}


async def operations(request: Request) -> JSONResponse:
    query = request.query_params
    n, seed = whole(query.get("n", "10"), "n"), whole(query.get("seed", "0"), "seed")
    draw = await run_in_threadpool(request.app.state.model.sample, n, unique=True, seed=seed)
    return JSONResponse(
        {"index": draw.index.tolist(), "operations": draw.operations.tolist(), "digest": draw.digest}
    )


async def encode(request: Request) -> JSONResponse:
    latents = await run_in_threadpool(request.app.state.model.encode, await rows(request))
    return JSONResponse({"latents": latents.tolist()})


async def decode(request: Request) -> JSONResponse:
    tables = await run_in_threadpool(request.app.state.model.decode, await rows(request))
    return JSONResponse({"operations": tables.tolist()})


async def rows(request: Request) -> Any:
    try:
        return await request.json()
    except ValueError:
        raise InputError("body: not JSON, expected a list of rows") from None


def whole(text: str, name: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise InputError(f"{name}: {text[:40]!r}, expected an integer") from None


async def problem(_: Request, refusal: Exception) -> JSONResponse:
    status = next((code for kind, code in STATUS.items() if isinstance(refusal, kind)), 500)
    body = {"title": type(refusal).__name__, "status": status, "detail": str(refusal)}
    return JSONResponse(body, status_code=status, media_type="application/problem+json")


@asynccontextmanager
async def open_model(app: Starlette):
    with Model.evaluation() as model:
        app.state.model = model
        yield


app = Starlette(
    routes=[
        Route("/operations", operations),
        Route("/encode", encode, methods=["POST"]),
        Route("/decode", decode, methods=["POST"]),
    ],
    exception_handlers={TernaryError: problem},
    lifespan=open_model,
)
