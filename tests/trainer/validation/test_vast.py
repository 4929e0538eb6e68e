"""The checks on models of a vast space: each passes one that is right by construction, and fails its
control."""

import dataclasses
import math
from datetime import UTC, datetime

import numpy as np
import pytest
import torch

from ternary_sdk._internal.packages.validation import Ending, Relation, Validation
from ternary_sdk.errors import InputError
from ternary_sdk.signature import Signature
from ternary_sdk.space import TERNARY_2, Space
from ternary_trainer.evenness import Tally
from ternary_trainer.validation import intervals, opening
from ternary_trainer.validation.checks import CHECKS, validate
from ternary_trainer.validation.studies import Study
from ternary_trainer.validation.thresholds import Thresholds
from ternary_trainer.validation.vast_draws import Drawn, counted, draw
from ternary_trainer.validation.vast_subject import Effort
from ternary_trainer.validation.verdict import verdict
from ternary_trainer.vast_split import HOLDOUT, VastSplit, part

VAST = Space(8, 1)
OF_TRAINING = {"annealing", "phase-sync", "seed-variance", "early-plateau", "collapse-sweep"}
OF_WEIGHTS = sorted(CHECKS.keys() - OF_TRAINING)


class Around:
    """A network with its inputs, means, latents or indices changed on the way."""

    def __init__(self, inner, **changes):
        self.inner, self.changes = inner, changes

    def _change(self, what, values):
        return self.changes.get(what, lambda same: same)(values).astype(values.dtype)

    def encode(self, inputs):
        return self._change("mean", self.inner.encode(self._change("inputs", inputs)))

    def decode(self, latents):
        indices, margins = self.inner.decode(self._change("latents", latents))
        return self._change("index", indices), margins

    def index(self, latents):
        return self.decode(latents)[0]


class Decoding:
    """A network without its encoder."""

    def __init__(self, inner):
        self.index, self.decode = inner.index, inner.decode


@pytest.fixture(scope="module")
def around(sound):
    """Makes an ideal network with changes on the way."""
    ideal = sound.vast_network(Signature(VAST, 8, ("A",)))
    return lambda **changes: Around(ideal, **changes)


def failed(subject, checks=OF_WEIGHTS):
    outcomes = validate(subject, Thresholds(), only=checks)
    return {name for name, outcome in outcomes.items() if outcome.ending is Ending.FAILED}


def test_a_model_that_is_right_by_construction_passes_every_check_that_applies(sound):
    subject = sound.of_vast()
    outcomes = validate(subject, Thresholds())
    endings = {name: outcome.ending for name, outcome in outcomes.items()}
    assert endings == dict.fromkeys(CHECKS, Ending.PASSED) | {"phase-sync": Ending.NOT_APPLICABLE}
    assert outcomes["phase-sync"].reason == "The model has one path: there is no other to be in step with."
    found = verdict(subject, outcomes, Thresholds(), made=datetime(2026, 3, 1, tzinfo=UTC))
    assert Validation.read(found.to_bytes()) == found


def test_figures_are_the_same_whenever_they_are_computed(sound):
    effort = Effort(draws=5000, operations=500)
    outcomes = [validate(sound.of_vast(effort=effort), Thresholds()) for _ in range(2)]
    assert outcomes[0] == outcomes[1]


def test_draws_that_crowd_into_the_middle_are_uneven(sound, around):
    assert failed(sound.of_vast(around(latents=lambda latents: 0.8 * latents))) >= {"hash-coverage"}


def test_an_operation_that_is_drawn_too_often_shows_in_equal_pairs(sound, around):
    often = around(index=lambda indices: np.where(indices % 64 == 5, 5, indices))
    subject = sound.of_vast(often, effort=Effort(draws=62_000, operations=200))
    (outcome,) = validate(subject, Thresholds(), only=["hash-coverage"]).values()
    assert outcome.ending is Ending.FAILED
    (pairs,) = [figure for figure in outcome.figures if figure.name.startswith("equal pairs")]
    assert not pairs.passed
    assert float(pairs.low) > 1000


def test_draws_that_depend_on_their_order_are_not_the_models(sound, around):
    odd = around(index=lambda indices: indices ^ (np.arange(len(indices)) % 1000 == 7))
    (outcome,) = validate(sound.of_vast(odd), Thresholds(), only=["hash-coverage"]).values()
    assert "clear draws that decode otherwise in another order on path A is " in outcome.reason


