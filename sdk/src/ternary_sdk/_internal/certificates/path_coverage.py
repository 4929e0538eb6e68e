"""
The coverage of one path: its reachable operations with their witnesses, and its prior draws.

This module owns the figures of a certificate and their consistency with each other; ``certificate`` binds
them to graphs, ``proof`` recomputes them. Changing a byte of what is written here breaks every
certificate ever issued (docs/formats.md, section 6).
"""

import hashlib
import re
from base64 import b64encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from ternary_sdk._internal.documents import canonical
from ternary_sdk._internal.documents.canonical import Json
from ternary_sdk._internal.documents.fields import Fields
from ternary_sdk._internal.streams.stream import Stream
from ternary_sdk.coverage import iid_limit, quoted_draws
from ternary_sdk.errors import FormatError, InputError
from ternary_sdk.operations import OperationSet
from ternary_sdk.space import TERNARY_2, Space

MARGIN: Final = 0.001
"""The least margin of a witness, and of a prior draw that counts, where the certificate is made."""

TOLERANCE: Final = 0.0005
"""By how much a margin may differ between machines, whose arithmetic moves a logit by up to 3e-5, and so a
margin by twice that: eight times as much, and half the margin."""

VERIFIER_MARGIN: Final = MARGIN - TOLERANCE
"""The least margin where it is verified."""

MARGIN_STEP: Final = 0.0001
"""The last decimal of a margin as certificates print it, rounded down."""

MOST_MARGIN: Final = 1e9
"""Above any margin that a certificate can print, which has nine digits before the point."""

_LIMIT_PLACES: Final = 6
_MARGIN_PLACES: Final = 4
_LETTER: Final = re.compile(r"[A-Z]")
_SEED: Final = re.compile(r"[0-9a-f]{16}")
_SMALLEST: Final = re.compile(r"(0|[1-9][0-9]{0,8})\.[0-9]{4}")


@dataclass(frozen=True, kw_only=True)
class Reachable:
    """The operations a decoder can emit, each with a witness: a latent that decodes to it."""

    operations: OperationSet
    """Every operation with a witness whose margin is at least 0.001."""

    streamed: Mapping[int, int]
    """Position in the latent stream, by operation, of the witnesses that are not posterior means."""

    smallest_margin: str
    """The smallest margin among all witnesses, four decimals, rounded down; "0.0000" if there are none."""


@dataclass(frozen=True, kw_only=True)
class Prior:
    """What the first rows of the latent stream decode to; rows with a margin below 0.001 do not count."""

    draws: int
    """How many rows were decoded."""

    operations: int
    """How many different operations they gave."""

    digest: str
    """The digest of the set of these operations, hex."""

    space: Space = TERNARY_2
    """What they are operations of."""

    @property
    def coverage(self) -> float:
        """The share of all operations that was drawn, in [0, 1]."""
        return self.operations / self.space.size

    @property
    def limit(self) -> float:
        """The share that a perfect, uniform sampler covers in expectation with as many draws."""
        return iid_limit(self.draws, self.space)


@dataclass(frozen=True, kw_only=True)
class PathCoverage:
    """The coverage of one path: one decoder, with or without an encoder."""

    path: str
    """A single capital letter."""

    encoder: str | None
    """Name of the subject that gives the posterior means; None where the path has no encoder, and every
    witness is a row of the stream."""

    decoder: str
    """Name of the subject that is certified."""

    stream: Stream
    """The latent stream that its rows are of; the certificate's version says which."""

    seed: int
    """Seed of the latent stream, derived from the decoder's digest by ``seed_of``, 64 bits."""

    reachable: Reachable
    """What it can emit."""

    prior: tuple[Prior, ...]
    """What it draws in each of ``quoted_draws`` rows, ascending."""

    near_ties: tuple[int, ...]
    """Ascending positions of the rows, of ``rows``, whose margin is below 0.001."""

    @property
    def space(self) -> Space:
        """What its operations are of."""
        return self.reachable.operations.space

    @property
    def rows(self) -> int:
        """How many rows of the latent stream it speaks of."""
        return self.prior[-1].draws

    @property
    def headline(self) -> Prior:
        """The prior coverage that is quoted where one figure is: that of the second number of draws."""
        return self.prior[1]

    def at(self, draws: int) -> Prior:
        """The prior coverage at one of the quoted numbers of draws."""
        for prior in self.prior:
            if prior.draws == draws:
                return prior
        quoted = tuple(prior.draws for prior in self.prior)
        raise InputError(f"draws: nothing is certified at {draws}, expected one of {quoted}")


def best(paths: Iterable[PathCoverage]) -> PathCoverage:
    """The path that covers more of the space at the headline draws; the first of equals."""
    return max(paths, key=lambda path: path.headline.operations)


def seed_of(decoder_digest: str, stream: Stream) -> int:
    """The seed of a decoder's certificate, which nobody chooses.

    A vendor who alters one bit of a weight gets another seed, so each try at a lucky one costs one count.

    Args:
        decoder_digest: SHA-256 of the decoder's plaintext, 64 hex digits.
        stream: What it is the seed of.
    Returns:
        The first 8 bytes, big-endian, of SHA-256("ternary-coverage-v" ‖ the stream's version ‖ the 32 digest
        bytes).
    """
    material = f"ternary-coverage-v{stream.version}".encode() + bytes.fromhex(decoder_digest)
    return int.from_bytes(hashlib.sha256(material).digest()[:8], "big")


