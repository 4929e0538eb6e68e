"""
What counts of draws say of a space that nobody can list, with a stated error probability.

Every bound is rounded so that it claims less than the counts would allow, and is computed in decimal
arithmetic of 60 digits, so any machine finds the same figures. docs/spaces.md proves the bounds,
docs/formats.md, section 6, defines the figures; changing one breaks every certificate of a vast space.
"""

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal, localcontext
from functools import lru_cache
from typing import Final

from ternary_sdk._internal.certificates import binomial
from ternary_sdk._internal.certificates.binomial import EXACT, PARTS
from ternary_sdk.space import Space

ALPHA: Final = "0.000001"
"""The error probability of each bound that a certificate states."""

_KEPT: Final = 256
"""How many figures of each kind are kept: reading, opening and showing a package ask for the same ones."""

_MILLIONTH: Final = Decimal("0.000001")


@lru_cache(maxsize=_KEPT)
def share_at_most(found: int, trials: int, alpha: str = ALPHA) -> str:
    """The upper bound of a share of which ``found`` were found in ``trials`` independent trials.

    Returns:
        Nine decimals, rounded up.
    """
    return _share(binomial.upper(found, trials, alpha))


@lru_cache(maxsize=_KEPT)
def share_at_least(failures: int, trials: int, alpha: str = ALPHA) -> str:
    """The lower bound of a share of which all but ``failures`` were found in independent trials.

    Returns:
        Nine decimals, rounded down.
    """
    return _share(PARTS - binomial.upper(failures, trials, alpha))


@lru_cache(maxsize=_KEPT)
def repeats_at_most(clear: int, distinct: int, alpha: str = ALPHA) -> str:
    """The upper bound U of the expected number of repeats among independent draws.

    Args:
        clear: How many draws there were.
        distinct: How many different operations they gave; the others are repeats.
        alpha: The probability that the bound is wrong, at most.
    Returns:
        Six decimals, rounded up: (√L + √(R + L))² with L = ln(1/alpha) and R repeats.
    """
    with localcontext(EXACT):
        log = -Decimal(alpha).ln()
        root = log.sqrt() + (Decimal(clear - distinct) + log).sqrt()
        return f"{(root * root).quantize(_MILLIONTH, rounding=ROUND_CEILING):f}"


@lru_cache(maxsize=_KEPT)
def effective_number(clear: int, distinct: int, space: Space, alpha: str = ALPHA) -> int:
    """How many faces a fair die has whose throws are at most as varied as these independent draws.

    Args:
        clear: How many draws there were.
        distinct: How many different operations of the space they gave.
        space: What they are operations of; the number is at most its size N.
        alpha: The probability that the number is too large, at most.
    Returns:
        The largest whole X in [1, N] with X(1 - (1 - 1/X)^clear) <= clear - ``repeats_at_most``; 0 if none.
    """
    with localcontext(EXACT):
        varied = Decimal(clear) - Decimal(repeats_at_most(clear, distinct, alpha))
        low, high = 0, space.size + 1
        while high - low > 1:  # what a fair die shows rises with its faces
            faces = (low + high) // 2
            low, high = (faces, high) if expected_distinct(clear, faces) <= varied else (low, faces)
        return low


@lru_cache(maxsize=_KEPT)
def perfect_distinct(clear: int, space: Space) -> int:
    """How many different operations perfect draws, uniform and independent, give on average; rounded down."""
    with localcontext(EXACT):
        return int(expected_distinct(clear, space.size).to_integral_value(rounding=ROUND_FLOOR))


def expected_distinct(throws: int, faces: int) -> Decimal:
    """How many different faces a fair die shows on average: faces·(1 - (1 - 1/faces)^throws).

    Args:
        throws: 0 to 2^40.
        faces: 1 to 2^63.
    Returns:
        To more than 25 decimals.
    """
    if faces == 1:
        return Decimal(min(throws, 1))
    with localcontext(EXACT):
        log = (Decimal(faces - 1) / Decimal(faces)).ln()
        return Decimal(faces) * (1 - (Decimal(throws) * log).exp())


def in_percent(share: str) -> str:
    """A share of some decimals in percent, with all of them: ``0.999998618`` is ``99.9998618``."""
    whole, decimals = share.split(".")
    return f"{int(whole + decimals[:2])}.{decimals[2:]}"


def _share(parts: int) -> str:
    return f"{parts // PARTS}.{parts % PARTS:09d}"
