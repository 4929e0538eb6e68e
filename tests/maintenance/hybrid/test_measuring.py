"""The figures of the experiment: each is known where the pairs are known."""

import math

import numpy as np
import pytest
import torch
from maintenance.hybrid import laws, measuring
from maintenance.hybrid.laws import Growing, Uniform


def test_the_interval_of_a_median_is_that_of_the_sign_test():
    """Of 20 values, the 6th and the 15th enclose the median with 95.86 % (any table of the sign test)."""
    found = measuring.quantile(np.arange(1, 21), 0.5)
    assert (found.value, found.low, found.high) == (10.5, 6, 15)
    chance = sum(math.comb(20, k) for k in range(6, 15)) / 2**20
    assert chance == pytest.approx(0.9586, abs=1e-4)


@pytest.mark.parametrize("share", [0.5, 0.9, 0.99])
def test_the_interval_holds_the_quantile_in_95_of_100_samples_whatever_the_distribution(share):
    random = np.random.default_rng(1)
    samples = random.pareto(1.0, (400, 500))
    true = (1 - share) ** -1.0 - 1
    found = [measuring.quantile(sample, share) for sample in samples]
    assert 0.93 <= np.mean([one.low <= true <= one.high for one in found]) <= 1


def test_too_few_values_for_a_quantile_are_refused():
    with pytest.raises(
        ValueError, match=r"^100 values cannot enclose the quantile of 0\.99 with 95 % confidence$"
    ):
        measuring.quantile(np.arange(100), 0.99)


def test_the_distance_of_a_constant_and_of_an_even_grid():
    assert measuring.distance(torch.full((100,), 0.25)) == pytest.approx(0.75)
    assert measuring.distance((torch.arange(100) + 0.5) / 100) == pytest.approx(0.005, abs=1e-6)


@pytest.fixture(scope="module")
def digits():
    return torch.randint(3, (20_000, 9), generator=torch.Generator().manual_seed(2))


@pytest.mark.parametrize("law", [Uniform(2), Growing(seed=1)])
def test_pairs_by_the_law_differ_from_it_by_chance_alone(law, digits):
    values = laws.fresh(law, digits, torch.Generator().manual_seed(3))
    figures = measuring.drawn(law, digits, values)
    assert figures["of all"] < 0.015
    assert figures["given a cell"] < 0.03
    assert figures["given the neighbours"] < 0.03
    assert figures["impossible"] == 0
    assert figures["between parameters"] < 0.03


def test_a_parameter_that_follows_a_cell_is_found_although_it_is_uniform(digits):
    shares = torch.rand(len(digits), generator=torch.Generator().manual_seed(4))
    figures = measuring.drawn(Uniform(1), digits, ((shares + digits[:, 4]) / 3)[:, None])
    assert figures["of all"] < 0.015
    assert figures["given a cell"] > 0.6


def test_a_delay_that_ignores_its_operation_is_found_and_its_impossible_pairs_are_counted(digits):
    law, random = Growing(seed=1), torch.Generator().manual_seed(5)
    values = laws.fresh(law, digits, random)
    mixed = values[torch.randperm(len(values), generator=random)]
    figures = measuring.drawn(law, digits, mixed)
    inside = law.shares(digits, mixed)
    assert figures["impossible"] == pytest.approx(
        float(((inside < 0) | (inside > 1)).double().mean()), abs=0.01
    )
    assert figures["given the neighbours"] > 0.2


def test_two_parameters_that_are_one_are_found(digits):
    values = torch.rand(len(digits), 1, generator=torch.Generator().manual_seed(6)).expand(-1, 2)
    assert measuring.drawn(Uniform(2), digits, values)["between parameters"] == pytest.approx(1)
