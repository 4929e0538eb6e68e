"""
A wire that can be cut: a TCP proxy that forwards, stops forwarding, or leads elsewhere.

What stops forwarding is the worst kind of a dead connection. Whoever sends is told by this machine's kernel
that all has arrived, so neither keepalives nor unacknowledged data show that nobody is there.
"""

import selectors
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

_PIECE: Final = 65_536


def free_port() -> int:
    """A port at which nobody listens."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


class Wire:
    """A proxy on a port of the loopback.

    Attributes:
        port: Where it listens.
        target: The port that new connections lead to.
    """

    def __init__(self, target: int) -> None:
        self.target = target
        self._dead = False
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._ends: dict[socket.socket, socket.socket] = {}
        self._turn = threading.Lock()
        self._over = False
        self._thread = threading.Thread(target=self._forward, name="wire")
        self._thread.start()

    @property
    def connections(self) -> int:
        """How many there are now."""
        return len(self._ends) // 2

    def die(self) -> None:
        """Forward nothing from now on, on connections that are there and on new ones, and close nothing."""
        with self._turn:
            self._dead = True

    def lead(self, target: int) -> None:
        """Forward new connections to this port; those that are dead stay dead."""
        with self._turn:
            if self._dead:
                for end in self._ends:
                    with suppress(KeyError):
                        self._selector.unregister(end)
            self.target, self._dead = target, False

    def cut(self) -> None:
        """Close every connection that is there."""
        with self._turn:
            for end in list(self._ends):
                self._close(end)

    def close(self) -> None:
        """End the proxy."""
        self._over = True
        self._thread.join()
        self.cut()
        self._selector.close()
        self._listener.close()

    def _forward(self) -> None:
        while not self._over:
            ready = self._selector.select(0.02)
            with self._turn:
                if self._dead:
                    ready = [(key, mask) for key, mask in ready if key.fileobj is self._listener]
                for key, _ in ready:
                    if key.fileobj is self._listener:
                        self._accept()
                    elif isinstance(key.fileobj, socket.socket):
                        self._carry(key.fileobj)
            if self._dead:
                threading.Event().wait(0.02)

    def _accept(self) -> None:
        near, _ = self._listener.accept()
        far = socket.socket()
        if not self._dead and far.connect_ex(("127.0.0.1", self.target)) != 0:
            near.close()
            far.close()
            return
        self._ends |= {near: far, far: near}
        if not self._dead:
            self._selector.register(near, selectors.EVENT_READ)
            self._selector.register(far, selectors.EVENT_READ)

    def _carry(self, end: socket.socket) -> None:
        try:
            came = end.recv(_PIECE)
            if came:
                self._ends[end].sendall(came)
                return
        except (OSError, KeyError):
            pass
        self._close(end)

    def _close(self, end: socket.socket) -> None:
        other = self._ends.pop(end, None)
        for one in filter(None, (end, other)):
            self._ends.pop(one, None)
            with suppress(KeyError, ValueError):
                self._selector.unregister(one)
            one.close()


@contextmanager
def wire(target: int) -> Iterator[Wire]:
    """A proxy to a port, closed at the end of the block."""
    made = Wire(target)
    try:
        yield made
    finally:
        made.close()
