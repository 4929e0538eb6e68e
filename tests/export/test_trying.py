"""Uniform operations are tried in parts, and what is cut short goes on."""

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from tests.networks import thresholds

from ternary_export import trying
from ternary_export.graph import decoder_graph, encoder_graph
from ternary_sdk._internal.counting.progress import Progress
from ternary_sdk._internal.documents.gaps import Numbers
from ternary_sdk._internal.inference import vast_proof
from ternary_sdk._internal.inference.runtime import Decoder, Encoder, Workers
from ternary_sdk._internal.streams.stream import AES, PHILOX
from ternary_sdk.errors import InputError
from ternary_sdk.signature import Signature
from ternary_sdk.space import Space

OPERATIONS = 1000
QUATERNARY = Signature(Space(4, 2), 16, ("A",))
STATE = thresholds(QUATERNARY)
STATE["decoder_A.decoder.4.bias"][:4] = [0, 0, 0, 1000]  # one cell is always 3, so three of four fail
GRAPHS = encoder_graph(STATE, "A", QUATERNARY), decoder_graph(STATE, "A", QUATERNARY)


@pytest.fixture
def coder() -> Iterator[tuple[Encoder, Decoder]]:
    with Workers(1) as workers:
        encoder = Encoder(GRAPHS[0], "encoder_A.onnx", workers, QUATERNARY)
        yield encoder, Decoder(GRAPHS[1], "decoder_A.onnx", workers, QUATERNARY)


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trying, "PART", 400)


def tried(
    coder: tuple[Encoder, Decoder], folder: Path | None, said: list[Progress], most: int = 10**6
) -> Numbers:
    return trying.failures(
        *coder, AES, 7, OPERATIONS, folder=folder, graphs=GRAPHS, most=most, watch=said.append
    )  # fmt: skip


def test_parts_together_are_the_whole(coder: tuple[Encoder, Decoder], tmp_path: Path) -> None:
    whole = vast_proof.failures(*coder, AES, 7, OPERATIONS)
    said: list[Progress] = []
    assert np.array_equal(tried(coder, None, said), whole)
    assert [(one.done, one.draws) for one in said] == [(400, 1000), (800, 1000), (1000, 1000)]
    assert np.array_equal(tried(coder, tmp_path / "new", said), whole)
    assert 700 < len(whole) < 800
    assert len(list((tmp_path / "new").iterdir())) == 3


def test_what_was_tried_is_not_tried_again(coder: tuple[Encoder, Decoder], tmp_path: Path) -> None:
    whole, said = tried(coder, tmp_path, []), list[Progress]()
    last = max(tmp_path.iterdir(), key=lambda path: int(path.name.split("-")[1]))
    last.unlink()
    assert np.array_equal(tried(coder, tmp_path, said), whole)
    assert [one.done for one in said] == [1000]
    assert last.exists()


@pytest.mark.parametrize("size", [0, 20, 32, 40, 41, -1], ids=lambda size: f"cut to {size}")
def test_a_part_that_is_cut_off_is_computed_again(
    coder: tuple[Encoder, Decoder], tmp_path: Path, size: int
) -> None:
    """An empty file must not read as "no failures"."""
    whole, said = tried(coder, tmp_path, []), list[Progress]()
    part = min(tmp_path.iterdir())
    data = part.read_bytes()
    part.write_bytes(data[:size])
    assert np.array_equal(tried(coder, tmp_path, said), whole)
    assert [one.done for one in said] == [400]
    assert part.read_bytes() == data


@pytest.mark.parametrize("place", [0, 33, 45, -1])
def test_a_part_with_a_changed_byte_is_computed_again(
    coder: tuple[Encoder, Decoder], tmp_path: Path, place: int
) -> None:
    whole, said = tried(coder, tmp_path, []), list[Progress]()
    part = min(tmp_path.iterdir())
    data = bytearray(part.read_bytes())
    data[place] ^= 1
    part.write_bytes(data)
    assert np.array_equal(tried(coder, tmp_path, said), whole)
    assert [one.done for one in said] == [400]


@pytest.mark.parametrize("other", ["encoder", "decoder", "stream", "seed", "version"])
def test_parts_of_something_else_are_not_taken(other: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def names() -> set[str]:
        given = {"graphs": GRAPHS, "stream": AES, "seed": 7}
        given |= {
            "encoder": {"graphs": (b"x", GRAPHS[1])},
            "decoder": {"graphs": (GRAPHS[0], b"x")},
            "stream": {"stream": PHILOX},
            "seed": {"seed": 8},
        }.get(chosen, {})
        return {name for _, _, name in trying._parts(**given, operations=OPERATIONS)}  # type: ignore[arg-type]

    chosen = ""
    here = names()
    chosen = other
    if other == "version":
        monkeypatch.setattr(trying, "computed_with", lambda: (("onnxruntime", "0.9"),))
    assert not here & names()


def test_failures_that_will_not_fit_are_refused_after_the_first_part(
    coder: tuple[Encoder, Decoder], tmp_path: Path
) -> None:
    said = list[Progress]()
    with pytest.raises(InputError) as refusal:
        tried(coder, tmp_path, said, most=500)
    assert re.fullmatch(
        r"failures: those of 1,000 operations would take about 7\d\d bytes, expected at most 500; "
        r"try fewer operations",
        str(refusal.value),
    )
    assert [one.done for one in said] == [400]


def test_parts_are_forgotten_and_nothing_else(coder: tuple[Encoder, Decoder], tmp_path: Path) -> None:
    tried(coder, tmp_path, [])
    (tmp_path / "failures-of-somebody").write_bytes(b"")
    trying.forget(tmp_path, GRAPHS, AES, 7, OPERATIONS)
    assert [path.name for path in tmp_path.iterdir()] == ["failures-of-somebody"]


def test_a_folder_that_is_a_file_is_refused(coder: tuple[Encoder, Decoder], tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(InputError, match=r"file: cannot be used \(File exists\)"):
        tried(coder, tmp_path / "file", [])
