"""
The exact upper bound of a probability, from how often something happened (Clopper and Pearson).

Certificates of vast spaces state such bounds as multiples of one part in 10^9. They are computed in decimal
arithmetic of 60 digits, so any machine finds the same figure; docs/formats.md, section 6, defines it.
"""

import math
from collections.abc import Callable
from decimal import (
    ROUND_HALF_EVEN,
    Context,
    Decimal,
    DivisionByZero,
    InvalidOperation,
    Overflow,
    localcontext,
)
from functools import cache
from statistics import NormalDist
from typing import Final

EXACT: Final = Context(
    prec=60,
    rounding=ROUND_HALF_EVEN,
    Emin=-999_999,
    Emax=999_999,
    capitals=1,
    clamp=0,
    flags=[],
    traps=[DivisionByZero, InvalidOperation, Overflow],
)
"""What every bound is computed in; all of it is stated, since what is left out would be the host's own.

Operators and some methods of decimals use the context of the thread, which a host may have changed, so each
function that callers reach makes this one the thread's while it runs.
"""

PARTS: Final = 10**9
"""A bound is a whole number of these parts of 1."""

_NEGLIGIBLE: Final = Decimal("1e-35")
_PI: Final = Decimal("3.14159265358979323846264338327950288419716939937510582097494459")
_SMALL: Final = 64
_NEWTON: Final = 8
_STIRLING: Final = (
    (1, 12), (-1, 360), (1, 1260), (-1, 1680), (1, 1188), (-691, 360_360), (1, 156),
    (-3617, 122_400), (43_867, 244_188), (-174_611, 125_400),
)  # fmt: skip
"""The coefficients of n^-1, n^-3, … in Stirling's series of ln n!, whose error is below the first term left
out (Abramowitz and Stegun, *Handbook of Mathematical Functions*, 6.1.40 to 6.1.42)."""


def upper(found: int, trials: int, alpha: str) -> int:
    """The upper bound of a probability (Clopper and Pearson, Biometrika 26 (1934) 404-413), rounded up.

    Args:
        found: How often it happened, 0 to ``trials``.
        trials: How many independent trials there were, 1 to 2^40.
        alpha: The probability that the bound is wrong, at most, as a decimal below 1/2.
    Returns:
        In parts of 10^-9, the smallest probability with which at most ``found`` of the trials happen with
        a probability of at most ``alpha``; 10^9 if there is none.
    """
    if found >= trials:
        return PARTS
    with localcontext(EXACT):
        log = EXACT.ln(Decimal(alpha))
        return 1 + _last(
            PARTS - 1, _guess(found, trials, log), lambda parts: _log_at_most(found, trials, parts)[0] > log
        )


def _guess(found: int, trials: int, log: Decimal) -> int:
    """About where the bound is: Wilson's interval of one more, and Newton's method from there.

    It saves time and decides nothing. The slope of ln P(B <= found) is -(trials - found) / (other · terms).
    """
    z, more = -NormalDist().inv_cdf(math.exp(log)), found + 1
    width = z * math.sqrt(more * (1 - min(1.0, more / trials)) + z * z / 4)
    parts = int(PARTS * (more + z * z / 2 + width) / (trials + z * z))
    for _ in range(_NEWTON):
        parts = min(max(parts, 1), PARTS - 1)
        found_log, terms = _log_at_most(found, trials, parts)
        step = int((found_log - log) * terms * (PARTS - parts) / (trials - found))
        parts += step
        if abs(step) <= 1:
            break
    return parts


def _last(most: int, guess: int, holds: Callable[[int], bool]) -> int:
    """The largest number in [1, most] of which ``holds`` is true, as it is of all smaller ones; else 0."""
    low = high = min(max(guess, 1), most)
    step = 1
    while low > 0 and not holds(low):
        low, high, step = max(0, low - step), low, 2 * step
    if low == high:
        while high <= most and holds(high):
            low, high, step = high, min(most + 1, high + step), 2 * step
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if holds(middle) else (low, middle)
    return low


def _log_at_most(found: int, trials: int, parts: int) -> tuple[Decimal, Decimal]:
    """ln P(B <= found), B binomial with ``trials`` and a probability of 0 < ``parts`` / 10^9 < 1, and the sum
    of ``_terms``.

    From the mean up it is at least ln 1/2 (the median is at most the mean, rounded up); 0 is returned then.
    """
    if found * PARTS >= trials * parts:
        return Decimal(0), Decimal(1)
    share, other = Decimal(parts).scaleb(-9), Decimal(PARTS - parts).scaleb(-9)
    terms = _terms(found, trials, EXACT.divide(other, share))
    log = EXACT.add(_log_choose(trials, found), EXACT.ln(terms))
    log = EXACT.add(log, EXACT.multiply(Decimal(found), EXACT.ln(share)))
    return EXACT.add(log, EXACT.multiply(Decimal(trials - found), EXACT.ln(other))), terms


def _terms(found: int, trials: int, odds: Decimal) -> Decimal:
    """The terms of P(B <= found) together, in units of the largest, P(B = found).

    Their sum is the hypergeometric series 2F1(1, -found; trials - found + 1; -odds), computed as Gauss's
    continued fraction (DLMF, 15.7.1) by Lentz's method. Some 160 steps do where the series has 10^5 terms.
    """
    value, numerator, denominator, free = Decimal(1), Decimal(1), Decimal(0), trials - found
    for step in range(1, 2 * found + 1):
        half = step // 2
        if step % 2:
            above, below = -(found - half) * (free + half), (free + step - 1) * (free + step)
        else:
            above, below = half * (trials + half), (free + step - 1) * (free + step)
        part = EXACT.divide(EXACT.multiply(Decimal(above), odds), Decimal(below))
        denominator = EXACT.divide(Decimal(1), EXACT.add(Decimal(1), EXACT.multiply(part, denominator)))
        numerator = EXACT.add(Decimal(1), EXACT.divide(part, numerator))
        change = EXACT.multiply(numerator, denominator)
        value = EXACT.multiply(value, change)
        if abs(EXACT.subtract(change, Decimal(1))) < _NEGLIGIBLE:
            break
    return EXACT.divide(Decimal(1), value)


def _log_choose(trials: int, found: int) -> Decimal:
    """The logarithm of how many ways there are to choose ``found`` of ``trials``."""
    both = EXACT.add(_log_factorial(found), _log_factorial(trials - found))
    return EXACT.subtract(_log_factorial(trials), both)


@cache
def _log_factorial(number: int) -> Decimal:
    """ln(number!), to more than 35 decimals."""
    if number < _SMALL:
        return EXACT.ln(Decimal(math.factorial(number)))
    whole = Decimal(number)
    log = EXACT.multiply(EXACT.add(whole, Decimal("0.5")), EXACT.ln(whole))
    log = EXACT.subtract(log, whole)
    log = EXACT.add(log, EXACT.divide(EXACT.ln(EXACT.multiply(Decimal(2), _PI)), Decimal(2)))
    power = whole
    for above, below in _STIRLING:
        log = EXACT.add(log, EXACT.divide(Decimal(above), EXACT.multiply(Decimal(below), power)))
        power = EXACT.multiply(power, EXACT.multiply(whole, whole))
    return log
