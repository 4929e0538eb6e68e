"""
What is certified of one path in a vast space: a share of the space that is reachable, and even draws.

This module owns the figures and their consistency with each other; ``vast_certificate`` binds them to graphs,
``records`` reads the binary members that they speak of. Changing a byte of what is written here breaks every
certificate of a vast space (docs/formats.md, section 6).
"""

import hashlib
import re
from dataclasses import dataclass
from typing import Final

from ternary_sdk._internal.certificates import evenness, statistics
from ternary_sdk._internal.certificates.evenness import Evenness
from ternary_sdk._internal.certificates.merkle import BLOCK_ROWS
from ternary_sdk._internal.documents.canonical import Json
from ternary_sdk._internal.documents.fields import Fields
from ternary_sdk._internal.streams.stream import Stream
from ternary_sdk.errors import FormatError
from ternary_sdk.space import Space

MOST_OPERATIONS: Final = 1 << 40
"""The most uniform operations that a certificate speaks of."""

OPENED: Final = 2048
"""Rows of the stream, and as many uniform operations, that opening a package computes for each path."""

ROUND: Final = "1, 2 or 5, alone or with zeros after it"
"""The numbers of draws and of uniform operations of a certificate. A vendor may choose them after looking;
that he looked at every one, and kept the best, is not priced by the error probability. Of these there are
few: 31 up to ``MOST_DRAWS``, 37 up to ``MOST_OPERATIONS``."""

_LETTER: Final = re.compile(r"[A-Z]")
_SEED: Final = re.compile(r"[0-9a-f]{16}")


@dataclass(frozen=True, kw_only=True)
class FileDigest:
    """What a binary member must be."""

    sha256: str
    """Hex."""

    size: int
    """Bytes."""


@dataclass(frozen=True, kw_only=True)
class ReachableShare:
    """How large a share of the space has a witness, found by trying uniform operations."""

    seed: int
    """Seed of the operations, derived from both graphs' digests by ``entries_seed_of``, 64 bits."""

    operations: int
    """How many were tried: the first entries of domain 3 under this seed."""

    failures: int
    """How many of them have no witness."""

    failed: FileDigest
    """Of the member that lists their numbers."""

    @property
    def share(self) -> str:
        """Nine decimals: the share of all operations that have a witness, at least."""
        return statistics.share_at_least(self.failures, self.operations)


@dataclass(frozen=True, kw_only=True)
class VastPath:
    """The coverage of one path in a vast space: one decoder, with or without an encoder."""

    path: str
    """A single capital letter."""

    encoder: str | None
    """Name of the subject that gives the posterior means; None where the path has no encoder."""

    decoder: str
    """Name of the subject that is certified."""

    stream: Stream
    """The latent stream that its rows are of."""

    seed: int
    """Seed of the latent stream, derived from the decoder's digest by ``seed_of``, 64 bits."""

    reachable: ReachableShare | None
    """How much has a witness; None without an encoder, as nothing then gives a latent for an operation."""

    evenness: Evenness
    """What is drawn."""

    root: str
    """Root of the Merkle tree over the blocks of draws, hex."""

    near_ties: FileDigest
    """Of the member that lists the positions of near ties."""

    @property
    def space(self) -> Space:
        """What its operations are of."""
        return self.evenness.space

    @property
    def blocks(self) -> int:
        """How many blocks its draws have."""
        return -(-self.evenness.draws // BLOCK_ROWS)


def is_round(number: int) -> bool:
    """Whether a certificate may be of so many draws or operations: see ``ROUND``."""
    return str(number).rstrip("0") in {"1", "2", "5"}


def entries_seed_of(decoder_digest: str, encoder_digest: str, stream: Stream) -> int:
    """The seed of the uniform operations that a path's certificate tries, which nobody chooses.

    It follows from the encoder too. Were it the decoder's alone, a vendor could keep the decoder and train
    the encoder on exactly the operations that will be tried.

    Args:
        decoder_digest: SHA-256 of the decoder's plaintext, 64 hex digits.
        encoder_digest: The same of the encoder's.
        stream: What it is the seed of.
    Returns:
        The first 8 bytes, big-endian, of SHA-256("ternary-reachable-v" ‖ the stream's version ‖ the 32 bytes
        of the decoder's digest ‖ those of the encoder's).
    """
    material = f"ternary-reachable-v{stream.version}".encode()
    material += bytes.fromhex(decoder_digest) + bytes.fromhex(encoder_digest)
    return int.from_bytes(hashlib.sha256(material).digest()[:8], "big")


def write(path: VastPath) -> Json:
    """The member of the certificate's ``predicate.paths`` for one path."""
    stated: dict[str, Json] = {
        "path": path.path,
        "decoder": path.decoder,
        "seed": f"{path.seed:016x}",
        "evenness": evenness.write(path.evenness),
        "blocks": {"rows": BLOCK_ROWS, "count": path.blocks, "root": path.root},
        "near_ties": _write_digest(path.near_ties),
    }
    if path.encoder is not None:
        stated["encoder"] = path.encoder
    if path.reachable is not None:
        stated["reachable"] = {
            "seed": f"{path.reachable.seed:016x}",
            "operations": path.reachable.operations,
            "failures": path.reachable.failures,
            "failed": _write_digest(path.reachable.failed),
            "share": path.reachable.share,
        }
    return stated


def read(fields: Fields, stream: Stream, space: Space) -> VastPath:
    """Read a member of the certificate's ``predicate.paths``, whose rows are of ``stream``.

    Raises:
        FormatError: If it is not of this format or contradicts itself.
    """
    encoder = fields.optional("encoder", lambda name: fields.text(name, longest=64))
    reachable = fields.optional("reachable", lambda name: _read_reachable(fields.object(name)))
    if (encoder is None) != (reachable is None):
        has, lacks = ("reachable", "encoder") if encoder is None else ("encoder", "reachable")
        raise FormatError(f"{fields.path}: has '{has}' and no '{lacks}', expected both or none")
    blocks = fields.object("blocks")
    path = VastPath(
        path=fields.text("path", pattern=_LETTER),
        encoder=encoder,
        decoder=fields.text("decoder", longest=64),
        stream=stream,
        seed=int(fields.text("seed", pattern=_SEED), 16),
        reachable=reachable,
        evenness=evenness.read(fields.object("evenness"), space),
        root=blocks.sha256("root"),
        near_ties=_read_digest(fields.object("near_ties")),
    )
    fields.end()
    _expect_round(path.evenness.draws, f"{fields.path}.evenness.draws")
    blocks.exactly("rows", BLOCK_ROWS)
    blocks.exactly("count", path.blocks)
    blocks.end()
    return path


def _read_reachable(fields: Fields) -> ReachableShare:
    operations = fields.integer("operations", least=1, most=MOST_OPERATIONS)
    _expect_round(operations, f"{fields.path}.operations")
    reachable = ReachableShare(
        seed=int(fields.text("seed", pattern=_SEED), 16),
        operations=operations,
        failures=fields.integer("failures", most=operations),
        failed=_read_digest(fields.object("failed")),
    )
    fields.exactly("share", reachable.share)
    fields.end()
    return reachable


def _expect_round(number: int, what: str) -> None:
    if not is_round(number):
        raise FormatError(f"{what}: {number}, expected {ROUND}")


def _write_digest(digest: FileDigest) -> Json:
    return {"sha256": digest.sha256, "size": digest.size}


def _read_digest(fields: Fields) -> FileDigest:
    digest = FileDigest(sha256=fields.sha256("sha256"), size=fields.integer("size"))
    fields.end()
    return digest
