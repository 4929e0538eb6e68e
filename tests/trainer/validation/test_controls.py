"""Every check can fail: deliberately bad models, histories and splits, each failing just what it should."""

import dataclasses

import numpy as np
import pytest

from ternary_export.reach import margins as reached
from ternary_sdk._internal.packages.validation import Ending
from ternary_sdk.operations import OperationSet
from ternary_sdk.space import TERNARY_2
from ternary_trainer import checkpoint, recipe, split
from ternary_trainer.families import members
from ternary_trainer.model import initial
from ternary_trainer.train import train
from ternary_trainer.validation import opening
from ternary_trainer.validation.checks import CHECKS, validate
from ternary_trainer.validation.networks import of_weights
from ternary_trainer.validation.studies import Study
from ternary_trainer.validation.subject import tables
from ternary_trainer.validation.thresholds import Thresholds

RECONSTRUCTING = {
    "hold-out",
    "novel-operations",
    "cold-shift",
    "true-holdout",
    "permutation-robustness",
}


def failed(subject):
    outcomes = validate(subject, Thresholds())
    assert set(outcomes) == set(CHECKS)
    return {name for name, outcome in outcomes.items() if outcome.ending is Ending.FAILED}


class Around:
    """Another network with its inputs, means, latents or indices changed on the way."""

    def __init__(self, inner, *, inputs=None, mean=None, latents=None, index=None):
        self.inner = inner
        self._changes = {"inputs": inputs, "mean": mean, "latents": latents, "index": index}

    def _change(self, what, values):
        change = self._changes[what]
        return values if change is None else change(values).astype(values.dtype)

    def encode(self, inputs):
        return self._change("mean", self.inner.encode(self._change("inputs", inputs)))

    def index(self, latents):
        return self._change("index", self.inner.index(self._change("latents", latents)))


def test_a_model_that_is_right_by_construction_passes_every_check(sound):
    outcomes = validate(sound.subject(), Thresholds())
    assert {name: outcome.ending for name, outcome in outcomes.items()} == dict.fromkeys(
        CHECKS, Ending.PASSED
    )


def test_an_untrained_model_fails_every_check_of_its_weights(sound):
    untrained = of_weights(initial(1).state_dict())
    assert failed(sound.subject(paths=untrained)) == RECONSTRUCTING | {
        "latent-spectrum",
        "hash-coverage",
        "holdout-shuffle",
        "latent-arithmetic",
    }


@pytest.mark.stress
def test_the_epoch_that_v55s_own_loss_picks_fails_coverage_and_reconstruction(sound, tmp_path):
    draws = {f"scoring.{what}": "50_000" for what in ("draws", "report_draws", "sampling_draws")}
    run = train(recipe.load("v5.5", {"epochs": "5", **draws}), seed=2, out=tmp_path / "run")
    picked = opening.run_subject(run, reached, rule="loss")
    assert failed(sound.subject(paths=picked.paths)) == RECONSTRUCTING | {
        "hash-coverage",
        "holdout-shuffle",
    }


def test_a_collapsed_dimension_fails_the_spectrum_and_what_depends_on_it(sound):
    def without(values):
        return values * (np.arange(16) != 3)

    collapsed = Around(sound.network(), mean=without, latents=without)
    assert failed(sound.subject(collapsed)) == RECONSTRUCTING | {"latent-spectrum", "hash-coverage"}


def test_a_dimension_kept_alive_only_by_a_sharp_decoder_fails_just_the_spectrum(sound):
    def faint(mean):
        return mean * np.where(np.arange(16) == 3, 0.05, 1)

    def lens(latents):
        near = (np.abs(latents) < 0.1) & (np.arange(16) == 3)
        return np.where(near, 20 * latents, latents)

    assert failed(sound.subject(Around(sound.network(), mean=faint, latents=lens))) == {"latent-spectrum"}


def test_a_dead_dimension_that_nothing_needs_fails_just_the_spectrum(sound):
    dead = Around(sound.network(), mean=lambda mean: mean * (np.arange(16) < 15))
    assert failed(sound.subject(dead)) == {"latent-spectrum"}


def test_shuffled_targets_fail_reconstruction_and_leave_coverage_alone(sound):
    shuffled = Around(sound.network(), inputs=lambda inputs: np.roll(inputs, 1, axis=1))
    assert failed(sound.subject(shuffled)) == RECONSTRUCTING | {"holdout-shuffle", "latent-arithmetic"}


