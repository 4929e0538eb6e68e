"""
The model a client embeds: open a package, then encode, decode and sample under its license.

Opening verifies and proves; each call asks the license again, computes, and commits to the meter before
it returns. Nothing here exits, prints, logs or touches the network.
"""

import secrets
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from ternary_sdk._internal.inference.dial import Dial, whole
from ternary_sdk._internal.inference.drawing import Draws, Rows
from ternary_sdk._internal.inference.runtime import BLOCK
from ternary_sdk._internal.licensing.claims import Action
from ternary_sdk._internal.licensing.license import License
from ternary_sdk._internal.licensing.permit import Permit
from ternary_sdk._internal.licensing.renewal import check_remembered
from ternary_sdk._internal.packages.package import MAX_PACKAGE, Package
from ternary_sdk._internal.source import Source, read
from ternary_sdk._internal.trust.trust import MAX_TRUST, Trust
from ternary_sdk.draw import Draw
from ternary_sdk.errors import InputError, LedgerError, LicenseError, Reason
from ternary_sdk.operations import OperationSet
from ternary_sdk.proved import ProvedModel, ProvedPath
from ternary_sdk.space import Indices, Tables

__all__ = ["Model"]

MAX_LICENSE: Final = 1 << 20
MAX_ROWS: Final = 10_000_000
"""Most rows of one ``sample`` call; ``count`` goes further without keeping them."""
_ROUNDS: Final = 100
"""How often operations that other processes drew first are replaced; each time some process gets its own."""
PART: Final = 8 * BLOCK
"""Most rows of each part that ``sample_in_parts`` gives."""


