"""
A verified package at work, as far as no license is needed: its certificate proved on this machine.

Opening proves what each path reaches. What else can be asked here is proof, not use: it returns no operation
that a license would have to grant, and counts for no quota.
"""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from ternary_sdk._internal.certificates.certificate import Certificate
from ternary_sdk._internal.certificates.path_coverage import PathCoverage
from ternary_sdk._internal.certificates.vast_certificate import VastCertificate
from ternary_sdk._internal.certificates.vast_path import VastPath
from ternary_sdk._internal.inference import proof, vast_proof
from ternary_sdk._internal.inference.conditional import ConditionalDraws, Matching
from ternary_sdk._internal.inference.dial import Dial, whole
from ternary_sdk._internal.inference.drawing import Draws
from ternary_sdk._internal.inference.proof import Witnesses
from ternary_sdk._internal.inference.runtime import CLOSED, Decoder, Encoder, Workers
from ternary_sdk._internal.inference.sampler import Sampler
from ternary_sdk._internal.inference.vast_proof import Replayed
from ternary_sdk._internal.inference.vast_sampler import VastSampler
from ternary_sdk._internal.logic.choice import Choice
from ternary_sdk._internal.logic.classes import Group
from ternary_sdk._internal.logic.conditions import Condition
from ternary_sdk._internal.packages.package import Package
from ternary_sdk._internal.process_bound import ProcessBound
from ternary_sdk.errors import InputError, ProofError
from ternary_sdk.operations import OperationSet
from ternary_sdk.signature import Signature
from ternary_sdk.space import Space

__all__ = ["ProvedModel"]


@dataclass(frozen=True, kw_only=True)
class ProvedPath:
    """One path of an open model: its graphs and what was proved of them."""

    claim: PathCoverage | VastPath
    """What the certificate says of it."""

    encoder: Encoder | None
    """None where the path has none, and encodes nothing."""
    decoder: Decoder
    witnesses: Witnesses | None
    """Of every operation that it reaches; None in a vast space, where they are made as they are needed."""
    sampler: Draws
    """Draws from it."""


