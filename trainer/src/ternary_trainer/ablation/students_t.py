"""
Student's t for whole degrees of freedom: tails, quantiles, and the effect that a test has the power to show.

Sources: Abramowitz and Stegun, 26.7.3 and 26.7.4, for the tails; Johnson, Kotz and Balakrishnan, chapter 31,
for the noncentral distribution, as a mean of normal tails over the distribution of the spread.
"""

import math

import numpy as np

_STEPS = 80
_POINTS = 4_001
_WIDEST = 12.0
"""Of the spread as a multiple of the true one: with 2 degrees of freedom, above it in 1 of 10^27."""


def tails(t: float, freedom: int) -> float:
    """P(|T| > t).

    Args:
        t: At least 0.
        freedom: Degrees of freedom, from 1.
    """
    angle = math.atan(t / math.sqrt(freedom))
    sine, cosine = math.sin(angle), math.cos(angle)
    odd = freedom % 2
    term = cosine if odd else 1.0
    total = 0.0
    for power in range(1 + odd, freedom, 2):
        total += term
        term *= cosine * cosine * power / (power + 1)
    inside = 2 / math.pi * (angle + sine * total) if odd else sine * total
    return max(0.0, 1 - inside)


def quantile(alpha: float, freedom: int) -> float:
    """The t with P(|T| > t) = alpha, for alpha in (0, 1)."""
    high = 1.0
    while tails(high, freedom) > alpha and high < 1e12:
        high *= 2
    low = 0.0
    for _ in range(_STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if tails(middle, freedom) > alpha else (low, middle)
    return (low + high) / 2


def shown_effect(alpha: float, power: float, freedom: int) -> float:
    """The effect, in standard errors, that a two-sided test shows with some probability.

    Args:
        alpha: Level of the test, in (0, 1).
        power: Probability of showing it, on the side where it is, in (alpha, 1).
        freedom: Degrees of freedom of the spread, from 1.
    """
    critical = quantile(alpha, freedom)
    low, high = 0.0, 1.0
    while _power(high, critical, freedom) < power:
        high *= 2
    for _ in range(_STEPS // 2):
        middle = (low + high) / 2
        low, high = (middle, high) if _power(middle, critical, freedom) < power else (low, middle)
    return (low + high) / 2


def _power(effect: float, critical: float, freedom: int) -> float:
    """P(T > critical), where T is noncentral with this effect."""
    spread = np.linspace(0.0, _WIDEST, _POINTS)[1:]
    log_scale = math.log(2) + freedom / 2 * math.log(freedom / 2) - math.lgamma(freedom / 2)
    density = np.exp(log_scale + (freedom - 1) * np.log(spread) - freedom * spread**2 / 2)
    above = [0.5 * math.erfc((critical * one - effect) / math.sqrt(2)) for one in spread]
    return float((density * np.array(above)).sum() * (spread[1] - spread[0]))
