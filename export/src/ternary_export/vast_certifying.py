"""
Certifying a build of a vast space: uniform operations are tried, and prior draws are counted.

Nothing of the training is needed here, and the seeds follow from the graphs: the same graphs give the same
figures wherever they are computed.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from ternary_export import trying
from ternary_export.build import Build, Draft, load
from ternary_sdk._internal.certificates import merkle, records
from ternary_sdk._internal.certificates.evenness import MOST_DRAWS
from ternary_sdk._internal.certificates.path_coverage import seed_of
from ternary_sdk._internal.certificates.records import Records, digest_of
from ternary_sdk._internal.certificates.statement import CURRENT
from ternary_sdk._internal.certificates.vast_certificate import VastCertificate
from ternary_sdk._internal.certificates.vast_path import (
    MOST_OPERATIONS,
    ROUND,
    ReachableShare,
    VastPath,
    entries_seed_of,
    is_round,
)
from ternary_sdk._internal.counting import counting
from ternary_sdk._internal.counting.draw_count import DrawCount
from ternary_sdk._internal.counting.job import Job
from ternary_sdk._internal.counting.progress import Progress, silent
from ternary_sdk._internal.inference.cores import usable_cores
from ternary_sdk._internal.inference.runtime import Decoder, Encoder, Workers
from ternary_sdk._internal.packages.members import cap
from ternary_sdk._internal.streams.stream import CURRENT as STREAM
from ternary_sdk.errors import InputError
from ternary_sdk.signature import Signature
from ternary_sdk.space import Space

QUICK: Final = 10_000_000
"""Draws, and uniform operations, unless others are asked for: minutes on two cores."""

_COMPUTED_WITH: Final = ("numpy", "onnxruntime", "ternary-export", "ternary-sdk")
_MEMORY: Final = 256 << 20


@dataclass(frozen=True, kw_only=True)
class Effort:
    """How much is computed for the certificate of a vast space, and with what.

    Raises:
        InputError: If a number is out of range, or none of those that a certificate may be of.
    """

    draws: int | Mapping[str, int] | None = None
    """Prior draws that are counted on each path, or on those that are named by letter; 10^7 of others."""

    operations: int | None = None
    """Uniform operations that are tried on each path with an encoder; None for 10^7."""

    folder: Path | None = None
    """Where the files of a count are kept until it ends, for a later call to go on; None for a temporary
    folder, with nothing to go on from."""

    executor: Executor | None = None
    """What counts; by default a process for each core."""

    watch: Callable[[Progress], None] = silent
    """Called with how far trying and counting have come."""

    def __post_init__(self) -> None:
        given = self.draws.items() if isinstance(self.draws, Mapping) else [("", self.draws)]
        for name, value, most in (
            *((f"draws of path {path}" if path else "draws", draws, MOST_DRAWS) for path, draws in given),
            ("operations", self.operations, MOST_OPERATIONS),
        ):
            if value is not None and not 1 <= value <= most:
                raise InputError(f"{name}: {value:,}, expected 1 to {most:,}")
            if value is not None and not is_round(value):
                raise InputError(f"{name}: {value:,}, expected {ROUND}")

    def draws_of(self, path: str) -> int:
        """How many draws of a path are counted."""
        if isinstance(self.draws, Mapping):
            return self.draws.get(path, QUICK)
        return self.draws or QUICK

    def expect_paths(self, paths: Sequence[str]) -> None:
        """Refuse draws of a path that the model does not have.

        Raises:
            InputError: Naming the path.
        """
        for path in self.draws if isinstance(self.draws, Mapping) else ():
            if path not in paths:
                raise InputError(
                    f"draws of path {path}: there is no such path, expected {' or '.join(paths)}"
                )

    def expect_of(self, space: Space) -> None:
        """Refuse numbers that are asked of a listed space, of which everything is certified.

        Raises:
            InputError: If there are any.
        """
        for name, value in (("draws", self.draws), ("operations", self.operations)):
            if space.listed and value is not None:
                asked = "numbers" if isinstance(value, Mapping) else f"{value:,}"
                raise InputError(
                    f"{name}: {asked} are asked for, but {space} is a listed space, whose certificate is "
                    "of all operations; leave the number out"
                )


def certify(
    draft: Draft, effort: Effort, *, tell: Callable[[str], None] = lambda _: None
) -> tuple[VastCertificate, dict[str, bytes]]:
    """Compute the certificate of a build, not signed yet, and the binary members that belong to it.

    Args:
        draft: The graphs, and the record that names the paths.
        effort: How much is computed.
        tell: Called with a few words before each step.
    Raises:
        InputError: If the members would be larger than a package holds, or the folder of a count cannot be
            used or has too little space, or draws are asked of a path that the model does not have.
        ProofError: If a posterior mean is not finite.
    """
    signature, paths, members = draft.provenance.signature, [], dict[str, bytes]()
    effort.expect_paths(signature.paths)
    with Workers() as workers:
        for letter in signature.paths:
            encoder, decoder = load(draft.graphs, letter, workers, signature)
            claim, found = _certify_path(letter, encoder, decoder, draft, effort, tell)
            paths.append(claim)
            members |= found
    certificate = VastCertificate(
        version=CURRENT,
        space=signature.space,
        latent_size=signature.latent_size,
        subjects={graph.member: graph.sha256 for graph in draft.provenance.graphs},
        released=draft.provenance.released,
        computed_with={name: version(name) for name in _COMPUTED_WITH},
        paths=tuple(paths),
    )
    # Clients will read it, so read it first.
    return VastCertificate.from_statement(certificate.to_statement()), members


def forget(build: Build, effort: Effort) -> None:
    """Remove what certifying kept in its folder to go on with, and the folder if nothing else is in it.

    Args:
        build: What was made; it is written by now.
        effort: With which.
    """
    if effort.folder is None:
        return
    for claim in build.certificate.paths:
        if isinstance(claim, VastPath):
            graph = build.graphs[claim.decoder]
            counting.forget(effort.folder, _job(graph, build.provenance.signature, claim))
            if claim.encoder is not None and claim.reachable is not None:
                graphs, tried = (build.graphs[claim.encoder], graph), claim.reachable
                trying.forget(effort.folder, graphs, claim.stream, tried.seed, tried.operations)
    with suppress(OSError):  # it is not there, or holds files of something else
        effort.folder.rmdir()


def _job(graph: bytes, signature: Signature, claim: VastPath) -> Job:
    return Job(
        decoder=hashlib.sha256(graph).hexdigest(),
        signature=signature,
        seed=claim.seed,
        draws=claim.evenness.draws,
        positions=True,
    )


def _certify_path(
    letter: str,
    encoder: Encoder | None,
    decoder: Decoder,
    draft: Draft,
    effort: Effort,
    tell: Callable[[str], None],
) -> tuple[VastPath, dict[str, bytes]]:
    graph = draft.graphs[decoder.what]
    stream = STREAM.of(decoder.signature.latent_size)
    digest = hashlib.sha256(graph).hexdigest()
    seed = seed_of(digest, stream)
    operations, draws = effort.operations or QUICK, effort.draws_of(letter)
    failures, entries_seed = None, 0
    if encoder is not None:
        encoding = draft.graphs[encoder.what]
        entries_seed = entries_seed_of(digest, hashlib.sha256(encoding).hexdigest(), stream)
        tell(f"trying {operations:,} uniform operations on path {letter}")
        failures = trying.failures(
            encoder,
            decoder,
            stream,
            entries_seed,
            operations,
            folder=effort.folder,
            graphs=(encoding, graph),
            most=cap(records.failures_of(letter)),
            watch=effort.watch,
        )
    tell(f"counting {draws:,} draws of path {letter}")
    counted = _count(graph, decoder, seed, draws, effort, cap(records.near_ties_of(letter)))
    members = Records(leaves=counted.leaves, near_ties=counted.positions, failures=failures).to_members(
        letter
    )
    for name, data in members.items():
        if len(data) > cap(name):
            raise InputError(
                f"{name}: would have {len(data):,} bytes, expected at most {cap(name):,}: "
                "certify fewer draws or operations"
            )
    claim = VastPath(
        path=letter,
        encoder=None if encoder is None else encoder.what,
        decoder=decoder.what,
        stream=stream,
        seed=seed,
        reachable=None
        if failures is None
        else ReachableShare(
            seed=entries_seed,
            operations=operations,
            failures=len(failures),
            failed=digest_of(members[records.failures_of(letter)]),
        ),
        evenness=counted.evenness(decoder.space),
        root=merkle.root(counted.leaves),
        near_ties=digest_of(members[records.near_ties_of(letter)]),
    )
    return claim, members


def _count(
    graph: bytes, decoder: Decoder, seed: int, draws: int, effort: Effort, most_tied: int
) -> DrawCount:
    with _folder(effort) as folder:
        return counting.count(
            graph,
            decoder.signature,
            seed=seed,
            draws=draws,
            folder=Path(folder),
            memory=_MEMORY * usable_cores(),
            executor=effort.executor,
            resume=True,
            most_tied=most_tied,
            tell=effort.watch,
        )


def _folder(effort: Effort) -> AbstractContextManager[str]:
    if effort.folder is None:
        return TemporaryDirectory(prefix="ternary-count-")
    return nullcontext(str(effort.folder))
