"""
How many different operations a number of draws gives: what is certified, and what perfect draws give.

Draws are independent, so the expected number of different operations rises with the draws and is concave, and
the expected number of repeats is convex. Every bound here follows from that and from counts of a certificate;
no distribution is assumed. Each forecast says what it is.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal, localcontext
from enum import StrEnum
from typing import Final

from ternary_sdk._internal.certificates.binomial import EXACT
from ternary_sdk._internal.certificates.path_coverage import PathCoverage
from ternary_sdk._internal.certificates.statistics import expected_distinct
from ternary_sdk._internal.certificates.vast_path import VastPath
from ternary_sdk.errors import InputError
from ternary_sdk.space import Space

MOST_DRAWS: Final = 1 << 40
"""The most draws of a forecast."""

_ONE_EACH: Final = "no draw gives two operations"
_NORMAL: Final = Decimal("1.959964")
"""Half the width of the central 95 % of a normal distribution, in standard deviations."""


class Basis(StrEnum):
    """What a figure rests on."""

    CERTIFIED = "certified"
    """A count that the certificate states."""
    AT_LEAST = "at least"
    """A lower bound that follows from the certificate."""
    AT_MOST = "at most"
    """An upper bound that follows from the certificate."""
    PERFECT = "perfect draws"
    """The mean of uniform independent draws, with a range of 95 %; the model itself is not better."""


@dataclass(frozen=True, kw_only=True)
class Forecast:
    """One number of different operations, and what it rests on."""

    basis: Basis
    operations: int
    """A whole number; a mean is rounded down."""
    low: int | None = None
    """Lower end of the 95 % range of one count; None where a figure has none."""
    high: int | None = None
    """Upper end."""
    why: str
    """One sentence."""


def forecast(path: PathCoverage | VastPath, draws: int) -> tuple[Forecast, ...]:
    """What is known of so many draws of one path, the certified figures first.

    Raises:
        InputError: If ``draws`` is less than 1 or more than 2^40.
    """
    if not 1 <= draws <= MOST_DRAWS:
        raise InputError(f"draws: {draws}, expected 1 to {MOST_DRAWS}")
    certified = _vast(path, draws) if isinstance(path, VastPath) else _listed(path, draws)
    return *certified, perfect(path.space, draws)


def perfect(space: Space, draws: int) -> Forecast:
    """Uniform independent draws: no independent draws give more different operations on average."""
    mean, deviation = occupancy(space.size, draws)
    most = min(draws, space.size)
    return Forecast(
        basis=Basis.PERFECT,
        operations=int(mean),
        low=max(1, int((mean - _NORMAL * deviation).to_integral_value(ROUND_FLOOR))),
        high=min(most, int((mean + _NORMAL * deviation).to_integral_value(ROUND_CEILING))),
        why=f"mean and 95 % range of {draws:,} uniform independent draws",
    )


def occupancy(faces: int, throws: int) -> tuple[Decimal, Decimal]:
    """Mean and standard deviation of the number of different faces that a fair die shows.

    With q = (1 - 1/N)^n and r = (1 - 2/N)^n the variance is N·q + N(N - 1)·r - N²·q² (Feller, *An
    Introduction to Probability Theory and Its Applications*, volume 1, occupancy). It is computed in 60
    digits, because the terms cancel where N is large.
    """
    with localcontext(EXACT):
        size, mean = Decimal(faces), expected_distinct(throws, faces)
        missed = size - mean  # N·q
        both = ((1 - 2 / size).ln() * throws).exp() if faces > 2 else Decimal(0)
        variance = missed + size * (size - 1) * both - missed * missed
        return mean, max(variance, Decimal(0)).sqrt()


def draws_to(space: Space, share: Decimal) -> int:
    """The least number of perfect draws that cover a share of the space on average.

    Raises:
        InputError: If the share is not in [0, 1).
    """
    if not 0 <= share < 1:
        raise InputError(f"share: {share}, expected at least 0 and less than 1")
    with localcontext(EXACT):
        needed = (1 - share).ln() / (1 - 1 / Decimal(space.size)).ln()
        return int(needed.to_integral_value(ROUND_CEILING))


def _listed(path: PathCoverage, draws: int) -> Sequence[Forecast]:
    for prior in path.prior:
        if prior.draws == draws:
            return (
                Forecast(
                    basis=Basis.CERTIFIED,
                    operations=prior.operations,
                    why=f"counted in {draws:,} draws of the certified stream, near ties left out",
                ),
            )
    below = [prior for prior in path.prior if prior.draws < draws]
    above = [prior for prior in path.prior if prior.draws > draws]
    if below:
        known = below[-1]
        least, why = known.operations, f"as many as in the certified {known.draws:,} draws"
    else:
        known = above[0]
        least = draws * known.operations // known.draws
        why = f"on average of any {draws:,} of the certified {known.draws:,} draws, chosen by chance"
    if above:
        most, reason = above[0].operations, f"as many as in the certified {above[0].draws:,} draws"
    else:
        most, reason = len(path.reachable.operations), "every reachable operation"
    if draws < most:
        most, reason = draws, _ONE_EACH
    return (
        Forecast(basis=Basis.AT_LEAST, operations=min(draws, least), why=why),
        Forecast(basis=Basis.AT_MOST, operations=most, why=reason),
    )


def _vast(path: VastPath, draws: int) -> Sequence[Forecast]:
    """Repeats are convex in the draws: fewer draws than certified have at most their share of the repeats."""
    evenness = path.evenness
    with localcontext(EXACT):
        clear = Decimal(draws) * (1 - Decimal(evenness.near_tie_share_at_most))
        counted = min(clear, Decimal(evenness.clear))
        varied = counted * (1 - Decimal(evenness.repeats_at_most) / evenness.clear) if evenness.clear else 0
        least = max(0, int(Decimal(varied).to_integral_value(ROUND_FLOOR)))
    why = "from the certified bound on repeats, wrong with a probability of 0.000002 at most"
    if clear > evenness.clear:
        why += f"; nothing is certified of more than {evenness.clear:,} clear draws"
    return (
        Forecast(basis=Basis.AT_LEAST, operations=least, why=why),
        Forecast(basis=Basis.AT_MOST, operations=min(draws, path.space.size), why=_ONE_EACH),
    )
