"""
What a draw is asked for: how many rows, from which seed, and how far from the prior.
"""

from dataclasses import dataclass
from operator import index as as_integer
from typing import Final

import numpy as np

from ternary_sdk.errors import InputError

MIN_TEMPERATURE: Final = 0.01
"""Less means nothing: already here every draw decodes to one or two operations (docs/sampling.md)."""
MAX_TEMPERATURE: Final = 100.0
_TEMPERATURES: Final = f"{MIN_TEMPERATURE:g} to {MAX_TEMPERATURE:g}"


def whole(value: int, name: str, most: int, *, least: int = 0) -> int:
    """An argument that must be an integer in [least, most], NumPy's included, true and false not.

    Raises:
        InputError: If it is none.
    """
    try:
        number = as_integer(value)
    except TypeError:
        raise InputError(f"{name}: {value!r}, expected an integer") from None
    if isinstance(value, bool) or not least <= number <= most:
        raise InputError(f"{name}: {value}, expected {least} to {most:,}")
    return number


def _is_number(value: object) -> bool:
    """Whether it is an integer or a float, NumPy's included, true and false not."""
    return isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)


@dataclass(frozen=True, kw_only=True)
class Dial:
    """How far a draw departs from the prior.

    Raises:
        InputError: If a setting is no number or out of range.
    """

    explore: float = 0.0
    """Probability, in [0, 1], that a row is a uniformly chosen witness instead of a prior draw."""

    temperature: float = 1.0
    """Factor on the prior's latents, in [0.01, 100]; above 1 reaches for rarer operations."""

    def __post_init__(self) -> None:
        if not _is_number(self.explore):
            raise InputError(f"explore: {self.explore!r}, expected a number from 0 to 1")
        if not _is_number(self.temperature):
            raise InputError(f"temperature: {self.temperature!r}, expected a number from {_TEMPERATURES}")
        if not 0 <= self.explore <= 1:
            raise InputError(f"explore: {self.explore}, expected 0 to 1")
        if not MIN_TEMPERATURE <= self.temperature <= MAX_TEMPERATURE:
            raise InputError(f"temperature: {self.temperature}, expected {_TEMPERATURES}")
