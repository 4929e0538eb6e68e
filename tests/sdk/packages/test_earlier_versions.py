"""Packages of every earlier version open, prove and draw as they did on the day they were made."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from ternary_sdk import Model
from ternary_sdk._internal.streams.stream import AES, PHILOX, Stream
from ternary_sdk.signature import STANDARD

VECTORS = Path(__file__).parents[2] / "vectors"


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """What the release that made a package drew of a path with seed 7."""

    counts: tuple[int, int, int]
    rows: list[int]
    dialled: list[int]
    last: list[int]


@dataclass(frozen=True, kw_only=True)
class Version:
    """An evaluation package as it was once shipped."""

    stream: Stream
    tail: bytes
    digest: str
    paths: dict[str, Drawn]


VERSIONS = {
    # Until 2026-11-23: certificate 1, graphs that end in Where.
    1: Version(
        stream=PHILOX,
        tail=b"Where",
        digest="bb27b86a5ab36a66d7f9723f6e4c36664799f0d86869c046446fac4eaaa9ed59",
        paths={
            "A": Drawn(
                counts=(7833, 18_154, 19_683),
                rows=[8886, 820, 19_601, 301, 1303, 2603],
                dialled=[8886, 811, 19_601, 8378, 15_451, 12_342],
                last=[18_035, 610, 8103, 5090],
            ),
            "B": Drawn(
                counts=(7802, 18_199, 19_683),
                rows=[744, 7443, 10_046, 2254, 5410, 5986],
                dialled=[744, 8172, 10_046, 8378, 15_451, 12_342],
                last=[2202, 9335, 1162, 12_546],
            ),
        },
    ),
    # Until 2026-11-26: certificate 2, a manifest that names no space.
    2: Version(
        stream=AES,
        tail=b"Concat",
        digest="c487c986ce91931ee792a5f3a5e6f46d00fe4344d695030f53618ecc8402d3f7",
        paths={
            "A": Drawn(
                counts=(7789, 18_157, 19_681),
                rows=[3335, 12_905, 7068, 11_145, 9825, 16_560],
                dialled=[908, 12_905, 7068, 12_914, 15_149, 16_569],
                last=[8597, 3243, 16_857, 17_047],
            ),
            "B": Drawn(
                counts=(7809, 18_067, 19_682),
                rows=[9756, 13_054, 12_109, 14_350, 18_643, 13_724],
                dialled=[908, 13_054, 12_109, 12_914, 15_149, 13_805],
                last=[8573, 16_706, 18_211, 3243],
            ),
        },
    ),
}


@pytest.fixture(scope="module", params=VERSIONS)
def opened(request: pytest.FixtureRequest) -> Iterator[tuple[int, Model]]:
    """The package of a version under the license and the trust file of then."""
    folder = VECTORS / f"version-{request.param}"
    package, license, trust = (folder / f"evaluation.{kind}" for kind in ("ternary", "license", "trust"))
    with Model.open(package, license=license, trust=trust) as model:
        yield request.param, model


def test_it_is_what_was_made_then(opened: tuple[int, Model]) -> None:
    number, model = opened
    version = VERSIONS[number]
    assert model.certificate.version == number
    assert model.package.manifest.format == "ternary-package/1"
    assert model.signature == STANDARD
    assert {claim.stream for claim in model.certificate.paths} == {version.stream}
    assert version.tail in model.package.members["decoder_A.onnx"]
    assert model.package.identity.digest == version.digest


@pytest.mark.parametrize("path", ["A", "B"])
def test_its_certificate_is_recomputed(opened: tuple[int, Model], path: str) -> None:
    number, model = opened
    replayed = model.replay(path=path)
    assert tuple(prior.operations for prior in replayed.prior) == VERSIONS[number].paths[path].counts
    assert len(model.reachable(path=path)) == 19_683


@pytest.mark.parametrize("path", ["A", "B"])
def test_a_seed_still_stands_for_its_rows(opened: tuple[int, Model], path: str) -> None:
    """What the release of then drew with seed 7, its dial and its order of completion included."""
    number, model = opened
    drawn = VERSIONS[number].paths[path]
    assert model.sample(6, seed=7, path=path).index.tolist() == drawn.rows
    assert model.sample(6, seed=7, path=path, explore=0.5, temperature=1.2).index.tolist() == drawn.dialled
    everything = model.sample(19_683, seed=7, path=path, unique=True)
    assert everything.index[:6].tolist() == drawn.rows
    assert everything.index[-4:].tolist() == drawn.last
