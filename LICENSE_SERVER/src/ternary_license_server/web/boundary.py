"""
The border of the server: every request passes in through here, and its answer out, signed.

Whatever goes wrong inside, or before anything inside has run, leaves as a signed problem with a request
id. Two answers never pass here and are not signed, because the HTTP server gives them itself: 400 to bytes
that are no HTTP request, and 503 above its limit of connections. Bodies are read whole, up to a limit and
within a time, before any other code sees the request.
"""

import hashlib
import math
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from logging import INFO, WARNING
from typing import Any, Final

from anyio import move_on_after
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ternary_license_server import addresses
from ternary_license_server.addresses import Address
from ternary_license_server.database.waiting import SILENCE, within
from ternary_license_server.keys.vendor_keys import VendorKeys
from ternary_license_server.settings import Settings
from ternary_license_server.web import problems
from ternary_license_server.web.exchange import Exchange, begin
from ternary_license_server.web.limits import RateLimit
from ternary_license_server.web.observation import LOG, Metrics, known_method
from ternary_license_server.web.problems import Problem, Web
from ternary_license_server.web.reading import Bodies, RefusedError
from ternary_sdk._internal.online import answer as online_answer
from ternary_sdk._internal.online.answer import Question
from ternary_sdk._internal.trust.trust import Role
from ternary_sdk.errors import Reason

Headers = list[tuple[bytes, bytes]]
LONGEST_NONCE: Final = 64
LONGER: Final = 15
"""How many times as long as other requests those may take that read or write very much."""


@dataclass(kw_only=True)
class Outgoing:
    """An answer while it is being put together."""

    status: int = 500
    headers: Headers = field(default_factory=list)
    body: bytes = b""
    code: str | None = None

    def refuse(self, problem: Problem) -> None:
        """Make this answer a problem, whatever it was before."""
        self.status, self.body, self.code = problem.status, problem.body, problem.code
        self.headers = [(b"content-type", problems.MEDIA_TYPE.encode())]
        self.headers += [(name.lower().encode(), value.encode()) for name, value in problem.headers.items()]