def test_a_dimension_that_is_off_is_found_unless_it_is_spare(sound):
    def off(latent_size):
        ideal = sound.vast_network(Signature(VAST, latent_size, ("A",)))
        return sound.of_vast(
            Around(ideal, mean=lambda mean: mean * (np.arange(latent_size) != latent_size - 1)), latent_size
        )

    assert "latent-spectrum" in failed(off(8), ["latent-spectrum"])
    assert failed(off(16), ["latent-spectrum"]) == set()


def test_an_encoder_that_forgets_what_is_held_out_is_found(sound, around):
    def forgetting(inputs):
        held = part(VAST.to_index(inputs), VAST) == HOLDOUT
        return np.where(held[:, None], 0, inputs)

    forgetful = sound.of_vast(around(inputs=forgetting))
    assert failed(forgetful, ["hold-out", "true-holdout"]) == {"true-holdout"}


def test_a_split_that_trains_on_the_holdout_is_found(sound):
    class Leaking(VastSplit):
        def training(self, count, random):
            return self._drawn(count, random, range(10), ())

    (outcome,) = validate(sound.of_vast(split=Leaking(VAST)), Thresholds(), only=["true-holdout"]).values()
    assert outcome.ending is Ending.FAILED
    assert outcome.reason.startswith("held-out operations among 1,000 as training draws them is ")


def test_what_needs_an_encoder_says_so_and_the_draws_are_checked(sound):
    ideal = sound.vast_network(Signature(VAST, 8, ("A",)))
    outcomes = validate(sound.of_vast(Decoding(ideal)), Thresholds(), only=OF_WEIGHTS)
    passed = {name for name, outcome in outcomes.items() if outcome.ending is Ending.PASSED}
    assert passed == {"hash-coverage"}
    assert outcomes["hold-out"].reason == "No path has an encoder, so no operation has a posterior mean."
    assert not [figure for figure in outcomes["hash-coverage"].figures if "witness" in figure.name]


def test_too_few_draws_or_operations_decide_nothing(sound):
    few = sound.of_vast(effort=Effort(draws=5000, operations=200))
    outcomes = validate(few, Thresholds(), only=["hash-coverage", "true-holdout"])
    shown = [figure.name for figure in outcomes["hash-coverage"].figures if figure.relation is Relation.SHOWN]
    assert next(name.split(" (")[0] for name in shown).split(",")[0] == "equal pairs"
    assert "operations with a witness, of 200 uniform ones" in shown
    assert outcomes["true-holdout"].ending is Ending.NOT_APPLICABLE
    assert "200 held-out operations are too few to decide at 0.99" in outcomes["true-holdout"].reason


def test_enough_operations_decide_whether_all_have_a_witness(sound, around):
    effort = Effort(draws=2000, operations=40_000)
    rare = around(inputs=lambda inputs: np.where(VAST.to_index(inputs)[:, None] % 2000 == 0, 0, inputs))
    for network, passes in ((None, True), (rare, False)):
        subject = sound.of_vast(network, effort=effort)
        (outcome,) = validate(subject, Thresholds(), only=["hash-coverage"]).values()
        (figure,) = [figure for figure in outcome.figures if "witness" in figure.name]
        assert (figure.relation, figure.passed) == (Relation.AT_LEAST, passes)


def test_seeds_are_compared_by_evenness(sound):
    def seeds(worst):
        trials = [sound.vast_trial(1), sound.vast_trial(2), sound.vast_trial(3, kl_pairs=worst)]
        return sound.of_vast(seeds=Study(trials=tuple(trials)))

    (good,) = validate(seeds(0.002), Thresholds(), only=["seed-variance"]).values()
    assert good.figures[0].name == "worst seed's evenness"
    assert good.ending is Ending.PASSED
    assert failed(seeds(0.2), ["seed-variance"]) == {"seed-variance"}


def test_a_sweep_needs_no_more_dimensions_than_cells(sound):
    trials = [sound.vast_trial(factor=factor) for factor in (0.5, 1.0, 2.0)]
    subject = sound.of_vast(latent_size=16, betas=Study(trials=tuple(trials)))
    assert failed(subject, ["collapse-sweep"]) == set()
    lost = Study(trials=(sound.vast_trial(factor=0.5), sound.vast_trial(factor=2.0, active=7)))
    assert failed(sound.of_vast(latent_size=16, betas=lost), ["collapse-sweep"]) == {"collapse-sweep"}