def test_answers_that_are_known_from_the_order_of_the_rows_fail_the_shuffle(sound):
    sheet = tables(split.sets().holdout)

    def look_up(inputs):
        return sheet if len(inputs) == len(sheet) else inputs

    crib = sound.subject(Around(sound.network(), inputs=look_up))
    # Images that equal their operation are left out, so other rows are put in than in the sheet.
    assert failed(crib) == {"holdout-shuffle", "cold-shift", "permutation-robustness"}


def test_a_split_with_leaked_operations_fails_just_the_true_holdout(sound):
    published = split.sets()
    leaked = OperationSet.of(np.concatenate([published.training.indices, published.holdout.indices[:5]]))
    leaky = sound.subject(split=dataclasses.replace(published, training=leaked))
    assert failed(leaky) == {"true-holdout"}
    outcome = validate(leaky, Thresholds(), only=["true-holdout"])["true-holdout"]
    assert outcome.reason == "held-out operations also used in training is 5, expected at most 0."


def test_another_holdout_than_the_published_one_fails_just_the_true_holdout(sound):
    published = split.sets()
    swapped = dataclasses.replace(published, holdout=published.validation, validation=published.holdout)
    other = sound.subject(split=swapped)
    assert failed(other) == {"true-holdout"}


def test_a_decoder_that_emits_only_part_of_the_space_fails_coverage_and_reconstruction(sound):
    def never_both(index):
        both = (index // 3**7 % 3 == 2) & (index // 3**8 == 2)
        return np.where(both, index - 3**8, index)

    part = Around(sound.network(), index=never_both)
    assert failed(sound.subject(part)) == RECONSTRUCTING | {"hash-coverage"}


def test_draws_that_crowd_into_the_middle_fail_just_the_coverage(sound):
    assert failed(sound.subject(sound.network(gain=3.0, cut=1.0))) == {"hash-coverage"}


def test_an_operation_that_the_certificate_does_not_reach_fails_just_the_coverage(sound):
    margins = np.ones(TERNARY_2.size, np.float32)
    margins[7] = 0
    missing = sound.subject(margins={"A": margins})
    assert failed(missing) == {"hash-coverage"}
    figures = validate(missing, Thresholds(), only=["hash-coverage"])["hash-coverage"].figures
    (share,) = [figure for figure in figures if figure.name == "reachable share"]
    assert share.value == "0.999949"


def test_one_forgotten_part_of_a_family_fails_just_the_novel_operations(sound):
    holdout = split.sets().holdout
    forgotten = tables(OperationSet(members("commutative").mask & holdout.mask))[:8]
    assert failed(sound.subject(forgetting(sound, forgotten))) == {"novel-operations"}


def forgetting(sound, operations):
    """A network that takes some operations for others."""

    def forget(inputs):
        hit = (inputs[:, None] == operations).all(-1).any(-1)
        return np.where(hit[:, None], -inputs + (inputs == 0), inputs)

    return Around(sound.network(), inputs=forget)


def test_a_family_held_out_as_a_whole_that_is_not_found_again_fails_just_the_novel_operations(sound):
    held = split.sets(family="self-dual")
    unknown = tables(OperationSet(held.family.mask & ~held.holdout.mask))
    blind = sound.subject(forgetting(sound, unknown), split=held)
    # Unknown members add to what they are taken for.
    assert failed(blind) == {"novel-operations", "latent-arithmetic"}
    outcome = validate(blind, Thresholds(), only=["novel-operations"])["novel-operations"]
    assert outcome.reason == (
        "self-dual, 81 held out as a whole on path A is 0.06173 (95 % interval ends at 0.02665), "
        "expected at least 0.8."
    )
    assert failed(sound.subject(split=held)) == set()


def test_what_the_loss_told_of_unseen_operations_is_said_with_every_claim_about_them(sound):
    asking = validate(sound.subject(asks_for_all=True), Thresholds())
    told = {name for name, outcome in asking.items() if "asks for every operation" in outcome.reason}
    assert told == {"novel-operations", "true-holdout"}
    plain = validate(sound.subject(), Thresholds(), only=sorted(told))
    assert not any("every operation" in outcome.reason for outcome in plain.values())


def test_a_file_that_does_not_name_its_loss_says_so_with_every_claim_about_unseen_operations(tmp_path):
    checkpoint.save(tmp_path / "kept.pt", state=initial(1).state_dict(), epoch=0)
    of_file = opening.checkpoint_subject(checkpoint.load(tmp_path / "kept.pt"), tmp_path / "kept.pt", reached)
    lenient = dataclasses.replace(Thresholds(), reconstruction=0.0)
    outcome = validate(of_file, lenient, only=["true-holdout"])["true-holdout"]
    assert outcome.reason == (
        "Operations that neither training nor selection saw decode to themselves. "
        "The file does not say whether its loss asked for every operation."
    )


def test_an_encoder_that_reads_noise_as_trits_fails_just_the_cold_shift(sound):
    brittle = Around(
        sound.network(), inputs=lambda inputs: np.sign(np.where(np.abs(inputs) < 0.02, 0, inputs))
    )
    assert failed(sound.subject(brittle)) == {"cold-shift"}


def spiked(series, at, by):
    result = series.copy()
    result[at] += by
    return result


def test_a_spike_of_beta_fails_just_the_annealing(sound):
    good = sound.traces()
    beta = {"A": good.beta["A"], "B": spiked(good.beta["B"], 30, 0.2)}
    assert failed(sound.subject(traces=sound.traces(beta=beta))) == {"annealing"}
    excused = sound.traces(beta=beta, declared=frozenset({30, 31}))
    assert failed(sound.subject(traces=excused)) == set()


def test_a_spike_of_coverage_fails_just_the_early_plateau(sound):
    good = sound.traces()
    coverage = {"A": spiked(good.coverage["A"], 60, -0.3), "B": good.coverage["B"]}
    assert failed(sound.subject(traces=sound.traces(coverage=coverage))) == {"early-plateau"}


def test_a_surge_over_all_epochs_does_not_pass_the_early_plateau(sound):
    good = sound.traces()
    fallen = {"A": spiked(good.coverage["A"], 60, -0.5), "B": good.coverage["B"]}

    def outcome(declared):
        traces = sound.traces(coverage=fallen, declared=frozenset(declared))
        return validate(sound.subject(traces=traces), Thresholds(), only=["early-plateau"])["early-plateau"]

    everywhere = outcome(range(101))
    assert everywhere.ending is Ending.NOT_APPLICABLE
    assert (
        everywhere.reason == "Every epoch is in a declared surge or follows one: any fall would be excused."
    )
    excused = outcome({60, 61})
    assert excused.ending is Ending.PASSED
    (declared,) = [figure for figure in excused.figures if figure.name == "largest declared fall"]
    assert (declared.relation, round(float(declared.value), 2)) == ("shown", 0.5)


def test_a_fall_is_excused_only_before_anything_evened_the_draws(sound):
    good = sound.traces()
    fallen = {"A": spiked(good.coverage["A"], 3, -0.5), "B": good.coverage["B"]}

    def outcome(unevened):
        traces = sound.traces(coverage=fallen, unevened=frozenset(unevened))
        return validate(sound.subject(traces=traces), Thresholds(), only=["early-plateau"])["early-plateau"]

    assert outcome({0, 1, 2}).ending is Ending.FAILED  # the first epoch that evens them is judged
    excused = outcome({0, 1, 2, 3})
    assert excused.ending is Ending.PASSED
    (early,) = [
        figure for figure in excused.figures if figure.name == "largest fall before draws were evened"
    ]
    assert (early.relation, float(early.value) > 0.05) == ("shown", True)
    nothing = outcome(range(101))
    assert nothing.ending is Ending.NOT_APPLICABLE
    assert nothing.reason == "No epoch is recorded that evened the draws: any fall would be excused."


def test_a_fall_of_evenness_has_a_threshold_of_its_own(sound):
    good = sound.traces().coverage
    for by, ending in ((0.08, Ending.PASSED), (0.12, Ending.FAILED)):
        fallen = {"A": spiked(good["A"], 60, -by), "B": good["B"]}
        traces = sound.traces(coverage=fallen, quantity="evenness")
        outcome = validate(sound.subject(traces=traces), Thresholds(), only=["early-plateau"])
        assert outcome["early-plateau"].ending is ending


def test_a_training_that_stands_still_fails_just_the_early_plateau(sound):
    still = {path: np.minimum(np.linspace(0.1, 3, 100), 0.9) for path in "AB"}
    assert failed(sound.subject(traces=sound.traces(coverage=still))) == {"early-plateau"}


def test_a_path_b_that_leads_fails_just_the_phase_sync(sound):
    good = sound.traces().entropy
    backwards = {"A": good["B"], "B": good["A"]}
    assert failed(sound.subject(traces=sound.traces(entropy=backwards))) == {"phase-sync"}


def test_the_lead_over_several_windows_is_no_interval_and_its_least_decides(sound):
    good = sound.traces().entropy
    sharp = {"A": spiked(good["A"], 60, 1.0), "B": good["B"]}
    traces = sound.traces(entropy=sharp)
    outcome = validate(sound.subject(traces=traces), Thresholds(), only=["phase-sync"])["phase-sync"]
    least, most, *_ = outcome.figures
    assert (least.relation, least.low, least.value, least.high) == ("at least", "-20", "-20", "-20")
    assert (most.relation, most.low, most.value, most.high) == ("shown", "-17", "-17", "-17")
    assert outcome.ending is Ending.FAILED


def test_a_path_that_never_settles_fails_just_the_phase_sync(sound):
    good = sound.traces().entropy
    restless = {"A": good["A"], "B": good["B"] + 0.2 * np.cos(np.arange(100))}
    assert failed(sound.subject(traces=sound.traces(entropy=restless))) == {"phase-sync"}


@pytest.mark.parametrize("spoiled", [{"coverage": 0.8}, {"holdout_exact": 0.9}])
def test_one_bad_seed_fails_just_the_seed_variance(sound, spoiled):
    trials = (sound.trial(1), sound.trial(2), sound.trial(3, **spoiled))
    assert failed(sound.subject(seeds=Study(trials=trials))) == {"seed-variance"}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        (
            [{"coverage": share} for share in (0.8505, 0.851, 0.869)],
            "mean hash coverage over seeds on path {} is 0.8568 (95 % interval ends at 0.8306), "
            "expected at least 0.85",
        ),
        (
            [{"holdout_exact": 1956 / 1969}, {}, {}],
            "worst seed's true holdout exact on path {} is 0.9934 (95 % interval ends at 0.9887), "
            "expected at least 0.99",
        ),
    ],
)
def test_seeds_whose_figures_pass_but_not_their_intervals_fail(sound, changes, reason):
    trials = tuple(sound.trial(seed, **change) for seed, change in enumerate(changes, 1))
    spoiled = sound.subject(seeds=Study(trials=trials))
    outcome = validate(spoiled, Thresholds(), only=["seed-variance"])["seed-variance"]
    assert outcome.ending is Ending.FAILED
    assert outcome.reason == f"{reason.format('A')}; {reason.format('B')}."


