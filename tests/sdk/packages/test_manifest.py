import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ternary_sdk._internal.documents import canonical
from ternary_sdk._internal.packages.manifest import STANDARD_ONLY, Manifest
from ternary_sdk._internal.packages.manifest_entries import Graph, Member, ModelPath
from ternary_sdk.errors import FormatError
from ternary_sdk.space import TERNARY_2, Space

DOCUMENTS = ["bom.json", "card.md", "coverage.json", "terms.md"]
GRAPHS = ["decoder_A.onnx", "decoder_B.onnx", "encoder_A.onnx", "encoder_B.onnx"]
VECTORS = Path(__file__).parents[2] / "vectors"


def graph(name: str) -> Graph:
    return Graph(member=name, parameters=100)


def model_path(letter: str) -> ModelPath:
    return ModelPath(
        path=letter, encoder=graph(f"encoder_{letter}.onnx"), decoder=graph(f"decoder_{letter}.onnx")
    )


def members(names: list[str]) -> tuple[Member, ...]:
    return tuple(Member(name=name, sha256="ab" * 32, size=size) for size, name in enumerate(sorted(names)))


MANIFEST = Manifest(
    format=STANDARD_ONLY,
    space=TERNARY_2,
    latent_size=16,
    name="acme",
    version=(1, 20, 3),
    released=datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC),
    default_path="A",
    paths=(model_path("A"), model_path("B")),
    members=members(DOCUMENTS + GRAPHS),
)


def test_a_manifest_comes_back() -> None:
    assert Manifest.read(MANIFEST.to_bytes()) == MANIFEST


def test_its_digest_is_what_licenses_name() -> None:
    assert MANIFEST.label == "acme-1.20.3"
    pinned = (VECTORS / "manifest-a-and-b.json").read_bytes()
    assert MANIFEST.to_bytes() == pinned
    assert MANIFEST.identity.digest == hashlib.sha256(pinned).hexdigest()


def test_a_manifest_of_one_path_is_written_as_ever_and_refused() -> None:
    """The vector is older than the rule that a package has both paths."""
    pinned = (VECTORS / "manifest.json").read_bytes()
    documents = members([*DOCUMENTS, "decoder_A.onnx", "encoder_A.onnx"])
    assert replace(MANIFEST, paths=(model_path("A"),), members=documents).to_bytes() == pinned
    with pytest.raises(FormatError) as refusal:
        Manifest.read(pinned)
    assert str(refusal.value) == "manifest.json: paths are ['A'], expected ['A', 'B']"


def test_encrypted_graphs_keep_both_digests() -> None:
    members = tuple(
        replace(member, plaintext_sha256="cd" * 32) if member.name in GRAPHS else member
        for member in MANIFEST.members
    )
    manifest = replace(MANIFEST, members=members)
    assert Manifest.read(manifest.to_bytes()) == manifest
    assert (MANIFEST.encrypted, manifest.encrypted) == (False, True)
    assert manifest.plaintext_digest("decoder_A.onnx") == "cd" * 32
    assert manifest.plaintext_digest("card.md") == "ab" * 32


