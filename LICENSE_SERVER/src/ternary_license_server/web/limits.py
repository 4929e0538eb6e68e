"""
How often may be asked: by one address, with one license key, by one installation about one license.

Token buckets in memory, for each replica its own.
"""

import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

MOST: Final = 100_000
"""Buckets that are remembered at once."""
FULL_AFTER: Final = 60.0
"""Seconds after which any bucket is full again, and is therefore the same as one that nobody has used."""
SWEPT: Final = 2
"""Most full buckets that one request forgets; more than it can add, so that what is past goes away."""


class RateLimit:
    """A bucket for each name, filled at a steady rate. Safe among threads.

    A bucket that is full again is forgotten, which changes nothing for anybody. Only where more names than
    ``MOST`` ask within a minute, the one unused for longest is forgotten before. That gives its name at most
    one bucket more, for a hundred thousand requests under as many other names.

    Args:
        per_minute: How many requests a minute each name has; a full bucket holds a minute's worth.
        clock: Seconds; a clock that is set back fills nothing.
        most: How many buckets are remembered at once.
    """

    def __init__(
        self, per_minute: int, clock: Callable[[], float] = time.monotonic, most: int = MOST
    ) -> None:
        self._capacity = float(per_minute)
        self._rate = per_minute / FULL_AFTER
        self._clock = clock
        self._most = most
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._turn = threading.Lock()

    def __len__(self) -> int:
        return len(self._buckets)

    def wait(self, name: str) -> int:
        """Take one from a name's bucket.

        Returns:
            0, or in how many whole seconds to ask again if the bucket is empty.
        """
        now = self._clock()
        with self._turn:
            left, at = self._buckets.pop(name, (self._capacity, now))
            left = min(self._capacity, left + max(0.0, now - at) * self._rate)
            allowed = left >= 1
            self._buckets[name] = (left - 1 if allowed else left, now)
            self._forget(now)
        return 0 if allowed else max(1, math.ceil((1 - left) / self._rate))

    def _forget(self, now: float) -> None:
        """Forget a few of the oldest buckets if they are full, and the oldest if there are too many."""
        for _ in range(SWEPT):
            oldest, (_, at) = next(iter(self._buckets.items()))
            if now - at < FULL_AFTER:
                break
            del self._buckets[oldest]
        while len(self._buckets) > self._most:
            self._buckets.popitem(last=False)
