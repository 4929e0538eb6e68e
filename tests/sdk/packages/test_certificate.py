import hashlib
import json
from base64 import b64encode
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ternary_sdk._internal.certificates.certificate import Certificate
from ternary_sdk._internal.certificates.path_coverage import (
    PathCoverage,
    Prior,
    Reachable,
    margin_text,
    seed_of,
)
from ternary_sdk._internal.documents import canonical
from ternary_sdk._internal.streams.stream import AES, PHILOX, STREAMS, Stream
from ternary_sdk.errors import FormatError, InputError
from ternary_sdk.operations import OperationSet
from ternary_sdk.space import TERNARY_2, Space

DIGESTS = {name: hashlib.sha256(name.encode()).hexdigest() for name in ("decoder_A.onnx", "encoder_A.onnx")}
REACHED = OperationSet.of([*range(10_000)])


def prior(draws: int, operations: int) -> Prior:
    return Prior(draws=draws, operations=operations, digest="ab" * 32)


PATH = PathCoverage(
    path="A",
    encoder="encoder_A.onnx",
    decoder="decoder_A.onnx",
    stream=AES,
    seed=seed_of(DIGESTS["decoder_A.onnx"], AES),
    reachable=Reachable(operations=REACHED, streamed={3: 70_000, 5: 12}, smallest_margin="0.0123"),
    prior=(prior(10_000, 4000), prior(50_000, 9000), prior(195_000, 9990)),
    near_ties=(0, 11, 194_999),
)
CERTIFICATE = Certificate(
    version=2,
    space=TERNARY_2,
    latent_size=16,
    subjects=DIGESTS,
    released=datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC),
    computed_with={"onnxruntime": "1.32.0"},
    paths=(PATH,),
)


def of(stream: Stream) -> Certificate:
    """The same figures as a certificate of a stream's version states them."""
    seed = seed_of(DIGESTS["decoder_A.onnx"], stream)
    paths = (replace(PATH, stream=stream, seed=seed),)
    return replace(CERTIFICATE, version=stream.version, paths=paths)


both = pytest.mark.parametrize("stream", STREAMS.values(), ids=lambda stream: stream.generator)


@both
def test_a_certificate_comes_back(stream: Stream) -> None:
    assert Certificate.from_statement(of(stream).to_statement()) == of(stream)


@both
def test_its_bytes_are_pinned(stream: Stream) -> None:
    pinned = Path(__file__).parents[2] / "vectors" / f"coverage-statement-{stream.version}.json"
    assert of(stream).to_statement() == pinned.read_bytes()


@both
def test_nobody_chooses_the_seed(stream: Stream) -> None:
    material = f"ternary-coverage-v{stream.version}".encode() + bytes.fromhex(DIGESTS["decoder_A.onnx"])
    expected = int.from_bytes(hashlib.sha256(material).digest()[:8], "big")
    assert of(stream).paths[0].seed == expected


def test_coverage_stands_beside_its_limit() -> None:
    found = PATH.at(50_000)
    assert (found.coverage, round(found.limit, 5)) == (9000 / 19683, 0.92116)
    with pytest.raises(InputError) as refusal:
        PATH.at(1000)
    assert str(refusal.value) == "draws: nothing is certified at 1000, expected one of (10000, 50000, 195000)"


def test_of_equal_paths_the_first_is_best() -> None:
    other = PathCoverage(**{**vars(PATH), "path": "B"})
    better = PathCoverage(
        **{**vars(other), "prior": (prior(10_000, 4000), prior(50_000, 9001), prior(195_000, 9990))}
    )
    assert Certificate(**{**vars(CERTIFICATE), "paths": (PATH, other)}).best_path.path == "A"
    assert Certificate(**{**vars(CERTIFICATE), "paths": (PATH, better)}).best_path.path == "B"


@pytest.mark.parametrize(
    ("margin", "text"), [(0.0, "0.0000"), (0.00999999, "0.0099"), (1.31659, "1.3165"), (0.001, "0.0010")]
)
def test_margins_are_rounded_down(margin: float, text: str) -> None:
    assert margin_text(margin) == text


def of_nothing(margin: str) -> Certificate:
    """Of a model that reaches no operation."""
    nothing = Reachable(operations=OperationSet.of([]), streamed={}, smallest_margin=margin)
    path = PathCoverage(
        **{
            **vars(PATH),
            "reachable": nothing,
            "prior": tuple(
                Prior(draws=n, operations=0, digest=nothing.operations.digest)
                for n in (10_000, 50_000, 195_000)
            ),
        }
    )
    return replace(CERTIFICATE, paths=(path,))


