"""
How long is waited, and for what: every limit of time around the database, and the deadline of a request.

There is one number, the seconds that a request may take. The other limits are shares of it, so their order
holds whatever it is: whoever waits for others gives up before the whole request does, and the database ends
a statement before this side stops listening (docs/adr/0026-patience-has-one-meaning.md).
"""

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final

SILENCE: Final = 1.0
"""Seconds that this side listens longer than the database may take, so that its own refusal arrives."""

TOO_LATE: Final = "the request has taken longer than it may; nothing of it was done"


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How long is waited, in seconds; infinity is no limit."""

    connect: float
    """For a new connection, the address's name and the log-in included."""
    lock: float
    """For what others have: a lock, the writer's turn on SQLite, a free connection, a transaction's begin."""
    statement: float
    """For one statement on PostgreSQL. On SQLite only the whole request ends it."""
    request: float
    """For a whole transaction, and for all transactions of one request together."""

    @classmethod
    def of(cls, request: float) -> "Limits":
        """The limits of requests that may take so many seconds."""
        return cls(connect=request / 2, lock=request / 4, statement=request / 2, request=request)


NONE: Final = Limits(connect=10, lock=math.inf, statement=math.inf, request=math.inf)
"""Of maintenance, which takes as long as it takes; a connection is made or not all the same."""
REQUEST: Final = 20
"""Seconds that a request may take if nobody chooses."""
USUAL: Final = Limits.of(REQUEST)


class Deadline:
    """A moment after which nothing is begun any more.

    Args:
        seconds: From now.
    """

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def left(self, limit: float = math.inf) -> float:
        """Seconds that may still be waited, at most ``limit``; 0 when the moment is over."""
        return max(0.0, min(limit, self._end - time.monotonic()))


_REQUEST: Final[ContextVar[Deadline | None]] = ContextVar("ternary_deadline", default=None)


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Give everything that is done in the block, in its threads too, one deadline together."""
    token = _REQUEST.set(Deadline(seconds))
    try:
        yield
    finally:
        _REQUEST.reset(token)


def deadline(limits: Limits) -> Deadline:
    """The deadline of the request that is being answered; outside of one, a new deadline."""
    return _REQUEST.get() or Deadline(limits.request)
