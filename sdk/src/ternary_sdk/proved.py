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
from ternary_sdk._internal.inference import proof
from ternary_sdk._internal.inference.proof import Witnesses
from ternary_sdk._internal.inference.runtime import CLOSED, Decoder, Encoder, Workers
from ternary_sdk._internal.inference.sampler import Dial, Sampler, whole
from ternary_sdk._internal.packages.package import Package
from ternary_sdk._internal.process_bound import ProcessBound
from ternary_sdk.errors import InputError
from ternary_sdk.operations import OperationSet
from ternary_sdk.signature import Signature
from ternary_sdk.space import Space

__all__ = ["ProvedModel"]


@dataclass(frozen=True, kw_only=True)
class ProvedPath:
    """One path of an open model: its graphs and what was proved of them."""

    claim: PathCoverage
    """What the certificate says of it."""

    encoder: Encoder | None
    """None where the path has none, and encodes nothing."""
    decoder: Decoder
    witnesses: Witnesses
    sampler: Sampler
    """Draws from it."""


class ProvedModel(ProcessBound, AbstractContextManager["ProvedModel"]):
    """A verified package whose every path was proved again to reach what is certified.

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
    def certificate(self) -> Certificate:
        """What the model is certified to reach and to draw."""
        return _listed(self.package)

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
        """The operations proved reachable when the model was opened."""
        return self._path(path)[1].witnesses.operations

    def margins(self, *, path: str | None = None) -> npt.NDArray[np.float32]:
        """How clearly each operation's witness decodes to it: its margin, 0 where it is not reachable.

        Returns:
            Margins in canonical order, shape (space.size,).
        """
        _, used = self._path(path)
        return proof.margins(used.witnesses, used.decoder)

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

        Memory does not grow with ``draws``.

        Raises:
            InputError: If an argument is not what it must be.
        """
        _, used = self._path(path)
        dial = Dial(explore=explore, temperature=temperature)
        chosen = whole(seed, "seed", 2**64 - 1)
        return len(used.sampler.count(whole(draws, "draws", 2**62), seed=chosen, dial=dial))

    def replay(self, *, path: str | None = None) -> PathCoverage:
        """Draw again, on this machine, all rows that a path's certificate speaks of.

        Returns:
            The path's figures, each found again exactly.
        Raises:
            ProofError: Naming the first row or figure that differs.
        """
        _, used = self._path(path)
        proof.replay(used.claim, used.decoder)
        return used.claim

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


def _listed(package: Package) -> Certificate:
    if not isinstance(package.certificate, Certificate):
        raise InputError(f"{package.manifest.label}: is of the vast space {package.signature.space}")
    return package.certificate


def _prove(package: Package, workers: Workers) -> dict[str, ProvedPath]:
    paths, signature = {}, package.signature
    for claim in _listed(package).paths:
        name = claim.encoder
        encoder = None if name is None else Encoder(package.graphs[name], name, workers, signature)
        decoder = Decoder(package.graphs[claim.decoder], claim.decoder, workers, signature)
        witnesses = proof.reprove(claim, encoder, decoder)
        sampler = Sampler(decoder, witnesses, claim.stream)
        paths[claim.path] = ProvedPath(
            claim=claim, encoder=encoder, decoder=decoder, witnesses=witnesses, sampler=sampler
        )
    return paths
