"""
A connection whose answers leave at once and in one piece, and whose requests have heads of a bounded size.

The HTTP server writes an answer's head and its body apart. Several processes share one listening socket, and
of a shared socket asyncio does not turn off Nagle's algorithm, though uvloop does: the body would then wait
until the client has acknowledged the head, which takes 40 ms. So both are written together, and the algorithm
is off for what is too long for one piece. Of the two parsers of HTTP h11 bounds a request's head; httptools
would keep whatever comes.
"""

import asyncio
import socket
from typing import TYPE_CHECKING, Any, Final, cast

if TYPE_CHECKING:
    from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol as _Protocol
else:
    from uvicorn.protocols.http.auto import AutoHTTPProtocol as _Protocol

LONGEST_HEAD: Final = 65_536
"""Bytes of a request's head that has not ended yet; more are answered with 400."""


class Joining:
    """A transport that sends what is written first together with what is written next.

    What nothing follows in the same turn of the event loop leaves at the turn's end.
    """

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._held = b""

    def write(self, data: bytes) -> None:
        """Hold data back, or send it with what is held."""
        if self._held:
            data, self._held = self._held + data, b""
            self._transport.write(data)
        else:
            self._held = data
            asyncio.get_running_loop().call_soon(self._flush)

    def close(self) -> None:
        """Send what is held, then close."""
        self._flush()
        self._transport.close()

    def _flush(self) -> None:
        if self._held:
            data, self._held = self._held, b""
            self._transport.write(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


class PromptConnection(_Protocol):
    """HTTP by whichever parser is installed, over a socket that holds nothing back."""

    _head: int | None = None
    """Bytes of the head that is being read; None between heads, and where the parser counts by itself."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Set the socket up before anything is read."""
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        super().connection_made(cast(asyncio.Transport, Joining(transport)))

    def data_received(self, data: bytes) -> None:
        """Read on, and refuse a head that does not end."""
        super().data_received(data)
        if self._head is None or self.transport.is_closing():
            return
        self._head += len(data)
        if self._head > LONGEST_HEAD:
            self.logger.warning("Invalid HTTP request received.")
            self.send_400_response("Invalid HTTP request received.")

    def on_message_begin(self) -> None:
        """A head begins; only the parser that counts nothing says so."""
        super().on_message_begin()
        self._head = 0

    def on_headers_complete(self) -> None:
        """The head has ended."""
        self._head = None
        super().on_headers_complete()
