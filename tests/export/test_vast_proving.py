"""What is computed again of a vast space before a package is signed: the words for it, and how far it is."""

from dataclasses import replace

import pytest
from tests.builds import built
from tests.networks import thresholds

from ternary_export import vast_proving
from ternary_export.build import Build
from ternary_sdk._internal.certificates.vast_path import VastPath
from ternary_sdk._internal.counting.progress import Progress
from ternary_sdk._internal.inference import vast_proof
from ternary_sdk.signature import Signature
from ternary_sdk.space import Space

SIGNATURE = Signature(Space(4, 2), 16, ("A",))


@pytest.fixture(scope="module")
def made() -> Build:
    return built(SIGNATURE, thresholds(SIGNATURE), draws=100_000, operations=2000)


def claim_of(build: Build, *, draws: int = 100_000, operations: int | None = 2000) -> VastPath:
    claim = build.certificate.paths[0]
    assert isinstance(claim, VastPath)
    assert claim.reachable is not None
    tried = None if operations is None else replace(claim.reachable, operations=operations)
    return replace(claim, evenness=replace(claim.evenness, draws=draws), reachable=tried)


def test_a_small_certificate_is_computed_again_whole(made: Build) -> None:
    told, seen = list[str](), list[Progress]()
    made.prove(tell=told.append, watch=seen.append)
    assert told == [
        "proving path A: all 100,000 draws and all 2,000 uniform operations are computed again, "
        "and the draws are counted"
    ]
    assert [(one.stage, one.done, one.draws) for one in seen] == [
        ("proving", 65_536, 102_000),
        ("proving", 100_000, 102_000),
        ("proving", 102_000, 102_000),
    ]


@pytest.mark.parametrize(
    ("draws", "operations", "says"),
    [
        (
            10**9,
            10**10,
            "64 of 15,259 blocks of draws and 2^20 of 10,000,000,000 uniform operations are computed again, "
            "chosen at random; not proved: how many different operations the 1,000,000,000 draws hold",
        ),
        (
            10**9,
            None,
            "64 of 15,259 blocks of draws are computed again, "
            "chosen at random; not proved: how many different operations the 1,000,000,000 draws hold",
        ),
        (
            10**8,
            10**9,
            "all 100,000,000 draws and 2^20 of 1,000,000,000 uniform operations are computed again, "
            "and the draws are counted",
        ),
    ],
)
def test_of_a_large_one_samples_are_and_the_sentence_says_what_is_not(
    made: Build, draws: int, operations: int | None, says: str
) -> None:
    claim = claim_of(made, draws=draws, operations=operations)
    assert vast_proving.sentence(claim) == f"proving path A: {says}"


def test_samples_tell_how_far_they_are_too(made: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vast_proof, "COUNTED", 1000)
    monkeypatch.setattr(vast_proof, "PROVED", 1000)
    monkeypatch.setattr(vast_proof, "_STEP", 500)
    seen = list[Progress]()
    made.prove(watch=seen.append)
    assert len(seen) == len({one.done for one in seen}) == 4
    assert seen[1].done == 100_000
    assert 100_500 < seen[-1].done <= seen[-1].draws
