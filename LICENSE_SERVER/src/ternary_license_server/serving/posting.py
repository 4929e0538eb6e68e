"""
Sending one event to one address: one POST, one deadline, no redirect, and no address that is not allowed.

httpcore speaks HTTP. It asks the backend here for connections, so a name is resolved once, its addresses are
checked, and the connection goes to what was checked: a name that means another address a moment later gains
nothing. Every step gets what is left of the deadline, so a server that sends one byte at a time does not hold
a sender longer than one that sends nothing. No proxy is used and no variable of the environment is read,
except those by which OpenSSL finds the authorities that it trusts.
"""

import socket
import ssl
import threading
import time
from collections.abc import Iterable
from email.utils import parsedate_to_datetime
from typing import Any, Final

import httpcore
from httpcore import NetworkBackend, NetworkStream

from ternary_license_server.addresses import Address, parse
from ternary_license_server.destinations import Destinations, target
from ternary_license_server.service.outbox import Outcome
from ternary_sdk.errors import InputError

TOTAL: Final = 15.0
"""Seconds for one attempt, from the resolution of the name to the status of the answer."""
CONNECT: Final = 5.0
"""Seconds for resolving a name, and for each connection that is tried."""
_AGENT: Final = "ternary-license-server"
_LONGEST_ERROR: Final = 200


def post(
    url: str,
    headers: dict[str, str],
    payload: bytes,
    *,
    destinations: Destinations,
    now: int,
    total: float = TOTAL,
    context: ssl.SSLContext | None = None,
) -> Outcome:
    """Send a payload; what came of it, whatever that is.

    Args:
        url: Where to; checked by ``destinations.target``.
        headers: Beside those of HTTP itself.
        payload: JSON.
        destinations: Which addresses are allowed.
        now: The present moment in seconds since 1970-01-01 UTC, for dates in the answer.
        total: Seconds until it must have ended.
        context: Whom to trust; default: the system's authorities.
    Returns:
        A status of 200 to 299 is a success; the answer's body is not read.
    """
    sent = {"content-type": "application/json", "user-agent": _AGENT, "accept": "*/*"} | headers
    try:
        secure = target(url).secure
        backend = _Backend(destinations, secure, time.monotonic() + total)
        trusted = (context or ssl.create_default_context()) if secure else None
        with (
            httpcore.ConnectionPool(ssl_context=trusted, network_backend=backend) as pool,
            pool.stream("POST", url, headers=[*sent.items()], content=payload) as answer,
        ):
            return _outcome(answer.status, dict(answer.headers), now)
    except InputError as refusal:
        return Outcome(status=None, error=_plain(str(refusal)))
    except httpcore.TimeoutException:
        return Outcome(status=None, error=f"no answer within {total:g} seconds")
    except (httpcore.NetworkError, httpcore.ProtocolError, OSError) as error:
        return Outcome(status=None, error=_plain(f"no answer ({str(error) or type(error).__name__})"))


class _Backend(NetworkBackend):
    """Makes connections to allowed addresses, and lets nothing on them go beyond a deadline."""

    def __init__(self, destinations: Destinations, secure: bool, ends: float) -> None:
        self._destinations, self._secure, self._ends = destinations, secure, ends
        self._inner = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ARG002
        local_address: str | None = None,  # noqa: ARG002
        socket_options: Iterable[Any] | None = None,
    ) -> NetworkStream:
        """A connection to the first of the name's addresses that takes one; all must be allowed."""
        found = _resolve(host, port, min(CONNECT, _left(self._ends)))
        for address in found:
            self._destinations.check(address)
            if not (self._secure or address.is_loopback):
                raise InputError(f"{address} is another machine; http is for this machine alone")
        for address in found[:-1]:
            try:
                return self._connect(address, port, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                continue
        return self._connect(found[-1], port, socket_options)

    def _connect(self, address: Address, port: int, options: Iterable[Any] | None) -> NetworkStream:
        seconds = min(CONNECT, _left(self._ends))
        made = self._inner.connect_tcp(str(address), port, timeout=seconds, socket_options=options)
        return _Stream(made, self._ends)


class _Stream(NetworkStream):
    """A connection whose every step has only what is left of a deadline."""

    def __init__(self, inner: NetworkStream, ends: float) -> None:
        self._inner, self._ends = inner, ends

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002
        return self._inner.read(max_bytes, timeout=_left(self._ends))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002
        self._inner.write(buffer, timeout=_left(self._ends))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ARG002
    ) -> NetworkStream:
        made = self._inner.start_tls(ssl_context, server_hostname, timeout=_left(self._ends))
        return _Stream(made, self._ends)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


def _left(ends: float) -> float:
    left = ends - time.monotonic()
    if left <= 0:
        raise httpcore.ReadTimeout
    return left


def _resolve(host: str, port: int, seconds: float) -> list[Address]:
    """The addresses of a name; in a thread of its own, since the system's resolver has no deadline."""
    found = list[Address]()
    faults = list[str]()

    def look_up() -> None:
        try:
            rows = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            faults.append(getattr(error, "strerror", None) or str(error))
            return
        found.extend(address for row in rows if (address := parse(str(row[4][0]))) is not None)

    thread = threading.Thread(target=look_up, name="webhook-name", daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        raise InputError(f"{host}: its address was not found within {seconds:.0f} seconds")
    if not found:
        raise InputError(f"{host}: its address was not found ({''.join(faults) or 'it has none'})")
    return found


def _outcome(status: int, headers: dict[bytes, bytes], now: int) -> Outcome:
    if 200 <= status < 300:
        return Outcome(status=status, error=None)
    asked = next((value for name, value in headers.items() if name.lower() == b"retry-after"), b"")
    redirected = "; redirects are not followed" if 300 <= status < 400 else ""
    return Outcome(
        status=status,
        error=f"answered {status}{redirected}",
        retry_after=_retry_after(asked.decode("latin-1"), now),
    )


def _retry_after(text: str, now: int) -> int | None:
    """Seconds that ``Retry-After`` asks for, as a number or a date (RFC 9110, section 10.2.3)."""
    if text.isascii() and text.isdigit():
        return int(text[:9])
    try:
        return max(0, int(parsedate_to_datetime(text).timestamp()) - now)
    except (ValueError, OverflowError):
        return None


def _plain(text: str) -> str:
    """A message that may hold what another machine sent, for logs and terminals."""
    return "".join(letter if " " <= letter <= "~" else "?" for letter in text)[:_LONGEST_ERROR]