class ProvedModel(ProcessBound, AbstractContextManager["ProvedModel"]):
    """A verified package whose every path was proved again to reach what is certified.

    In a vast space samples of it are proved: uniform operations and prior draws that are chosen at random, on
    this machine, each time.

    Args:
        package: Verified, and unlocked if it is encrypted.
        threads: How many to compute with, by default as many as the process may use.
    Raises:
        ProofError: If the model does not do what its certificate says.
    """

    def __init__(self, package: Package, *, threads: int | None = None) -> None:
        self.package = package
        self._workers = Workers(threads)
        self._paths: Mapping[str, ProvedPath] | None = _prove(package, self._workers)

    @property
    def certificate(self) -> Certificate | VastCertificate:
        """What the model is certified to reach and to draw."""
        return self.package.certificate

    @property
    def signature(self) -> Signature:
        """What it is of: its space, the size of its latents, and its paths."""
        return self.package.signature

    @property
    def space(self) -> Space:
        """The operations that it encodes and decodes."""
        return self.package.signature.space

    @property
    def default_path(self) -> str:
        """The path used unless a call names one: the one with the higher certified coverage."""
        return self.package.manifest.default_path

    def reachable(self, *, path: str | None = None) -> OperationSet:
        """The operations proved reachable when the model was opened.

        Raises:
            InputError: If the space is vast, or there is no such path.
        """
        return self._listed(path, "reachable")[1].operations

    def margins(self, *, path: str | None = None) -> npt.NDArray[np.float32]:
        """How clearly each operation's witness decodes to it: its margin, 0 where it is not reachable.

        Returns:
            Margins in canonical order, shape (space.size,).
        Raises:
            InputError: As ``reachable``.
        """
        used, witnesses = self._listed(path, "margins")
        return proof.margins(witnesses, used.decoder)

    def matching(
        self,
        where: Condition | str | None = None,
        *,
        like: Condition | str | None = None,
        distinct_up_to: Group | str | None = None,
        path: str | None = None,
    ) -> Matching:
        """How many operations are what ``Model.sample`` may be asked for, and how many of them are reachable.

        Args:
            where: A condition, or a text such as ``commutative & not monotone``.
            like: A partial table, or a text such as ``-,?,+ / ?,0,? / ?,?,-``.
            distinct_up_to: Count classes, too: up to ``inputs``, ``npn`` or ``values``.
            path: The letter of a path, by default ``default_path``.
        Raises:
            InputError: If an argument is not what it must be, or they cannot be counted in this space.
        """
        used = self._path(path)[1]
        choice = Choice.of(self.space, where, like, distinct_up_to)
        everything = Choice(space=self.space, condition=None, group=None)
        return ConditionalDraws(used.sampler, choice or everything).matching

    def count(
        self,
        draws: int,
        *,
        seed: int,
        path: str | None = None,
        explore: float = 0.0,
        temperature: float = 1.0,
    ) -> int:
        """How many different operations a number of draws gives: hash-validated, none of them returned.

        Memory does not grow with ``draws``; in a vast space it does, and they are at most 10 million.

        Raises:
            InputError: If an argument is not what it must be.
            CoverageError: If exploration is asked of a path that has nothing to explore with.
        """
        _, used = self._path(path)
        dial = Dial(explore=explore, temperature=temperature)
        chosen = whole(seed, "seed", 2**64 - 1)
        return len(used.sampler.count(whole(draws, "draws", 2**62), seed=chosen, dial=dial))

    def replay(self, *, path: str | None = None, blocks: int | None = None) -> PathCoverage | Replayed:
        """Draw again, on this machine, all rows that a path's certificate speaks of.

        Args:
            path: The letter of a path, by default ``default_path``.
            blocks: In a vast space, replay so many blocks of 65,536 draws, chosen at random; by default all.
        Returns:
            The path's figures, each found again exactly. In a vast space how much was found again: draws are,
            and counts only where all blocks are replayed and are at most 2^27 draws.
        Raises:
            InputError: If an argument is not what it must be.
            ProofError: Naming the first row or figure that differs.
        """
        letter, used = self._path(path)
        if isinstance(used.claim, PathCoverage):
            if blocks is not None:
                raise InputError(
                    f"blocks: {blocks} of the listed space {self.space}, which is replayed whole"
                )
            proof.replay(used.claim, used.decoder)
            return used.claim
        chosen = None
        if blocks is not None:
            number = whole(blocks, "blocks", used.claim.blocks)
            chosen = vast_proof.choose_blocks(used.claim, number, np.random.default_rng())
        return vast_proof.replay(used.claim, self.package.records[letter], used.decoder, chosen)

    def close(self) -> None:
        """Stop the threads and let the graphs go; every later call is refused, and calls that run may be."""
        self._paths = None
        self._workers.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _path(self, path: str | None) -> tuple[str, ProvedPath]:
        paths = self._paths  # once: another thread may close the model in between
        if paths is None:
            raise InputError(CLOSED)
        letter = self.default_path if path is None else path
        if not isinstance(letter, str) or letter not in paths:
            raise InputError(f"path: {letter!r}, expected {' or '.join(paths)}")
        return letter, paths[letter]

    def _listed(self, path: str | None, what: str) -> tuple[ProvedPath, Witnesses]:
        """A path and the witnesses of all that it reaches, for what only a listed space has."""
        _, used = self._path(path)
        if used.witnesses is None:
            raise InputError(
                f"{what}: {self.space} is a vast space of {self.space.size:,} operations, which are not "
                "listed one by one; its certificate states the share of them that is reachable"
            )
        return used, used.witnesses


def _prove(package: Package, workers: Workers) -> dict[str, ProvedPath]:
    paths, random = {}, np.random.default_rng()
    for claim in package.certificate.paths:
        try:
            paths[claim.path] = _prove_path(package, claim, workers, random)
        except ProofError as refusal:
            refusal.path = claim.path
            raise
    return paths


def _prove_path(
    package: Package, claim: PathCoverage | VastPath, workers: Workers, random: np.random.Generator
) -> ProvedPath:
    name, signature = claim.encoder, package.signature
    encoder = None if name is None else Encoder(package.graphs[name], name, workers, signature)
    decoder = Decoder(package.graphs[claim.decoder], claim.decoder, workers, signature)
    witnesses: Witnesses | None = None
    sampler: Draws
    if isinstance(claim, PathCoverage):
        witnesses = proof.reprove(claim, encoder, decoder)
        sampler = Sampler(decoder, witnesses, claim.stream)
    else:
        vast_proof.prove(claim, package.records[claim.path], encoder, decoder, random)
        sampler = VastSampler(decoder, encoder, claim.stream)
    return ProvedPath(claim=claim, encoder=encoder, decoder=decoder, witnesses=witnesses, sampler=sampler)
