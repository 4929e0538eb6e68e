"""
Nothing altered gets through: every bit of what is signed, and a large sample of the rest.

The package is the one shipped inside the SDK, a trained model with a real certificate.
"""

import itertools
from collections import Counter
from collections.abc import Iterable, Iterator
from importlib.resources import files
from typing import Final

import pytest
from hypothesis import settings

from ternary_sdk._internal.packages import archive
from ternary_sdk._internal.packages.package import Package
from ternary_sdk._internal.trust.trust import Trust
from ternary_sdk.errors import TernaryError

LONG: Final = settings.get_current_profile_name() == "stress"
LOCAL, CENTRAL, END = 30, 46, 22
"""Bytes of a ZIP archive's headers before their names."""


counted: Counter[str] = Counter()


@pytest.fixture(scope="module")
def package() -> bytes:
    return files("ternary_sdk").joinpath("evaluation", "evaluation.ternary").read_bytes()


@pytest.fixture(scope="module")
def trust() -> Trust:
    return Trust.read(files("ternary_sdk").joinpath("evaluation", "evaluation.trust").read_bytes())


@pytest.fixture(scope="session", autouse=True)
def report(tally: dict[str, dict[str, int]]) -> Iterator[None]:
    """How many flips were tried, printed at the end of the run."""
    yield
    tally["bits flipped, each refused"] = dict(counted)


def flipped(data: bytes, position: int, bit: int) -> bytes:
    altered = bytearray(data)
    altered[position] ^= 1 << bit
    return bytes(altered)


def with_flip(package: bytes, name: str, position: int, bit: int) -> bytes:
    """The package with one bit of a member flipped and the archive written properly around it."""
    members = archive.decode(package)
    altered = {**members, name: flipped(members[name], position, bit)}
    return archive.encode(list(altered.items()))


def thinned(places: Iterable[tuple[int, int]], most: int) -> list[tuple[int, int]]:
    """All places in the long run, evenly spread ones in the short."""
    every = list(places)
    return every if LONG else every[:: max(1, len(every) // most)]


def bits(positions: Iterable[int]) -> Iterable[tuple[int, int]]:
    return itertools.product(positions, range(8))


def structure(package: bytes) -> list[int]:
    """Positions of every byte of a package that belongs to no member's contents."""
    members = archive.decode(package)
    inside: set[int] = set()
    position = 0
    for name, data in members.items():
        position += LOCAL + len(name)
        inside.update(range(position, position + len(data)))
        position += len(data)
    return [place for place in range(len(package)) if place not in inside]


def test_the_structure_is_all_headers_and_names(package: bytes) -> None:
    names = list(archive.decode(package))
    expected = END + sum(LOCAL + CENTRAL + 2 * len(name) for name in names)
    assert len(structure(package)) == expected


def refused(what: str, data: bytes, trust: Trust) -> None:
    with pytest.raises(TernaryError):
        Package.read(data, trust)
    counted[what] += 1


def test_every_bit_of_the_archives_structure(package: bytes, trust: Trust) -> None:
    for position, bit in thinned(bits(structure(package)), 300):
        refused("the archive's structure", flipped(package, position, bit), trust)


@pytest.mark.parametrize("name", ["manifest.json", "model.sig"])
def test_every_bit_of_what_is_signed(package: bytes, trust: Trust, name: str) -> None:
    """In an archive that is whole again, so that it is not a checksum that refuses."""
    length = len(archive.decode(package)[name])
    for position, bit in thinned(bits(range(length)), 200):
        refused(name, with_flip(package, name, position, bit), trust)


def test_every_byte_of_the_certificate(package: bytes, trust: Trust) -> None:
    length = len(archive.decode(package)["coverage.json"])
    for position, bit in thinned(((place, place % 8) for place in range(length)), 200):
        refused("coverage.json", with_flip(package, "coverage.json", position, bit), trust)


def test_a_sample_of_all_other_bytes(package: bytes, trust: Trust) -> None:
    members = archive.decode(package)
    for name in sorted(members.keys() - {"manifest.json", "model.sig", "coverage.json"}):
        step = max(1, len(members[name]) // (2000 if LONG else 10))
        for position in range(0, len(members[name]), step):
            refused(name, with_flip(package, name, position, position % 8), trust)
