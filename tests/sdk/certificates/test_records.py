"""The binary members of a vast space, and hostile ones."""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from tests.vectors import vast

from ternary_sdk._internal.certificates.records import Records, digest_of, names
from ternary_sdk._internal.certificates.vast_certificate import VastCertificate
from ternary_sdk._internal.certificates.vast_path import FileDigest
from ternary_sdk.errors import FormatError

PINNED = (Path(__file__).parents[2] / "vectors" / "coverage-statement-3-vast.json").read_bytes()
FIRST, SECOND = VastCertificate.from_statement(PINNED).paths
MEMBERS = vast.binary()


def test_members_are_read_as_written() -> None:
    first, second = (Records.read(claim, MEMBERS) for claim in (FIRST, SECOND))
    assert first.leaves == b"".join(vast.LEAVES["A"])
    assert first.near_ties.tolist() == vast.NEAR_TIES["A"]
    assert first.failures is not None
    assert first.failures.tolist() == vast.FAILURES
    assert second.failures is None
    assert first.to_members("A") | second.to_members("B") == MEMBERS


def test_a_path_without_encoder_has_no_list_of_failures() -> None:
    assert names("B", encoder=False) == ("blocks_B.bin", "near_ties_B.bin")
    assert names("A", encoder=True) == ("blocks_A.bin", "near_ties_A.bin", "failures_A.bin")


def flipped(data: bytes) -> bytes:
    return bytes([data[0] ^ 1]) + data[1:]


HOSTILE: dict[str, tuple[str, Callable[[bytes], bytes], str]] = {
    "a leaf of another draw": (
        "blocks_A.bin",
        flipped,
        "blocks_A.bin: its Merkle root is {root}, the certificate says "
        "72008b24ec7e6ce990b72bc4fa0a9b146a6e646451777699f74c0696d869eef1",
    ),
    "a leaf too few": (
        "blocks_A.bin",
        lambda data: data[32:],
        "blocks_A.bin: 96 bytes, expected 128 for 4 blocks",
    ),
    "half a leaf": (
        "blocks_A.bin",
        lambda data: data + bytes(16),
        "blocks_A.bin: 144 bytes, expected 128 for 4 blocks",
    ),
    "a near tie elsewhere": (
        "near_ties_A.bin",
        flipped,
        "near_ties_A.bin: 8 bytes with sha256 {digest}, the certificate says "
        "8 with db404cbebf0478d4049dbd0acd61e6c218f2ff188557960dbeedb22f991a130c",
    ),
    "no near ties": (
        "near_ties_A.bin",
        lambda data: b"",
        "near_ties_A.bin: 0 bytes with sha256 {digest}, the certificate says "
        "8 with db404cbebf0478d4049dbd0acd61e6c218f2ff188557960dbeedb22f991a130c",
    ),
    "a failure more": (
        "failures_A.bin",
        lambda data: data + b"\1",
        "failures_A.bin: 4 bytes with sha256 {digest}, the certificate says "
        "3 with 60651d601de41c60f4cb6fe0342c6ffd3ed64ef65847501d22a544f8d29b5ac7",
    ),
}


@pytest.mark.parametrize("trick", HOSTILE)
def test_a_member_that_the_certificate_does_not_speak_of_is_refused(trick: str) -> None:
    name, change, sentence = HOSTILE[trick]
    data = change(MEMBERS[name])
    leaves = [data[start : start + 32] for start in range(0, len(data), 32)] or [b""]
    with pytest.raises(FormatError) as refusal:
        Records.read(FIRST, MEMBERS | {name: data})
    expected = sentence.format(digest=hashlib.sha256(data).hexdigest(), root=vast.root(leaves).hex())
    assert str(refusal.value) == expected


SIGNED: dict[str, tuple[bytes, str]] = {
    "fewer than are counted": (bytes([5, 0]), "near_ties_A.bin: 2 numbers, the certificate says 4"),
    "more than are counted": (bytes(5), "near_ties_A.bin: 5 numbers, expected at most 4"),
    "a row beyond the last": (
        vast.gaps([1, 2, 3, 200_000]),
        "near_ties_A.bin: holds a number of 200,000 or more",
    ),
    "cut off": (bytes([0, 0, 0, 0x80]), "near_ties_A.bin: ends within a number"),
    "a longer form": (bytes([0, 0, 0, 0x80, 0]), "near_ties_A.bin: a number takes more bytes than it needs"),
}


@pytest.mark.parametrize("trick", SIGNED)
def test_a_signed_member_that_is_not_of_its_form_is_refused(trick: str) -> None:
    """The certificate states its digest, and still it says nothing that can be read."""
    data, sentence = SIGNED[trick]
    claim = replace(FIRST, near_ties=digest_of(data))
    with pytest.raises(FormatError) as refusal:
        Records.read(claim, MEMBERS | {"near_ties_A.bin": data})
    assert str(refusal.value) == sentence


def test_a_digest_states_the_size_too() -> None:
    assert digest_of(b"") == FileDigest(sha256=hashlib.sha256(b"").hexdigest(), size=0)