def test_a_model_that_reaches_nothing_has_a_certificate_too() -> None:
    certificate = of_nothing("0.0000")
    assert Certificate.from_statement(certificate.to_statement()) == certificate


@pytest.mark.parametrize("margin", ["0.0001", "0.0009", "0.0010", "4.0000"])
def test_without_a_witness_there_is_no_smallest_margin(margin: str) -> None:
    with pytest.raises(FormatError) as refusal:
        Certificate.from_statement(of_nothing(margin).to_statement())
    assert str(refusal.value) == (
        f"coverage.json.predicate.paths[0]: smallest_margin is {float(margin)}, "
        "expected at least 0.001, or 0.0000 of none"
    )


def undrawn(document: dict[str, Any]) -> None:
    for prior in path(document)["prior"]:
        prior.update(operations=0, sha256=NOTHING.digest)


NOTHING = OperationSet.of([])
EMPTY = {
    "operations": 0,
    "sha256": NOTHING.digest,
    "bitmap": b64encode(NOTHING.to_bytes()).decode(),
    "streamed": [],
    "smallest_margin": "0.0000",
}


def path(document: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = document["predicate"]["paths"][0]
    return found


VERSIONS = " or ".join(f"'urn:ternary:coverage:{version}'" for version in (1, 2, 3))
REFUSED: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "another predicate": (
        lambda d: d.update(predicateType="urn:ternary:coverage:4"),
        f".predicateType: 'urn:ternary:coverage:4', expected {VERSIONS}",
    ),
    "a predicate that is no text": (
        lambda d: d.update(predicateType=2),
        f".predicateType: 2, expected {VERSIONS}",
    ),
    "the other version": (
        lambda d: d.update(predicateType="urn:ternary:coverage:1"),
        f": path A has the seed {PATH.seed:016x}, "
        f"its decoder's digest gives {seed_of(DIGESTS['decoder_A.onnx'], PHILOX):016x}",
    ),
    "another statement": (
        lambda d: d.update(_type="https://in-toto.io/Statement/v0.1"),
        "._type: 'https://in-toto.io/Statement/v0.1', expected 'https://in-toto.io/Statement/v1'",
    ),
    "another margin": (
        lambda d: d["predicate"].update(margin="0.0001"),
        ".predicate.margin: '0.0001', expected '0.001'",
    ),
    "another space": (
        lambda d: d["predicate"]["operations"].update(space="ternary-3-input"),
        ".predicate.operations.space: 'ternary-3-input', expected 'ternary-2-input'",
    ),
    "a chosen seed": (
        lambda d: path(d).update(seed="00000000000000ff"),
        f": path A has the seed 00000000000000ff, its decoder's digest gives {PATH.seed:016x}",
    ),
    "a subject nothing uses": (
        lambda d: d["subject"].append({"name": "x.onnx", "digest": {"sha256": "ab" * 32}}),
        ": its paths use ['decoder_A.onnx', 'encoder_A.onnx'], "
        "its subjects are ['decoder_A.onnx', 'encoder_A.onnx', 'x.onnx']",
    ),
    "a subject twice": (
        lambda d: d["subject"].append(d["subject"][1]),
        ": subjects are ['decoder_A.onnx', 'encoder_A.onnx', 'encoder_A.onnx'], "
        "expected different names in ascending order",
    ),
    "a subject by two hashes": (
        lambda d: d["subject"][0]["digest"].update(sha512="ab" * 64),
        ".subject[0].digest: unknown member 'sha512'",
    ),
    "one operation more than its bitmap": (
        lambda d: path(d)["reachable"].update(operations=10_001),
        f".predicate.paths[0].reachable: its bitmap holds 10000 operations with digest "
        f"{REACHED.digest[:12]}…, it claims 10001 with {REACHED.digest[:12]}…",
    ),
    "another digest than its bitmap": (
        lambda d: path(d)["reachable"].update(sha256="ab" * 32),
        f".predicate.paths[0].reachable: its bitmap holds 10000 operations with digest "
        f"{REACHED.digest[:12]}…, it claims 10000 with abababababab…",
    ),
    "a limit that flatters": (
        lambda d: path(d)["prior"][1].update(limit="0.900000"),
        ".predicate.paths[0].prior[1].limit: '0.900000', expected '0.921159'",
    ),
    "other numbers of draws": (
        lambda d: path(d)["prior"][0].update(draws=10_001, limit="0.398372"),
        ".predicate.paths[0].prior: quotes (10001, 50000, 195000) draws, expected (10000, 50000, 195000)",
    ),
    "more operations than draws": (
        lambda d: path(d)["prior"][0].update(operations=10_001),
        ".predicate.paths[0].prior[0].operations: 10001, expected an integer from 0 to 10000",
    ),
    "more drawn than reachable": (
        lambda d: path(d)["prior"][2].update(operations=10_001),
        ".predicate.paths[0]: [4000, 9000, 10001] operations drawn and 10000 reachable, "
        "expected an ascending order",
    ),
    "fewer with more draws": (
        lambda d: path(d)["prior"][1].update(operations=3999),
        ".predicate.paths[0]: [4000, 3999, 9990] operations drawn and 10000 reachable, "
        "expected an ascending order",
    ),
    "a witness of what is not reachable": (
        lambda d: path(d)["reachable"]["streamed"].append([10_000, 1]),
        ".predicate.paths[0]: operation 10000 has a streamed witness but is not in the bitmap",
    ),
    "one row as two witnesses": (
        lambda d: path(d)["reachable"]["streamed"].append([7, 12]),
        ".predicate.paths[0]: a streamed witness stands for two operations, or is a near tie",
    ),
    "a near tie as a witness": (
        lambda d: path(d)["reachable"]["streamed"].append([7, 11]),
        ".predicate.paths[0]: a streamed witness stands for two operations, or is a near tie",
    ),
    "witnesses in another order": (
        lambda d: path(d)["reachable"]["streamed"].reverse(),
        ".predicate.paths[0].reachable.streamed[1]: a list, expected [6 to 19682, 0 to 194999]",
    ),
    "a witness beyond the stream": (
        lambda d: path(d)["reachable"]["streamed"].append([7, 195_000]),
        ".predicate.paths[0].reachable.streamed[2]: a list, expected [6 to 19682, 0 to 194999]",
    ),
    "a smallest margin below the least": (
        lambda d: path(d)["reachable"].update(smallest_margin="0.0009"),
        ".predicate.paths[0]: smallest_margin is 0.0009, expected at least 0.001, or 0.0000 of none",
    ),
    "a margin of other form": (
        lambda d: path(d)["reachable"].update(smallest_margin="1e-2"),
        ".predicate.paths[0].reachable.smallest_margin: '1e-2', "
        "expected text of the form (0|[1-9][0-9]{0,8})\\.[0-9]{4}",
    ),
    "near ties out of order": (
        lambda d: path(d)["near_ties"].reverse(),
        ".predicate.paths[0].near_ties[1]: 11, expected an integer from 195000 to 194999",
    ),
    "a near tie that is true": (
        lambda d: path(d).update(near_ties=[True]),
        ".predicate.paths[0].near_ties[0]: true, expected an integer from 0 to 194999",
    ),
    "a path twice": (
        lambda d: d["predicate"]["paths"].append(path(d)),
        ": paths are ['A', 'A'], expected different letters in ascending order",
    ),
    "no path": (
        lambda d: d["predicate"]["paths"].clear(),
        ".predicate.paths: 0 entries, expected 1 to 8",
    ),
    "versions that are no text": (
        lambda d: d["predicate"].update(computed_with={"numpy": 2}),
        ".predicate.computed_with: an object, expected an object of printable strings",
    ),
    "a version that writes to the terminal": (
        lambda d: d["predicate"].update(computed_with={"numpy": "\x1b[2J"}),
        ".predicate.computed_with: an object, expected an object of printable strings",
    ),
    "a version that shows less than it says": (
        lambda d: d["predicate"].update(computed_with={"numpy": "2.4\u034f"}),
        ".predicate.computed_with: an object, expected an object of printable strings",
    ),
    "no encoder, in a version in which each path has one": (
        lambda d: (
            path(d).pop("encoder"),
            path(d)["reachable"].update(EMPTY),
            undrawn(d),
            d["subject"].pop(),
        ),
        ": path A lacks its encoder, which version 2 has",
    ),
    "an unknown member": (lambda d: path(d).update(x=1), ".predicate.paths[0]: unknown member 'x'"),
}


