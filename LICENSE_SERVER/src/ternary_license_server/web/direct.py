"""
Requests of clients, handed to their routes without the framework's layers.

The framework still describes the routes, and answers whatever is not an ordinary request to one of them:
other paths and methods, and an ``Idempotency-Key`` that is missing or wrong, which it refuses in its words.
"""

import re
from collections.abc import Callable
from typing import Any, Final

from fastapi import FastAPI, Request, Response
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp, Receive, Scope, Send

from ternary_license_server.web.documented import KEY_FORM
from ternary_sdk.errors import TernaryError

_KEY: Final = re.compile(KEY_FORM)
_HEADER: Final = b"idempotency-key"


class Direct:
    """Calls routes by their exact path.

    Args:
        app: The framework's application, which has the routes.
        routes: Those to call here: POST, plain functions of the request, or of it and its idempotency key.
        refused: What a refusal is answered with, as the framework would.
    """

    def __init__(
        self, app: FastAPI, routes: list[APIRoute], refused: Callable[[Request, TernaryError], Response]
    ) -> None:
        self._app: ASGIApp = app
        self._state = app
        self._routes = {route.path: (route, "idempotency_key" in _names(route)) for route in routes}
        self._refused = refused

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        found = self._routes.get(scope.get("path", "")) if scope["type"] == "http" else None
        if found is None or scope["method"] != "POST":
            await self._app(scope, receive, send)
            return
        route, keyed = found
        arguments: tuple[str, ...] = ()
        if keyed:
            if (key := _key(scope)) is None:
                await self._app(scope, receive, send)
                return
            arguments = (key,)
        scope["app"], scope["route"] = self._state, route
        request = Request(scope, receive)
        try:
            answer: Response = await run_in_threadpool(route.endpoint, request, *arguments)
        except TernaryError as refusal:
            answer = self._refused(request, refusal)
        await answer(scope, receive, send)


def _names(route: APIRoute) -> tuple[str, ...]:
    code: Any = route.endpoint.__code__
    return tuple(code.co_varnames[: code.co_argcount])


def _key(scope: Scope) -> str | None:
    """The request's idempotency key; None if there is not exactly one of the right form."""
    found = [value for name, value in scope["headers"] if name == _HEADER]
    if len(found) != 1 or not (key := found[0].decode("latin-1")).isascii():
        return None
    return key if _KEY.fullmatch(key) else None
