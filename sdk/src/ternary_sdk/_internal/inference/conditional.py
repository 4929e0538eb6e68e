"""
Drawing uniformly from the operations that meet a condition, or from their classes.

Ranks in the set are drawn, not latents. Each operation is then encoded, decoded and compared, so every row
carries a latent that was found to decode to it on this machine.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from ternary_sdk._internal.ascending import Numbers
from ternary_sdk._internal.inference import ranks
from ternary_sdk._internal.inference.dial import Dial
from ternary_sdk._internal.inference.drawing import Draws, Lacking, Rows, Supply, are_lacking
from ternary_sdk._internal.inference.runtime import Floats
from ternary_sdk._internal.logic.choice import Choice
from ternary_sdk._internal.streams.stream import REMAINDER
from ternary_sdk.errors import CoverageError, InputError
from ternary_sdk.operations import OperationSet
from ternary_sdk.space import Indices, Space

_DRY: Final = 0.01
"""A draw is given up when so small a share of 65,536 operations has a witness."""


def _everything(operations: OperationSet) -> OperationSet:
    return operations


@dataclass(frozen=True, kw_only=True)
class Matching:
    """How many operations a draw by property chooses among. ``str`` says it in a sentence."""

    choice: Choice
    """What was asked for."""

    operations: int
    """How many operations of the space are what was asked for."""

    reachable: int | None
    """How many of them are certified reachable; None in a vast space, where nothing lists those."""

    classes: int | None
    """In how many classes the reachable ones are, or in a vast space all; None if no group was asked for."""

    def __str__(self) -> str:
        found = self.choice.numbered(self.operations)
        among = "" if self.classes is None else f", in {_classes(self.classes)} up to {self.choice.group}"
        if self.reachable is None:
            return f"{found}{among}" if self.operations else found
        if not self.reachable:
            return f"{found}; none of them is certified reachable" if self.operations else found
        are = "is" if self.reachable == 1 else "are"
        return f"{found}; {self.reachable:,} of them {are} certified reachable{among}"


class ConditionalDraws:
    """Draws from the operations of a path that are what was asked for.

    Args:
        draws: The path's witnesses.
        choice: What was asked for.
    Raises:
        InputError: If the operations cannot be counted, or their classes not told apart.
    """

    def __init__(self, draws: Draws, choice: Choice) -> None:
        self._draws, self._choice = draws, choice
        self._counted = choice.count()
        self._classes = None if choice.group is None else choice.classes()
        self._members: Indices | None = None
        if draws.reached is not None or self._classes is not None:
            self._members = self._counted.unrank(np.arange(self._counted.size))
        if self._members is not None and draws.reached is not None:
            self._keep(draws.reached.mask[self._members])

    def _keep(self, kept: npt.NDArray[np.bool_]) -> None:
        """Leave out members, and with them what is known of their classes."""
        if self._members is not None:
            self._members = self._members[kept]
        if self._classes is not None:
            self._classes = self._classes[kept]

    @property
    def space(self) -> Space:
        """What it draws operations of."""
        return self._draws.space

    @property
    def matching(self) -> Matching:
        """How many there are."""
        return Matching(
            choice=self._choice,
            operations=self._counted.size,
            reachable=None if self._draws.reached is None else self._size,
            classes=None if self._classes is None else len(np.unique(self._classes)),
        )

    @property
    def _size(self) -> int:
        """How many can be drawn, as far as that is known."""
        return self._counted.size if self._members is None else len(self._members)

    def rows(self, count: int, *, seed: int, dial: Dial, offset: int = 0) -> Rows:
        """Operations drawn independently, repetitions as they come; if of classes, pairwise different.

        Raises:
            InputError: If a dial is set, or the offset.
            CoverageError: If there is no such operation, or hardly one has a witness.
        """
        if offset:
            raise InputError(f"offset: {offset}, expected 0 where operations are chosen by property")
        if self._classes is not None:
            return self.unique(count, seed=seed, dial=dial)
        _expect_no_dial(dial)
        if not count:
            return self._draws.none()
        if not self._size:
            raise CoverageError(str(self.matching))
        self._draws.expect_witnesses("where")
        return Supply(self._repeating(seed), self._draws.none()).take(count)

    def unique(self, count: int, *, seed: int, dial: Dial) -> Rows:
        """Pairwise different operations, or operations of pairwise different classes.

        A smaller draw is the beginning of a larger one.

        Raises:
            InputError: If a dial is set.
            CoverageError: If there are not so many, or not so many have a witness.
        """
        return self.new(count, seed=seed, dial=dial, lacking=_everything).take(count)

    def new(self, count: int, *, seed: int, dial: Dial, lacking: Lacking) -> Supply:
        """As ``unique``, of operations that were not returned before.

        Raises:
            InputError: If a dial is set.
            CoverageError: If there are not so many; ``take`` may find that out, too.
        """
        _expect_no_dial(dial)
        self._expect(count, lacking)
        if not count:
            return Supply(iter(()), self._draws.none())
        self._draws.expect_witnesses("where")
        parts = self._different(seed, lacking) if self._classes is None else self._of_classes(seed, lacking)
        return Supply(parts, self._draws.none())

    def _expect(self, count: int, lacking: Lacking) -> None:
        """Refuse more than there are, with how many there are."""
        left, classes, returned = self._size, self._classes, 0
        if self._members is not None and lacking is not _everything:
            new = are_lacking(self._members, lacking, self.space)
            left, classes = int(new.sum()), None if classes is None else classes[new]
            returned = self._size - left
        available = left if classes is None else len(np.unique(classes))
        if count > available:
            before = f"; {returned:,} were returned before" if returned else ""
            raise CoverageError(f"{_asked(count, lacking, classes)}, but {self.matching}{before}")

    def _unrank(self, chosen: Numbers) -> Indices:
        return self._counted.unrank(chosen) if self._members is None else self._members[chosen]

    def _repeating(self, seed: int) -> Iterator[Rows]:
        for chosen in ranks.repeating(self._draws.stream, seed, self._size):
            different, places = np.unique(self._unrank(chosen), return_inverse=True)
            found, latents = self._draws.witnessed(different)
            good = found[places]
            self._expect_enough(int(good.sum()), len(chosen))
            yield Rows(index=different[places][good], latents=latents[places[good]])

    def _different(self, seed: int, lacking: Lacking) -> Iterator[Rows]:
        drawn = returned = 0
        for chosen in ranks.different(self._draws.stream, seed, self._size):
            index = self._unrank(chosen)
            new, good, latents = self._usable(index, lacking)
            drawn, returned = drawn + int(good.sum()), returned + int((~new).sum())
            yield Rows(index=index[good], latents=latents[good])
            if self._size > ranks.EXHAUSTED:
                self._expect_enough(int((good | ~new).sum()), len(chosen))
        raise CoverageError(self._dry(drawn, returned))

    def _of_classes(self, seed: int, lacking: Lacking) -> Iterator[Rows]:
        """The first member of each class, in a random order of its own, that is new and has a witness."""
        members, starts = self._by_class(seed)
        drawn = 0
        for chosen in ranks.different(self._draws.stream, seed, len(starts) - 1):
            found = self._firsts(members, starts[chosen], starts[chosen + 1], lacking)
            drawn += len(found)
            yield found
        raise CoverageError(f"{self.matching}; {_classes(drawn)} have one left that has a witness")

    def _by_class(self, seed: int) -> tuple[Indices, Numbers]:
        """The members class by class, and where each class begins; the last entry is where they end."""
        if self._members is None or self._classes is None:
            raise InputError("distinct_up_to: None, expected a group whose classes are told apart")
        words = self._draws.stream.words(seed, REMAINDER, 0, self._size)[:, 1]
        order = np.lexsort((words, self._classes))
        _, starts = np.unique(self._classes[order], return_index=True)
        return self._members[order], np.append(starts, self._size)

    def _firsts(self, members: Indices, places: Numbers, ends: Numbers, lacking: Lacking) -> Rows:
        found, latents = np.full(len(places), -1, np.int64), self._draws.none(len(places)).latents
        places, pending = places.copy(), np.arange(len(places))
        while len(pending):
            tried = members[places[pending]]
            _, good, values = self._usable(tried, lacking)
            found[pending[good]], latents[pending[good]] = tried[good], values[good]
            places[pending] += 1
            pending = pending[~good & (places[pending] < ends[pending])]
        kept = found >= 0
        return Rows(index=found[kept].astype(self.space.index_type), latents=latents[kept])

    def _usable(
        self, index: Indices, lacking: Lacking
    ) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_], Floats]:
        """Of different operations: which are new, which of these have a witness, and the latents of those."""
        new = np.ones(len(index), np.bool_)
        if lacking is not _everything:
            new = are_lacking(index, lacking, self.space)
        good, latents = np.zeros(len(index), np.bool_), self._draws.none(len(index)).latents
        good[new], latents[new] = self._draws.witnessed(index[new])
        return new, good, latents

    def _expect_enough(self, witnessed: int, tried: int) -> None:
        if tried == ranks.AT_ONCE and witnessed < _DRY * tried:
            raise CoverageError(
                f"{self.matching}; of the last {tried:,} that were tried, {witnessed:,} have a witness"
            )

    def _dry(self, drawn: int, returned: int) -> str:
        before = f", and {returned:,} were returned before" if returned else ""
        return f"{self.matching}; {drawn:,} have a witness{before}"


def _expect_no_dial(dial: Dial) -> None:
    for name, value, plain in (("explore", dial.explore, 0), ("temperature", dial.temperature, 1)):
        if value != plain:
            raise InputError(
                f"{name}: {value}, expected {plain} where operations are chosen by property: their choice is "
                "uniform, and no prior is drawn from"
            )


def _classes(count: int) -> str:
    return "1 class" if count == 1 else f"{count:,} classes"


def _asked(count: int, lacking: Lacking, classes: Indices | None) -> str:
    """What is refused, such as ``40 new operations of different classes were asked for``."""
    new = lacking is not _everything
    kind = "new operations" if new else "operations" if classes is not None else "different operations"
    operations = kind.removesuffix("s") if count == 1 else kind
    were = "was" if count == 1 else "were"
    return f"{count:,} {operations}{' of different classes' if classes is not None else ''} {were} asked for"
