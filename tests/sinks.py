"""A receiver of webhooks as they are found: one that takes events, fails, hangs, closes, or comes back."""

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Queue
from typing import Any


@dataclass(frozen=True)
class Received:
    """One request."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Sink:
    """What it answers from now on, and what came."""

    address: str
    status: int = 204
    headers: dict[str, str] = field(default_factory=dict)
    manner: str = "answer"
    """``answer``, ``hang``, ``close`` or ``drip``: one byte at a time, for ever."""
    received: list[Received] = field(default_factory=list)
    arrivals: "Queue[Received]" = field(default_factory=Queue)
    over: threading.Event = field(default_factory=threading.Event)


@contextmanager
def open_sink(context: ssl.SSLContext | None = None) -> Iterator[Sink]:
    """A sink at a free port of this machine, with TLS if there is a context."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            came = Received(self.path, {name.lower(): value for name, value in self.headers.items()}, body)
            sink.received.append(came)
            sink.arrivals.put(came)
            if sink.manner == "hang":
                sink.over.wait()
            elif sink.manner == "drip":
                self.drip()
            elif sink.manner == "answer":
                self.send_response(sink.status)
                for name, value in sink.headers.items():
                    self.send_header(name, value)
                self.end_headers()
            self.close_connection = True

        def drip(self) -> None:
            try:
                self.wfile.write(b"HTTP/1.1 200 OK\r\nx: ")
                while not sink.over.wait(0.02):
                    self.wfile.write(b"x")
            except OSError:
                pass

        def log_message(self, format: str, *args: Any) -> None:
            """Print nothing."""

    class Quiet(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: Any, client_address: Any) -> None:
            """Print nothing: clients that refuse a certificate go away."""

    server = Quiet(("127.0.0.1", 0), Handler)
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    scheme = "http" if context is None else "https"
    sink = Sink(f"{scheme}://127.0.0.1:{server.server_address[1]}/hook")
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield sink
    finally:
        sink.over.set()
        server.shutdown()
        thread.join()
        server.server_close()