def margin_text(margin: float) -> str:
    """A smallest margin as certificates print it: four decimals, rounded down."""
    return canonical.decimal(margin, _MARGIN_PLACES)


def limit_text(draws: int, space: Space) -> str:
    """The i.i.d. limit as certificates print it: six decimals, rounded down."""
    return canonical.decimal(iid_limit(draws, space), _LIMIT_PLACES)


def write(path: PathCoverage) -> Json:
    """The member of the certificate's ``predicate.paths`` for one path."""
    reachable = path.reachable
    stated: dict[str, Json] = {
        "path": path.path,
        "decoder": path.decoder,
        "seed": f"{path.seed:016x}",
        "reachable": {
            "operations": len(reachable.operations),
            "sha256": reachable.operations.digest,
            "bitmap": b64encode(reachable.operations.to_bytes()).decode(),
            "streamed": [[index, position] for index, position in sorted(reachable.streamed.items())],
            "smallest_margin": reachable.smallest_margin,
        },
        "prior": [
            {
                "draws": prior.draws,
                "operations": prior.operations,
                "limit": limit_text(prior.draws, prior.space),
                "sha256": prior.digest,
            }
            for prior in path.prior
        ],
        "near_ties": list(path.near_ties),
    }
    if path.encoder is not None:
        stated["encoder"] = path.encoder
    return stated


def read(fields: Fields, stream: Stream, space: Space) -> PathCoverage:
    """Read a member of the certificate's ``predicate.paths``, whose rows are of ``stream``.

    Raises:
        FormatError: If it is not of this format or its figures contradict each other.
    """
    quoted = quoted_draws(space)
    rows = quoted[-1]
    path = PathCoverage(
        path=fields.text("path", pattern=_LETTER),
        encoder=fields.optional("encoder", lambda name: fields.text(name, longest=64)),
        decoder=fields.text("decoder", longest=64),
        stream=stream,
        seed=int(fields.text("seed", pattern=_SEED), 16),
        reachable=_read_reachable(fields.object("reachable"), space, rows),
        prior=fields.items(
            "prior", lambda entry: _read_prior(entry, space), least=len(quoted), most=len(quoted)
        ),
        near_ties=fields.integers("near_ties", below=rows, most=rows),
    )
    fields.end()
    _check_counts(path, fields.path)
    _check_witnesses(path, fields.path)
    return path


def _read_reachable(fields: Fields, space: Space, rows: int) -> Reachable:
    count = fields.integer("operations", most=space.size)
    digest = fields.sha256("sha256")
    bitmap = fields.octets("bitmap", longest=space.bitmap_bytes)
    try:
        operations = OperationSet.from_bytes(bitmap, space)
    except FormatError as refusal:
        raise FormatError(f"{fields.path}.{refusal}") from None
    reachable = Reachable(
        operations=operations,
        streamed=fields.pairs("streamed", below=(space.size, rows), most=space.size),
        smallest_margin=fields.text("smallest_margin", pattern=_SMALLEST),
    )
    fields.end()
    if len(operations) != count or operations.digest != digest:
        raise FormatError(
            f"{fields.path}: its bitmap holds {len(operations)} operations with digest "
            f"{operations.digest[:12]}…, it claims {count} with {digest[:12]}…"
        )
    return reachable


def _read_prior(fields: Fields, space: Space) -> Prior:
    draws = fields.integer("draws", least=1)
    prior = Prior(
        draws=draws,
        operations=fields.integer("operations", most=min(draws, space.size)),
        digest=fields.sha256("sha256"),
        space=space,
    )
    fields.exactly("limit", limit_text(draws, space))
    fields.end()
    return prior


def _check_counts(path: PathCoverage, what: str) -> None:
    draws = tuple(prior.draws for prior in path.prior)
    if draws != quoted_draws(path.space):
        raise FormatError(f"{what}.prior: quotes {draws} draws, expected {quoted_draws(path.space)}")
    counts = [prior.operations for prior in path.prior] + [len(path.reachable.operations)]
    if counts != sorted(counts):
        raise FormatError(
            f"{what}: {counts[:-1]} operations drawn and {counts[-1]} reachable, expected an ascending order"
        )


def _check_witnesses(path: PathCoverage, what: str) -> None:
    streamed = path.reachable.streamed
    for index in streamed:
        if index not in path.reachable.operations:
            raise FormatError(f"{what}: operation {index} has a streamed witness but is not in the bitmap")
    if path.encoder is None and len(streamed) < len(path.reachable.operations):
        raise FormatError(
            f"{what}: {len(streamed)} of {len(path.reachable.operations)} witnesses are rows of the stream, "
            "expected all, since the path has no encoder"
        )
    rows = list(streamed.values())
    if len(set(rows)) != len(rows) or not set(rows).isdisjoint(path.near_ties):
        raise FormatError(f"{what}: a streamed witness stands for two operations, or is a near tie")
    margin, some = float(path.reachable.smallest_margin), len(path.reachable.operations) > 0
    if margin < MARGIN if some else margin > 0:
        raise FormatError(
            f"{what}: smallest_margin is {margin}, expected at least {MARGIN}, or 0.0000 of none"
        )
