"""
The decoded sets that a process used last: a report beside millions of operations need not decode them again.

A set is named by the digests of its segments. These never change, so nothing here can be out of date: not
after a transaction that was rolled back, not after a restored backup, not beside other processes.
"""

import threading
from collections import OrderedDict
from collections.abc import Hashable
from typing import Final

from ternary_sdk.operations import OperationSet

MOST: Final = 32 << 20
"""Operations in memory at once, 8 bytes each: a quarter of a GiB."""


class Decoded:
    """Sets by name, those that were used last. Safe among threads.

    Args:
        most: How many operations are kept at once, those of all sets added up.
    """

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._sets: OrderedDict[Hashable, OperationSet] = OrderedDict()
        self._operations = 0
        self._turn = threading.Lock()

    def __len__(self) -> int:
        return self._operations

    def find(self, name: Hashable) -> OperationSet | None:
        """A set, if it is here."""
        with self._turn:
            if name in self._sets:
                self._sets.move_to_end(name)
            return self._sets.get(name)

    def keep(self, name: Hashable, operations: OperationSet) -> OperationSet:
        """Keep a set and give it back. The ones unused for longest go, and this one too if it is too much."""
        with self._turn:
            before = self._sets.pop(name, None)
            self._operations += len(operations) - (0 if before is None else len(before))
            self._sets[name] = operations
            while self._operations > self._most:
                _, gone = self._sets.popitem(last=False)
                self._operations -= len(gone)
        return operations

    def clear(self) -> None:
        """Forget every set, as a process that begins."""
        with self._turn:
            self._sets.clear()
            self._operations = 0