class Model(ProvedModel):
    """A verified, proved and licensed model. Make one with ``open`` or ``evaluation``.

    All methods may be called from many threads at once, and from forked children.
    """

    def __init__(
        self,
        package: Package,
        trust: Trust,
        license: License | None,
        *,
        threads: int | None = None,
        machine_id: str | None = None,
        state: Path | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Prove a verified package; see ``open`` for what the arguments mean and what is refused."""
        self._trust, self._stored = trust, package
        self._machine_id, self._state = machine_id, state
        self._permit = self._permit_of(license) if license is not None else None
        self._clock = clock
        super().__init__(self._unlocked(self._permit), threads=threads)

    @classmethod
    def open(
        cls,
        file: Source,
        *,
        license: Source | None = None,
        trust: Source,
        threads: int | None = None,
        machine_id: str | None = None,
        state: Path | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> "Model":
        """Open a package:

        1. read it once, capped; verify its signature, form and certificate against ``trust``;
        2. inspect the graphs, then load them from the verified bytes;
        3. prove again, on this machine, that every operation certified reachable is;
        4. verify the license's signature, if one is given.

        Whether the license allows a call is asked at each call. An encrypted package is decrypted with the
        license's key, and only while the license would allow some call here and now.

        Args:
            file: The ``.ternary`` package.
            license: The license; without one only what ``ProvedModel`` has can be used.
            trust: The trust file whose root key the caller relies on.
            threads: How many to compute with, by default as many as the process may use.
            machine_id: This machine's id where it has none of its own, as in a container.
            state: The state directory, as ``--state`` names it: each vendor's meter, clock mark and
                installation key are in a folder of it, made only where the license needs them. By default
                one in the user's data directory. A test with a clock of its own passes a temporary one.
            clock: Gives the present moment, timezone-aware. Under a license that ends, the latest moment it
                gave is kept in ``state``, by refused calls too, and one over 5 minutes before it is refused.
        Raises:
            InputError: If a file cannot be read.
            FormatError: If the package or the trust file is malformed.
            SignatureError: If one of them is not signed as it must be.
            ProofError: If the model does not do what its certificate says.
            LicenseError: If the trust file is older than one relied on before, the license is malformed, not
                properly signed, or revoked, or the package is encrypted and the license has no key for it
                or allows nothing here and now.
            LedgerError: If the package is encrypted, the license is bound, and its state cannot be read.
        """
        trusted = Trust.read(read(trust, MAX_TRUST))
        check_remembered(trusted, state)
        package = Package.read(read(file, MAX_PACKAGE), trusted)
        granted = License.read(read(license, MAX_LICENSE), trusted) if license is not None else None
        return cls(
            package, trusted, granted, threads=threads, machine_id=machine_id, state=state, clock=clock
        )

    @classmethod
    def evaluation(cls, *, threads: int | None = None) -> "Model":
        """Open the model shipped inside the SDK, under a license that never ends and grants everything."""
        shipped = files("ternary_sdk").joinpath("evaluation")
        package, license, trust = (
            shipped.joinpath(f"evaluation.{kind}").read_bytes() for kind in ("ternary", "license", "trust")
        )
        return cls.open(package, license=license, trust=trust, threads=threads)

    @property
    def license(self) -> License | None:
        """The license that the next call is asked of; None if it was opened without one."""
        return self._permit.license if self._permit is not None else None

    def relicense(self, license: Source) -> None:
        """Go on under another license, such as a renewed one, without opening and proving again.

        Calls that run end under the license they began with, the next ones ask the new one. The trust file
        stays the one it was opened with: for a newer one, open the model again.

        Args:
            license: The license.
        Raises:
            InputError: If the file cannot be read.
            LicenseError: As ``open``; the present license stays then.
        """
        permit = self._permit_of(License.read(read(license, MAX_LICENSE), self._trust))
        self._unlocked(permit)
        self._permit = permit

    def drawn(self) -> OperationSet:
        """The operations of this model's space ever returned under its license on this machine, as metered.

        Where the license has packages of several spaces, ``drawn_in_all`` counts for its quota.

        Raises:
            InputError: If there is no license, or it has no quota, so that nothing is counted.
            LedgerError: If the meter cannot be read.
        """
        return self._counting().drawn()

    def drawn_in_all(self) -> int:
        """How many operations count for the license's quota on this machine, those of all spaces added up.

        Raises:
            InputError, LedgerError: As ``drawn``.
        """
        return self._counting().total()

    def _counting(self) -> Permit:
        permit = self._permit
        if permit is None or permit.license.unique_operations is None:
            raise InputError(
                "model: nothing is counted, since it was opened without a license that has a quota"
            )
        return permit

    def encode(self, tables: npt.ArrayLike, *, path: str | None = None) -> npt.NDArray[np.float32]:
        """Encode operations.

        Args:
            tables: Values of the space, shape (n, cells), any integer or float dtype.
            path: The letter of a path, by default ``default_path``.
        Returns:
            Posterior means, shape (n, latent_size).
        Raises:
            LicenseError: If the license does not allow it.
            InputError: If an argument is not what it must be, or the path has no encoder.
        """
        _, (letter, used) = self._authorized("encode", path)
        if used.encoder is None:
            raise InputError(f"path {letter}: has no encoder, so it encodes nothing")
        return used.encoder.mean(self.space.as_tables(tables))

    def encoded_margins(self, tables: npt.ArrayLike, *, path: str | None = None) -> npt.NDArray[np.float32]:
        """How clearly the latent that ``encode`` gives each operation decodes to it: its margin.

        It counts for no quota: no operation is returned.

        Args:
            tables: Values of the space, shape (n, cells), any integer or float dtype.
            path: The letter of a path, by default ``default_path``.
        Returns:
            The smallest difference, over the cells, of the two highest logits; 0 where the latent decodes to
            another operation. Shape (n,).
        Raises:
            LicenseError, InputError: As ``encode``.
        """
        latents, (_, used) = self.encode(tables, path=path), self._path(path)
        decoded = used.decoder.decode(latents)
        return np.where(decoded.index == self.space.to_index(tables), decoded.margin, np.float32(0))

    def decode(self, latents: npt.ArrayLike, *, path: str | None = None) -> Tables:
        """Decode latents.

        Args:
            latents: Finite numbers, shape (n, latent_size).
            path: The letter of a path, by default ``default_path``.
        Returns:
            Operations, values of the space, shape (n, cells).
        Raises:
            LicenseError: If the license does not allow it, or its quota would be exceeded.
            InputError: If an argument is not what it must be.
            LedgerError: If the license has a quota and the meter cannot be committed.
        """
        permit, (_, used) = self._authorized("decode", path)
        found = used.decoder.index(latents)
        self._meter(permit, found)
        return self.space.from_index(found)

    def sample(
        self,
        n: int,
        *,
        unique: bool = False,
        new: bool = False,
        seed: int | None = None,
        path: str | None = None,
        explore: float = 0.0,
        temperature: float = 1.0,
        offset: int = 0,
    ) -> Draw:
        """Draw operations.

        Args:
            n: How many rows, 0 to 10 million.
            unique: Draw pairwise different operations. In a listed space all of them are certified
                reachable. In a vast space they are draws, each what its latent decodes to on this machine;
                their margins are not tested, so one that is a near tie may decode otherwise on another.
                Where draws run dry, uniform operations follow, and each of those was encoded and found to
                decode with a margin of 0.0005 or more.
            new: As ``unique``, and different from everything ever returned under the license on this machine.
                The rows then depend on what was returned before, too. Needs a license with a quota, since
                others keep no meter.
            seed: In [0, 2^64); the same seed gives the same rows. On another machine the prior's latents are
                the same, and the operations but for near ties: about one row in 20,000 may decode to another
                there, which changes the digest and, if ``unique``, the rows after it. By default a fresh
                one, kept in the draw.
            path: The letter of a path, by default ``default_path``.
            explore: Probability, in [0, 1], that a row is a uniformly chosen witness, not a prior draw. In a
                vast space it is the posterior mean of a uniform operation, if that decodes to it.
            temperature: Factor on the prior's latents, in [0.01, 100].
            offset: First row of the seed's stream; ``sample(n)`` is ``sample(k)`` and then
                ``sample(n - k, offset=k)``. Not with ``unique`` or ``new``: they promise about one call.
        Raises:
            LicenseError: If the license does not allow it, or its quota would be exceeded.
            InputError: If an argument is not what it must be.
            CoverageError: If more different operations are asked for than the certified model reaches, or the
                path lacks the encoder that would be needed.
            LedgerError: If the license has a quota and the meter cannot be committed.
        """
        permit, (letter, used) = self._authorized("sample", path)
        count, start = whole(n, "n", MAX_ROWS), whole(offset, "offset", 2**62)
        chosen, dial = _seed(seed), Dial(explore=explore, temperature=temperature)
        if (unique or new) and start:
            promised = "new" if new else "unique"
            raise InputError(
                f"offset: {start} with {promised}=True, expected 0, since uniqueness is per call"
            )
        if new:
            rows = _new_rows(permit, used.sampler, count, chosen, dial)
        else:
            rows = (
                used.sampler.unique(count, seed=chosen, dial=dial)
                if unique
                else used.sampler.rows(count, seed=chosen, dial=dial, offset=start)
            )
            self._meter(permit, rows.index)
        return Draw(index=rows.index, latents=rows.latents, seed=chosen, path=letter, space=self.space)

    def sample_in_parts(
        self,
        n: int,
        *,
        seed: int | None = None,
        path: str | None = None,
        explore: float = 0.0,
        temperature: float = 1.0,
    ) -> Iterator[Draw]:
        """The rows of ``sample(n)``, part by part, in memory that does not grow with ``n``.

        It is one call to the license: before the first part is given, all are refused, or all are counted.
        Under a quota the rows are computed twice for that.

        Args:
            n: How many rows, 0 to 10 million.
            seed: As ``sample``, and so are the others.
        Returns:
            At least one part, each of at most 16,384 rows and all with one seed.
        Raises:
            LicenseError, InputError, CoverageError, LedgerError: As ``sample``, at once.
        """
        permit, (letter, used) = self._authorized("sample", path)
        count, chosen = whole(n, "n", MAX_ROWS), _seed(seed)
        dial = Dial(explore=explore, temperature=temperature)
        if count:
            permit.count(lambda: used.sampler.count(count, seed=chosen, dial=dial))

        def part(start: int) -> Draw:
            rows = used.sampler.rows(min(PART, count - start), seed=chosen, dial=dial, offset=start)
            return Draw(index=rows.index, latents=rows.latents, seed=chosen, path=letter, space=self.space)

        return map(part, range(0, count or 1, PART))

    def _meter(self, permit: Permit, found: Indices) -> None:
        """Commit what is about to be returned; a license without a quota touches no ledger at all."""
        if len(found):
            permit.count(lambda: OperationSet.of(found, self.space))

    def _permit_of(self, license: License) -> Permit:
        return Permit(
            license,
            self._stored.identity,
            self._trust,
            space=self._stored.signature.space,
            machine_id=self._machine_id,
            state=self._state,
        )

    def _unlocked(self, permit: Permit | None) -> Package:
        """The package with its graphs in the clear; those of an encrypted one by the license's key."""
        if not self._stored.locked:
            return self._stored
        if permit is None:
            raise LicenseError(
                Reason.NOT_FOUND,
                f"{self._stored.manifest.label} is encrypted and only its license has the key; "
                "pass license= or '--license FILE'",
            )
        return self._stored.unlock(permit.content_key(self._clock()))

    def _authorized(self, action: Action, path: str | None) -> tuple[Permit, tuple[str, ProvedPath]]:
        """Who allowed the call, and counts it; and the path it is about."""
        used, permit = self._path(path), self._permit
        if permit is None:
            raise LicenseError(
                Reason.NOT_FOUND,
                f"{action} needs a license and none was given; pass license= or '--license FILE'",
            )
        permit.allow(action, self._clock())
        return permit, used


def _seed(seed: int | None) -> int:
    """The seed that was asked for, else a fresh one."""
    return secrets.randbits(63) if seed is None else whole(seed, "seed", 2**64 - 1)


def _new_rows(permit: Permit, sampler: Draws, count: int, seed: int, dial: Dial) -> Rows:
    """Rows of operations that were never returned before, counted.

    Another process may return some of them first. Whether it has is checked in the transaction that counts
    them; then only those are drawn again.
    """
    permit.expect_meter()
    source = sampler.new(count, seed=seed, dial=dial, lacking=permit.lacking)
    rows = source.take(count)
    if not count:
        return rows
    for _ in range(_ROUNDS):
        known = permit.count_new(OperationSet.of(rows.index, sampler.space))
        if not len(known):
            return rows
        rows = rows.without(known).followed_by(source.take(len(known)))
    raise LedgerError(
        f"{permit.ledger.path}: other processes draw new operations faster than this one can; call again"
    )
