"""Searchers on a cost whose optimum is known: the sum of the digits."""

import numpy as np
import pytest
from maintenance.worth.running import Run, drive
from maintenance.worth.searchers import Latents, methods
from maintenance.worth.searching import least_cost, search, summary
from maintenance.worth.specifications import Specification, three_inputs, two_inputs

from ternary_sdk.space import TERNARY_2

WANTED = Specification("test", TERNARY_2, np.array([0, -1, -1, 2, -1, -1, -1, -1, -1]))
COSTS = (TERNARY_2.tables.astype(np.int64) + 1).sum(1)
PLAIN = Latents(
    size=9,
    encode=lambda digits: digits - 1.0,
    decode=lambda latents: np.clip(np.rint(latents), -1, 1).astype(np.int64) + 1,
)
"""A model whose latents are the trits."""


def price(indices):
    return COSTS[np.array(indices)]


def run(name, budget, until=None, seed=0):
    return Run(name, methods(PLAIN)[name](WANTED, np.random.default_rng(seed)), budget, until)


def test_the_optimum_comes_from_all_completions():
    assert WANTED.completions == len(WANTED.every()) == 3**7
    assert (WANTED.every()[:, [0, 3]] == [0, 2]).all()
    assert least_cost(COSTS)(WANTED) == 2


@pytest.mark.parametrize("name", methods(PLAIN))
def test_every_method_proposes_only_what_meets_the_specification(name):
    generator = methods(PLAIN)[name](WANTED, np.random.default_rng(1))
    tables = next(generator)
    for _ in range(200):
        assert (tables[:, [0, 3]] == [0, 2]).all()
        assert ((tables >= 0) & (tables <= 2)).all()
        tables = generator.send(COSTS[tables @ TERNARY_2.places])


@pytest.mark.parametrize("name", [name for name in methods(PLAIN) if name != "random"])
def test_every_method_but_chance_finds_the_optimum_of_an_easy_cost(name):
    searched = run(name, 500, until=2)
    drive([searched], TERNARY_2, price)
    assert searched.found
    assert searched.best[-1] == 2


def test_a_table_that_was_priced_before_costs_no_evaluation():
    asked = []

    def counted(indices):
        asked.extend(indices)
        return price(indices)

    searched = run("table, local", 100)
    drive([searched], TERNARY_2, counted)
    assert len(asked) == len(set(asked)) == searched.evaluations == 100


def test_a_batch_beyond_the_budget_is_not_looked_at():
    searched = run("latents, CMA-ES", 15)
    drive([searched], TERNARY_2, price)
    assert len(searched.best) == 15


def test_a_search_that_proposes_only_what_it_knows_ends():
    full = Specification("full", TERNARY_2, np.array([0, 0, 0, 0, 0, 0, 0, 0, -1]))
    searched = Run("random", methods(PLAIN)["random"](full, np.random.default_rng(0)), 10)
    drive([searched], TERNARY_2, price)
    assert len(searched.best) == 3


def test_the_same_seed_searches_the_same():
    first, again = run("latents, local", 60, seed=5), run("latents, local", 60, seed=5)
    drive([first, again], TERNARY_2, price)
    assert first.best == again.best


def test_a_summary_pairs_each_way_through_latents_with_its_own_on_tables():
    rows = search([WANTED] * 3, PLAIN, price, budget=40, seeds=2, optimum=least_cost(COSTS))
    found = summary(rows, (20, 40))
    assert set(found) == {
        "best cost after 20",
        "best cost after 40",
        "log2 evaluations",
        "optimum found",
    }
    gap = found["log2 evaluations"]["latents, local less table, local"]
    means = found["log2 evaluations"]["mean"]
    assert gap["mean"] == pytest.approx(means["latents, local"] - means["table, local"])
    assert gap["p, Holm"] >= gap["p"]


def test_specifications_are_those_that_were_measured():
    two, three = two_inputs(), three_inputs()
    assert [len(two), len(three)] == [50, 20]
    assert {wanted.kind for wanted in two} == {"2 cells", "3 cells", "4 cells", "a row", "Boolean corners"}
    assert {27 - len(wanted.free) for wanted in three} == {8, 9, 14}
    assert [w.digits.tolist() for w in two] == [w.digits.tolist() for w in two_inputs()]