def entry(manifest: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(member for member in manifest["members"] if member["name"] == name)
    return found


def drop(manifest: dict[str, Any], name: str) -> None:
    manifest["members"].remove(entry(manifest, name))


def add(manifest: dict[str, Any], name: str) -> None:
    manifest["members"].append({"name": name, "sha256": "ab" * 32, "size": 1})
    manifest["members"].sort(key=lambda member: member["name"])


REFUSED: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "another format": (
        lambda m: m.update(format="ternary-package/3"),
        ".format: 'ternary-package/3', expected 'ternary-package/1' or 'ternary-package/2'",
    ),
    "a name with capitals": (
        lambda m: m.update(name="Acme"),
        ".name: 'Acme', expected text of the form [a-z0-9][a-z0-9-]{0,63}",
    ),
    "a name with a line end": (
        lambda m: m.update(name="acme\n"),
        ".name: 'acme\\n', expected text of the form [a-z0-9][a-z0-9-]{0,63}",
    ),
    "a version with a leading zero": (
        lambda m: m.update(version="1.02.3"),
        ".version: '1.02.3', expected text of the form "
        "(0|[1-9][0-9]{0,8})\\.(0|[1-9][0-9]{0,8})\\.(0|[1-9][0-9]{0,8})",
    ),
    "a version of two numbers": (
        lambda m: m.update(version="1.2"),
        ".version: '1.2', expected text of the form "
        "(0|[1-9][0-9]{0,8})\\.(0|[1-9][0-9]{0,8})\\.(0|[1-9][0-9]{0,8})",
    ),
    "a moment that is text": (
        lambda m: m.update(released="2026-02-03"),
        ".released: '2026-02-03', expected an integer from 0 to 253402300799",
    ),
    "a moment that is true": (
        lambda m: m.update(released=True),
        ".released: true, expected an integer from 0 to 253402300799",
    ),
    "another space": (
        lambda m: m["operations"].update(count=19684),
        ".operations.count: 19684, expected 19683",
    ),
    "another interface": (
        lambda m: m["interface"]["decoder"]["outputs"].pop(),
        ".interface: not the inputs and outputs that ternary-package/1 has",
    ),
    "a default path that is not there": (
        lambda m: m.update(default_path="C"),
        ": default_path is 'C', expected one of ['A', 'B']",
    ),
    "a path no package has": (
        lambda m: m["paths"][1].update(path="C"),
        ": paths are ['A', 'C'], expected ['A', 'B']",
    ),
    "a path twice": (
        lambda m: m["paths"][1].update(path="A"),
        ": paths are ['A', 'A'], expected different letters in ascending order",
    ),
    "paths in another order": (
        lambda m: m["paths"].reverse(),
        ": paths are ['B', 'A'], expected different letters in ascending order",
    ),
    "two paths with one graph": (
        lambda m: m["paths"][1]["decoder"].update(member="decoder_A.onnx"),
        ": path B has the graph 'decoder_A.onnx', expected 'decoder_B.onnx'",
    ),
    "a third path": (
        lambda m: m["paths"].append({**m["paths"][1], "path": "C"}),
        ": paths are ['A', 'B', 'C'], expected ['A', 'B']",
    ),
    "no path": (lambda m: m["paths"].clear(), ".paths: 0 entries, expected 1 to 8"),
    "a graph of another name": (
        lambda m: m["paths"][0]["encoder"].update(member="../x.onnx"),
        ": path A has the graph '../x.onnx', expected 'encoder_A.onnx'",
    ),
    "a path without an encoder": (
        lambda m: m["paths"][0].pop("encoder"),
        ": path A lacks its encoder, which ternary-package/1 has",
    ),
    "no parameters": (
        lambda m: m["paths"][0]["encoder"].update(parameters=0),
        ".paths[0].encoder.parameters: 0, expected an integer from 1 to 2097152",
    ),
    "no certificate": (lambda m: drop(m, "coverage.json"), ": members lack 'coverage.json'"),
    "no graph": (lambda m: drop(m, "decoder_A.onnx"), ": members lack 'decoder_A.onnx'"),
    "a member no package has": (
        lambda m: add(m, "run.sh"),
        ": members list 'run.sh', which no package has",
    ),
    "the manifest itself": (
        lambda m: add(m, "manifest.json"),
        ": members list 'manifest.json', which no package has",
    ),
    "a member twice": (
        lambda m: add(m, "card.md"),
        ": members are ['bom.json', 'card.md', 'card.md', 'coverage.json', 'decoder_A.onnx', "
        "'decoder_B.onnx', 'encoder_A.onnx', 'encoder_B.onnx', 'terms.md'], "
        "expected different names in ascending order",
    ),
    "members in another order": (
        lambda m: m["members"].reverse(),
        ": members are ['terms.md', 'encoder_B.onnx', 'encoder_A.onnx', 'decoder_B.onnx', 'decoder_A.onnx', "
        "'coverage.json', 'card.md', 'bom.json'], expected different names in ascending order",
    ),
    "a card larger than a card may be": (
        lambda m: entry(m, "card.md").update(size=262_145),
        ".members[1].size: 262145, expected an integer from 0 to 262144",
    ),
    "an encrypted card": (
        lambda m: entry(m, "card.md").update(plaintext_sha256="cd" * 32),
        ": card.md is encrypted, expected only graphs to be",
    ),
    "a digest in capitals": (
        lambda m: entry(m, "card.md").update(sha256="AB" * 32),
        f".members[1].sha256: '{'AB' * 28}A…', expected text of the form [0-9a-f]{{64}}",
    ),
    "an unknown member of the document": (lambda m: m.update(x=1), ": unknown member 'x'"),
    "an unknown member of an entry": (
        lambda m: entry(m, "card.md").update(mode="0755"),
        ".members[1]: unknown member 'mode'",
    ),
}


