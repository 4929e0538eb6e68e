import math
from itertools import combinations

import pytest
import torch

from ternary_sdk.space import TERNARY_2, Space
from ternary_trainer import orders

CPU = torch.device("cpu")
TABLES = TERNARY_2.tables
SPACES = [TERNARY_2, Space(2, 3), Space(5, 1), Space(2, 4), Space(3, 1), Space(7, 1)]


@pytest.mark.parametrize("space", SPACES, ids=str)
def test_the_orders_have_as_many_modes_as_there_are_choices_of_cells_and_contrasts(space: Space) -> None:
    assert tuple(torch.bincount(orders.order_of_modes(space, CPU)).tolist()) == orders.modes(space)
    assert sum(orders.modes(space)) == space.size


@pytest.mark.parametrize("space", SPACES, ids=str)
def test_modes_give_the_function_back_and_keep_its_length(space: Space) -> None:
    values = torch.randn(space.size, generator=torch.Generator().manual_seed(1))
    modes = orders.to_modes(values, space)
    torch.testing.assert_close(orders.from_modes(modes, space), values, atol=1e-4, rtol=1e-4)
    assert float(modes.square().sum()) == pytest.approx(float(values.square().sum()), rel=1e-4)


def test_the_contrasts_of_three_values_are_those_that_today_s_models_were_trained_with() -> None:
    assert orders.contrasts(3) == ((1, 1, 1), (1, 0, -1), (1, -2, 1))


@pytest.mark.parametrize("radix", range(2, 8))
def test_contrasts_are_orthogonal_to_a_constant_and_to_each_other(radix: int) -> None:
    rows = orders.contrasts(radix)
    assert rows[0] == (1,) * radix
    products = [sum(a * b for a, b in zip(*pair, strict=True)) for pair in combinations(rows, 2)]
    assert products == [0] * len(products)


def test_the_entropy_of_uniform_draws_is_shown_rounded_down() -> None:
    shown = {str(space): orders.uniform_entropy_shown(space) for space in SPACES[:3]}
    assert shown == {"3,2": "9.887", "2,3": "5.545", "5,1": "8.047"}


@pytest.mark.parametrize("space", SPACES, ids=str)
def test_a_cell_that_favours_a_value_lies_in_order_one_and_shows_in_singles_alone(space: Space) -> None:
    favoured = torch.from_numpy(space.tables[:, -1] == space.lowest)
    counts = torch.where(favoured, 20_000, 10_000)
    power = orders.power_by_order(orders.to_modes(counts / counts.float().mean() - 1, space), space)
    assert float(power[1]) == pytest.approx(float(power.sum()), rel=1e-3)
    divergence = orders.divergence(counts, space)
    assert divergence.single == pytest.approx(divergence.total, rel=1e-2)


@pytest.mark.parametrize("trits", [(), (0,), (4, 8), (0, 3, 7), tuple(range(9))])
def test_a_product_of_contrasts_of_k_trits_lies_in_order_k(trits: tuple[int, ...]) -> None:
    tables = torch.tensor(TABLES.copy()).float()
    product = torch.ones(19_683)
    for trit in trits:
        product = product * tables[:, trit]
    power = orders.power_by_order(orders.to_modes(product, TERNARY_2), TERNARY_2)
    assert float(power[len(trits)]) == pytest.approx(float(product.square().mean()), rel=1e-4)
    assert float(power.sum()) == pytest.approx(float(power[len(trits)]), rel=1e-4)


@pytest.mark.parametrize("draws", [65_536, 400_000])
def test_a_uniform_sample_reads_as_uniform(draws: int) -> None:
    drawn = torch.randint(19_683, (draws,), generator=torch.Generator().manual_seed(2))
    divergence = orders.divergence(torch.bincount(drawn, minlength=19_683), TERNARY_2)
    assert divergence.total == pytest.approx(0, abs=5e-3)
    assert divergence.entropy == pytest.approx(math.log(19_683), abs=5e-3)
    assert divergence.single == pytest.approx(0, abs=5e-4)
    assert divergence.pairs == pytest.approx(0, abs=3e-3)


@pytest.mark.parametrize(("cells", "draws"), [(19_683, 10**7), (9, 5_000), (3, 50_000)])
def test_with_many_draws_a_cell_the_bias_is_millers(cells: int, draws: int) -> None:
    assert orders.sampling_bias(cells, draws) == pytest.approx((cells - 1) / (2 * draws), rel=2e-3)


def test_a_biased_trit_shows_in_singles_alone() -> None:
    counts = torch.full((19_683,), 1_000)
    counts[torch.tensor(TABLES.copy())[:, 5] == 1] = 2_000
    divergence = orders.divergence(counts, TERNARY_2)
    shares = torch.tensor([1, 1, 2]) / 4
    assert divergence.single == pytest.approx(float((shares * (3 * shares).log()).sum()), abs=1e-4)
    assert divergence.pairs == pytest.approx(0, abs=1e-4)
    assert divergence.higher == pytest.approx(0, abs=1e-3)


def test_two_equal_trits_show_in_pairs_alone() -> None:
    tables = torch.tensor(TABLES.copy())
    divergence = orders.divergence(torch.where(tables[:, 1] == tables[:, 6], 3_000, 0), TERNARY_2)
    assert divergence.single == pytest.approx(0, abs=1e-4)
    assert divergence.pairs == pytest.approx(math.log(3), abs=1e-3)


def test_a_parity_of_three_trits_shows_in_neither_singles_nor_pairs() -> None:
    tables = torch.tensor(TABLES.copy()).long()
    parity = (tables[:, 0] + tables[:, 1] + tables[:, 2]) % 3 == 0
    divergence = orders.divergence(torch.where(parity, 3_000, 0), TERNARY_2)
    assert divergence.single + divergence.pairs == pytest.approx(0, abs=1e-3)
    assert divergence.higher == pytest.approx(math.log(3), abs=1e-2)
