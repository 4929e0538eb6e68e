"""The table of thresholds: no weaker than the product's first targets, changed only in the open."""

import dataclasses
from datetime import UTC, datetime

import pytest

from ternary_sdk._internal.packages.validation import Ending, Validation
from ternary_sdk.errors import InputError
from ternary_trainer.validation import thresholds
from ternary_trainer.validation.checks import CHECKS, validate
from ternary_trainer.validation.outcome import at_least, judged
from ternary_trainer.validation.thresholds import Thresholds
from ternary_trainer.validation.verdict import verdict


def refusal(tmp_path, text):
    file = tmp_path / "bounds.toml"
    file.write_text(text)
    with pytest.raises(InputError) as refused:
        thresholds.load(file)
    return str(refused.value).removeprefix(f"{file}: ")


def test_no_default_is_weaker_than_the_first_targets():
    standard = Thresholds()
    assert standard.latent_variance >= 0.1
    assert standard.reconstruction > 0.8
    assert standard.hash_coverage > 0.7
    assert standard.sampling_coverage > 0.9
    assert standard.family > 0.7


def test_a_file_changes_what_it_names(tmp_path):
    file = tmp_path / "bounds.toml"
    file.write_text("hash_coverage = 0.91\n")
    loaded = thresholds.load(file)
    assert loaded == dataclasses.replace(Thresholds(), hash_coverage=0.91)
    assert thresholds.changed(loaded) == {"hash_coverage": 0.91}


def test_an_unknown_threshold_is_refused(tmp_path):
    assert refusal(tmp_path, "coverage = 0.9").startswith(
        "threshold 'coverage' is unknown, expected one of beta_step"
    )


def test_a_threshold_that_is_no_number_is_refused(tmp_path):
    assert refusal(tmp_path, "family = true") == "threshold 'family' is True, expected a number"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("hash_coverage = nan", "threshold 'hash_coverage' is nan, expected a number from 0 to 1"),
        ("hash_coverage = 85", "threshold 'hash_coverage' is 85, expected a number from 0 to 1"),
        ("settled = inf", "threshold 'settled' is inf, expected a number from 0 to 1,000,000"),
        ("collapse_factor = 0", "threshold 'collapse_factor' is 0, expected a number from 1 to 1,000,000"),
        (
            "phase_lead = -1e7",
            "threshold 'phase_lead' is -10000000.0, expected a number from -1,000,000 to 1,000,000",
        ),
    ],
)
def test_a_threshold_out_of_range_is_refused(tmp_path, text, expected):
    assert refusal(tmp_path, text) == expected


@pytest.mark.parametrize(("value", "status"), [(0.85 - 1e-7, Ending.PASSED), (0.85 - 1e-6, Ending.FAILED)])
def test_a_figure_is_judged_as_it_is_written(sound, value, status):
    subject = sound.subject()
    outcomes = {"hash-coverage": judged([at_least("hash coverage", "A", value, 0.85)], "Good.")}
    assert outcomes["hash-coverage"].ending is status
    found = verdict(subject, outcomes, Thresholds(), made=datetime(2026, 3, 1, tzinfo=UTC))
    assert Validation.read(found.to_bytes()) == found


def test_a_changed_threshold_decides_and_is_named_in_the_verdict(sound):
    strict = dataclasses.replace(Thresholds(), hash_coverage=0.95)
    subject = sound.subject()
    outcomes = validate(subject, strict, only=["hash-coverage"])
    found = verdict(subject, outcomes, strict, made=datetime(2026, 3, 1, tzinfo=UTC))
    assert found.sentence == "0 of 1 checks passed; failed: hash-coverage; thresholds were changed"
    assert found.changed == {"hash_coverage": "0.95"}
    assert Validation.read(found.to_bytes()) == found


def test_a_check_that_does_not_exist_is_refused(sound):
    with pytest.raises(InputError) as refused:
        validate(sound.subject(), Thresholds(), only=["coverage"])
    assert str(refused.value) == f"check 'coverage': there is none, expected one of {', '.join(CHECKS)}"
