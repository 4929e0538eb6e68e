"""A package of version 1 of the latent stream opens, proves and draws as it did on the day it was made."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ternary_sdk import Model
from ternary_sdk._internal.streams.stream import PHILOX

VECTORS = Path(__file__).parents[2] / "vectors" / "version-1"


@pytest.fixture(scope="module")
def model() -> Iterator[Model]:
    """The evaluation package of 0.1.0 as it was until 2026-11-23: certificate 1, graphs that end in Where."""
    package, license, trust = (VECTORS / f"evaluation.{kind}" for kind in ("ternary", "license", "trust"))
    with Model.open(package, license=license, trust=trust) as opened:
        yield opened


def test_it_is_of_version_1(model: Model) -> None:
    assert model.certificate.version == 1
    assert {claim.stream for claim in model.certificate.paths} == {PHILOX}
    assert b"Where" in model.package.members["decoder_A.onnx"]


@pytest.mark.parametrize(
    ("path", "operations"), [("A", (7833, 18_154, 19_683)), ("B", (7802, 18_199, 19_683))]
)
def test_its_certificate_is_recomputed(model: Model, path: str, operations: tuple[int, ...]) -> None:
    replayed = model.replay(path=path)
    assert tuple(prior.operations for prior in replayed.prior) == operations
    assert len(model.reachable(path=path)) == 19_683


@pytest.mark.parametrize(
    ("path", "rows", "dialled", "last"),
    [
        (
            "A",
            [8886, 820, 19_601, 301, 1303, 2603],
            [8886, 811, 19_601, 8378, 15_451, 12_342],
            [18_035, 610, 8103, 5090],
        ),
        (
            "B",
            [744, 7443, 10_046, 2254, 5410, 5986],
            [744, 8172, 10_046, 8378, 15_451, 12_342],
            [2202, 9335, 1162, 12_546],
        ),
    ],
)
def test_a_seed_still_stands_for_its_rows(
    model: Model, path: str, rows: list[int], dialled: list[int], last: list[int]
) -> None:
    """What release 0.1.0 drew with seed 7, its dial and its order of completion included."""
    assert model.sample(6, seed=7, path=path).index.tolist() == rows
    assert model.sample(6, seed=7, path=path, explore=0.5, temperature=1.2).index.tolist() == dialled
    everything = model.sample(19_683, seed=7, path=path, unique=True)
    assert everything.index[:6].tolist() == rows
    assert everything.index[-4:].tolist() == last
