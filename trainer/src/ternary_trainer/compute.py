"""
What a training took of the machine: until the snapshot that is shipped, after it, and what stopping saved.

A core-second is one second of one core at work: processor time of the process, user and system, added up over
all its threads. Wall time multiplied by the machine's cores is another figure, and larger: it counts cores
that wait. Time on a GPU is not measured.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from ternary_sdk.errors import InputError
from ternary_trainer.history import EpochRecord

RECENT: Final = 5
"""Epochs at the end of a history by whose mean those are estimated that a plateau left out."""
HOUR: Final = 3600
_MOST_PRICE: Final = 1e9


@dataclass(frozen=True, kw_only=True)
class Stretch:
    """Some epochs of a training, scoring included; what is not an epoch, as the report at its end, is not."""

    epochs: int
    """How many."""
    seconds: float
    """Wall time."""
    core_seconds: float | None
    """Processor time over all threads; None if an epoch of the training was recorded without it."""


@dataclass(frozen=True, kw_only=True)
class Compute:
    """A training's epochs in three stretches."""

    until: Stretch
    """From the first to the one whose snapshot is shipped, that included."""
    after: Stretch
    """Trained after it: nothing of them is shipped."""
    saved: Stretch
    """Not trained because the plateau's score stood still; an estimate by the mean of the last five."""

    @property
    def stretches(self) -> dict[str, Stretch]:
        """Each by its name, in the order of time."""
        return {"until": self.until, "after": self.after, "saved": self.saved}

    @property
    def measured(self) -> bool:
        """Whether core-seconds are known; a run that an older release trained has wall time alone."""
        return self.until.core_seconds is not None


def spent(history: Sequence[EpochRecord], shipped: int, unspent: int) -> Compute:
    """Divide a history at the epoch that is shipped.

    Args:
        history: All epochs, in order.
        shipped: The epoch whose snapshot is shipped; any number if there are no epochs.
        unspent: How many epochs a plateau left out.
    """
    recent = history[-RECENT:]
    share = unspent / max(1, len(recent))
    known = all(record.core_seconds is not None for record in history)

    def stretch(records: Sequence[EpochRecord], epochs: int, factor: float = 1.0) -> Stretch:
        cores = factor * math.fsum(record.core_seconds or 0.0 for record in records)
        wall = factor * math.fsum(record.seconds for record in records)
        return Stretch(epochs=epochs, seconds=wall, core_seconds=cores if known else None)

    until = [record for record in history if record.epoch <= shipped]
    after = history[len(until) :]
    return Compute(
        until=stretch(until, len(until)),
        after=stretch(after, len(after)),
        saved=stretch(recent, unspent, share),
    )


@dataclass(frozen=True, kw_only=True)
class Price:
    """What an hour of one core costs.

    Raises:
        InputError: If the price is not above 0 and at most 10^9, or the currency no three capital letters.
    """

    per_core_hour: float
    currency: str
    """As ISO 4217 writes it: EUR, JPY."""

    def __post_init__(self) -> None:
        if not 0 < self.per_core_hour <= _MOST_PRICE:
            raise InputError(
                f"price per core-hour: {self.per_core_hour:g}, expected above 0 and at most {_MOST_PRICE:g}"
            )
        if not re.fullmatch("[A-Z]{3}", self.currency):
            raise InputError(
                f"currency: {self.currency!r}, expected three capital letters such as EUR or USD"
            )

    def of(self, stretch: Stretch) -> float | None:
        """What the core-seconds of a stretch cost; None where they were not measured."""
        return None if stretch.core_seconds is None else stretch.core_seconds / HOUR * self.per_core_hour

    def money(self, compute: Compute) -> dict[str, float | str | None]:
        """The price itself, and what each stretch costs, as programs read it."""
        costs = {name: self.of(stretch) for name, stretch in compute.stretches.items()}
        return {"per_core_hour": self.per_core_hour, "currency": self.currency, **costs}

    def shown(self, amount: float) -> str:
        """An amount with its currency: two decimals, and more below 1, where three figures need them."""
        small = 0 < amount < 1
        decimals = min(12, 2 - math.floor(math.log10(amount))) if small else 2
        return f"{amount:,.{decimals}f} {self.currency}"
