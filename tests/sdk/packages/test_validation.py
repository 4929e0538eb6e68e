"""validation.json: what it may say, and that it cannot contradict its own figures."""

import dataclasses
from datetime import UTC, datetime

import pytest

from ternary_sdk._internal.documents import canonical
from ternary_sdk._internal.packages.validation import (
    CheckResult,
    Ending,
    Figure,
    Relation,
    Validation,
    decimal,
)
from ternary_sdk.errors import FormatError

FIGURE = Figure(
    name="hash coverage at 50,000 draws",
    path="A",
    value="0.9155",
    low="0.9147",
    high="0.9163",
    relation=Relation.AT_LEAST,
    bound="0.85",
)
CHECK = CheckResult(name="hash-coverage", ending=Ending.PASSED, reason="Enough.", figures=(FIGURE,))
ABSENT = CheckResult(name="annealing", ending=Ending.NOT_APPLICABLE, reason="no history", figures=())
VALIDATION = Validation(
    kind="run",
    digest="ab" * 32,
    made=datetime(2026, 3, 1, tzinfo=UTC),
    changed={},
    report="cd" * 32,
    checks=(CHECK, ABSENT),
)


def with_check(**changes):
    check = dataclasses.replace(CHECK, **changes)
    return dataclasses.replace(VALIDATION, checks=(check,)).to_bytes()


def refusal(data):
    with pytest.raises(FormatError) as refused:
        Validation.read(data)
    return str(refused.value)


def test_a_validation_reads_back_as_it_was_written():
    assert Validation.read(VALIDATION.to_bytes()) == VALIDATION
    assert VALIDATION.sound
    assert VALIDATION.sentence == "1 of 2 checks passed; 1 not applicable"


def test_a_failed_check_is_named_in_the_sentence():
    poor = dataclasses.replace(FIGURE, low="0.8499")
    failed = Validation.read(with_check(ending=Ending.FAILED, figures=(poor,)))
    assert not failed.sound
    assert failed.sentence == "0 of 1 checks passed; failed: hash-coverage"


def test_changed_thresholds_are_in_the_sentence():
    lenient = dataclasses.replace(VALIDATION, changed={"hash_coverage": "0.5"})
    assert lenient.sentence == "1 of 2 checks passed; 1 not applicable; thresholds were changed"


@pytest.mark.parametrize(
    "changes",
    [
        {"figures": (dataclasses.replace(FIGURE, low="0.8499"),)},
        {"figures": ()},
        {"ending": Ending.FAILED},
        {"ending": Ending.NOT_RUN},
    ],
)
def test_an_ending_that_its_figures_contradict_is_refused(changes):
    ending = changes.get("ending", Ending.PASSED)
    expected = f"validation.json.checks[0]: its figures contradict its ending, {str(ending)!r}"
    assert refusal(with_check(**changes)) == expected


def test_an_unknown_ending_is_refused():
    data = VALIDATION.to_bytes().replace(b'"ending":"passed"', b'"ending":"superb"')
    assert refusal(data) == (
        "validation.json.checks[0].ending: 'superb', expected one of passed, failed, not applicable, not run"
    )


def test_a_repeated_check_is_refused():
    twice = dataclasses.replace(VALIDATION, checks=(CHECK, CHECK))
    assert refusal(twice.to_bytes()) == "validation.json.checks: a check is repeated"


def test_another_format_is_refused():
    data = canonical.encode({"format": "ternary-validation/2"})
    assert refusal(data) == "validation.json.format: 'ternary-validation/2', expected 'ternary-validation/1'"


@pytest.mark.parametrize(
    ("value", "text"), [(0.99, "0.99"), (0.9999996, "1"), (0.0, "0"), (-0.0, "0"), (49.0, "49"), (1e-7, "0")]
)
def test_figures_have_six_decimals_at_most_rounded_to_the_nearest(value, text):
    assert decimal(value) == text
