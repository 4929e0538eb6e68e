"""Divergence of draws of a vast space, against known dependence and against the count of a listed one."""

import math

import pytest
import torch

from ternary_sdk.space import TERNARY_2, Space
from ternary_trainer import evenness, orders
from ternary_trainer.evenness import Tally
from ternary_trainer.orders import Divergence

BINARY = Space(2, 5)


def tallied(classes: torch.Tensor, space: Space) -> Divergence:
    tally = Tally(space)
    for block in torch.split(classes, 4096, dim=1):
        tally.add(block)
    return tally.divergence()


def random_digits(space: Space, draws: int, seed: int = 1) -> torch.Tensor:
    random = torch.Generator().manual_seed(seed)
    return torch.randint(space.radix, (space.cells, draws), generator=random)


@pytest.mark.parametrize("space", [Space(4, 2), Space(3, 3), BINARY, Space(8, 1)], ids=str)
def test_the_sample_of_triples_has_no_triple_twice(space: Space) -> None:
    pairs = evenness.matched(space)
    assert len(pairs) == space.cells // 2
    assert len({cell for pair in pairs for cell in pair}) == 2 * len(pairs)
    triples = [frozenset((*pair, cell)) for pair in pairs for cell in range(space.cells) if cell not in pair]
    assert len(set(triples)) == len(triples) == len(pairs) * (space.cells - 2)


def test_the_sample_of_a_space_never_changes() -> None:
    assert evenness.matched(Space(4, 2)) == (
        (11, 8), (1, 2), (9, 7), (10, 6), (3, 13), (14, 15), (4, 12), (0, 5),
    )  # fmt: skip


@pytest.mark.parametrize("space", [Space(4, 2), Space(3, 3)], ids=str)
def test_uniform_draws_diverge_by_noise_alone(space: Space) -> None:
    found = tallied(random_digits(space, 50_000), space)
    assert found.entropy is None
    for value, order in ((found.single, 1), (found.pairs, 2)):
        deviation = math.sqrt(2 * math.comb(space.cells, order) * (space.radix - 1) ** order) / 100_000
        assert abs(value) < 5 * deviation
    sampled = len(evenness.matched(space)) * (space.cells - 2)
    scale = math.comb(space.cells, 3) / sampled
    assert abs(found.higher) < 5 * scale * math.sqrt(2 * sampled * (space.radix - 1) ** 3) / 100_000


def test_cells_and_pairs_are_those_of_a_listed_space_whose_draws_are_counted() -> None:
    classes = random_digits(TERNARY_2, 50_000)
    classes[4, :10_000] = classes[2, :10_000]
    classes[6, 5_000:9_000] = 1
    index = (classes * torch.from_numpy(TERNARY_2.places.copy())[:, None]).sum(0)
    counted = orders.divergence(torch.bincount(index, minlength=TERNARY_2.size), TERNARY_2)
    found = tallied(classes, TERNARY_2)
    assert found.single == pytest.approx(counted.single, abs=1e-9)
    assert found.pairs == pytest.approx(counted.pairs, abs=1e-9)
    assert found.pairs > 0.01


def test_a_cell_that_is_the_sum_of_two_others_counts_as_dependence_of_three() -> None:
    """One bit for a triple of the sample, and all others uniform: the mean of the sample is known."""
    (one, other), space = evenness.matched(BINARY)[0], BINARY
    third = next(cell for cell in range(space.cells) if cell not in (one, other))
    classes = random_digits(space, 40_000)
    classes[third] = classes[one] ^ classes[other]
    found = tallied(classes, space)
    sampled = len(evenness.matched(space)) * (space.cells - 2)
    assert found.higher == pytest.approx(math.log(2) / sampled * math.comb(space.cells, 3), rel=0.02)
    assert found.single + found.pairs == pytest.approx(0, abs=0.002)


def test_a_cell_that_copies_another_counts_as_dependence_of_two() -> None:
    classes = random_digits(BINARY, 40_000)
    classes[7] = classes[3]
    found = tallied(classes, BINARY)
    assert found.pairs == pytest.approx(math.log(2), abs=0.002)


def test_draws_may_be_counted_in_any_blocks() -> None:
    classes = random_digits(Space(4, 2), 10_000)
    whole = Tally(Space(4, 2))
    whole.add(classes)
    assert whole.divergence() == tallied(classes, Space(4, 2))
