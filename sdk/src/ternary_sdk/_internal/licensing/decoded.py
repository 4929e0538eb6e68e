"""
What a process decoded last: a call, or a report, beside millions of operations need not decode them again.

Each thing is named by what never changes, such as the digests or the random number of segments. So nothing
here can be out of date: not after a transaction that was rolled back, not after a restored backup, not beside
other processes.
"""

import threading
from collections import OrderedDict
from collections.abc import Hashable, Sized
from typing import Final, Generic, TypeVar

MOST: Final = 32 << 20
"""Operations in memory at once, 8 bytes each: a quarter of a GiB."""

T = TypeVar("T", bound=Sized)


class Decoded(Generic[T]):
    """Sets, or parts of them, by name: those that were used last. Safe among threads.

    Args:
        most: How many operations are kept at once, those of all sets added up.
    """

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._sets: OrderedDict[Hashable, T] = OrderedDict()
        self._operations = 0
        self._turn = threading.Lock()

    def __len__(self) -> int:
        return self._operations

    def find(self, name: Hashable) -> T | None:
        """A set, if it is here."""
        with self._turn:
            if name in self._sets:
                self._sets.move_to_end(name)
            return self._sets.get(name)

    def keep(self, name: Hashable, operations: T) -> T:
        """Keep a set and give it back. The ones unused for longest go, and this one too if it is too much."""
        with self._turn:
            self._drop(name)
            self._sets[name] = operations
            self._operations += len(operations)
            while self._operations > self._most:
                self._drop(next(iter(self._sets)))
        return operations

    def forget(self, name: Hashable) -> None:
        """Let a set go that nobody will ask for; it need not be here."""
        with self._turn:
            self._drop(name)

    def clear(self) -> None:
        """Forget every set, as a process that begins."""
        with self._turn:
            self._sets.clear()
            self._operations = 0

    def _drop(self, name: Hashable) -> None:
        gone = self._sets.pop(name, None)
        self._operations -= 0 if gone is None else len(gone)