@pytest.mark.parametrize("trick", REFUSED)
def test_a_certificate_that_contradicts_itself_is_refused(trick: str) -> None:
    change, sentence = REFUSED[trick]
    document = json.loads(CERTIFICATE.to_statement())
    change(document)
    with pytest.raises(FormatError) as refusal:
        Certificate.from_statement(canonical.encode(document))
    assert str(refusal.value) == f"coverage.json{sentence}"


BOOLEAN = Space(2, 3)
SOME = OperationSet.of([3, 5, 200], BOOLEAN)
DECODER_ONLY = PathCoverage(
    path="A",
    encoder=None,
    decoder="decoder_A.onnx",
    stream=AES.of(8),
    seed=seed_of(DIGESTS["decoder_A.onnx"], AES),
    reachable=Reachable(operations=SOME, streamed={3: 700, 5: 12, 200: 0}, smallest_margin="0.0123"),
    prior=tuple(
        Prior(draws=draws, operations=operations, digest="ab" * 32, space=BOOLEAN)
        for draws, operations in ((128, 1), (650, 2), (2537, 3))
    ),
    near_ties=(11, 2536),
)
OF_BOOLEAN = Certificate(
    version=3,
    space=BOOLEAN,
    latent_size=8,
    subjects={"decoder_A.onnx": DIGESTS["decoder_A.onnx"]},
    released=CERTIFICATE.released,
    computed_with={"onnxruntime": "1.32.0"},
    paths=(DECODER_ONLY,),
)
OF_TERNARY = replace(CERTIFICATE, version=3)
OF_EACH_SPACE = pytest.mark.parametrize(
    ("certificate", "name"),
    [(OF_TERNARY, "3"), (OF_BOOLEAN, "3-boolean-3-input")],
    ids=["ternary", "boolean"],
)


