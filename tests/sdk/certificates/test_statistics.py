"""Bounds of vast spaces: against independent code, and against simulated models."""

import json
import math
import subprocess
import sys
from decimal import ROUND_DOWN, Context, Inexact, Rounded, Subnormal, Underflow, localcontext
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from tests.vectors import vast

from ternary_sdk._internal.certificates import binomial, statistics
from ternary_sdk.space import Space

VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "vast.json").read_text("utf-8"))
QUATERNARY = Space(4, 2)


def test_the_vectors_are_what_the_formats_page_gives() -> None:
    assert json.loads(json.dumps(vast.figures())) == VECTORS


@pytest.mark.parametrize(("found", "trials", "expected"), VECTORS["shares"])
def test_a_share_is_bounded_as_pinned(found: int, trials: int, expected: str) -> None:
    assert statistics.share_at_most(found, trials) == expected
    least = Fraction(statistics.share_at_least(found, trials))
    assert least + Fraction(expected) == 1


@pytest.mark.parametrize(("clear", "distinct", "space", "repeats", "number", "perfect"), VECTORS["numbers"])
def test_draws_are_as_varied_as_pinned(
    clear: int, distinct: int, space: str, repeats: str, number: int, perfect: int
) -> None:
    of = Space.parse(space)
    assert statistics.repeats_at_most(clear, distinct) == repeats
    assert statistics.effective_number(clear, distinct, of) == number
    assert statistics.perfect_distinct(clear, of) == perfect


HOSTS = {
    "few digits": Context(prec=5, rounding=ROUND_DOWN),
    "traps": Context(prec=28, traps=[Inexact, Rounded, Underflow, Subnormal]),
    "small exponents": Context(prec=5, Emin=-3, Emax=3),
}


@pytest.mark.parametrize("host", HOSTS)
def test_no_bound_depends_on_the_decimal_context_of_the_host(host: str) -> None:
    # What was computed before would hide what is computed here.
    for kept in (statistics.share_at_most, statistics.repeats_at_most, binomial._log_factorial):
        kept.cache_clear()
    statistics.effective_number.cache_clear()
    statistics.perfect_distinct.cache_clear()
    with localcontext(HOSTS[host]):
        for found, trials, expected in VECTORS["shares"]:
            assert statistics.share_at_most(found, trials) == expected
        for clear, distinct, space, repeats, number, perfect in VECTORS["numbers"]:
            of = Space.parse(space)
            assert statistics.repeats_at_most(clear, distinct) == repeats
            assert statistics.effective_number(clear, distinct, of) == number
            assert statistics.perfect_distinct(clear, of) == perfect
        shown = statistics.expected_distinct(10**9, 4**16)
    assert shown == statistics.expected_distinct(10**9, 4**16)


