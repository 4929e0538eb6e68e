"""What a package must reach: which requirements are read, what falls short, and how that is said."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from tests.builds import built
from tests.networks import untrained_of

from ternary_sdk._internal.packages import requirement
from ternary_sdk._internal.packages.requirement import parse
from ternary_sdk._internal.packages.validation import CheckResult, Ending, Figure, Relation, Validation
from ternary_sdk.errors import InputError
from ternary_sdk.signature import Signature
from ternary_sdk.space import Space


@pytest.fixture(scope="module")
def vast():
    signature = Signature(Space(4, 2), 16, ("A",))
    return built(signature, untrained_of(signature), draws=10_000, operations=100).certificate


@pytest.fixture(scope="module")
def without_encoder():
    signature = Signature(Space(4, 2), 16, ("A",))
    untrained = untrained_of(signature)
    return built(signature, untrained, encoders=False, draws=10_000, operations=100).certificate


def validation(ending):
    figure = Figure(
        name="share",
        path="A",
        value="0.5",
        low="0.5",
        high="0.5",
        relation=Relation.AT_LEAST,
        bound="0.4" if ending is Ending.PASSED else "0.9",
    )
    check = CheckResult(name="witnesses", ending=ending, reason="Counted.", figures=(figure,))
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    return Validation(kind="run", digest="00" * 32, made=moment, changed={}, report=None, checks=(check,))


def refused(texts, certificate, found=None):
    with pytest.raises(InputError) as refusal:
        requirement.check(map(parse, texts), certificate, found, "acme-1.0.0", "nothing was signed")
    return str(refusal.value)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Sound",
        "sound=1",
        "coverage",
        "coverage=91",
        "coverage=91%",
        "coverage=0",
        "coverage=0.0",
        "coverage=1.1",
        "coverage=-0.5",
        "coverage=1e-1",
        "coverage=.9",
        "coverage= 0.9",
        "coverage=0.9\n",
        "coverage=٠.٩",
        "coverage@0=0.9",
        "reachable@50000=0.9",
        "a:coverage=0.9",
        "margin=0.1",
    ],
)
def test_what_is_no_requirement_is_refused(text):
    with pytest.raises(InputError) as refusal:
        parse(text)
    assert str(refusal.value) == (
        f"--require: {text!r}, expected sound, coverage=0.91, coverage@195000=0.999, reachable=1 or "
        "effective=0.9, of one path as A:coverage=0.91"
    )


def test_a_figure_that_falls_short_is_named_with_what_was_found_and_required(build):
    first, second = build.certificate.paths
    assert refused(["coverage=1"], build.certificate) == (
        "acme-1.0.0: does not meet --require "
        f"{_covered('coverage=1', first, 1)}; {_covered('coverage=1', second, 1)}; nothing was signed"
    )


def _covered(text, path, at):
    prior = path.prior[at]
    share = 10**9 * prior.operations // 19_683 / 10**7
    return (
        f"{text}: path {path.path} has a coverage at {prior.draws:,} draws of {share:.15g} % "
        f"({prior.operations:,} of 19,683), expected at least 100 %"
    )


def test_coverage_at_other_draws_and_of_one_path_is_compared(build):
    second = build.certificate.paths[1]
    assert refused(["B:coverage@195000=1"], build.certificate) == (
        f"acme-1.0.0: does not meet --require {_covered('B:coverage@195000=1', second, 2)}; "
        "nothing was signed"
    )


def test_a_share_is_compared_exactly(build):
    path = replace(
        build.certificate.paths[0],
        prior=tuple(
            replace(prior, operations=operations)
            for prior, operations in zip(build.certificate.paths[0].prior, (2187, 6561, 6561), strict=True)
        ),
    )
    certificate = replace(build.certificate, paths=(path,))
    requirement.check([parse("coverage=0.333333333333")], certificate, None, "acme-1.0.0", "")
    assert refused(["coverage=0.333333333334"], certificate) == (
        "acme-1.0.0: does not meet --require coverage=0.333333333334: path A has a coverage at 50,000 draws "
        "of 33.3333333 % (6,561 of 19,683), expected at least 33.3333333 %; nothing was signed"
    )


def test_reachable_operations_are_compared(build):
    path = build.certificate.paths[0]
    found = len(path.reachable.operations)
    share = 10**9 * found // 19_683 / 10**7
    assert refused(["A:reachable=1"], build.certificate) == (
        f"acme-1.0.0: does not meet --require A:reachable=1: path A has a reachable share of {share:.15g} % "
        f"({found:,} of 19,683), expected at least 100 %; nothing was signed"
    )


def test_a_path_that_is_not_there_is_refused(build):
    assert refused(["C:coverage=0.1"], build.certificate) == (
        "--require C:coverage=0.1: there is no path C, expected one of A, B"
    )


def test_draws_at_which_nothing_is_certified_are_refused(build):
    assert refused(["coverage@7=0.1"], build.certificate) == (
        "--require coverage@7=0.1: the model is of two-input ternary operations, and nothing is certified at "
        "7 draws, only at 10000, 50000, 195000"
    )


def test_a_listed_space_has_no_effective_number(build):
    assert refused(["effective=0.9"], build.certificate) == (
        "--require effective=0.9: the model is of two-input ternary operations, and only vast spaces have an "
        "effective number; use coverage"
    )


def test_a_vast_space_has_no_certified_coverage(vast):
    assert refused(["coverage=0.9"], vast) == (
        "--require coverage=0.9: the model is of two-input quaternary operations, and a vast space has no "
        "certified coverage; use effective"
    )


def test_the_effective_number_of_a_vast_space_is_compared(vast):
    found = vast.paths[0].evenness.effective_number
    share = 10**9 * found // 4**16 / 10**7
    assert refused(["effective=0.5"], vast) == (
        "acme-1.0.0: does not meet --require effective=0.5: path A has an effective number at 10,000 "
        f"draws of {share:.15g} % ({found:,} of 4,294,967,296), expected at least 50 %; nothing was signed"
    )


def test_the_reachable_share_of_a_vast_space_is_its_certified_bound(vast):
    reachable = replace(vast.paths[0].reachable, failures=3)
    certificate = replace(vast, paths=(replace(vast.paths[0], reachable=reachable),))
    assert refused(["reachable=0.9"], certificate) == (
        "acme-1.0.0: does not meet --require reachable=0.9: path A has a reachable share of at least "
        f"{100 * float(reachable.share):.9g} %, expected at least 90 %; nothing was signed"
    )


def test_no_vast_space_can_be_required_to_be_reachable_as_a_whole(vast):
    assert refused(["reachable=1"], vast) == (
        "--require reachable=1: the model is of two-input quaternary operations, and its reachable share is "
        "a bound below 1; ask for less"
    )


def test_without_an_encoder_no_reachable_share_is_certified(without_encoder):
    assert refused(["reachable=0.1"], without_encoder) == (
        "--require reachable=0.1: the model is of two-input quaternary operations, and path A has no "
        "encoder, so no share is certified"
    )


def test_a_package_without_a_validation_is_not_sound(build):
    assert refused(["sound"], build.certificate) == (
        "acme-1.0.0: does not meet --require sound: no validation is carried, expected one in which a check "
        "passed and none failed; nothing was signed"
    )


def test_a_failed_check_is_named(build):
    assert refused(["sound", "B:coverage@195000=1"], build.certificate, validation(Ending.FAILED)) == (
        "acme-1.0.0: does not meet --require sound: 0 of 1 checks passed; failed: witnesses; expected at "
        "least one that passed and none that failed; "
        f"{_covered('B:coverage@195000=1', build.certificate.paths[1], 2)}; nothing was signed"
    )


def test_what_is_met_is_accepted(build, vast):
    found = validation(Ending.PASSED)
    for texts, certificate in (
        (["sound", "coverage=0.000001", "reachable=0.000001"], build.certificate),
        (["sound", "effective=0.000000001"], vast),
    ):
        requirement.check(map(parse, texts), certificate, found, "acme-1.0.0", "nothing was signed")


def test_what_nobody_required_is_said_in_one_sentence():
    ending = "--require refuses a package that falls short"
    assert requirement.unchecked([], None) == (
        f"not validated: the package carries no validation; no least coverage was required; {ending}"
    )
    assert requirement.unchecked([parse("coverage=0.5")], validation(Ending.FAILED)) == (
        f"validated, but not required to be sound: 0 of 1 checks passed; failed: witnesses; {ending}"
    )
    assert requirement.unchecked([parse("sound")], validation(Ending.PASSED)) == ""
