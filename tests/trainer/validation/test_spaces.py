"""The checks on models of other spaces, latent sizes and paths than those of v5.5."""

import dataclasses
from datetime import UTC, datetime

import numpy as np
import pytest
from tests.builds import built
from tests.networks import untrained_of

from ternary_export.packaging import package
from ternary_license_server.keys.keyring import KeyRing
from ternary_sdk._internal.packages.package import Package
from ternary_sdk._internal.packages.validation import Ending, Relation, Validation
from ternary_sdk._internal.trust.trust import Role
from ternary_sdk.coverage import quoted_draws
from ternary_sdk.proved import ProvedModel
from ternary_sdk.signature import Signature
from ternary_sdk.space import TERNARY_2, Space
from ternary_trainer import split
from ternary_trainer.validation import intervals, opening, traces
from ternary_trainer.validation.checks import CHECKS, validate
from ternary_trainer.validation.drawing import counted
from ternary_trainer.validation.studies import Study
from ternary_trainer.validation.thresholds import Thresholds
from ternary_trainer.validation.verdict import verdict

BOOLEAN_2, BOOLEAN, QUINARY, FOUR = Space(2, 1), Space(2, 3), Space(5, 1), Space(2, 4)
SEPTENARY = Space(7, 1)
APART = "The paths were trained apart: there are no phases to be in step."
NO_ENCODER = "No path has an encoder, so no operation has a posterior mean."
UNTRAINED = {"hold-out", "cold-shift", "true-holdout", "permutation-robustness", "latent-arithmetic"}
ENCODING = {name for name, check in CHECKS.items() if check.encodes}


class Decoding:
    """A network without its encoder."""

    def __init__(self, inner):
        self.index = inner.index


class Shuffled:
    """A network that takes each operation for its mirror image."""

    def __init__(self, inner):
        self.index, self.encode = inner.index, lambda inputs: inner.encode(inputs[:, ::-1])


def reasons(outcomes, ending):
    return {name: outcome.reason for name, outcome in outcomes.items() if outcome.ending is ending}


def figures(outcome):
    return {(figure.name, figure.path): figure for figure in outcome.figures}


def test_a_space_with_too_few_operations_to_decide_says_so_of_each_check(sound):
    outcomes = validate(sound.of_space(BOOLEAN), Thresholds())
    few = "27 held-out operations are too few to decide at 0.99: if all of them were right, the 95 % interval"
    assert reasons(outcomes, Ending.NOT_APPLICABLE) == {
        "hold-out": "204 training operations are too few to decide at 0.99: if all of them were right, "
        "the 95 % interval would begin at 0.98152. The least share found is 1: training operations exact, "
        "path A.",
        "phase-sync": APART,
        "holdout-shuffle": "27 held-out operations of 8 cells are too few: by chance alone a share of 0.5667 "
        "may agree, expected at most 0.52.",
        "novel-operations": "No family has enough held-out members to decide at 0.8. "
        "The least share found is 1: commutative, 1 held out, path A.",
        "cold-shift": f"{few} would begin at 0.87545. "
        "The least share found is 1: exact with 1 of 8 cells replaced, path A.",
        "true-holdout": f"{few} would begin at 0.87545. "
        "The least share found is 1: true holdout exact, path A.",
        "permutation-robustness": "22 changed operations are too few to decide at 0.99: if all of them were "
        "right, the 95 % interval would begin at 0.85135. The least share found is 1: exact with inputs 1 "
        "and 2 exchanged, of 23, path A.",
    }
    assert set(reasons(outcomes, Ending.PASSED)) == {
        "latent-spectrum",
        "annealing",
        "hash-coverage",
        "seed-variance",
        "early-plateau",
        "collapse-sweep",
        "latent-arithmetic",
    }


def test_few_operations_still_decide_against_a_model(sound):
    spoilt = sound.of_space(BOOLEAN)
    spoilt = dataclasses.replace(spoilt, paths=dict.fromkeys("AB", Shuffled(spoilt.paths["A"])))
    found = reasons(validate(spoilt, Thresholds()), Ending.FAILED)
    assert set(found) == UNTRAINED
    assert found["true-holdout"] == (
        "true holdout exact on path A is 0.03704 (95 % interval ends at 0.006568), expected at least 0.99; "
        "true holdout exact on path B is 0.03704 (95 % interval ends at 0.006568), expected at least 0.99."
    )


