"""
JSON bodies as strictly as signed documents are read: no repeated members, no floats, no lone surrogates.
"""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute

from ternary_sdk._internal.documents import canonical


class StrictRequest(Request):
    """A request whose JSON is read by ``ternary_sdk._internal.documents.canonical``."""

    async def json(self) -> Any:
        """The body.

        Raises:
            FormatError: If it is not JSON in the space that we sign.
        """
        return canonical.decode_any(await self.body(), "body")


class StrictRoute(APIRoute):
    """A route that reads its body so."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler, given a strict request."""
        handle = super().get_route_handler()

        async def strictly(request: Request) -> Response:
            return await handle(StrictRequest(request.scope, request.receive))

        return strictly
