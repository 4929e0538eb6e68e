"""
One table of a BLIF-MV model: its rows as they are read, and the value of each cell that follows from them.
"""

import itertools
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from ternary_sdk.errors import FormatError
from ternary_sdk.space import Space

_MOST_CELLS: Final = 62
"""As in any space with fewer than 2^63 operations."""
_ANY: Final = "-"

_Result = int | str
"""A digit, or the name of the input that has it."""


class Signal(NamedTuple):
    """What ``.mv`` says of a variable."""

    radix: int
    values: tuple[str, ...]
    """The names of its values; empty where they are their numbers."""

    def digit(self, word: str) -> int | None:
        """The digit that a word means, or None."""
        if self.values:
            return self.values.index(word) if word in self.values else None
        if word.isascii() and word.isdecimal() and len(word) <= 3 and int(word) < self.radix:
            return int(word)
        return None


class Table:
    """A table while it is read.

    Args:
        inputs: The variables of its first columns.
        outputs: Those of the others.
        signals: Of all of them.
        where: The beginning of a sentence about the whole table.
    """

    def __init__(
        self, inputs: tuple[str, ...], outputs: tuple[str, ...], signals: Mapping[str, Signal], where: str
    ) -> None:
        self._inputs, self._outputs, self._signals, self._where = inputs, outputs, signals, where
        self._cells: dict[tuple[int, ...], tuple[tuple[_Result, ...], int]] = {}
        """The results of each combination of inputs, and the line that gave them."""
        self._default: tuple[_Result, ...] | None = None

    @property
    def variables(self) -> tuple[str, ...]:
        """All its variables."""
        return (*self._inputs, *self._outputs)

    def take_row(self, words: Sequence[str], line: int, where: str) -> None:
        """Take a row in.

        Raises:
            FormatError: If it is not one of this table, or gives a cell a second value.
        """
        words = [word for word in words if word != "->"]
        if len(words) != len(self.variables):
            raise FormatError(f"{where}: {len(words)} columns, expected {len(self.variables)}")
        choices = [self._choices(name, word, where) for name, word in zip(self._inputs, words, strict=False)]
        self._expect_small(where)
        results = self._results(words[len(self._inputs) :], where)
        for cell in itertools.product(*choices):
            known, before = self._cells.setdefault(cell, (results, line))
            if known is not results and self._values(known, cell) != self._values(results, cell):
                raise FormatError(
                    f"{where}: {self._named(cell)} has another value in line {before}, expected one"
                )

    def take_default(self, words: Sequence[str], line: int, where: str) -> None:  # noqa: ARG002
        """Take the values of all cells without a row in.

        Raises:
            FormatError: If there are some already, or they are not one for each output.
        """
        if self._default is not None:
            raise FormatError(f"{where}: a second .default of one table")
        if len(words) != len(self._outputs):
            raise FormatError(f"{where}: {len(words)} values by default, expected {len(self._outputs)}")
        self._default = self._results(words, where)

    def column(self, place: int, inputs: Sequence[str], space: Space) -> list[int]:
        """The digits of one output for each cell of the space.

        Args:
            place: Which output.
            inputs: All the model's inputs, in the order of the space.
            space: What the model's operations are of.
        Raises:
            FormatError: If a cell has no value.
        """
        columns = [inputs.index(name) for name in self._inputs]
        found = []
        for cell in itertools.product(range(space.radix), repeat=space.inputs):
            own = tuple(cell[column] for column in columns)
            results = self._cells.get(own, (self._default, 0))[0]
            if results is None:
                name = self._outputs[place][:60]
                raise FormatError(f"{self._where}{name}: {self._named(own)} has no value and no .default")
            found.append(self._values(results, own)[place])
        return found

    def _choices(self, name: str, word: str, where: str) -> Sequence[int]:
        signal = self._signals[name]
        if word == _ANY:
            return range(signal.radix)
        words = word[1:-1].replace(",", " ").split() if word[0] in "({" and len(word) > 1 else [word]
        digits = [signal.digit(each) for each in words]
        if not digits or None in digits:
            raise FormatError(
                f"{where}: {word[:40]!r} is not a value of {name[:60]}, expected {_expected(signal)}"
            )
        return sorted({digit for digit in digits if digit is not None})

    def _results(self, words: Sequence[str], where: str) -> tuple[_Result, ...]:
        return tuple(self._result(name, word, where) for name, word in zip(self._outputs, words, strict=True))

    def _result(self, name: str, word: str, where: str) -> _Result:
        signal = self._signals[name]
        if word.startswith("=") and word[1:] in self._inputs:
            if self._signals[word[1:]].radix != signal.radix:
                raise FormatError(f"{where}: {word[:60]} has other values than {name[:60]}")
            return word[1:]
        choices = self._choices(name, word, where)
        if len(choices) != 1:
            raise FormatError(f"{where}: {name[:60]} may be any of {len(choices)} values, expected one")
        return choices[0]

    def _values(self, results: Sequence[_Result], cell: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(
            cell[self._inputs.index(result)] if isinstance(result, str) else result for result in results
        )

    def _named(self, cell: tuple[int, ...]) -> str:
        pairs = zip(self._inputs, cell, strict=True)
        return " ".join(f"{name[:40]}={digit}" for name, digit in pairs) or "its only cell"

    def _expect_small(self, where: str) -> None:
        cells = 1
        for name in self._inputs:
            cells *= self._signals[name].radix
            if cells > _MOST_CELLS:
                raise FormatError(
                    f"{where}: the table has more than {_MOST_CELLS} cells, so 2^63 operations or more"
                )


def _expected(signal: Signal) -> str:
    return f"one of {', '.join(signal.values)}"[:200] if signal.values else f"0 to {signal.radix - 1}"
