import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ternary_sdk._internal.documents import canonical
from ternary_sdk._internal.packages.manifest import Manifest
from ternary_sdk._internal.packages.manifest_entries import Graph, Member, ModelPath
from ternary_sdk.errors import FormatError

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
    assert str(refusal.value) == "manifest.json.paths: 1 entries, expected 2 to 2"


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


BOTH = "[('A', 'encoder_A.onnx', 'decoder_A.onnx'), ('B', 'encoder_B.onnx', 'decoder_B.onnx')]"

REFUSED: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "another format": (
        lambda m: m.update(format="ternary-package/2"),
        ".format: 'ternary-package/2', expected 'ternary-package/1'",
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
        ".default_path: 'C', expected 'A' or 'B'",
    ),
    "a path no package has": (
        lambda m: m["paths"][1].update(path="C"),
        ".paths[1].path: 'C', expected 'A' or 'B'",
    ),
    "a path twice": (
        lambda m: m["paths"][1].update(path="A"),
        ": paths are [('A', 'encoder_A.onnx', 'decoder_A.onnx'), ('A', 'encoder_B.onnx', 'decoder_B.onnx')], "
        f"expected {BOTH}",
    ),
    "paths in another order": (
        lambda m: m["paths"].reverse(),
        ": paths are [('B', 'encoder_B.onnx', 'decoder_B.onnx'), ('A', 'encoder_A.onnx', 'decoder_A.onnx')], "
        f"expected {BOTH}",
    ),
    "two paths with one graph": (
        lambda m: m["paths"][1]["decoder"].update(member="decoder_A.onnx"),
        ": paths are [('A', 'encoder_A.onnx', 'decoder_A.onnx'), ('B', 'encoder_B.onnx', 'decoder_A.onnx')], "
        f"expected {BOTH}",
    ),
    "a third path": (
        lambda m: m["paths"].append(m["paths"][1]),
        ".paths: 3 entries, expected 2 to 2",
    ),
    "no path": (lambda m: m["paths"].clear(), ".paths: 0 entries, expected 2 to 2"),
    "a graph of another name": (
        lambda m: m["paths"][0]["encoder"].update(member="../x.onnx"),
        ": paths are [('A', '../x.onnx', 'decoder_A.onnx'), ('B', 'encoder_B.onnx', 'decoder_B.onnx')], "
        f"expected {BOTH}",
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