@OF_EACH_SPACE
def test_version_3_comes_back_and_its_bytes_are_pinned(certificate: Certificate, name: str) -> None:
    pinned = (Path(__file__).parents[2] / "vectors" / f"coverage-statement-{name}.json").read_bytes()
    assert certificate.to_statement() == pinned
    assert Certificate.from_statement(pinned) == certificate


def test_version_3_of_the_same_model_has_the_figures_of_version_2() -> None:
    old, new = (json.loads(one.to_statement())["predicate"] for one in (CERTIFICATE, OF_TERNARY))
    assert new["paths"] == old["paths"]
    assert {key: new.pop(key) for key in ("kind", "latent_size", "space")} == {
        "kind": "listed", "latent_size": 16, "space": {"inputs": 2, "radix": 3},
    }  # fmt: skip
    assert old.pop("operations") == {"count": 19683, "space": "ternary-2-input"}
    assert new == old


REFUSED_3: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "a vast kind": (
        lambda d: d["predicate"].update(kind="vast"),
        ".predicate: its kind is 'vast', expected 'listed': the space 2,3 has 256 operations",
    ),
    "a vast space": (
        lambda d: d["predicate"].update(space={"radix": 4, "inputs": 2}),
        ".predicate: its kind is 'listed', expected 'vast': the space 4,2 has 4,294,967,296 operations",
    ),
    "an unknown kind": (
        lambda d: d["predicate"].update(kind="x"),
        ".predicate.kind: 'x', expected 'listed' or 'vast'",
    ),
    "no space": (
        lambda d: d["predicate"].update(space={"radix": 1, "inputs": 3}),
        ".predicate.space.radix: 1, expected an integer from 2 to 62",
    ),
    "a space beyond all": (
        lambda d: d["predicate"].update(space={"radix": 2, "inputs": 6}),
        ".predicate.space: space: 2 values and 6 inputs have 2^63 operations or more, expected fewer",
    ),
    "the draws of another space": (
        lambda d: path(d)["prior"][0].update(draws=10_000, limit="1.000000"),
        ".predicate.paths[0].prior: quotes (10000, 650, 2537) draws, expected (128, 650, 2537)",
    ),
    "the figures of another space": (
        lambda d: d["predicate"].update(space={"radix": 5, "inputs": 1}),
        ".predicate.paths[0].reachable.bitmap: 32 bytes, expected 391",
    ),
    "another latent size": (
        lambda d: d["predicate"].update(latent_size=12),
        ".predicate.latent_size: 12, expected a multiple of 8 from 8 to 64",
    ),
    "no encoder, and a witness that only an encoder gives": (
        lambda d: path(d)["reachable"]["streamed"].pop(),
        ".predicate.paths[0]: 2 of 3 witnesses are rows of the stream, expected all, "
        "since the path has no encoder",
    ),
    "a row beyond the stream": (
        lambda d: path(d)["near_ties"].append(2537),
        ".predicate.paths[0].near_ties[2]: 2537, expected an integer from 2537 to 2536",
    ),
}


@pytest.mark.parametrize("trick", REFUSED_3)
def test_version_3_that_contradicts_itself_is_refused(trick: str) -> None:
    change, sentence = REFUSED_3[trick]
    document = json.loads(OF_BOOLEAN.to_statement())
    change(document)
    with pytest.raises(FormatError) as refusal:
        Certificate.from_statement(canonical.encode(document))
    assert str(refusal.value).startswith(f"coverage.json{sentence}")
