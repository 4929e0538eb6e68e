"""
How far a count has come.
"""

import time
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far it has come, and how fast it goes."""

    stage: str
    """``drawing``, then ``counting``."""

    done: int
    """Draws done in this stage, those of an earlier run included."""

    draws: int
    """Draws to be done in it."""

    rate: float
    """Draws a second of this run, 0 while there are none."""

    @property
    def seconds_left(self) -> float | None:
        """How long the stage will take at that rate; nothing while there is none."""
        return (self.draws - self.done) / self.rate if self.rate else None


def silent(progress: Progress) -> None:
    """Tell nobody."""


class Pace:
    """Measures a stage.

    Args:
        stage: Its name.
        draws: Draws to be done.
        done: Those that were done before.
    """

    def __init__(self, stage: str, draws: int, done: int = 0) -> None:
        self.stage, self.draws, self.done = stage, draws, done
        self._before, self._since = done, time.monotonic()

    def add(self, draws: int) -> Progress:
        """So many more are done."""
        self.done += draws
        elapsed = time.monotonic() - self._since
        rate = (self.done - self._before) / elapsed if elapsed else 0.0
        return Progress(stage=self.stage, done=self.done, draws=self.draws, rate=rate)
