"""
When an event is sent again that was not taken: exponential back-off with full jitter, within bounds.

Jitter keeps events that failed together from coming together again (Brooker, "Exponential Backoff And
Jitter", AWS Architecture Blog, 2015).
"""

from dataclasses import dataclass
from typing import Final

FIRST: Final = 30
"""Seconds; the longest wait after the first attempt is twice this."""
LONGEST: Final = 12 * 3600
"""Seconds, whatever the number of attempts, and whatever the webhook's server asks for."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """When an event is given up."""

    attempts: int
    """After this many."""
    age: int
    """Or so many seconds after it was queued."""


def wait(attempts: int, chance: float, asked: int | None) -> int:
    """Seconds until the next attempt, at least 1.

    Args:
        attempts: How many failed so far, at least 1.
        chance: A random number in [0, 1).
        asked: Seconds that the webhook's server asked for (``Retry-After``); never less, up to the longest.
    """
    most = min(LONGEST, FIRST << min(attempts, 20))
    return max(1, int(chance * most), min(asked or 0, LONGEST))


def given_up(limits: Limits, attempts: int, age: int) -> bool:
    """Whether an event that failed is dead, after so many attempts and seconds."""
    return attempts >= limits.attempts or age >= limits.age