class Boundary:
    """The outermost ASGI layer.

    Args:
        inner: The application.
        settings: Limits.
        vendor: Keys; the one of role ``answer`` signs.
        metrics: Where requests are counted.
        rate: How often each address may ask.
        clock: The present moment, timezone-aware.
    """

    def __init__(
        self,
        inner: ASGIApp,
        *,
        settings: Settings,
        vendor: VendorKeys,
        metrics: Metrics,
        rate: RateLimit,
        clock: Callable[[], datetime],
    ) -> None:
        self._inner = inner
        self._settings = settings
        self._vendor = vendor
        self._metrics = metrics
        self._clock = clock
        self._rate = rate
        self._told_of_proxy = False
        self._bodies = Bodies(settings)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._inner(scope, receive, send)
            return
        started, request_id = time.perf_counter(), secrets.token_hex(8)
        exchange, answer = begin(scope, self._address(scope)), Outgoing()
        try:
            exchange.body = await self._admit(scope, exchange, receive, answer)
            if answer.code is None:
                await self._run(scope, exchange, answer)
        except ConnectionError:
            return
        except Exception:  # noqa: BLE001  the border: a bug becomes a signed answer and a logged traceback
            LOG.exception("failed", extra={"facts": {"request": request_id, "path": scope["path"][:200]}})
            answer.refuse(Problem(code=Web.INTERNAL, detail=f"the server failed; quote request {request_id}"))
        finally:
            self._bodies.leave(exchange)
        try:
            await self._send(scope, exchange, answer, request_id, send)
        finally:
            if exchange.export is not None:
                exchange.export.close()
        self._observe(scope, exchange, answer, request_id, time.perf_counter() - started)

    def _address(self, scope: Scope) -> Address | None:
        """Where a request comes from; says once that a proxy is there which the settings do not name."""
        peer = scope["client"][0] if scope.get("client") else ""
        forwarded = [value for name, value in scope["headers"] if name == addresses.FORWARDED]
        proxies = self._settings.proxies
        if forwarded and not self._told_of_proxy and not proxies.name(addresses.parse(peer)):
            self._told_of_proxy = True
            LOG.warning(
                "X-Forwarded-For from %s is not believed; if that is your proxy, name it in "
                "TERNARY_SERVER_PROXIES, or all requests through it count as one address",
                peer,
            )
        return proxies.origin(peer, forwarded)

    async def _admit(self, scope: Scope, exchange: Exchange, receive: Receive, answer: Outgoing) -> bytes:
        """The whole body, and a refusal in ``answer`` if there is one."""
        address = addresses.bucket(exchange.address)
        wait = 0 if scope["path"] in _UNLIMITED else self._rate.wait(address)
        try:
            body = await self._bodies.read(scope, exchange, receive, wait)
        except RefusedError as refused:
            answer.refuse(refused.problem)
            return b""
        if wait:
            answer.refuse(problems.too_many(f"address {address}", wait))
        if _nonce(scope) is None and answer.code is None:
            detail = f"Ternary-Nonce: expected at most {LONGEST_NONCE} ASCII characters"
            answer.refuse(Problem(code=Reason.MALFORMED, detail=detail))
        return body

    async def _run(self, scope: Scope, exchange: Exchange, answer: Outgoing) -> None:
        sent = False

        async def receive() -> Message:
            nonlocal sent
            if sent:
                return {"type": "http.disconnect"}
            sent = True
            return {"type": "http.request", "body": exchange.body, "more_body": False}

        async def collect(message: Message) -> None:
            if message["type"] == "http.response.start":
                answer.status = message["status"]
                answer.headers = list(message.get("headers", ()))
            else:
                answer.body += message.get("body", b"")

        seconds = self._seconds(scope, exchange)
        with within(seconds), move_on_after(seconds + 2 * SILENCE) as late:
            await self._inner(scope, receive, collect)
        answer.code = exchange.code
        if late.cancelled_caught:
            exchange.fault = f"no thread of this process was free within {seconds:g} seconds"
            answer.refuse(problems.unavailable("the server has too much to do; try again"))

    def _seconds(self, scope: Scope, exchange: Exchange) -> float:
        """How long a request may take: what reads everything, or takes in a large report, may take longer.

        What an operator's network asks for waits for none of what others wait for, and has its own limit.
        """
        if scope["path"] in _UNLIMITED:
            return math.inf
        longer = exchange.large or scope["path"].startswith(_ADMINISTRATION)
        return self._settings.request_timeout * (LONGER if longer else 1)

    async def _send(
        self, scope: Scope, exchange: Exchange, answer: Outgoing, request_id: str, send: Send
    ) -> None:
        headers = [(name, value) for name, value in answer.headers if name != b"content-length"]
        if scope["method"] == "HEAD" or answer.status in _WITHOUT_BODY:
            answer.body = b""
        export = exchange.export if answer.code is None else None
        if answer.status not in _WITHOUT_BODY:
            size = len(answer.body) if export is None else export.size
            headers.append((b"content-length", str(size).encode()))
        headers += [(b"ternary-request", request_id.encode()), (b"x-content-type-options", b"nosniff")]
        sha256 = hashlib.sha256(answer.body).hexdigest() if export is None else export.sha256
        headers += self._signature(scope, exchange.body, answer.status, sha256)
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        for part in () if export is None else export.parts():
            await send({"type": "http.response.body", "body": part, "more_body": True})
        await send({"type": "http.response.body", "body": answer.body})

    def _signature(self, scope: Scope, body: bytes, status: int, sha256: str) -> Headers:
        path = scope.get("raw_path", b"").decode("ascii", "replace") or scope["path"]
        now, ring = int(self._clock().timestamp()), self._vendor.ring
        question = Question(nonce=_nonce(scope) or "", method=scope["method"], path=path, body=body)
        payload = online_answer.payload(question, vendor=ring.vendor, status=status, sha256=sha256, time=now)
        token = ring.signer(Role.ANSWER).sign_token(payload, typ=online_answer.TYP)
        return [(_TIME, str(now).encode()), (_ANSWER, online_answer.detach(token).encode())]

    def _observe(
        self, scope: Scope, exchange: Exchange, answer: Outgoing, request_id: str, seconds: float
    ) -> None:
        route: Any = scope.get("route")
        name = getattr(route, "path", "none")
        self._metrics.count(scope["method"], name, answer.status, seconds, answer.code)
        facts = {
            "request": request_id,
            "method": known_method(scope["method"]),
            "route": name,
            "status": answer.status,
            "code": answer.code,
            "milliseconds": round(1000 * seconds, 1),
            "address": None if exchange.address is None else str(exchange.address),
            "principal": exchange.principal,
        }
        if exchange.fault is not None:
            facts["fault"] = exchange.fault
        LOG.log(WARNING if exchange.fault else INFO, "answered", extra={"facts": facts})


def _nonce(scope: Scope) -> str | None:
    """The client's nonce, empty if it sent none; None if it is not one that can be signed."""
    nonce = next((value for name, value in scope["headers"] if name == _NONCE), b"")
    return nonce.decode("ascii") if len(nonce) <= LONGEST_NONCE and nonce.isascii() else None


_NONCE: Final = online_answer.NONCE_HEADER.lower().encode()
_TIME: Final = online_answer.TIME_HEADER.lower().encode()
_ANSWER: Final = online_answer.ANSWER_HEADER.lower().encode()
_WITHOUT_BODY: Final = (204, 304)
_ADMINISTRATION: Final = "/admin/"
_UNLIMITED: Final = ("/livez", "/readyz", "/metrics")
"""What the operator's own network asks for; a flood from there must not make a server look dead."""
