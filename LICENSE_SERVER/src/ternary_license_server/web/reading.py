"""
Reading a request's body: whole, up to a size and within a time, before any other code sees it.

Two kinds of requests may have more than the settings say. A large trust file is read one at a time in this
process, and another is told to come back. Large usage reports, those of vast spaces, are read ``REPORTS`` at
a time. Others wait for their turn, unread, for as long as a body may take. Their places are given back with
their answers, so what they need in memory is bounded too.
"""

import asyncio
from dataclasses import replace
from typing import Final

from starlette.types import Receive, Scope

from ternary_license_server.settings import Settings
from ternary_license_server.web import problems
from ternary_license_server.web.exchange import Exchange
from ternary_license_server.web.problems import Problem, Web
from ternary_sdk._internal.licensing.usage import MAX_REPORT
from ternary_sdk._internal.trust.trust import MAX_TRUST

REPORTS: Final = 4
"""Large usage reports that are in this process at once."""
ORDINARY: Final = 1 << 18
"""Bytes of a usage report that is not large: what the largest listed space, of 823,543 operations, needs."""
LONGER: Final = 6
"""How many times as long as another body a large usage report may take to arrive."""
_REPORT: Final = ("POST", "/v1/usage")
_TRUST: Final = ("POST", "/v1/trust")
"""Of a trust file; a revocation list can have a hundred thousand names."""
_TRUST_AGAIN: Final = 10
"""Seconds after which a large trust file that came beside another may be sent again."""
_CLOSE: Final = {"Connection": "close"}


class RefusedError(Exception):
    """A body that is not read to its end.

    Attributes:
        problem: Why.
    """

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        self.problem = problem

    def __str__(self) -> str:
        return self.problem.detail


class Bodies:
    """Reads the bodies of all requests of a process.

    Args:
        settings: Limits.
    """

    def __init__(self, settings: Settings) -> None:
        self._limit, self._seconds = settings.body_limit, settings.body_timeout
        self._trust: Exchange | None = None
        """Whose trust file is large."""
        self._places = asyncio.Semaphore(REPORTS)

    async def read(self, scope: Scope, exchange: Exchange, receive: Receive, wait: int) -> bytes:
        """The whole body of a request.

        Args:
            scope: The request.
            exchange: The same; holds a place from then on, if its body is large.
            receive: Gives the parts of the body.
            wait: In how many seconds its address may ask again; 0 if it need not wait. A usage report is read
                all the same, up to the ordinary size: the refusal is signed over it, or the client could not
                believe it.
        Raises:
            RefusedError: If it is too large or takes too long.
            ConnectionError: If the client went away.
        """
        asked, parts, size = (scope["method"], scope["path"]), list[bytes](), 0
        try:
            async with asyncio.timeout(self._seconds) as time:
                while True:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        raise ConnectionError
                    parts.append(message.get("body", b""))
                    size += len(parts[-1])
                    self._check(asked, size, wait)
                    if asked == _REPORT and size > self._most(_REPORT, 1) and not exchange.large:
                        await self._places.acquire()
                        exchange.large = True
                        time.reschedule(asyncio.get_running_loop().time() + LONGER * self._seconds)
                    if asked == _TRUST and size > self._limit:
                        self._take_turn(exchange)
                    if not message.get("more_body"):
                        return b"".join(parts)
        except TimeoutError:
            seconds = self._seconds * (LONGER if exchange.large else 1)
            detail = f"the body did not arrive within {seconds} seconds"
            raise RefusedError(Problem(code=Web.TOO_SLOW, detail=detail, headers=_CLOSE)) from None

    def leave(self, exchange: Exchange) -> None:
        """Give back the place of a request that was answered, if it has one."""
        self._trust = None if self._trust is exchange else self._trust
        if exchange.large:
            exchange.large = False
            self._places.release()

    def _most(self, asked: tuple[str, str], wait: int) -> int:
        """How large a body may be."""
        if asked == _REPORT:
            return max(self._limit, ORDINARY if wait else MAX_REPORT)
        return max(self._limit, MAX_TRUST) if asked == _TRUST and not wait else self._limit

    def _check(self, asked: tuple[str, str], size: int, wait: int) -> None:
        most = self._most(asked, wait)
        if size <= most:
            return
        detail, headers = f"body of more than {most} bytes", _CLOSE
        if wait and self._most(asked, 0) > most:
            detail = f"{detail}, after too many requests from this address; ask again in {wait} seconds"
            headers = {**_CLOSE, "Retry-After": str(wait)}
        raise RefusedError(Problem(code=Web.TOO_LARGE, detail=detail, headers=headers))

    def _take_turn(self, exchange: Exchange) -> None:
        self._trust = self._trust or exchange
        if self._trust is not exchange:
            busy = problems.too_many(f"trust files of more than {self._limit} bytes", _TRUST_AGAIN)
            raise RefusedError(replace(busy, headers={**busy.headers, **_CLOSE}))