@pytest.mark.parametrize("trick", REFUSED)
def test_a_manifest_with_one_fault_is_refused(trick: str) -> None:
    change, sentence = REFUSED[trick]
    document = json.loads(MANIFEST.to_bytes())
    change(document)
    with pytest.raises(FormatError) as refusal:
        Manifest.read(canonical.encode(document))
    assert str(refusal.value) == f"manifest.json{sentence}"


def test_a_manifest_in_another_layout_is_refused() -> None:
    with pytest.raises(FormatError, match="not in canonical form"):
        Manifest.read(MANIFEST.to_bytes() + b"\n")


def test_a_member_that_is_not_listed_is_named() -> None:
    with pytest.raises(FormatError) as refusal:
        MANIFEST.member("x")
    assert str(refusal.value) == "manifest.json: lists no member 'x'"


DECODER_ONLY = ModelPath(path="A", encoder=None, decoder=graph("decoder_A.onnx"))
OF_BOOLEAN = replace(
    MANIFEST,
    format="ternary-package/2",
    space=Space(2, 3),
    latent_size=8,
    paths=(DECODER_ONLY,),
    members=members([*DOCUMENTS, "decoder_A.onnx"]),
)
OF_TERNARY = replace(MANIFEST, format="ternary-package/2")


@pytest.mark.parametrize(("manifest", "name"), [(OF_TERNARY, "2"), (OF_BOOLEAN, "2-boolean-3-input")])
def test_version_2_comes_back_and_its_bytes_are_pinned(manifest: Manifest, name: str) -> None:
    pinned = (VECTORS / f"manifest-{name}.json").read_bytes()
    assert manifest.to_bytes() == pinned
    assert Manifest.read(pinned) == manifest


REFUSED_2: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "a vast space": (
        lambda m: m.update(space={"radix": 4, "inputs": 2}),
        ": members lack 'blocks_A.bin'",
    ),
    "no space": (
        lambda m: m.update(space={"radix": 0, "inputs": 3}),
        ".space.radix: 0, expected an integer from 2 to 62",
    ),
    "the space as version 1 has it": (
        lambda m: m.update(operations={"count": 256, "space": "boolean-3-input"}),
        ": unknown member 'operations'",
    ),
    "another latent size": (
        lambda m: m.update(latent_size=72),
        ".latent_size: 72, expected a multiple of 8 from 8 to 64",
    ),
    "no path": (lambda m: m["paths"].clear(), ".paths: 0 entries, expected 1 to 8"),
    "an encoder that is not listed": (
        lambda m: add(m, "encoder_A.onnx"),
        ": members list 'encoder_A.onnx', which no package has",
    ),
    "a path that is no letter": (
        lambda m: m["paths"][0].update(path="AB"),
        ".paths[0].path: 'AB', expected text of the form [A-Z]",
    ),
}


@pytest.mark.parametrize("trick", REFUSED_2)
def test_version_2_with_one_fault_is_refused(trick: str) -> None:
    change, sentence = REFUSED_2[trick]
    document = json.loads(OF_BOOLEAN.to_bytes())
    change(document)
    with pytest.raises(FormatError) as refusal:
        Manifest.read(canonical.encode(document))
    assert str(refusal.value) == f"manifest.json{sentence}"