def test_a_fall_of_evenness_is_named_as_such(sound):
    traces = sound.vast_traces()
    fallen = traces.coverage["A"].copy()
    fallen[50] -= 0.3
    subject = sound.of_vast(traces=dataclasses.replace(traces, coverage={"A": fallen}))
    (outcome,) = validate(subject, Thresholds(), only=["early-plateau"]).values()
    assert outcome.reason.startswith("largest fall of evenness is 0.")


@pytest.mark.parametrize(
    ("numbers", "problem"),
    [
        ({"draws": 1023}, "draws: 1,023, expected 1,024 to 134,217,728"),
        ({"operations": 99}, "operations: 99, expected 100 to 16,777,216"),
    ],
)
def test_an_effort_out_of_range_is_refused(numbers, problem):
    with pytest.raises(InputError) as refused:
        Effort(**numbers)
    assert str(refused.value) == problem


def test_an_effort_for_a_listed_space_is_refused():
    with pytest.raises(InputError) as refused:
        opening.expect_of(Effort(), TERNARY_2)
    assert str(refused.value) == (
        "draws and operations: 3,2 is a listed space, whose operations are all examined; leave the numbers "
        "out"
    )


@pytest.mark.parametrize(("right", "total"), [(0, 40), (1, 40), (27, 40), (40, 40)])
def test_the_exact_interval_is_that_of_the_binomial_distribution(right, total):
    """Each end leaves 2.5 % to the tail beyond what was found."""

    def at_least(least, share):
        return sum(
            math.comb(total, k) * share**k * (1 - share) ** (total - k) for k in range(least, total + 1)
        )

    low, high = intervals.exact(right, total)
    assert (low == 0) if right == 0 else at_least(right, low) == pytest.approx(0.025, rel=1e-5)
    assert (high == 1) if right == total else 1 - at_least(right + 1, high) == pytest.approx(0.025, rel=1e-5)


def test_equal_pairs_are_those_of_all_draws_and_their_interval_leaves_batches_out(sound):
    random = np.random.default_rng(3)
    space = Space(8, 1)
    batches = tuple(random.integers(0, 4000, 500) for _ in range(16))
    tallies = tuple(Tally(space) for _ in range(16))
    drawn = Drawn(space=space, batches=batches, tallies=tallies, near_ties=0, changed=0)

    def ratio(parts):
        joined = np.concatenate(parts)
        pairs = counted(joined, 0, space).pairs
        return pairs / (len(joined) * (len(joined) - 1) / 2 / space.size)

    value, (low, high) = drawn.equal_pairs
    assert value == pytest.approx(ratio(batches))
    left = [ratio(batches[:place] + batches[place + 1 :]) for place in range(16)]
    half = 1.959964 * math.sqrt(15 / 16 * sum((one - np.mean(left)) ** 2 for one in left))
    assert (low, high) == (pytest.approx(value - half), pytest.approx(value + half))


def test_counts_of_digits_add_up_and_come_apart():
    random, space = torch.Generator().manual_seed(1), Space(3, 2)
    parts = [torch.randint(3, (9, 400), generator=random) for _ in range(3)]
    tallies = [Tally(space) for _ in parts]
    for tally, digits in zip(tallies, parts, strict=True):
        tally.add(digits)
    both, alone = Tally(space), Tally.together(tallies).without(tallies[1])
    both.add(torch.cat([parts[0], parts[2]], dim=1))
    assert alone.divergence() == both.divergence()
    assert torch.equal(alone.cells.sum(1), torch.ones(9, dtype=torch.float64))
    assert alone.dependence.diagonal().abs().max() == 0


def test_cells_that_hang_together_show_in_their_pair(sound, around):
    def copying(indices):
        return indices // 64 * 64 + indices % 8 * 9

    drawn = draw(around(index=copying), sound.of_vast().prior, 20_000, VAST)
    dependence = drawn.tally.dependence.numpy()
    assert dependence[0, 1] == pytest.approx(math.log(8), rel=0.01)
    dependence[0, 1] = dependence[1, 0] = 0
    assert np.abs(dependence).max() < 0.01
