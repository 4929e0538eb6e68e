import math

import pytest
import torch

from ternary_sdk.operations import TABLES
from ternary_trainer import space

CPU = torch.device("cpu")


def test_the_orders_have_as_many_modes_as_there_are_choices_of_trits_and_contrasts() -> None:
    assert tuple(torch.bincount(space.order_of_modes(CPU)).tolist()) == space.MODES
    assert sum(space.MODES) == 19_683


def test_modes_give_the_function_back_and_keep_its_length() -> None:
    values = torch.randn(19_683, generator=torch.Generator().manual_seed(1))
    modes = space.to_modes(values)
    torch.testing.assert_close(space.from_modes(modes), values, atol=1e-4, rtol=1e-4)
    assert float(modes.square().sum()) == pytest.approx(float(values.square().sum()), rel=1e-4)


@pytest.mark.parametrize("trits", [(), (0,), (4, 8), (0, 3, 7), tuple(range(9))])
def test_a_product_of_contrasts_of_k_trits_lies_in_order_k(trits: tuple[int, ...]) -> None:
    tables = torch.tensor(TABLES.copy()).float()
    product = torch.ones(19_683)
    for trit in trits:
        product = product * tables[:, trit]
    power = space.power_by_order(space.to_modes(product))
    assert float(power[len(trits)]) == pytest.approx(float(product.square().mean()), rel=1e-4)
    assert float(power.sum()) == pytest.approx(float(power[len(trits)]), rel=1e-4)


@pytest.mark.parametrize("draws", [65_536, 400_000])
def test_a_uniform_sample_reads_as_uniform(draws: int) -> None:
    drawn = torch.randint(19_683, (draws,), generator=torch.Generator().manual_seed(2))
    divergence = space.divergence(torch.bincount(drawn, minlength=19_683))
    assert divergence.total == pytest.approx(0, abs=5e-3)
    assert divergence.entropy == pytest.approx(math.log(19_683), abs=5e-3)
    assert divergence.single == pytest.approx(0, abs=5e-4)
    assert divergence.pairs == pytest.approx(0, abs=3e-3)


@pytest.mark.parametrize(("cells", "draws"), [(19_683, 10**7), (9, 5_000), (3, 50_000)])
def test_with_many_draws_a_cell_the_bias_is_millers(cells: int, draws: int) -> None:
    assert space.sampling_bias(cells, draws) == pytest.approx((cells - 1) / (2 * draws), rel=2e-3)


def test_a_biased_trit_shows_in_singles_alone() -> None:
    counts = torch.full((19_683,), 1_000)
    counts[torch.tensor(TABLES.copy())[:, 5] == 1] = 2_000
    divergence = space.divergence(counts)
    shares = torch.tensor([1, 1, 2]) / 4
    assert divergence.single == pytest.approx(float((shares * (3 * shares).log()).sum()), abs=1e-4)
    assert divergence.pairs == pytest.approx(0, abs=1e-4)
    assert divergence.higher == pytest.approx(0, abs=1e-3)


def test_two_equal_trits_show_in_pairs_alone() -> None:
    tables = torch.tensor(TABLES.copy())
    divergence = space.divergence(torch.where(tables[:, 1] == tables[:, 6], 3_000, 0))
    assert divergence.single == pytest.approx(0, abs=1e-4)
    assert divergence.pairs == pytest.approx(math.log(3), abs=1e-3)


def test_a_parity_of_three_trits_shows_in_neither_singles_nor_pairs() -> None:
    tables = torch.tensor(TABLES.copy()).long()
    parity = (tables[:, 0] + tables[:, 1] + tables[:, 2]) % 3 == 0
    divergence = space.divergence(torch.where(parity, 3_000, 0))
    assert divergence.single + divergence.pairs == pytest.approx(0, abs=1e-3)
    assert divergence.higher == pytest.approx(math.log(3), abs=1e-2)
