"""
What is billed of one space: which operations, of whose invoices, by which price list and at which positions.

A *layer* is what one customer's invoices billed by one price list. Its positions are those of the operations
in the order in which they were charged. What is given back is given back at the layer by which it was
charged, its last positions first. So within one price list the months add up to the price of the whole, and
no change of prices changes what an operation has cost (docs/adr/0022).
"""

from collections.abc import Iterable, Set
from dataclasses import dataclass
from typing import NamedTuple

from ternary_license_server.service.sets import nothing
from ternary_sdk.operations import OperationSet
from ternary_sdk.space import Space


class Layer(NamedTuple):
    """By what operations were charged."""

    customer: str
    """Whose invoice it was."""
    prices: str
    """The price list, as its canonical JSON."""


class Piece(NamedTuple):
    """Positions of a layer that are given back: those after ``start``, up to ``end``."""

    layer: Layer
    start: int
    end: int


@dataclass
class _Part:
    """What one invoice charged and still bills."""

    layer: Layer
    operations: OperationSet


class Billing:
    """What the invoices of some customers bill of one space, in the order in which they were issued.

    Args:
        space: What the operations are of.
    """

    def __init__(self, space: Space) -> None:
        self.space = space
        self._parts: list[_Part] = []
        self._charged: dict[Layer, list[tuple[int, int]]] = {}

    def of(self, customers: Set[str]) -> OperationSet:
        """Every operation that invoices of these customers bill."""
        found = nothing(self.space)
        for part in self._of(customers):
            found |= part.operations
        return found

    def charge(self, layer: Layer, operations: OperationSet, customers: Set[str]) -> None:
        """Bill operations after those that these customers are billed for, none of which is among them."""
        start = sum(len(part.operations) for part in self._of(customers))
        end = start + len(operations)
        if start == end:
            return
        self._parts.append(_Part(layer, operations))
        charged = self._charged.setdefault(layer, [])
        if charged and charged[-1][1] == start:
            start = charged.pop()[0]
        charged.append((start, end))

    def take_back(self, operations: OperationSet, customers: Set[str]) -> list[Piece]:
        """Bill operations no longer; the positions that are given back."""
        pieces = list[Piece]()
        for part in self._of(customers) if len(operations) else ():
            pieces += self._less(part, part.operations & operations)
        return _joined(pieces)

    def bill_once(self, customers: Set[str]) -> tuple[list[OperationSet], list[Piece]]:
        """Bill each operation once, by the invoice that billed it first.

        Args:
            customers: Who are one customer from now on.
        Returns:
            What was billed twice, what three times, and so on; and the positions that are given back.
        """
        seen, repeated, pieces = nothing(self.space), list[OperationSet](), list[Piece]()
        for part in self._of(customers):
            again = part.operations & seen
            seen |= part.operations
            pieces += self._less(part, again)
            for number, already in enumerate(repeated):
                repeated[number], again = already | again, already & again
            if len(again):
                repeated.append(again)
        return repeated, _joined(pieces)

    def _of(self, customers: Set[str]) -> list[_Part]:
        return [part for part in self._parts if part.layer.customer in customers]

    def _less(self, part: _Part, operations: OperationSet) -> list[Piece]:
        """Take operations from what an invoice bills; the last positions of its layer, as many as those
        are."""
        left, charged, pieces = len(operations), self._charged[part.layer], list[Piece]()
        part.operations -= operations
        while left:
            start, end = charged.pop()
            cut = max(start, end - left)
            pieces.append(Piece(part.layer, cut, end))
            left -= end - cut
            if start < cut:
                charged.append((start, cut))
        return pieces


def _joined(pieces: Iterable[Piece]) -> list[Piece]:
    """The same positions, of each layer together, those that touch as one."""
    of_layer: dict[Layer, list[Piece]] = {}
    for piece in pieces:
        theirs = of_layer.setdefault(piece.layer, [])
        if theirs and theirs[-1].start == piece.end:
            theirs[-1] = Piece(piece.layer, piece.start, theirs[-1].end)
        else:
            theirs.append(piece)
    return [piece for theirs in of_layer.values() for piece in theirs]