def test_a_lower_threshold_lets_few_operations_decide(sound):
    lower = dataclasses.replace(Thresholds(), reconstruction=0.85)
    outcomes = validate(sound.of_space(BOOLEAN), lower, only=["hold-out", "true-holdout"])
    assert [outcome.ending for outcome in outcomes.values()] == [Ending.PASSED] * 2


def test_of_two_kinds_of_operations_the_kind_that_is_large_enough_decides(sound):
    checks = ["hold-out", "novel-operations", "true-holdout"]
    outcomes = validate(sound.of_space(QUINARY), Thresholds(), only=checks)
    assert [outcome.ending for outcome in outcomes.values()] == [
        Ending.PASSED,
        Ending.PASSED,
        Ending.NOT_APPLICABLE,
    ]
    held = {name: found.relation for (name, path), found in figures(outcomes["hold-out"]).items()}
    assert held == {
        "training operations exact": Relation.AT_LEAST,
        "validation operations exact": Relation.SHOWN,
    }
    families = {
        name: found.relation
        for (name, path), found in figures(outcomes["novel-operations"]).items()
        if path == "A"
    }
    assert families == {
        "self-dual, 2 held out": Relation.SHOWN,
        "monotone, 12 held out": Relation.SHOWN,
        "balanced, 13 held out": Relation.SHOWN,
        "non-surjective, 300 held out": Relation.AT_LEAST,
    }


def test_a_space_with_enough_operations_is_decided_by_every_check(sound):
    outcomes = validate(sound.of_space(FOUR, latent_size=16), Thresholds())
    assert reasons(outcomes, Ending.NOT_APPLICABLE) == {"phase-sync": APART}
    assert set(reasons(outcomes, Ending.PASSED)) == CHECKS.keys() - {"phase-sync"}


def test_a_space_of_four_operations_is_validated_and_hardly_anything_is_decided(sound):
    outcomes = validate(sound.of_space(BOOLEAN_2, paths="A"), Thresholds())
    assert set(reasons(outcomes, Ending.NOT_APPLICABLE)) == ENCODING | {"phase-sync"}
    assert not reasons(outcomes, Ending.FAILED)
    assert outcomes["hold-out"].reason == "There are no training operations."
    assert outcomes["latent-spectrum"].reason == (
        "The space has 4 operations, too few to resample: expected at least 30."
    )


def test_figures_are_named_by_the_draws_and_cells_of_the_space(sound):
    outcomes = validate(sound.of_space(QUINARY, paths="C"), Thresholds())
    assert list(figures(outcomes["hash-coverage"])) == [
        ("hash coverage at 7,938 draws", "C"),
        ("hash coverage at 30,969 draws", "C"),
        ("reachable share", "C"),
        ("perfect draws on average, 7,938 draws", ""),
    ]
    assert ("worst seed's hash coverage at 7,938 draws", "C") in figures(outcomes["seed-variance"])
    sweep = figures(outcomes["collapse-sweep"])["active dimensions within a factor of 2", "C"]
    assert sweep.bound == "8"
    assert outcomes["latent-spectrum"].reason == "All dimensions of the path carry information."
    assert outcomes["hash-coverage"].reason == (
        "The path draws most of the space and can emit all that is asked for."
    )
    assert outcomes["phase-sync"].reason == "The model has one path: there is no other to be in step with."


@pytest.mark.parametrize(
    ("space", "exact", "agreeing", "lost"),
    [(TERNARY_2, "0.005", "0.36", "0.5"), (QUINARY, "0.031454", "0.232", "0.6")],
)
def test_what_chance_gives_after_shuffling_follows_from_the_space(sound, space, exact, agreeing, lost):
    of = sound.of_space(space, latent_size=16)
    bounds = [found.bound for found in validate(of, Thresholds())["holdout-shuffle"].figures[:3]]
    assert bounds == [exact, agreeing, lost]


@pytest.mark.parametrize(
    ("space", "draws"),
    [
        (BOOLEAN, 262_144),
        (TERNARY_2, 262_144),
        (Space(6, 1), 622_592),
        (FOUR, 884_736),
        (SEPTENARY, 10_977_280),
    ],
)
def test_draws_are_enough_for_the_highest_quoted_number_without_one_batch(space, draws):
    assert counted(space) == draws
    assert draws * 15 // 16 > quoted_draws(space)[-1]


