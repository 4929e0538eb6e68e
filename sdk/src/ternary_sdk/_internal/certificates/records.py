"""
The binary members of a vast package: what its certificate says of rows and entries one by one.

They are lists that are too long for JSON, so the certificate has their digests. docs/formats.md, sections 5
and 6, define them.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from ternary_sdk._internal.certificates import merkle
from ternary_sdk._internal.certificates.merkle import HASH_BYTES
from ternary_sdk._internal.certificates.vast_path import FileDigest, VastPath
from ternary_sdk._internal.documents import gaps
from ternary_sdk._internal.documents.gaps import Numbers
from ternary_sdk.errors import FormatError


def blocks_of(path: str) -> str:
    """The name of the member with the leaves of a path's blocks."""
    return f"blocks_{path}.bin"


def near_ties_of(path: str) -> str:
    """The name of the member with the positions of a path's near ties."""
    return f"near_ties_{path}.bin"


def failures_of(path: str) -> str:
    """The name of the member with the numbers of the entries without a witness."""
    return f"failures_{path}.bin"


def names(path: str, *, encoder: bool) -> tuple[str, ...]:
    """The binary members of a path, with or without an encoder."""
    return (blocks_of(path), near_ties_of(path), *([failures_of(path)] if encoder else []))


@dataclass(frozen=True, kw_only=True, eq=False)
class Records:
    """What the binary members of one path say."""

    leaves: bytes
    """The hashes of its blocks of draws, 32 bytes each."""

    near_ties: Numbers
    """Ascending positions of the rows with a margin below 0.001."""

    failures: Numbers | None
    """Ascending numbers of the entries without a witness; None where the path has no encoder."""

    @classmethod
    def read(cls, claim: VastPath, members: Mapping[str, bytes]) -> "Records":
        """Read the members of a path and check that they are those that its certificate speaks of.

        Args:
            claim: What the certificate says.
            members: Stored bytes by name; those of ``names`` must be there.
        Raises:
            FormatError: If one is not what the certificate says, or not of its form.
        """
        return cls(
            leaves=_read_leaves(claim, members[blocks_of(claim.path)]),
            near_ties=_read_numbers(
                members[near_ties_of(claim.path)],
                near_ties_of(claim.path),
                claim.near_ties,
                below=claim.evenness.draws,
                count=claim.evenness.near_ties,
            ),
            failures=None
            if claim.reachable is None
            else _read_numbers(
                members[failures_of(claim.path)],
                failures_of(claim.path),
                claim.reachable.failed,
                below=claim.reachable.operations,
                count=claim.reachable.failures,
            ),
        )

    def to_members(self, path: str) -> dict[str, bytes]:
        """The members by name, as ``read`` takes them."""
        members = {blocks_of(path): self.leaves, near_ties_of(path): gaps.encode(self.near_ties)}
        return members | ({} if self.failures is None else {failures_of(path): gaps.encode(self.failures)})


def digest_of(data: bytes) -> FileDigest:
    """What a certificate states of a member."""
    return FileDigest(sha256=hashlib.sha256(data).hexdigest(), size=len(data))


def _read_leaves(claim: VastPath, leaves: bytes) -> bytes:
    name, expected = blocks_of(claim.path), HASH_BYTES * claim.blocks
    if len(leaves) != expected:
        raise FormatError(f"{name}: {len(leaves):,} bytes, expected {expected:,} for {claim.blocks:,} blocks")
    found = merkle.root(leaves)
    if found != claim.root:
        raise FormatError(f"{name}: its Merkle root is {found}, the certificate says {claim.root}")
    return leaves


def _read_numbers(data: bytes, name: str, expected: FileDigest, *, below: int, count: int) -> Numbers:
    found = digest_of(data)
    if found != expected:
        raise FormatError(
            f"{name}: {found.size:,} bytes with sha256 {found.sha256}, "
            f"the certificate says {expected.size:,} with {expected.sha256}"
        )
    numbers = gaps.decode(data, below=below, most=count, what=name)
    if len(numbers) != count:
        raise FormatError(f"{name}: {len(numbers):,} numbers, the certificate says {count:,}")
    return numbers
