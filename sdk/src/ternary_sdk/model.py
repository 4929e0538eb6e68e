"""
The model a client embeds: open a package, then encode, decode and sample under its license.

Opening verifies and proves; each call asks the license again, computes, and commits to the meter before
it returns. Nothing here exits, prints, logs or touches the network.
"""

import secrets
from collections.abc import Iterator
from typing import Final

import numpy as np
import numpy.typing as npt

from ternary_sdk._internal.inference import nearness
from ternary_sdk._internal.inference.conditional import ConditionalDraws
from ternary_sdk._internal.inference.dial import Dial, whole
from ternary_sdk._internal.inference.drawing import Draws, Rows
from ternary_sdk._internal.inference.nearness import Walk
from ternary_sdk._internal.inference.runtime import BLOCK
from ternary_sdk._internal.licensing.permit import Permit
from ternary_sdk._internal.logic.choice import Choice
from ternary_sdk._internal.logic.classes import Group
from ternary_sdk._internal.logic.conditions import Condition
from ternary_sdk._internal.logic.nearness import Neighbours, expect_count, operation_of
from ternary_sdk.draw import Draw
from ternary_sdk.errors import InputError, LedgerError
from ternary_sdk.licensed import LicensedModel
from ternary_sdk.operations import OperationSet
from ternary_sdk.proved import ProvedPath
from ternary_sdk.space import Indices, Tables

__all__ = ["Model"]

MAX_ROWS: Final = 10_000_000
"""Most rows of one ``sample`` call; ``count`` goes further without keeping them."""
MAX_STEPS: Final = 1_000_000
"""Most steps of one ``walk`` call."""
_ROUNDS: Final = 100
"""How often operations that other processes drew first are replaced; each time some process gets its own."""
PART: Final = 8 * BLOCK
"""Most rows of each part that ``sample_in_parts`` gives."""


class Model(LicensedModel):
    """A verified, proved and licensed model. Make one with ``open`` or ``evaluation``.

    All methods may be called from many threads at once, and from forked children.
    """

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
        where: Condition | str | None = None,
        like: Condition | str | None = None,
        distinct_up_to: Group | str | None = None,
    ) -> Draw:
        """Draw operations.

        With ``where``, ``like`` or ``distinct_up_to`` they are chosen uniformly among those that are what was
        asked for, as ``matching`` counts them, instead of from the prior. Each is encoded and found to decode
        with a margin of 0.0005 or more; in a vast space one that does not is left out.

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
            where: A condition, or a text such as ``commutative & not monotone``.
            like: A partial table, or a text such as ``-,?,+ / ?,0,? / ?,?,-``.
            distinct_up_to: Draw at most one operation of each class: up to ``inputs``, ``npn`` or ``values``.
                Classes are chosen uniformly, then a member of each.
        Raises:
            LicenseError: If the license does not allow it, or its quota would be exceeded.
            InputError: If an argument is not what it must be.
            CoverageError: If more different operations are asked for than there are or the certified model
                reaches, or the path lacks the encoder that would be needed.
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
        source = _source(used, Choice.of(self.space, where, like, distinct_up_to))
        if new:
            rows = _new_rows(permit, source, count, chosen, dial)
        else:
            rows = (
                source.unique(count, seed=chosen, dial=dial)
                if unique
                else source.rows(count, seed=chosen, dial=dial, offset=start)
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

    def near(self, operation: int | str, k: int = 10, *, path: str | None = None) -> Neighbours:
        """The operations whose latents are nearest to the latent of one, by Euclidean distance.

        In a listed space all reachable operations are compared; in a vast space only those that differ from
        it in at most two cells. It is ``encode`` to the license, and counts for no quota: operations
        are encoded and their numbers sorted, and nothing is decoded that the caller lacks.

        Args:
            operation: A canonical index, or a text that ``ternary_sdk.logic.parse`` reads.
            k: How many, 1 to 100,000.
            path: The letter of a path, by default ``default_path``.
        Raises:
            LicenseError: If the license does not allow it.
            InputError: If an argument is not what it must be.
            CoverageError: If the path does not reach the operation, or fewer than ``k`` others.
        """
        _, (_, used) = self._authorized("encode", path)
        index = operation_of(operation, self.space)
        return nearness.nearest(index, expect_count(k, self.space), used.sampler)

    def walk(self, start: int | str, end: int | str, *, steps: int = 100, path: str | None = None) -> Walk:
        """Walk straight from the latent of one operation to that of another, and decode on the way.

        It is ``encode`` and ``decode`` to the license. Every operation on the way counts for its quota.

        Args:
            start: A canonical index, or a text that ``ternary_sdk.logic.parse`` reads.
            end: As ``start``.
            steps: Into how many equal parts the line is cut, 1 to 1,000,000. Each point between is decoded,
                and of neighbours with the same operation the clearest is kept.
            path: The letter of a path, by default ``default_path``.
        Raises:
            LicenseError: If the license does not allow it, or its quota would be exceeded.
            InputError: If an argument is not what it must be.
            CoverageError: If the path does not reach one of the two operations.
            LedgerError: If the license has a quota and the meter cannot be committed.
        """
        self._authorized("encode", path)
        permit, (letter, used) = self._authorized("decode", path)
        ends = operation_of(start, self.space), operation_of(end, self.space)
        if not whole(steps, "steps", MAX_STEPS):
            raise InputError(f"steps: 0, expected 1 to {MAX_STEPS:,}")
        found = nearness.walk(*ends, int(steps), used.sampler, used.decoder, letter)
        self._meter(permit, found.index)
        return found

    def _meter(self, permit: Permit, found: Indices) -> None:
        """Commit what is about to be returned; a license without a quota touches no ledger at all."""
        if len(found):
            permit.count(lambda: OperationSet.of(found, self.space))


def _seed(seed: int | None) -> int:
    """The seed that was asked for, else a fresh one."""
    return secrets.randbits(63) if seed is None else whole(seed, "seed", 2**64 - 1)


def _source(used: ProvedPath, choice: Choice | None) -> Draws | ConditionalDraws:
    """What draws from a path: all of it, or what was asked for."""
    return used.sampler if choice is None else ConditionalDraws(used.sampler, choice)


def _new_rows(permit: Permit, source: Draws | ConditionalDraws, count: int, seed: int, dial: Dial) -> Rows:
    """Rows of operations that were never returned before, counted.

    Another process may return some of them first. Whether it has is checked in the transaction that counts
    them; then only those are drawn again.
    """
    permit.expect_meter()
    supply = source.new(count, seed=seed, dial=dial, lacking=permit.lacking)
    rows = supply.take(count)
    if not count:
        return rows
    for _ in range(_ROUNDS):
        known = permit.count_new(OperationSet.of(rows.index, source.space))
        if not len(known):
            return rows
        rows = rows.without(known).followed_by(supply.take(len(known)))
    raise LedgerError(
        f"{permit.ledger.path}: other processes draw new operations faster than this one can; call again"
    )