@pytest.mark.parametrize("spoiled", [{"active": 15}, {"coverage": 0.8}])
@pytest.mark.parametrize("factor", [0.5, 2.0])
def test_a_recipe_that_breaks_down_within_a_factor_of_two_fails_just_the_sweep(sound, factor, spoiled):
    trials = (sound.trial(factor=1 / factor), sound.trial(), sound.trial(factor=factor, **spoiled))
    assert failed(sound.subject(betas=Study(trials=trials))) == {"collapse-sweep"}


def test_checks_that_do_not_apply_say_why_and_count_as_neither(sound):
    bare = sound.subject(kind="checkpoint", traces=None, seeds=None, betas=None)
    outcomes = validate(
        bare, Thresholds(), only=["annealing", "phase-sync", "early-plateau", "seed-variance"]
    )
    assert {outcome.ending for outcome in outcomes.values()} == {Ending.NOT_APPLICABLE}
    assert outcomes["annealing"].reason == "A checkpoint without its run carries no history of its training."
    steady = sound.traces(beta={path: np.full(100, 0.05) for path in "AB"}, coupled=False)
    outcomes = validate(sound.subject(traces=steady), Thresholds(), only=["annealing", "phase-sync"])
    assert [outcome.reason for outcome in outcomes.values()] == [
        "Beta never rises but in surges: its warm-up, if any, ends within the first epoch.",
        "The paths were trained apart: there are no phases to be in step.",
    ]


def test_retrainings_that_were_not_made_are_not_run(sound):
    outcomes = validate(sound.subject(seeds=None, betas=Study(trials=())), Thresholds())
    assert outcomes["seed-variance"].ending is outcomes["collapse-sweep"].ending is Ending.NOT_RUN
    assert outcomes["collapse-sweep"].reason == "Beta was not swept from 1/2 to 2 times its value."
