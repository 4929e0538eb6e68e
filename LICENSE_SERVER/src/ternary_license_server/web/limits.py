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
"""Buckets that are remembered; the ones unused for longest are forgotten first."""


class RateLimit:
    """A bucket for each name, filled at a steady rate. Safe among threads.

    Args:
        per_minute: How many requests a minute each name has; a full bucket holds a minute's worth.
        clock: Seconds, monotonic.
    """

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._capacity = float(per_minute)
        self._rate = per_minute / 60
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._turn = threading.Lock()

    def wait(self, name: str) -> int:
        """Take one from a name's bucket.

        Returns:
            0, or in how many whole seconds to ask again if the bucket is empty.
        """
        now = self._clock()
        with self._turn:
            left, at = self._buckets.pop(name, (self._capacity, now))
            left = min(self._capacity, left + (now - at) * self._rate)
            allowed = left >= 1
            self._buckets[name] = (left - 1 if allowed else left, now)
            if len(self._buckets) > MOST:
                self._buckets.popitem(last=False)
        return 0 if allowed else max(1, math.ceil((1 - left) / self._rate))
