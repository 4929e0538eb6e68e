"""The laws that the experiment draws by, and the scale on which a Gaussian fits them."""

import pytest
import torch
from maintenance.hybrid import laws
from maintenance.hybrid.laws import Growing, Scale, Uniform

CONSTANT = [0] * 9
STRIPES = [0, 1, 0, 0, 1, 0, 0, 1, 0]
CHECKERED = [0, 1, 0, 1, 0, 1, 0, 1, 0]


def test_neighbours_that_differ_are_counted_along_rows_and_columns():
    digits = torch.tensor([CONSTANT, STRIPES, CHECKERED])
    assert laws.differing(digits).tolist() == [0, 6, 12]


def test_a_delay_lies_in_the_range_of_its_operation_and_where_it_lies_is_found_again():
    digits, shares = torch.tensor([CONSTANT, CHECKERED]), torch.tensor([[0.25], [1.0]])
    values = Growing(seed=1).at(digits, shares)
    assert values.tolist() == [[0.0625], [1.0]]
    assert Growing(seed=1).shares(digits, values).tolist() == shares.tolist()


def test_a_file_has_one_value_for_each_operation_and_another_seed_has_another_file():
    digits, random = torch.tensor([CHECKERED] * 2), torch.Generator()
    one, other = (Growing(seed).seen(digits, random) for seed in (1, 2))
    assert one[0] == one[1]
    assert one[0] != other[0]


def test_uniform_parameters_are_new_at_every_look():
    digits, random = torch.tensor([CHECKERED] * 2), torch.Generator()
    assert len(Uniform(3).seen(digits, random).unique()) == 6


def test_scores_are_normal_and_give_the_values_back():
    values = torch.rand(10_001, 2, generator=torch.Generator().manual_seed(1))
    scale = Scale(values)
    scores = scale.scores(values)
    assert scores.std(0).tolist() == pytest.approx([1, 1], abs=0.01)
    assert scale.values(scores).numpy() == pytest.approx(values.numpy(), abs=1e-4)


def test_a_score_beyond_the_sample_gives_its_end():
    values = torch.linspace(0.2, 0.7, 101)[:, None]
    assert Scale(values).values(torch.tensor([[-9.0], [9.0]])).flatten().tolist() == pytest.approx([0.2, 0.7])