def test_prior_draws_of_another_latent_size_come_from_version_2_of_the_stream(sound):
    for size in (8, 24):
        drawn = sound.of_space(BOOLEAN, latent_size=size).prior(3, 5000)
        assert drawn.shape == (5000, size)
        assert -4.33 < drawn.min() < -3
    of = sound.of_space(BOOLEAN, latent_size=24)
    assert np.array_equal(of.prior(0, 20)[7:], of.prior(7, 13))


def test_paths_without_an_encoder_are_asked_only_what_decoders_can_answer(sound):
    whole = sound.of_space(QUINARY, paths="ABC")
    network = whole.paths["A"]
    mixed = dataclasses.replace(whole, paths={"A": network, "B": Decoding(network), "C": Decoding(network)})
    outcomes = validate(mixed, Thresholds())
    left_out = " Paths B, C have no encoder and nothing to check here."
    assert {name for name, outcome in outcomes.items() if outcome.reason.endswith(left_out)} == ENCODING
    assert {found.path for found in outcomes["hash-coverage"].figures} == {"A", "B", "C", ""}
    bare = validate(dataclasses.replace(mixed, paths={"B": Decoding(network)}), Thresholds())
    assert reasons(bare, Ending.NOT_APPLICABLE) == dict.fromkeys(ENCODING, NO_ENCODER) | {"phase-sync": APART}


@pytest.mark.parametrize("encoders", [True, False])
def test_a_package_of_any_signature_is_validated_by_its_own_graphs(vendor: KeyRing, encoders):
    signature = Signature(BOOLEAN, 24, ("B", "C", "F"))
    build = built(signature, untrained_of(signature), encoders=encoders)
    data = package(build, name="any", version=(1, 0, 0), signer=vendor.signer(Role.PACKAGE))
    with (
        ProvedModel(Package.read(data, vendor.trust)) as model,
        opening.package_subject(model) as subject,
    ):
        assert subject.signature == signature
        assert list(subject.paths) == ["B", "C", "F"]
        assert list(subject.networks) == (["B", "C", "F"] if encoders else [])
        outcomes = validate(subject, Thresholds())
    failed = set(reasons(outcomes, Ending.FAILED))
    assert "hash-coverage" in failed
    assert failed & ENCODING == (UNTRAINED if encoders else set())


def test_the_verdict_of_eight_paths_is_read_back(sound):
    of = sound.of_space(QUINARY, paths="ABCDEFGH")
    trials = tuple(
        sound.trial(factor=f, paths="ABCDEFGH", active=1) for f in (0.25, 0.5, 1.0, 2.0, 4.0, 16.0)
    )
    spoilt = dataclasses.replace(
        of,
        betas=Study(trials=trials),
        paths=dict.fromkeys("ABCDEFGH", Shuffled(of.paths["A"])),
        split=split.sets(QUINARY),
    )
    outcomes = validate(spoilt, Thresholds())
    assert len(outcomes["collapse-sweep"].figures) == 112
    assert outcomes["cold-shift"].reason.endswith("; and 12 more.")
    found = verdict(spoilt, outcomes, Thresholds(), made=datetime(2026, 3, 1, tzinfo=UTC))
    assert Validation.read(found.to_bytes()) == found


def test_only_files_of_the_published_signature_have_the_published_history():
    lists = {f"{name}_{path}_history": [1, 2.5] for name in ("coverage", "H") for path in "AB"}
    assert traces.of_file(lists) is not None
    assert traces.of_file(lists, Signature(BOOLEAN, 8, ("A", "B"))) is None


def test_a_bootstrap_over_many_operations_is_the_same_in_parts():
    values = np.random.default_rng(3).normal(size=30_000)
    rows = np.stack([values, values**2], axis=1)
    random = np.random.default_rng(0)
    weights = random.multinomial(30_000, np.full(30_000, 1 / 30_000), size=200) / 30_000
    expected = np.quantile((weights @ rows)[:, 1], [0.025, 0.975])
    assert intervals.bootstrap(rows, lambda means: means[:, 1]) == pytest.approx(tuple(expected), rel=1e-12)