def test_no_bound_depends_on_the_default_context_of_a_host() -> None:
    """Which a host may change before it imports the SDK."""
    code = (
        "import decimal; decimal.DefaultContext.traps[decimal.Inexact] = True; "
        "decimal.DefaultContext.rounding = decimal.ROUND_UP; decimal.setcontext(decimal.DefaultContext); "
        "from ternary_sdk._internal.certificates.statistics import share_at_most; "
        "print(share_at_most(3, 10**7))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == statistics.share_at_most(3, 10**7)


@pytest.mark.parametrize("trials", [1, 2, 12])
@pytest.mark.parametrize("alpha", ["0.05", "0.000001", "0.49"])
def test_the_bound_of_a_share_is_the_least_that_is_right(trials: int, alpha: str) -> None:
    """At it so few happen with a probability of alpha at most, and one part less with more: in fractions."""
    for found in range(trials):
        parts = binomial.upper(found, trials, alpha)
        assert at_most(found, trials, Fraction(parts, 10**9)) <= Fraction(alpha)
        assert at_most(found, trials, Fraction(parts - 1, 10**9)) > Fraction(alpha)
    assert binomial.upper(trials, trials, alpha) == 10**9


def at_most(found: int, trials: int, share: Fraction) -> Fraction:
    return sum(
        (math.comb(trials, k) * share**k * (1 - share) ** (trials - k) for k in range(found + 1)),
        Fraction(),
    )


@pytest.mark.parametrize("share", [Fraction(1, 1000), Fraction(1, 7), Fraction(1, 2), Fraction(99, 100)])
def test_the_bound_of_a_share_is_wrong_as_seldom_as_it_says(share: Fraction) -> None:
    """The probability, in fractions, of all results whose bound lies below the truth."""
    trials, wrong = 15, Fraction()
    for found in range(trials + 1):
        if Fraction(binomial.upper(found, trials, "0.05"), 10**9) < share:
            wrong += math.comb(trials, found) * share**found * (1 - share) ** (trials - found)
    assert wrong <= Fraction(5, 100)


@pytest.mark.parametrize("trials", [10**9, 10**10, 1 << 40])
def test_the_bound_of_many_trials_is_the_least_that_is_right(trials: int) -> None:
    """By Loader's form of the binomial distribution, in floating point, which shares nothing with ours."""
    found = trials // 1200
    parts = binomial.upper(found, trials, "0.000001")
    assert log_at_most(found, trials, parts) <= math.log(1e-6) < log_at_most(found, trials, parts - 1)


def log_at_most(found: int, trials: int, parts: int) -> float:
    """ln P(B <= found), by C. Loader, Fast and Accurate Computation of Binomial Probabilities (2000)."""
    share = Fraction(parts, 10**9)

    def deviance(seen: int, expected: Fraction) -> float:
        off = float(expected / seen - 1)
        return seen * (off - math.log1p(off))

    left = trials - found
    log = (1 / trials - 1 / found - 1 / left) / 12 + 0.5 * math.log(trials / (2 * math.pi * found * left))
    log -= deviance(found, trials * share) + deviance(left, trials * (1 - share))
    below = np.arange(found, found - min(found, 1 << 20), -1, dtype=np.float64)
    terms = np.cumprod(below / (trials - below + 1) * float((1 - share) / share))
    assert terms[-1] < 1e-12  # what is left out
    return log + math.log1p(float(terms.sum()))


MODELS = {
    "uniform": np.full(5000, 1 / 5000),
    "Zipf 0.7": (lambda weights: weights / weights.sum())(np.arange(1.0, 5001.0) ** -0.7),
    "one heavy atom": np.append(0.5, np.full(4999, 0.5 / 4999)),
    "few operations": np.full(40, 1 / 40),
}


@pytest.mark.parametrize("model", MODELS)
def test_no_model_repeats_more_than_the_bound_says(model: str) -> None:
    """400 counts of each with alpha = 0.05, which would allow 20 violations on average.

    The effective number rises as the bound falls, so it is too large exactly where the bound is wrong.
    """
    shares, draws, random = MODELS[model], 2000, np.random.default_rng(20)
    counts = random.multinomial(draws, shares, size=400)
    distinct = (counts > 0).sum(axis=1)
    expected = draws - float((1 - (1 - shares) ** draws).sum())
    bounds = [float(statistics.repeats_at_most(draws, int(found), "0.05")) for found in distinct]
    assert sum(bound < expected for bound in bounds) <= 20
    assert min(bounds) < 2 * expected + 100  # it says something


def test_the_effective_number_of_a_fair_die_is_below_its_faces() -> None:
    faces, random = 5000, np.random.default_rng(3)
    throws = random.integers(0, faces, size=(60, 20_000))
    numbers = [statistics.effective_number(20_000, len(np.unique(row)), QUATERNARY, "0.05") for row in throws]
    assert max(numbers) <= faces
    assert min(numbers) > 0.8 * faces


def test_no_more_is_claimed_than_the_space_has() -> None:
    assert statistics.effective_number(10**6, 10**6, Space(3, 1)) == 27


@pytest.mark.parametrize(("throws", "faces"), [(1, 1), (0, 1), (0, 6), (1, 6), (5, 6), (30, 2)])
def test_what_a_die_shows_on_average(throws: int, faces: int) -> None:
    expected = faces * (1 - Fraction(faces - 1, faces) ** throws)
    assert abs(Fraction(statistics.expected_distinct(throws, faces)) - expected) < Fraction(1, 10**40)
